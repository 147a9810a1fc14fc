/**
 * Runs what was declared, piece by piece, as the host asks for it: hooks, the body of a test, or several tests at a time.
 * The host decides what comes next, what is tried again, and what becomes of a piece that does not end.
 */

import { classOf, now } from "sandbox:native";
import { stackOf } from "../inspect_error.js";
import {
  DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, isObject, newList, ObjectHasOwn, Promise, ReflectApply,
  RangeError, StringPrototypeSlice,
} from "../primordials.js";
import { startTimer, stopTimer } from "../timers.js";
import { closeFixtures, fixturesOf, turnTo, wantsFixtures } from "./fixtures.js";
import { pretty } from "./pretty.js";
import { detailsOf, newProgress, setCurrent } from "./state.js";
import { nodes, setRunning } from "./tree.js";

const mostText = 65_536;
const mostCauses = 8;
const cut = (text) => (text.length > mostText ? StringPrototypeSlice(text, 0, mostText) + "…" : text);

// --- what the host is told of errors ---

function ownText(error, key, fallback) {
  const value = error[key];
  return typeof value === "string" ? cut(value) : fallback;
}

/** Name, message and stack of something that was thrown; the name is empty where that is no error. */
function described(error) {
  const part = newList();
  const kind = isObject(error) ? classOf(error) : "";
  if (kind === "DOMException") {
    part[0] = DOMExceptionPrototypeGetName(error);
    part[1] = cut(DOMExceptionPrototypeGetMessage(error));
    part[2] = cut(stackOf(error, kind));
  } else if (kind === "Error") {
    part[0] = ownText(error, "name", "Error");
    part[1] = ownText(error, "message", "");
    part[2] = cut(stackOf(error, kind));
  } else {
    part[0] = "";
    part[1] = cut("thrown: " + pretty(error, 4000));
    part[2] = "";
  }
  return part;
}

/** [name, message, stack, matcher, expected, received, causes]: what the host shows of it. */
function record(error) {
  let entry;
  try {
    entry = described(error);
    const details = isObject(error) ? detailsOf(error) : undefined;
    entry[3] = details === undefined ? null : details.matcher;
    entry[4] = details === undefined || details.expected === null ? null : cut(details.expected);
    entry[5] = details === undefined || details.received === null ? null : cut(details.received);
    entry[6] = newList();
    let at = error;
    while (isObject(at) && ObjectHasOwn(at, "cause") && entry[6].length < mostCauses) {
      at = at.cause;
      entry[6][entry[6].length] = described(at);
    }
  } catch {
    entry = newList();
    entry[0] = "Error"; entry[1] = "an error that throws when it is looked at"; entry[2] = "";
    entry[3] = entry[4] = entry[5] = null; entry[6] = newList();
  }
  return entry;
}

// --- functions of the program, with their time ---

const inTime = (timeout, what) => new RangeError("Exceeded timeout of " + timeout + " ms for a " + what);

/**
 * Call a function that may return a promise or take a callback, and wait for it.
 * @param {any[]} args One that takes another argument gets what it calls when it is done, or fixtures.
 * @param {number} id Of the test or suite.
 */
async function call(body, args, timeout, what, id) {
  let timer = 0;
  const late = new Promise((_resolve, reject) => {
    timer = startTimer(() => {
      const error = inTime(timeout, what);
      error.name = "TimeoutError";
      reject(error);
    }, now() + timeout);
  });
  try {
    let result;
    if (wantsFixtures(body, args)) {
      result = (async () => body(await fixturesOf(id)))();
    } else if (body.length > args.length) {
      let given;
      const calledBack = new Promise((resolve, reject) => {
        const all = newList();
        for (let i = 0; i < args.length; i++) all[i] = args[i];
        all[args.length] = (error) => (error === undefined || error === null ? resolve() : reject(error));
        given = ReflectApply(body, undefined, all);
      });
      result = isObject(given) && typeof given.then === "function" ? given : calledBack;
    } else {
      result = ReflectApply(body, undefined, args);
    }
    if (isObject(result) && typeof result.then === "function") await raced(result, late);
  } finally {
    stopTimer(timer);
  }
}

