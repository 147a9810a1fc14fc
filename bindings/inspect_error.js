/** Errors as text: the line of name and message, the stack, and the properties worth showing after it. */

import {
  ArrayIsArray, DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, ErrorPrototypeGetStack,
  ObjectGetOwnPropertyDescriptor, ObjectHasOwn, StringPrototypeEndsWith, StringPrototypeIncludes,
  StringPrototypeIndexOf, StringPrototypeRepeat, StringPrototypeSlice, StringPrototypeStartsWith,
} from "./primordials.js";
import { dataProperty, prefixOf } from "./descriptors.js";
import { cut } from "./layout.js";

const maxHeaderBytes = 16384;

/** @param {object} error @param {string} key @param {string} fallback */
function textProperty(error, key, fallback) {
  const value = dataProperty(error, key);
  return typeof value === "string" ? cut(value, maxHeaderBytes) : fallback;
}

/**
 * The frames of an error: an own data property where there is one, else what the engine recorded.
 * @param {object} error
 * @param {string} kind
 */
export function stackOf(error, kind) {
  const own = ObjectGetOwnPropertyDescriptor(error, "stack");
  let stack;
  if (own !== undefined) stack = ObjectHasOwn(own, "value") ? own.value : undefined;
  else if (kind === "Error") stack = ErrorPrototypeGetStack(error);
  if (typeof stack !== "string") return "";
  const end = StringPrototypeEndsWith(stack, "\n") ? -1 : stack.length;
  return StringPrototypeSlice(stack, 0, end);
}

/** Name and message. @param {object} error @param {string} kind */
export function shownError(error, kind) {
  const isDOM = kind === "DOMException";
  const name = isDOM ? DOMExceptionPrototypeGetName(error) : textProperty(error, "name", "Error");
  const message = isDOM ? DOMExceptionPrototypeGetMessage(error) : textProperty(error, "message", "");
  return message === "" ? name : name === "" ? message : name + ": " + message;
}

/** The line of name and message, with the class named where it says more than the name does. */
function headerOf(line, name, constructor, tag) {
  if (constructor !== null && !StringPrototypeEndsWith(name, "Error")) return line;
  const label = StringPrototypeSlice(prefixOf(constructor, tag, name), 0, -1);
  if (label === name) return line;
  const rest = StringPrototypeSlice(line, name.length);
  return StringPrototypeIncludes(label, name) ? label + rest : label + " [" + name + "]" + rest;
}

/**
 * @param {object} error
 * @param {string} kind What `classOf` says.
 * @param {string | null} constructor
 * @param {string} tag
 * @param {PropertyKey[]} keys Own enumerable keys; `cause` and `errors` are added, what the header tells is taken out.
 * @param {number} indent Columns.
 * @returns {string}
 */
export function errorParts(error, kind, constructor, tag, keys, indent) {
  const name = kind === "DOMException" ? DOMExceptionPrototypeGetName(error) : textProperty(error, "name", "Error");
  const plain = shownError(error, kind);
  const header = headerOf(plain, name, constructor, tag);
  const stack = stackOf(error, kind);
  const frames = StringPrototypeStartsWith(stack, "    at ") ? 0 : StringPrototypeIndexOf(stack, "\n    at ") + 1;
  let text;
  if (stack === "") {
    text = "[" + header + "]";
  } else if (StringPrototypeStartsWith(stack, plain)) {
    text = header + StringPrototypeSlice(stack, plain.length);
    if (frames === 0) text = "[" + text + "]";
  } else if (StringPrototypeStartsWith(stack, "    at ")) {
    text = header + "\n" + stack;
  } else {
    text = frames === 0 ? "[" + stack + "]" : stack;
  }
  tidyKeys(error, keys, text);
  return indent === 0 ? text : indentLines(text, indent);
}

function tidyKeys(error, keys, text) {
  let kept = 0;
  let hasCause = false;
  let hasErrors = false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key === "name" || key === "message" || key === "stack") {
      const value = dataProperty(error, key);
      if (typeof value === "string" && StringPrototypeIncludes(text, value)) continue;
    }
    hasCause ||= key === "cause";
    hasErrors ||= key === "errors";
    keys[kept++] = key;
  }
  keys.length = kept;
  if (!hasCause && ObjectHasOwn(error, "cause")) keys[keys.length] = "cause";
  if (hasErrors || !ObjectHasOwn(error, "errors")) return;
  if (ArrayIsArray(dataProperty(error, "errors"))) keys[keys.length] = "errors";
}

function indentLines(text, indent) {
  const margin = StringPrototypeRepeat(" ", indent);
  let result = "";
  let start = 0;
  for (;;) {
    const end = StringPrototypeIndexOf(text, "\n", start);
    if (end < 0) return result + StringPrototypeSlice(text, start);
    result += StringPrototypeSlice(text, start, end + 1) + margin;
    start = end + 1;
  }
}
