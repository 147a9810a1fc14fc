/** Matchers of plain values. Each gives a verdict; see expect.js. */

import { classOf } from "sandbox:native";
import {
  ArrayIsArray, isObject, newList, NumberIsNaN, ObjectIs, ReflectApply, RegExp, RegExpPrototypeExec,
  StringPrototypeIncludes, StringPrototypeSlice, SymbolIterator, TypeError,
} from "../primordials.js";
import { isClose } from "./wildcards.js";
import { contains, equals, strictlyEquals } from "./equality.js";
import { pretty } from "./pretty.js";

const compared = (pass, expected, received) => ({ __proto__: null, pass, expected, received, compares: true });
const plain = (pass, received) => ({ __proto__: null, pass, say: () => "Received: " + pretty(received, 10_000) });
const told = (pass, say) => ({ __proto__: null, pass, say });
const show = (value) => pretty(value, 10_000);
const not = (isNot) => (isNot ? "not " : "");

function needNumber(value, what) {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new TypeError(what + " must be a number or a bigint, and is " + show(value));
  }
}

const ordering = (word, holds) => ({ value }, args) => {
  needNumber(value, "received");
  needNumber(args[0], "expected");
  return told(holds(value, args[0]), (isNot) => "Expected: " + not(isNot) + word + " " + show(args[0]) + "\nReceived: " + show(value));
};

/** @returns {any[] | null} Null: it cannot be iterated. */
function itemsOf(value) {
  if (ArrayIsArray(value)) return value;
  if (!isObject(value) || typeof value[SymbolIterator] !== "function") return null;
  const items = newList();
  const iterator = ReflectApply(value[SymbolIterator], value, []);
  for (let i = 0; i < 1_000_000; i++) {
    const step = iterator.next();
    if (step.done) return items;
    items[items.length] = step.value;
  }
  return items;
}

const containing = (same) => ({ value }, args) => {
  const say = (isNot) => "Expected " + not(isNot) + "to contain: " + show(args[0]) + "\nReceived: " + show(value);
  if (typeof value === "string" && same === ObjectIs) {
    if (typeof args[0] !== "string") throw new TypeError("a string contains strings, not " + show(args[0]));
    return told(StringPrototypeIncludes(value, args[0]), say);
  }
  const items = itemsOf(value);
  if (items === null) throw new TypeError("received must be a string or iterable, and is " + show(value));
  let pass = false;
  for (let i = 0; i < items.length && !pass; i++) pass = same === ObjectIs ? items[i] === args[0] || same(items[i], args[0]) : same(items[i], args[0]);
  return told(pass, say);
};