const raced = (first, second) => new Promise((resolve, reject) => {
  settleBy(first, resolve, reject);
  settleBy(second, resolve, reject);
});

async function settleBy(promise, resolve, reject) {
  try {
    resolve(await promise);
  } catch (error) {
    reject(error);
  }
}

// --- pieces ---

/** Suites around a node, the innermost first. */
function suitesOf(node) {
  const list = newList();
  for (let at = node.parent; at !== null; at = at.parent) list[list.length] = at;
  return list;
}

function hooksOf(kind, node) {
  const found = newList();
  const suites = node.isSuite ? newList() : suitesOf(node);
  if (node.isSuite) suites[0] = node;
  for (let i = 0; i < suites.length; i++) {
    // Those before go from the outside to the inside in the order of their declaration, those after the other way.
    const suite = kind === "beforeEach" ? suites[suites.length - 1 - i] : suites[i];
    const hooks = suite.hooks[kind];
    for (let j = 0; j < hooks.length; j++) {
      found[found.length] = hooks[kind === "beforeEach" || kind === "beforeAll" ? j : hooks.length - 1 - j];
    }
  }
  return found;
}

async function runHooks(kind, node, timeout, errors) {
  const hooks = hooksOf(kind, node);
  for (let i = 0; i < hooks.length; i++) {
    const { body, timeout: own } = hooks[i];
    try {
      await call(body, newList(), own < 0 ? timeout : own, kind + " hook", node.id);
    } catch (error) {
      errors[errors.length] = record(error);
      if (kind === "beforeEach" || kind === "beforeAll") return;
    }
  }
}

function fullName(node) {
  let text = node.name;
  for (let at = node.parent; at !== null && at.parent !== null; at = at.parent) text = at.name + " > " + text;
  return text;
}

async function runBody(test, timeout, progress, errors) {
  try {
    await call(test.body, test.args, test.timeout < 0 ? timeout : test.timeout, "test", test.id);
  } catch (error) {
    errors[errors.length] = record(error);
  }
  for (let i = 0; i < progress.failures.length; i++) errors[errors.length] = record(progress.failures[i]);
  const { assertions, expected, needsAny } = progress;
  if (expected >= 0 && assertions !== expected) {
    errors[errors.length] = record(counted("expected " + expected + " assertions, and there were " + assertions));
  } else if (needsAny && assertions === 0) {
    errors[errors.length] = record(counted("expected at least one assertion, and there was none"));
  }
}

function counted(text) {
  const error = new RangeError(text);
  error.name = "AssertionError";
  return error;
}

/**
 * One piece; gives the records of its errors.
 * @param {"beforeAll" | "afterAll" | "beforeEach" | "afterEach" | "body"} kind
 * @param {number} id Of the node. @param {number} timeout In milliseconds, where it has none of its own.
 */
export async function runPiece(kind, id, timeout) {
  const node = nodes[id];
  const errors = newList();
  try {
    const progress = newProgress(id, fullName(node));
    setCurrent(progress);
    setRunning(kind === "body" ? "test" : "hook");
    await turnTo(id);
    if (kind === "body") await runBody(node, timeout, progress, errors);
    else await runHooks(kind, node, timeout, errors);
  } finally {
    setRunning("");
    setCurrent(null);
  }
  return errors;
}

/** Tests at the same time, hooks included; `report` is told of each as it ends. */
export async function runTogether(ids, timeout, report) {
  setCurrent(null, true);
  setRunning("test");
  const runs = newList();
  for (let i = 0; i < ids.length; i++) runs[i] = runOne(nodes[ids[i]], timeout, report);
  for (let i = 0; i < runs.length; i++) await runs[i];
  setCurrent(null);
  setRunning("");
}

async function runOne(test, timeout, report) {
  const errors = newList();
  const began = now();
  await runHooks("beforeEach", test, timeout, errors);
  if (errors.length === 0) await runBody(test, timeout, newProgress(test.id, fullName(test)), errors);
  await runHooks("afterEach", test, timeout, errors);
  await closeFixtures(test.id);
  report(test.id, errors, now() - began);
}
