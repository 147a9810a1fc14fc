/** What a file declares: suites, tests and hooks, in the order in which they stand there. */

import {
  captureStack, isObject, newList, NumberIsFinite, ObjectDefineProperty, RangeError, ReflectApply,
  StringPrototypeIndexOf, StringPrototypeSlice, TypeError,
} from "../primordials.js";
import { rowsOf, titleOf } from "./each.js";

/**
 * @typedef {object} Node A suite or a test.
 * @property {number} id Its place in `nodes`.
 * @property {Node | null} parent
 * @property {boolean} isSuite
 * @property {string} name
 * @property {"run" | "skip" | "only" | "todo"} mode
 * @property {Function | null} body
 * @property {any[]} args What the body of a row of `each` gets.
 * @property {number} timeout In milliseconds; -1: the host's.
 * @property {number} retries -1: the host's.
 * @property {boolean} fails Whether it is to fail.
 * @property {boolean} isConcurrent
 * @property {string} place The innermost call outside of the bindings, as a line of a stack.
 * @property {Record<string, Hook[]>} hooks
 *
 * @typedef {object} Hook
 * @property {Function} body
 * @property {number} timeout
 */

/** More would have the host keep as many names. */
const maxNodes = 100_000;
const hookNames = ["beforeAll", "beforeEach", "afterEach", "afterAll"];

/** @type {Node[]} */
export const nodes = newList();
/** The suite whose body runs. @type {Node} */
let open;
/** What runs at the moment, in which nothing can be declared: "test" or "hook"; empty: nothing. */
let running = "";

export const append = (list, item) => { list[list.length] = item; };
export const setRunning = (kind) => { running = kind; };

function newNode(isSuite, name, flags) {
  if (nodes.length >= maxNodes) throw new RangeError("a file has at most " + maxNodes + " suites and tests");
  const hooks = { __proto__: null };
  for (let i = 0; i < hookNames.length; i++) hooks[hookNames[i]] = newList();
  const node = {
    __proto__: null, id: nodes.length, parent: open ?? null, isSuite, name, mode: flags.mode, body: null,
    args: newList(), timeout: -1, retries: -1, fails: flags.fails,
    isConcurrent: flags.isConcurrent || (open !== undefined && open.isConcurrent), place: "", hooks,
  };
  append(nodes, node);
  return node;
}

const plainFlags = { __proto__: null, mode: "run", fails: false, isConcurrent: false };

/** Forget what was declared. */
export function reset() {
  nodes.length = 0;
  open = undefined;
  open = newNode(true, "", plainFlags);
}

/** The line of a stack that says who called the bindings. @returns {string} */
export function callerPlace() {
  const stack = captureStack();
  let start = 0;
  while (start < stack.length) {
    const found = StringPrototypeIndexOf(stack, "\n", start);
    const end = found < 0 ? stack.length : found;
    const line = StringPrototypeSlice(stack, start, end);
    if (StringPrototypeIndexOf(line, "sandbox:") < 0 && StringPrototypeIndexOf(line, "(native)") < 0) return line;
    start = end + 1;
  }
  return "";
}

function nameOf(name, where) {
  if (typeof name === "string") return name;
  if (typeof name === "function" || typeof name === "number") {
    return typeof name === "function" ? "" + name.name : "" + name;
  }
  throw new TypeError(where + ": the name must be a string, a number, a function or a class");
}

function milliseconds(value, where) {
  if (value === undefined) return -1;
  if (typeof value !== "number" || !NumberIsFinite(value) || value < 0) {
    throw new TypeError(where + ": a timeout is a number of milliseconds");
  }
  return value;
}

/** Body and options, which may come in either order, or a number in place of options. */
function readArguments(node, first, second, where) {
  let body = first;
  let options = second;
  if (typeof second === "function") {
    body = second;
    options = first;
  }
  if (typeof options === "number") {
    node.timeout = milliseconds(options, where);
  } else if (isObject(options)) {
    node.timeout = milliseconds(options.timeout, where);
    const retries = options.retry;
    if (retries !== undefined) {
      if (typeof retries !== "number" || !(retries >= 0 && retries <= 100)) {
        throw new TypeError(where + ": retry is a number from 0 to 100");
      }
      node.retries = retries;
    }
    if (options.concurrent === true) node.isConcurrent = true;
    if (options.fails === true) node.fails = true;
    if (options.skip === true) node.mode = "skip";
    if (options.todo === true) node.mode = "todo";
    if (options.only === true) node.mode = "only";
  } else if (options !== undefined) {
    throw new TypeError(where + ": the last argument is a timeout in milliseconds or an object of options");
  }
  return body;
}