const segment = /^(?:\.?([^.[\]]+)|\[(?:(\d+)|"([^"]*)"|'([^']*)')\])/;

function pathOf(path) {
  const keys = newList();
  if (ArrayIsArray(path)) {
    for (let i = 0; i < path.length; i++) keys[i] = path[i];
    return keys;
  }
  if (typeof path !== "string") throw new TypeError("the path of a property is a string or an array");
  for (let rest = path; rest !== "";) {
    const match = RegExpPrototypeExec(segment, rest);
    if (match === null) throw new TypeError("no path of a property: " + show(path));
    keys[keys.length] = match[1] ?? match[2] ?? match[3] ?? match[4];
    rest = StringPrototypeSlice(rest, match[0].length);
  }
  return keys;
}

function toHaveProperty({ value }, args) {
  if (value === null || value === undefined) throw new TypeError("received must not be " + value);
  const keys = pathOf(args[0]);
  let at = value;
  let found = keys.length > 0;
  for (let i = 0; i < keys.length && found; i++) {
    found = at !== null && at !== undefined && (isObject(at) ? keys[i] in at : at[keys[i]] !== undefined);
    if (found) at = at[keys[i]];
  }
  const path = "Path: " + show(args[0]);
  if (args.length < 2) {
    return told(found, (isNot) => path + "\nExpected " + not(isNot) + "to have it\nReceived: " + show(value));
  }
  if (!found) return told(false, () => path + "\nExpected value: " + show(args[1]) + "\nReceived has no such property: " + show(value));
  const verdict = compared(equals(at, args[1]), args[1], at);
  verdict.say = (isNot) => path + "\nExpected value: " + not(isNot) + show(args[1]) + "\nReceived value: " + show(at);
  return verdict;
}

function toMatch({ value }, args) {
  if (typeof value !== "string") throw new TypeError("received must be a string, and is " + show(value));
  const pattern = args[0];
  const isText = typeof pattern === "string";
  if (!isText && classOf(pattern) !== "RegExp") throw new TypeError("expected must be a string or a regular expression");
  const pass = isText ? StringPrototypeIncludes(value, pattern) : RegExpPrototypeExec(new RegExp(pattern), value) !== null;
  return told(pass, (isNot) => "Expected " + (isText ? "substring" : "pattern") + ": " + not(isNot) + show(pattern) + "\nReceived: " + show(value));
}

function toHaveLength({ value }, args) {
  const length = value === null || value === undefined ? undefined : value.length;
  if (typeof length !== "number") throw new TypeError("received has no length: " + show(value));
  return told(length === args[0], (isNot) => (
    "Expected length: " + not(isNot) + show(args[0]) + "\nReceived length: " + length + "\nReceived: " + show(value)
  ));
}

function toBeCloseTo({ value }, args) {
  needNumber(value, "received");
  needNumber(args[0], "expected");
  const digits = args[1] ?? 2;
  return told(isClose(value, args[0], digits), (isNot) => (
    "Expected: " + not(isNot) + show(args[0]) + ", to " + digits + " digits\nReceived: " + show(value)
  ));
}

function toBeInstanceOf({ value }, args) {
  if (typeof args[0] !== "function") throw new TypeError("expected must be a class, and is " + show(args[0]));
  return told(value instanceof args[0], (isNot) => (
    "Expected class: " + not(isNot) + (args[0].name || "anonymous") + "\nReceived: " + show(value)
  ));
}

const toBe = ({ value }, args) => {
  const pass = ObjectIs(value, args[0]);
  const verdict = compared(pass, args[0], value);
  if (!pass && isObject(value) && isObject(args[0]) && strictlyEquals(value, args[0])) {
    verdict.say = () => "Both look the same, but they are two objects: toEqual compares what is in them.";
  } else if (!pass && ObjectIs(value, 0) !== ObjectIs(args[0], 0) && value === args[0]) {
    verdict.say = () => "Expected: " + show(args[0]) + "\nReceived: " + show(value);
  }
  return verdict;
};

export const matchers = {
  __proto__: null,
  toBe,
  toEqual: ({ value }, args) => compared(equals(value, args[0]), args[0], value),
  toStrictEqual: ({ value }, args) => {
    const verdict = compared(strictlyEquals(value, args[0]), args[0], value);
    if (!verdict.pass && pretty(value) === pretty(args[0])) {
      verdict.say = () => "They print alike, and differ in a type, a hole or a property that is undefined.";
    }
    return verdict;
  },
  toMatchObject: ({ value }, args) => {
    if (!isObject(value)) throw new TypeError("received must be an object, and is " + show(value));
    if (!isObject(args[0])) throw new TypeError("expected must be an object, and is " + show(args[0]));
    return compared(contains(value, args[0]), args[0], value);
  },
  toBeTruthy: ({ value }) => plain(!!value, value),
  toBeFalsy: ({ value }) => plain(!value, value),
  toBeNull: ({ value }) => plain(value === null, value),
  toBeUndefined: ({ value }) => plain(value === undefined, value),
  toBeDefined: ({ value }) => plain(value !== undefined, value),
  toBeNullable: ({ value }) => plain(value === undefined || value === null, value),
  toBeNaN: ({ value }) => plain(typeof value === "number" && NumberIsNaN(value), value),
  toBeGreaterThan: ordering(">", (a, b) => a > b),
  toBeGreaterThanOrEqual: ordering(">=", (a, b) => a >= b),
  toBeLessThan: ordering("<", (a, b) => a < b),
  toBeLessThanOrEqual: ordering("<=", (a, b) => a <= b),
  toBeCloseTo,
  toBeInstanceOf,
  toBeTypeOf: ({ value }, args) => told(typeof value === args[0], (isNot) => (
    "Expected type: " + not(isNot) + show(args[0]) + "\nReceived type: " + show(typeof value) + "\nReceived: " + show(value)
  )),
  toBeOneOf: ({ value }, args) => {
    const items = itemsOf(args[0]);
    if (items === null) throw new TypeError("expected must be iterable");
    let pass = false;
    for (let i = 0; i < items.length && !pass; i++) pass = equals(value, items[i]);
    return told(pass, (isNot) => "Expected: " + not(isNot) + "one of " + show(args[0]) + "\nReceived: " + show(value));
  },
  toSatisfy: ({ value }, args) => {
    if (typeof args[0] !== "function") throw new TypeError("toSatisfy needs a function");
    return told(!!args[0](value), (isNot) => "Expected " + not(isNot) + "to satisfy " + show(args[0]) + "\nReceived: " + show(value));
  },
  toContain: containing(ObjectIs),
  toContainEqual: containing(equals),
  toHaveLength,
  toHaveProperty,
  toMatch,
};

