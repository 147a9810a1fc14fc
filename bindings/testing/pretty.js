/**
 * Values as text for comparisons and snapshots: one property a line, keys in order, nothing left out but what does not
 * fit. The same value always gives the same text.
 */

import { classOf, collectionEntries } from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, ArrayIsArray, ArrayPrototypeSort, DatePrototypeGetTime, DatePrototypeToISOString,
  DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, isObject, newList, NumberIsNaN,
  ObjectGetOwnPropertyDescriptor, ObjectHasOwn, ReflectOwnKeys, RegExpFlags, RegExpPrototypeExec,
  RegExpPrototypeGetSource, StringPrototypeSlice, SymbolPrototypeToString, TypedArrayPrototypeGetLength, typedArrays,
  Uint8Array,
} from "../primordials.js";
import { constructorName } from "../descriptors.js";
import { platformInterface } from "../webidl.js";
import { inspect } from "../inspect.js";
import { asymmetricName, asymmetricSample, isAsymmetric } from "./asymmetric.js";
import { isMock, mockName } from "./mocks.js";

/** @typedef {{ room: number, path: object[] }} Context `room`: characters that are left. */

const maxRoom = 262_144;
const maxDepth = 60;
const special = /["\\]/;

/** @param {unknown} value @param {number} [room] @returns {string} */
export function pretty(value, room = maxRoom) {
  return format({ __proto__: null, room, path: newList() }, value, "");
}

function quoted(text) {
  if (RegExpPrototypeExec(special, text) === null) return '"' + text + '"';
  let result = "";
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '"' && text[i] !== "\\") continue;
    result += StringPrototypeSlice(text, start, i) + "\\";
    start = i;
  }
  return '"' + result + StringPrototypeSlice(text, start) + '"';
}

function format(context, value, indent) {
  const text = isObject(value) ? formatObject(context, value, indent) : formatPrimitive(value);
  context.room -= text.length;
  return text;
}

function formatPrimitive(value) {
  if (typeof value === "string") return quoted(value.length > maxRoom ? StringPrototypeSlice(value, 0, maxRoom) + "…" : value);
  if (typeof value === "number") return value === 0 && 1 / value < 0 ? "-0" : "" + value;
  if (typeof value === "bigint") return value + "n";
  if (typeof value === "symbol") return SymbolPrototypeToString(value);
  return "" + value;
}

function formatObject(context, value, indent) {
  if (isAsymmetric(value)) return formatMatcher(context, value, indent);
  if (typeof value === "function") {
    if (isMock(value)) return "[MockFunction " + mockName(value) + "]";
    const { name } = value;
    return "[Function " + (typeof name === "string" && name !== "" ? name : "anonymous") + "]";
  }
  if (context.room <= 0) return "…";
  const { path } = context;
  for (let i = 0; i < path.length; i++) if (path[i] === value) return "[Circular]";
  if (path.length >= maxDepth) return "[Deep]";
  path[path.length] = value;
  const text = formatParts(context, value, indent);
  path.length--;
  return text;
}

function formatMatcher(context, value, indent) {
  const sample = asymmetricSample(value);
  const name = asymmetricName(value);
  if (sample.length === 0) return name;
  const first = sample[0];
  if (typeof first === "function") return name + "<" + first.name + ">";
  if (ArrayIsArray(first) || (isObject(first) && classOf(first) === "Object")) {
    return name + " " + format(context, first, indent);
  }
  let text = format(context, first, indent);
  for (let i = 1; i < sample.length; i++) text += ", " + format(context, sample[i], indent);
  return name + " " + text;
}

