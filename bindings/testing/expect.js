/** `expect`: a value, how it is looked at (`not`, `resolves`, `rejects`), and the matchers that judge it. */

import { classOf } from "sandbox:native";
import {
  ArrayPrototypeJoin, isObject, newList, Object, ObjectDefineProperty, ObjectKeys, Promise, ReflectApply, StringPrototypeIncludes,
  toArray, TypeError,
} from "../primordials.js";
import { matchers as browserMatchers } from "../browser/expect.js";
import { custom, makers, wildcards } from "./wildcards.js";
import { equals } from "./equality.js";
import { matchers as errorMatchers } from "./matchers_errors.js";
import { matchers as mockMatchers } from "./matchers_mocks.js";
import { matchers as valueMatchers } from "./matchers_values.js";
import { pretty } from "./pretty.js";
import { snapshotMatchers } from "./snapshots.js";
import { assertionError, countAssertion, currentName, currentTest, totalAssertions } from "./state.js";

/**
 * @typedef {object} Subject What is judged.
 * @property {unknown} value
 * @property {boolean} isNot
 * @property {"" | "resolves" | "rejects"} promise
 * @property {boolean} isSoft
 *
 * @typedef {object} Verdict
 * @property {boolean} pass
 * @property {() => string} [say] What to say below the heading; by default what was expected and received.
 * @property {unknown} [expected]
 * @property {unknown} [received]
 * @property {boolean} [compares] Whether these two are alike where it holds, so that their difference says why.
 * @property {string} [text] All there is to say.
 */

const shortText = 60;
let subjectOf;

