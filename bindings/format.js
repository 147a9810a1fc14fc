/** The formatter of the Console Standard: format specifiers in the first argument, the rest appended. */

import { classOf } from "sandbox:native";
import { formatPrimitive, inspect } from "./inspect.js";
import {
  ArrayIsArray, DatePrototypeGetTime, DatePrototypeToISOString, FunctionPrototypeToString, isObject, JSONStringify,
  newList, NumberIsFinite, NumberIsNaN, ObjectGetOwnPropertyDescriptor, ObjectHasOwn, parseFloat, parseInt,
  ReflectOwnKeys, StringPrototypeIndexOf, StringPrototypeSlice,
} from "./primordials.js";

/** Characters produced for one entry; what is beyond is not formatted. */
export const roomCharacters = 65536;

/** A number specifier. Objects are NaN: turning one into a number could run user code. */
function formatNumber(value, specifier) {
  if (isObject(value) || typeof value === "symbol") return "NaN";
  if (specifier === "f") return formatPrimitive(parseFloat(value));
  if (typeof value === "bigint") return value + "n";
  return formatPrimitive(specifier === "i" ? parseInt(value) : +value);
}

function formatString(value, room) {
  if (typeof value === "string") return value;
  if (typeof value === "function" && classOf(value) !== "Proxy") return FunctionPrototypeToString(value);
  return isObject(value) ? inspect(value, { __proto__: null, depth: 0, room }) : formatPrimitive(value);
}

/**
 * Data properties as JSON, as far as there is room. `toJSON` and accessors are user code, and left out.
 * @param {{ room: number }} budget
 */
function formatJSON(value, path, budget) {
  if (typeof value === "string") {
    const text = JSONStringify(StringPrototypeSlice(value, 0, budget.room));
    budget.room -= text.length;
    return text;
  }
  if (typeof value === "number") return NumberIsFinite(value) ? "" + value : "null";
  if (typeof value === "boolean" || value === null) return "" + value;
  if (typeof value !== "object") return undefined;
  const kind = classOf(value);
  if (kind === "Date" && NumberIsNaN(DatePrototypeGetTime(value))) return "null";
  if (kind === "Date") return '"' + DatePrototypeToISOString(value) + '"';
  for (let i = 0; i < path.length; i++) if (path[i] === value) return '"[Circular]"';
  if (kind === "Proxy" || path.length > 100 || budget.room <= 0) return '"..."';
  path[path.length] = value;
  const isList = kind === "Array" && ArrayIsArray(value);
  const keys = isList ? undefined : ReflectOwnKeys(value);
  const count = isList ? ObjectGetOwnPropertyDescriptor(value, "length").value : keys.length;
  let text = "";
  for (let i = 0; i < count && budget.room > 0; i++) {
    const key = isList ? i : keys[i];
    const descriptor = ObjectGetOwnPropertyDescriptor(value, key);
    const isShown = descriptor !== undefined && ObjectHasOwn(descriptor, "value") && descriptor.enumerable;
    const item = isShown && typeof key !== "symbol" ? formatJSON(descriptor.value, path, budget) : undefined;
    if (item === undefined && !isList) continue;
    if (text !== "") text += ",";
    if (!isList) text += JSONStringify(StringPrototypeSlice(key, 0, budget.room)) + ":";
    text += item ?? "null";
    budget.room -= 4;
  }
  path.length--;
  return isList ? "[" + text + "]" : "{" + text + "}";
}

function substitute(specifier, value, room) {
  switch (specifier) {
    case "s": return formatString(value, room);
    case "d": case "i": case "f": return formatNumber(value, specifier);
    case "j": return formatJSON(value, newList(), { __proto__: null, room }) ?? "undefined";
    case "o": return inspect(value, { __proto__: null, depth: 4, room });
    case "O": return inspect(value, { __proto__: null, depth: 2, room });
    default: return ""; // %c: a style, which text does not have
  }
}

/**
 * @param {ArrayLike<any>} args
 * @param {number} [from] Index of the first argument.
 * @returns {string} May be longer than `roomCharacters` by what one argument adds.
 */
export function formatLog(args, from = 0) {
  let text = "";
  let next = from;
  const template = args[from];
  if (typeof template === "string" && args.length - from > 1) {
    next++;
    let start = 0;
    for (let at = 0; (at = StringPrototypeIndexOf(template, "%", at)) >= 0 && at + 1 < template.length;) {
      const specifier = template[at + 1];
      const isPercent = specifier === "%";
      if (isPercent || (next < args.length && StringPrototypeIndexOf("sdifjoOc", specifier) >= 0)) {
        text += StringPrototypeSlice(template, start, at);
        text += isPercent ? "%" : substitute(specifier, args[next++], roomCharacters - text.length);
        at += 2;
        start = at;
      } else {
        at++;
      }
    }
    text += StringPrototypeSlice(template, start);
  }
  for (; next < args.length && text.length <= roomCharacters; next++) {
    if (next > from) text += " ";
    const value = args[next];
    if (typeof value === "string") text += value;
    else text += inspect(value, { __proto__: null, depth: 2, room: roomCharacters - text.length });
  }
  return text;
}
