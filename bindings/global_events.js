/**
 * The global object as an event target, and what is fired at it: exceptions that nobody has caught, and rejections that
 * nobody has handled. What no listener cancels goes on to the host.
 */

import { hook } from "sandbox:abi.js";
import {
  classOf, hook as setHook, listenToErrors, listenToRejections, promiseIsHandled, promiseState,
} from "sandbox:native";
import { ErrorEvent, PromiseRejectionEvent } from "./event_classes.js";
import { defineEventHandler, EventTarget, fireEvent, hasListeners, watchListeners } from "./events.js";
import { shownError, stackOf } from "./inspect_error.js";
import {
  global, isObject, ObjectSetPrototypeOf, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeStartsWith, WeakSet, WeakSetPrototypeAdd, WeakSetPrototypeDelete,
} from "./primordials.js";
import { formatPrimitive } from "./inspect.js";

/** Where a frame says that it is. */
const position = /:([0-9]{1,9}):([0-9]{1,9})\)?$/;
const maxFrames = 16;
const maxFrameCharacters = 1000;

/**
 * The first place in a program's text that a stack names.
 * @param {string} stack
 */
function placeOf(stack) {
  let start = 0;
  for (let i = 0; i < maxFrames && start < stack.length; i++) {
    let end = StringPrototypeIndexOf(stack, "\n", start);
    if (end < 0) end = stack.length;
    const line = StringPrototypeSlice(stack, start, end);
    start = end + 1;
    if (line.length > maxFrameCharacters || !StringPrototypeStartsWith(line, "    at ")) continue;
    const found = RegExpPrototypeExec(position, line);
    if (found === null) continue;
    const bracket = line[line.length - 1] === ")" ? StringPrototypeIndexOf(line, " (") : -1;
    const filename = StringPrototypeSlice(line, bracket < 0 ? 7 : bracket + 2, found.index);
    return { __proto__: null, filename, lineno: +found[1], colno: +found[2] };
  }
  return { __proto__: null, filename: "", lineno: 0, colno: 0 };
}

/** @param {unknown} thrown */
function messageOf(thrown) {
  if (!isObject(thrown)) return "Uncaught " + (typeof thrown === "string" ? thrown : formatPrimitive(thrown));
  const kind = classOf(thrown);
  if (kind === "Error" || kind === "DOMException") return "Uncaught " + shownError(thrown, kind);
  return "Uncaught " + (typeof thrown === "function" ? "[a function]" : "[an object]");
}

/**
 * @param {unknown} error
 * @param {string | undefined} stack Of the caller, where there is one.
 * @returns {boolean} Whether a listener has dealt with it.
 */
function tellOfError(error, stack) {
  const kind = isObject(error) ? classOf(error) : "";
  const own = kind === "Error" || kind === "DOMException" ? stackOf(error, kind) : "";
  let place = placeOf(own);
  if (place.lineno === 0 && stack !== undefined) place = placeOf(stack);
  const { filename, lineno, colno } = place;
  const init = { __proto__: null, cancelable: true, message: messageOf(error), filename, lineno, colno, error };
  return !fireEvent(global, new ErrorEvent("error", init));
}

/** Promises whose rejection was told of, and that nobody has handled. */
const outstanding = new WeakSet();

/**
 * @param {Promise<any>} promise
 * @param {unknown} reason
 * @returns {boolean} Whether a listener has dealt with it.
 */
function tellOfRejection(promise, reason) {
  const init = { __proto__: null, cancelable: true, promise, reason };
  const dealtWith = !fireEvent(global, new PromiseRejectionEvent("unhandledrejection", init));
  if (!promiseIsHandled(promise)) WeakSetPrototypeAdd(outstanding, promise);
  return dealtWith;
}

/** @param {Promise<any>} promise Handled a while ago. */
function tellOfHandling(promise) {
  if (!WeakSetPrototypeDelete(outstanding, promise)) return;
  const init = { __proto__: null, promise, reason: promiseState(promise)[1] };
  fireEvent(global, new PromiseRejectionEvent("rejectionhandled", init));
}

/** The methods of EventTarget become global functions: called without an object, they mean the global object. */
export function makeGlobalTarget() {
  ObjectSetPrototypeOf(global, EventTarget.prototype);
  defineEventHandler(global, "error");
  defineEventHandler(global, "unhandledrejection");
  defineEventHandler(global, "rejectionhandled");
  watchListeners(global, (_, type) => {
    if (type === "error") {
      listenToErrors(hasListeners(global, "error"));
    } else if (type === "unhandledrejection" || type === "rejectionhandled") {
      listenToRejections(hasListeners(global, "unhandledrejection") || hasListeners(global, "rejectionhandled"));
    }
  });
  setHook(hook.uncaught, tellOfError);
  setHook(hook.unhandled, tellOfRejection);
  setHook(hook.handled, tellOfHandling);
}