function declare(isSuite, flags, name, first, second, args) {
  const where = isSuite ? "describe" : "test";
  if (running !== "") throw new TypeError(where + " cannot be called in a " + running);
  const title = nameOf(name, where);
  const node = newNode(isSuite, title, flags);
  node.args = args;
  node.place = callerPlace();
  const body = readArguments(node, first, second, where);
  if (body === undefined && !isSuite) {
    if (node.mode === "only") throw new TypeError("test.only needs a function");
    node.mode = "todo";
  } else if (typeof body !== "function" && !(isSuite && node.mode === "todo" && body === undefined)) {
    throw new TypeError(where + " needs a function");
  }
  node.body = body ?? null;
  if (isSuite && body !== undefined) enter(node, body, args);
}

function enter(node, body, args) {
  const outer = open;
  open = node;
  try {
    const result = ReflectApply(body, undefined, args);
    if (isObject(result) && typeof result.then === "function") {
      throw new TypeError("the function of describe declares tests at once; it cannot be asynchronous");
    }
  } finally {
    open = outer;
  }
}

// --- what programs call ---

/** @type {(flags: object, change: object) => object} */
function changed(flags, change) {
  const mode = change.mode ?? "run";
  if (mode !== "run" && flags.mode !== "run" && flags.mode !== mode) {
    throw new TypeError("a test cannot be both " + flags.mode + " and " + mode);
  }
  return {
    __proto__: null, mode: mode === "run" ? flags.mode : mode, fails: flags.fails || change.fails === true,
    isConcurrent: flags.isConcurrent || change.isConcurrent === true,
  };
}

const changes = {
  __proto__: null,
  skip: { __proto__: null, mode: "skip" },
  only: { __proto__: null, mode: "only" },
  todo: { __proto__: null, mode: "todo" },
  concurrent: { __proto__: null, isConcurrent: true },
  failing: { __proto__: null, fails: true },
  fails: { __proto__: null, fails: true },
};
const suiteChanges = ["skip", "only", "todo", "concurrent"];
const testChanges = ["skip", "only", "todo", "concurrent", "failing", "fails"];

function getter(object, key, get) {
  ObjectDefineProperty(object, key, { __proto__: null, get, enumerable: true, configurable: true });
}

/** `test` or `describe`, with what stands behind a dot; each of those is made when it is asked for. */
export function declarer(isSuite, flags = plainFlags) {
  const where = isSuite ? "describe" : "test";
  const call = (name, first, second) => declare(isSuite, flags, name, first, second, newList());
  const keys = isSuite ? suiteChanges : testChanges;
  for (let i = 0; i < keys.length; i++) {
    getter(call, keys[i], () => declarer(isSuite, changed(flags, changes[keys[i]])));
  }
  const value = (key, member) => {
    ObjectDefineProperty(call, key, { __proto__: null, value: member, writable: true, configurable: true });
  };
  value("each", (table, ...values) => {
    const rows = rowsOf(table, values, where);
    return (name, first, second) => {
      const title = nameOf(name, where);
      for (let i = 0; i < rows.length; i++) {
        declare(isSuite, flags, titleOf(title, rows[i], i), first, second, rows[i].args);
      }
    };
  });
  value("skipIf", (condition) => (condition ? declarer(isSuite, changed(flags, changes.skip)) : call));
  value("runIf", (condition) => (condition ? call : declarer(isSuite, changed(flags, changes.skip))));
  value("name", where);
  return call;
}

/** `beforeAll` and its kin. */
export function hookDeclarer(kind) {
  return (body, timeout = undefined) => {
    if (running !== "") throw new TypeError(kind + " cannot be called in a " + running);
    if (typeof body !== "function") throw new TypeError(kind + " needs a function");
    append(open.hooks[kind], { __proto__: null, body, timeout: milliseconds(timeout, kind) });
  };
}

