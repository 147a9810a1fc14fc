/** `toThrow`: what a function throws, or what a promise was rejected with. */

import { classOf } from "sandbox:native";
import {
  isObject, ObjectPrototype, RegExp, RegExpPrototypeExec, StringPrototypeIncludes, TypeError,
} from "../primordials.js";
import { asymmetricMatch, isAsymmetric } from "./asymmetric.js";
import { equals } from "./equality.js";
import { pretty } from "./pretty.js";

/** @typedef {{ error: unknown } | null} Thrown */

/** @returns {Thrown} */
export function thrownBy({ value, promise }, where) {
  if (promise === "rejects") return { __proto__: null, error: value };
  if (typeof value !== "function") throw new TypeError(where + ": received must be a function, and is " + pretty(value, 1000));
  try {
    value();
    return null;
  } catch (error) {
    return { __proto__: null, error };
  }
}

/** @returns {string} */
export function messageOf(error) {
  const message = isObject(error) ? error.message : undefined;
  return typeof message === "string" ? message : typeof error === "string" ? error : pretty(error, 1000);
}

function describeThrown(thrown) {
  if (thrown === null) return "Received function did not throw";
  const { error } = thrown;
  if (!isObject(error)) return "Thrown: " + pretty(error, 2000);
  return "Thrown: " + (typeof error.name === "string" ? error.name : "an object") + "\nMessage: " + pretty(messageOf(error), 2000);
}

const isClass = (value) => typeof value === "function";

/** @returns {[boolean, string]} Whether it is the one that is meant, and how to call that. */
function meant(error, wanted) {
  if (wanted === undefined) return [true, "an error"];
  const message = messageOf(error);
  if (isAsymmetric(wanted)) return [asymmetricMatch(wanted, error), pretty(wanted, 2000)];
  if (typeof wanted === "string") return [StringPrototypeIncludes(message, wanted), "a message with " + pretty(wanted, 2000)];
  if (isClass(wanted)) return [error instanceof wanted, "an instance of " + (wanted.name || "a class")];
  if (classOf(wanted) === "RegExp") {
    return [RegExpPrototypeExec(new RegExp(wanted), message) !== null, "a message like " + pretty(wanted, 2000)];
  }
  if (isObject(wanted) && (classOf(wanted) === "Error" || classOf(wanted) === "DOMException")) {
    return [message === messageOf(wanted), "the message " + pretty(messageOf(wanted), 2000)];
  }
  if (isObject(wanted) && wanted !== ObjectPrototype) return [equals(error, wanted), pretty(wanted, 2000)];
  throw new TypeError("toThrow takes a string, a regular expression, a class, an error or a matcher");
}

function toThrow(subject, args) {
  const thrown = thrownBy(subject, "toThrow");
  if (thrown === null) {
    const wanted = args.length === 0 ? "an error" : meant(undefined, args[0])[1];
    return { __proto__: null, pass: false, say: () => "Expected: " + wanted + "\n" + describeThrown(null) };
  }
  const verdict = meant(thrown.error, args[0]);
  return {
    __proto__: null, pass: verdict[0],
    say: (isNot) => "Expected: " + (isNot ? "not " : "") + verdict[1] + "\n" + describeThrown(thrown),
  };
}

export const matchers = { __proto__: null, toThrow, toThrowError: toThrow };