class Assertion {
  /** @type {Subject} */
  #subject;
  constructor(subject) {
    this.#subject = subject;
  }
  static {
    subjectOf = (assertion) => assertion.#subject;
  }
  get not() {
    return new Assertion({ __proto__: null, ...this.#subject, isNot: !this.#subject.isNot });
  }
  get resolves() {
    return new Assertion({ __proto__: null, ...this.#subject, promise: "resolves" });
  }
  get rejects() {
    return new Assertion({ __proto__: null, ...this.#subject, promise: "rejects" });
  }
}

const subjectNow = (value, isSoft) => ({ __proto__: null, value, isNot: false, promise: "", isSoft });

/** @param {unknown} value @returns {Assertion} */
export const expect = (value) => new Assertion(subjectNow(value, false));

function heading(subject, name, args) {
  const given = args.length === 0 ? "" : args.length === 1 ? "expected" : "...expected";
  const way = subject.promise === "" ? "" : "." + subject.promise;
  return "expect(received)" + way + (subject.isNot ? ".not" : "") + "." + name + "(" + given + ")";
}

const oneLine = (text) => text.length <= shortText && !StringPrototypeIncludes(text, "\n");

/** @param {Verdict} verdict */
function failure(subject, name, args, verdict) {
  if (verdict.text !== undefined) {
    return assertionError(verdict.text, { __proto__: null, matcher: name, expected: null, received: null });
  }
  let message = heading(subject, name, args);
  const expected = "expected" in verdict ? pretty(verdict.expected) : null;
  const received = "received" in verdict ? pretty(verdict.received) : null;
  if (verdict.say !== undefined) {
    message += "\n\n" + verdict.say(subject.isNot);
  } else if (expected !== null && (subject.isNot || oneLine(expected))) {
    message += "\n\nExpected: " + (subject.isNot ? "not " : "") + expected;
    if (received !== null && (subject.isNot || oneLine(received))) message += "\nReceived: " + received;
  }
  const compares = verdict.compares === true && !subject.isNot;
  return assertionError(message, {
    __proto__: null, matcher: name, expected: compares ? expected : null, received: compares ? received : null,
  });
}

/** Raise or note it where the verdict is not the wanted one. */
function judge(subject, name, args, verdict) {
  if (!!verdict.pass !== subject.isNot) return;
  const error = failure(subject, name, args, verdict);
  if (!subject.isSoft) throw error;
  const { failures } = currentTest("expect.soft");
  failures[failures.length] = error;
}

async function judgeLater(subject, name, args, matcher) {
  const { promise } = subject;
  let { value } = subject;
  if (promise === "rejects" && typeof value === "function") value = value();
  if (!isObject(value) || typeof value.then !== "function") {
    throw failure(subject, name, args, { pass: false, say: () => "received is no promise: " + pretty(value, 1000) });
  }
  let settled;
  let isRejected = false;
  try {
    settled = await value;
  } catch (error) {
    settled = error;
    isRejected = true;
  }
  if (isRejected !== (promise === "rejects")) {
    const how = isRejected ? "rejected instead of resolved: " : "resolved instead of rejected: ";
    throw failure(subject, name, args, { pass: false, say: () => "received promise " + how + pretty(settled, 2000) });
  }
  judge(subject, name, args, await matcher({ __proto__: null, ...subject, value: settled }, args));
}

/** @param {(subject: Subject, args: any[]) => Verdict | Promise<Verdict>} matcher */
function addMatcher(name, matcher) {
  const method = function (...args) {
    const subject = subjectOf(this);
    countAssertion();
    if (subject.promise !== "") return judgeLater(subject, name, args, matcher);
    const verdict = matcher(subject, args);
    if (verdict instanceof Promise) return (async () => judge(subject, name, args, await verdict))();
    return judge(subject, name, args, verdict);
  };
  ObjectDefineProperty(Assertion.prototype, name, { __proto__: null, value: method, writable: true, configurable: true });
}

const tables = newList();
tables[0] = valueMatchers; tables[1] = errorMatchers; tables[2] = mockMatchers; tables[3] = snapshotMatchers;
tables[4] = browserMatchers;
for (let i = 0; i < tables.length; i++) {
  const names = ObjectKeys(tables[i]);
  for (let j = 0; j < names.length; j++) addMatcher(names[j], tables[i][names[j]]);
}

// --- extend ---

const utils = {
  stringify: (value) => pretty(value, 10_000),
  printReceived: (value) => pretty(value, 10_000),
  printExpected: (value) => pretty(value, 10_000),
  matcherHint: (name, received = "received", expected = "expected", options = {}) => (
    "expect(" + received + ")" + (options.isNot ? ".not" : "") + "." + name + "(" + expected + ")"
  ),
};

function verdictOf(result, name) {
  if (!isObject(result) || typeof result.pass !== "boolean") {
    throw new TypeError("the matcher " + name + " must return {pass, message}");
  }
  const { message } = result;
  return { pass: result.pass, get text() { return "" + (typeof message === "function" ? message() : message ?? name); } };
}

/** Add matchers of the program's own: `(received, ...expected) => ({pass, message})`. */
function extend(matchers) {
  if (!isObject(matchers)) throw new TypeError("expect.extend needs an object of matchers");
  const names = ObjectKeys(matchers);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const matcher = matchers[name];
    if (typeof matcher !== "function") throw new TypeError("the matcher " + name + " is not a function");
    const call = (subject, args) => {
      const context = { isNot: subject.isNot, promise: subject.promise, equals, utils, currentTestName: currentName() };
      const all = newList();
      all[0] = subject.value;
      for (let j = 0; j < args.length; j++) all[j + 1] = args[j];
      return ReflectApply(matcher, context, all);
    };
    addMatcher(name, (subject, args) => {
      const result = call(subject, args);
      if (isObject(result) && classOf(result) === "Promise") return (async () => verdictOf(await result, name))();
      return verdictOf(result, name);
    });
    const maker = (inverse) => (...args) => custom(name, args, inverse, (value) => (
      verdictOf(call(subjectNow(value, false), args), name).pass
    ));
    define(expect, name, maker(false));
    define(expect.not, name, maker(true));
  }
}

function define(object, name, value) {
  ObjectDefineProperty(object, name, { __proto__: null, value, writable: true, configurable: true });
}

function checkCount(count) {
  if (typeof count !== "number" || !(count >= 0) || count % 1 !== 0) {
    throw new TypeError("expect.assertions needs a whole number");
  }
}

const statics = {
  __proto__: null,
  ...wildcards,
  ...makers(false),
  not: Object.assign({}, makers(true)),
  extend,
  soft: (value) => new Assertion(subjectNow(value, true)),
  assertions(count) {
    checkCount(count);
    currentTest("expect.assertions").expected = count;
  },
  hasAssertions() {
    currentTest("expect.hasAssertions").needsAny = true;
  },
  unreachable(message = "this must not be reached") {
    throw assertionError("" + message, { __proto__: null, matcher: "unreachable", expected: null, received: null });
  },
  getState: () => ({ currentTestName: currentName(), assertionCalls: totalAssertions() }),
};
const names = ObjectKeys(statics);
for (let i = 0; i < names.length; i++) define(expect, names[i], statics[names[i]]);

/** Names of all matchers, for the declarations. */
export const matcherNames = () => ArrayPrototypeJoin(toArray(Object.getOwnPropertyNames(Assertion.prototype)), " ");
