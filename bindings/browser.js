/** How the browser of the host is asked: one action after the other, each about a page, an element or another object. */

import { op } from "sandbox:abi.js";
import { call, request, submit } from "./op.js";
import {
  Error, FunctionPrototypeToString, isObject, newList, ObjectDefineProperty, ObjectKeys, String, TypeError,
} from "./primordials.js";

/** @param {any} value @returns {any[]} A list of it alone. */
export function one(value) {
  const list = newList();
  list[0] = value;
  return list;
}

/** Own members that are not undefined; null: there are none. @param {any} options @param {string} where */
export function cleaned(options, where) {
  if (options === undefined || options === null) return null;
  if (!isObject(options)) throw new TypeError(where + ": options must be an object");
  const taken = { __proto__: null };
  const keys = ObjectKeys(options);
  for (let i = 0; i < keys.length; i++) {
    const value = options[keys[i]];
    if (value !== undefined) taken[keys[i]] = value;
  }
  return taken;
}

/** @param {string} kind @param {number} number @param {any} steps Null: it is no locator. */
function about(kind, number, steps) {
  const list = newList();
  list[0] = kind; list[1] = number; list[2] = steps;
  return list;
}

/**
 * Have something done.
 * @param {string} kind @param {number} number @param {any[] | null} steps @param {string} method
 * @param {any[]} args @param {any} options
 * @returns {Promise<any>}
 */
export function act(kind, number, steps, method, args, options) {
  const parts = newList();
  parts[0] = about(kind, number, steps); parts[1] = method; parts[2] = args; parts[3] = options;
  return request(op.browser.act, parts).promise;
}

/** Whether something holds, or will in time; null: it does. @returns {Promise<string | null>} */
export function judge(kind, number, steps, matcher, isNot, args, options) {
  const parts = newList();
  parts[0] = about(kind, number, steps); parts[1] = matcher; parts[2] = isNot; parts[3] = args; parts[4] = options;
  return request(op.browser.judge, parts).promise;
}

/** @param {number} number @param {"url" | "isClosed" | "viewportSize" | "context" | "contexts" | "pages"} what */
export const state = (number, what) => call(op.browser.state, number, what);

/** @param {string[]} kinds What the program wants to be told of. */
export const listen = (kinds) => call(op.browser.listen, kinds);
/** @param {(events: any[][]) => void} told @param {() => void} failed */
export const nextEvents = (told, failed) => submit(op.browser.next, newList(), told, failed);

/** What a page evaluates. @param {any} value A function or an expression. */
export const sourceOf = (value) => (typeof value === "function" ? FunctionPrototypeToString(value) : String(value));

/** @param {string} text */
export function timeoutError(text) {
  const error = new Error(text);
  ObjectDefineProperty(error, "name", { __proto__: null, value: "TimeoutError", writable: true, configurable: true });
  return error;
}

/** A method on a prototype, as classes have them. */
export function method(prototype, name, value) {
  ObjectDefineProperty(value, "name", { __proto__: null, value: name, configurable: true });
  ObjectDefineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true });
}