function formatParts(context, value, indent) {
  const brand = ArrayIsArray(value) ? "Array" : classOf(value);
  if (brand in typedArrays) {
    const length = TypedArrayPrototypeGetLength(value);
    return lines(context, brand + " [", "]", indent, (add) => {
      for (let i = 0; i < length && context.room > 0; i++) add(format(context, value[i], ""));
    });
  }
  switch (brand) {
    case "Array": return formatArray(context, value, indent);
    case "Date": return NumberIsNaN(DatePrototypeGetTime(value)) ? "Date { NaN }" : DatePrototypeToISOString(value);
    case "RegExp": return regExp(value);
    case "Error": return formatError(context, value, indent);
    case "DOMException": {
      const name = DOMExceptionPrototypeGetName(value);
      const message = DOMExceptionPrototypeGetMessage(value);
      return "[" + name + (message === "" ? "" : ": " + message) + "]";
    }
    case "Map": case "Set": return formatCollection(context, value, brand, indent);
    case "Number": case "String": case "Boolean": case "BigInt": case "Symbol":
      return brand + " { " + inspect(value, { __proto__: null, depth: 0, room: 1000 }) + " }";
    case "ArrayBuffer": case "SharedArrayBuffer": {
      const bytes = new Uint8Array(value, 0, ArrayBufferPrototypeGetByteLength(value));
      return lines(context, brand + " [", "]", indent, (add) => {
        for (let i = 0; i < TypedArrayPrototypeGetLength(bytes) && context.room > 0; i++) add("" + bytes[i]);
      });
    }
    case "Promise": case "WeakMap": case "WeakSet": case "WeakRef": case "Generator": case "DataView":
      return brand + " {}";
    default:
  }
  const platform = brand === "Proxy" ? undefined : platformInterface(value);
  if (platform !== undefined) {
    const { entries } = platform.inspect(value);
    return lines(context, platform.name + " {", "}", indent, (add, inner) => {
      for (let i = 0; i < entries.length && context.room > 0; i++) {
        add(key(entries[i][0]) + ": " + format(context, entries[i][1], inner));
      }
    });
  }
  const name = brand === "Proxy" ? "Object" : constructorName(value);
  const prefix = name === "Object" ? "" : (name ?? "[Object: null prototype]") + " ";
  return lines(context, prefix + "{", "}", indent, (add, inner) => addProperties(context, value, add, inner, false));
}

/** What stands between two brackets, one part a line. */
function lines(context, open, close, indent, give) {
  const inner = indent + "  ";
  let text = "";
  let isCut = false;
  give((part) => {
    if (context.room > 0) text += inner + part + ",\n";
    else isCut = true;
  }, inner);
  if (isCut || (context.room <= 0 && text !== "")) text += inner + "…\n";
  return text === "" ? open + close : open + "\n" + text + indent + close;
}

const key = (name) => (typeof name === "symbol" ? "[" + SymbolPrototypeToString(name) + "]" : quoted("" + name));

function addProperties(context, value, add, inner, skipsIndices) {
  const names = newList();
  const symbols = newList();
  const all = ReflectOwnKeys(value);
  for (let i = 0; i < all.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(value, all[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    if (skipsIndices && typeof all[i] === "string" && "" + (all[i] >>> 0) === all[i]) continue;
    const list = typeof all[i] === "symbol" ? symbols : names;
    list[list.length] = all[i];
  }
  ArrayPrototypeSort(names, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (let i = 0; i < names.length && context.room > 0; i++) add(key(names[i]) + ": " + format(context, value[names[i]], inner));
  for (let i = 0; i < symbols.length && context.room > 0; i++) add(key(symbols[i]) + ": " + format(context, value[symbols[i]], inner));
}

function formatArray(context, array, indent) {
  const name = constructorName(array);
  return lines(context, (name === "Array" || name === null ? "" : name + " ") + "[", "]", indent, (add, inner) => {
    let holes = 0;
    for (let i = 0; i < array.length && context.room > 0; i++) {
      if (!ObjectHasOwn(array, i)) {
        if (holes++ < 1000) add("<hole>");
        else break;
      } else {
        add(format(context, array[i], inner));
      }
    }
    if (ReflectOwnKeys(array).length < 10_000) addProperties(context, array, add, inner, true);
  });
}

function formatCollection(context, value, brand, indent) {
  const entries = collectionEntries(value);
  return lines(context, brand + " {", "}", indent, (add, inner) => {
    for (let i = 0; i < entries.length && context.room > 0; i += brand === "Map" ? 2 : 1) {
      const first = format(context, entries[i], inner);
      add(brand === "Map" ? first + " => " + format(context, entries[i + 1], inner) : first);
    }
  });
}

function formatError(context, error, indent) {
  const { name, message } = error;
  const header = "[" + name + (message === "" ? "" : ": " + message) + "]";
  const text = lines(context, header + " {", "}", indent, (add, inner) => {
    if (ObjectHasOwn(error, "cause")) add('"cause": ' + format(context, error.cause, inner));
    if (ObjectHasOwn(error, "errors")) add('"errors": ' + format(context, error.errors, inner));
    addProperties(context, error, add, inner, false);
  });
  return text === header + " {}" ? header : text;
}

function regExp(value) {
  let flags = "";
  for (let i = 0; i < RegExpFlags.length; i++) if (RegExpFlags[i].get(value)) flags += RegExpFlags[i].letter;
  return "/" + RegExpPrototypeGetSource(value) + "/" + flags;
}
