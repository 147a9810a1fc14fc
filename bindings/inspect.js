/**
 * Values as text, in the manner of Node's `util.inspect`.
 *
 * Nothing here runs user code: properties are read from their descriptors, Proxies through the engine, built-in objects
 * by their brand. The work is bounded: formatting stops when the text has reached its room.
 */

import { classOf, collectionEntries, promiseState, proxyParts } from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, BigIntPrototypeValueOf, BooleanPrototypeValueOf, DataViewPrototypeGetBuffer,
  DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, DatePrototypeGetTime, DatePrototypeToISOString,
  functionPrototypes, FunctionPrototypeToString, isObject, MathMin, newList, NumberIsNaN, NumberPrototypeValueOf,
  ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ReflectOwnKeys, RegExpFlags, RegExpPrototypeExec,
  RegExpPrototypeGetSource, StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeValueOf,
  SymbolPrototypeToString, SymbolPrototypeValueOf, TypedArrayPrototypeGetLength, typedArrays, Uint8Array,
} from "./primordials.js";
import { constructorName, dataProperty, prefixOf, shortName, tagOf } from "./descriptors.js";
import { errorParts } from "./inspect_error.js";
import { breakLines, quote } from "./layout.js";
import { platformInterface } from "./webidl.js";

const maxItems = 100;
const maxDepth = 100;
const maxBytesShown = 100;
/** Longer arrays and strings show no named properties: to find them all indices would have to be listed. */
const maxKeyed = 10_000;
const identifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const arrayIndex = /^(?:0|[1-9][0-9]{0,9})$/;
const numberEnd = 0xffffffff;

/**
 * @typedef {object} Context
 * @property {number} depth How many levels of nested objects are shown.
 * @property {number} room Characters left to produce.
 * @property {number} indent Columns the current value is indented by.
 * @property {number} deepest Level of the object formatted last; decides what may share a line.
 * @property {object[]} path Objects being formatted, outermost first.
 * @property {object[]} circular Objects that something inside them refers to; the place is the number shown.
 */

/**
 * @param {unknown} value
 * @param {{ depth?: number, room?: number }} [options]
 * @returns {string} May be longer than `room` by what one value adds; the caller cuts it.
 */
export function inspect(value, { depth = 2, room = 65536 } = { __proto__: null }) {
  const context = {
    __proto__: null, depth: MathMin(depth, maxDepth), room, indent: 0, deepest: 0, path: newList(), circular: newList(),
  };
  return format(context, value, 0);
}

/** @param {Context} context @param {unknown} value @param {number} level */
function format(context, value, level) {
  const text = isObject(value) ? formatObject(context, value, level) : formatPrimitive(value, context.indent);
  context.room -= text.length;
  return text;
}

/** @param {unknown} value @param {number} [indent] Columns; without it a string stays on one line. */
export function formatPrimitive(value, indent = undefined) {
  if (typeof value === "string") return quote(value, indent);
  if (typeof value === "number") return value === 0 && 1 / value < 0 ? "-0" : "" + value;
  if (typeof value === "bigint") return value + "n";
  if (typeof value === "symbol") return SymbolPrototypeToString(value);
  return "" + value;
}

/** The enumerable own keys, strings before symbols. Indices are skipped where they are shown as items. */
function shownKeys(object, skipIndices, length = 0) {
  const keys = newList();
  if (length > maxKeyed) return keys;
  const all = ReflectOwnKeys(object);
  for (let i = 0; i < all.length; i++) {
    const key = all[i];
    if (!(skipIndices && isIndex(key)) && isEnumerable(object, key)) keys[keys.length] = key;
  }
  return keys;
}

const isIndex = (key) => typeof key === "string" && RegExpPrototypeExec(arrayIndex, key) !== null && +key < numberEnd;

function isEnumerable(object, key) {
  try {
    return ObjectGetOwnPropertyDescriptor(object, key)?.enumerable === true;
  } catch {
    return true; // a binding of a module namespace that is not initialized yet
  }
}

/** @param {Context} context @param {object} given @param {number} level */
function formatObject(context, given, level) {
  let value = given;
  while (classOf(value) === "Proxy") {
    value = proxyParts(value)[0];
    if (value === null || value === undefined) return "<Revoked Proxy>";
  }
  if (context.room <= 0) return "...";
  for (let i = 0; i < context.path.length; i++) {
    if (context.path[i] !== value) continue;
    let number = 0;
    while (number < context.circular.length && context.circular[number] !== value) number++;
    context.circular[number] = value;
    return "[Circular *" + (number + 1) + "]";
  }
  const shape = describe(context, value);
  const plain = shape.keys.length === 0 && shape.items === undefined;
  if (plain && shape.whole !== undefined) return shape.whole;
  if (level > context.depth) {
    return "[" + StringPrototypeSlice(prefixOf(shape.name, shape.tag, shape.fallback), 0, -1) + "]";
  }

  context.path[context.path.length] = value;
  context.deepest = level;
  const output = newList();
  if (shape.items !== undefined) shape.items(output, level + 1);
  const itemCount = output.length;
  for (let i = 0; i < shape.keys.length; i++) {
    if (context.room <= 0) {
      const left = shape.keys.length - i;
      output[output.length] = "... " + left + " more propert" + (left === 1 ? "y" : "ies");
      break;
    }
    output[output.length] = formatProperty(context, value, shape.keys[i], level + 1);
  }
  context.path.length--;

  let { base, open } = shape;
  for (let number = 0; number < context.circular.length; number++) {
    if (context.circular[number] !== value) continue;
    if (base === "") open = "<ref *" + (number + 1) + "> " + open;
    else base = "<ref *" + (number + 1) + "> " + base;
  }
  const grouping = shape.list && output.length > 6;
  const numeric = grouping && shape.numeric && itemCount === output.length;
  return breakLines(output, {
    __proto__: null, base, open, close: shape.close, indent: context.indent, grouping, numeric,
    trailing: shape.more ? 1 : 0, nested: context.deepest - level,
  });
}

/** @param {Context} context @param {object} object @param {PropertyKey} key @param {number} level */
function formatProperty(context, object, key, level) {
  let descriptor;
  try {
    descriptor = ObjectGetOwnPropertyDescriptor(object, key);
  } catch {
    return formatKey(key, true) + ": <uninitialized>";
  }
  const name = formatKey(key, descriptor === undefined || descriptor.enumerable);
  if (descriptor === undefined) return name + ": undefined";
  if (ObjectHasOwn(descriptor, "value")) return name + ": " + formatInner(context, descriptor.value, level);
  return name + ": " + accessorText(descriptor);
}

function accessorText({ get, set }) {
  if (get === undefined) return set === undefined ? "undefined" : "[Setter]";
  return set === undefined ? "[Getter]" : "[Getter/Setter]";
}

function formatKey(key, enumerable) {
  if (typeof key === "symbol") return "[" + SymbolPrototypeToString(key) + "]";
  if (key === "__proto__") return "['__proto__']";
  if (!enumerable) return "[" + key + "]";
  return key.length < 1000 && RegExpPrototypeExec(identifier, key) !== null ? key : quote(key);
}

function formatInner(context, value, level) {
  context.indent += 2;
  const text = format(context, value, level);
  context.indent -= 2;
  return text;
}

/**
 * What an object is, and how it is shown.
 * @typedef {object} Shape
 * @property {string | null} name Constructor.
 * @property {string} tag
 * @property {string} fallback Name of the kind, where there is no constructor.
 * @property {PropertyKey[]} keys Own properties to show.
 * @property {string | undefined} whole The complete text, if there are neither items nor keys.
 * @property {string} base Text before the brace.
 * @property {string} open
 * @property {string} close
 * @property {((output: string[], level: number) => void) | undefined} items Adds what comes before the properties.
 * @property {boolean} list Whether many short items are set in columns.
 * @property {boolean} numeric Whether all items are numbers.
 * @property {boolean} more Whether the last item only counts those left out.
 */

/** @param {Context} context @param {object} value @returns {Shape} */
function describe(context, value) {
  const kind = classOf(value);
  const name = constructorName(value);
  const tag = tagOf(value);
  const shape = {
    __proto__: null, name, tag, fallback: "Object", keys: undefined, whole: undefined, base: "", open: "{", close: "}",
    items: undefined, list: false, numeric: true, more: false,
  };
  if (kind === "Array" || typedArrays[kind] !== undefined) return describeArray(context, value, kind, shape);
  shape.keys = shownKeys(value, kind === "String", kind === "String" ? StringPrototypeValueOf(value).length : 0);
  if (typeof value === "function") return withBase(shape, describeFunction(value, name, tag));
  switch (kind) {
    case "Map": case "Set": return describeCollection(context, value, kind, shape);
    case "RegExp": case "Date": {
      shape.fallback = kind;
      const prefix = prefixOf(name, tag, kind);
      const text = kind === "Date" ? dateText(value) : regExpText(value);
      return withBase(shape, prefix === kind + " " ? text : prefix + text);
    }
    case "Error": case "DOMException":
      shape.fallback = "Error";
      return withBase(shape, errorParts(value, kind, name, tag, shape.keys, context.indent));
    case "Number": case "String": case "Boolean": case "Symbol": case "BigInt":
      return withBase(shape, describeBoxed(value, kind, name, tag));
    case "Promise": case "ArrayBuffer": case "SharedArrayBuffer": case "DataView": case "WeakMap": case "WeakSet":
      shape.fallback = kind;
      shape.open = prefixOf(name, tag, kind) + "{";
      shape.items = internalsOf(context, value, kind);
      return shape;
  }
  const platform = platformInterface(value);
  if (platform?.inspect !== undefined) return describePlatform(context, value, platform, shape);
  if (kind === "Arguments") {
    shape.open = "[Arguments] {";
  } else if (name !== "Object" || tag !== "") {
    shape.open = prefixOf(name, tag, "Object") + "{";
  }
  shape.whole = shape.open + "}";
  return shape;
}

/** @param {Shape} shape @param {string} text */
function withBase(shape, text) {
  shape.base = text;
  shape.whole = text;
  return shape;
}

function describeArray(context, value, kind, shape) {
  const typed = kind !== "Array";
  const length = typed ? TypedArrayPrototypeGetLength(value) : ObjectGetOwnPropertyDescriptor(value, "length").value;
  const tag = typed && shape.tag === "" ? kind : shape.tag;
  shape.fallback = kind;
  shape.keys = shownKeys(value, true, length);
  const isPlain = !typed && shape.name === "Array" && tag === "";
  shape.open = isPlain ? "[" : prefixOf(shape.name, tag, kind, "(" + length + ")") + "[";
  shape.close = "]";
  shape.list = true;
  shape.whole = shape.open + "]";
  if (length > 0) shape.items = (output, level) => arrayItems(context, value, length, shape, output, level);
  return shape;
}

function arrayItems(context, array, length, shape, output, level) {
  let keys;
  let at = 0;
  let index = 0;
  while (index < length) {
    if (output.length === maxItems || context.room <= 0) {
      output[output.length] = "... " + (length - index) + " more item" + (length - index === 1 ? "" : "s");
      shape.more = true;
      return;
    }
    const descriptor = ObjectGetOwnPropertyDescriptor(array, index);
    if (descriptor !== undefined) {
      if (ObjectHasOwn(descriptor, "value")) {
        const item = descriptor.value;
        if (typeof item !== "number" && typeof item !== "bigint") shape.numeric = false;
        output[output.length] = formatInner(context, item, level);
      } else {
        shape.numeric = false;
        output[output.length] = accessorText(descriptor);
      }
      index++;
      continue;
    }
    // A hole: the own keys, indices first in ascending order, tell where it ends.
    keys ??= ReflectOwnKeys(array);
    while (at < keys.length && typeof keys[at] === "string" && +keys[at] < index) at++;
    const next = isIndex(keys[at]) ? +keys[at] : length;
    const end = next > index && next < length ? next : length;
    shape.numeric = false;
    output[output.length] = "<" + (end - index) + " empty item" + (end - index === 1 ? "" : "s") + ">";
    index = end;
  }
}

function describeCollection(context, value, kind, shape) {
  const entries = collectionEntries(value);
  const step = kind === "Map" ? 2 : 1;
  const size = entries.length / step;
  shape.fallback = kind;
  shape.open = prefixOf(shape.name, shape.tag, kind, "(" + size + ")") + "{";
  shape.whole = shape.open + "}";
  if (size > 0) shape.items = (output, level) => pairItems(context, entries, step, size, output, level);
  return shape;
}

function pairItems(context, entries, step, size, output, level) {
  for (let i = 0; i < size; i++) {
    if (i === maxItems || context.room <= 0) {
      output[output.length] = "... " + (size - i) + " more item" + (size - i === 1 ? "" : "s");
      return;
    }
    const first = formatInner(context, entries[i * step], level);
    output[output.length] = step === 1 ? first : first + " => " + formatInner(context, entries[i * step + 1], level);
  }
}

function describePlatform(context, value, platform, shape) {
  const { entries, arrow, hidden } = platform.inspect(value);
  if (hidden !== undefined) {
    const keys = newList();
    for (let i = 0; i < shape.keys.length; i++) if (shape.keys[i] !== hidden) keys[keys.length] = shape.keys[i];
    shape.keys = keys;
  }
  shape.open = (shape.name ?? platform.name) + " {";
  shape.whole = shape.open + "}";
  if (entries.length > 0) {
    shape.items = (output, level) => {
      for (let i = 0; i < entries.length && context.room > 0; i++) {
        const key = arrow ? formatInner(context, entries[i][0], level) + " => " : entries[i][0] + ": ";
        output[output.length] = key + formatInner(context, entries[i][1], level);
      }
    };
  }
  return shape;
}

/** Contents that are not properties: what a promise holds, the bytes of a buffer. */
function internalsOf(context, value, kind) {
  return (output, level) => {
    if (kind === "Promise") {
      const state = promiseState(value);
      if (state[0] === "pending") output[0] = "<pending>";
      else output[0] = (state[0] === "rejected" ? "<rejected> " : "") + formatInner(context, state[1], level);
    } else if (kind === "DataView") {
      output[0] = "byteLength: " + DataViewPrototypeGetByteLength(value);
      output[1] = "byteOffset: " + DataViewPrototypeGetByteOffset(value);
      output[2] = "buffer: " + formatInner(context, DataViewPrototypeGetBuffer(value), level);
    } else if (kind === "WeakMap" || kind === "WeakSet") {
      output[0] = "<items unknown>";
    } else {
      const bytes = new Uint8Array(value);
      const length = TypedArrayPrototypeGetLength(bytes);
      let text = "";
      for (let i = 0; i < length && i < maxBytesShown; i++) {
        text += (i === 0 ? "" : " ") + hexDigits[bytes[i] >> 4] + hexDigits[bytes[i] & 15];
      }
      const left = length - maxBytesShown;
      if (left > 0) text += " ... " + left + " more byte" + (left === 1 ? "" : "s");
      output[0] = "[Uint8Contents]: <" + text + ">";
      output[1] = "byteLength: " + (kind === "ArrayBuffer" ? ArrayBufferPrototypeGetByteLength(value) : length);
    }
  };
}
const hexDigits = "0123456789abcdef";

function describeFunction(value, name, tag) {
  const own = dataProperty(value, "name");
  const label = typeof own === "string" ? shortName(own) : "";
  const source = FunctionPrototypeToString(value);
  const mismatch = name !== null && tag !== "" && name !== tag ? " [" + tag + "]" : "";
  if (StringPrototypeStartsWith(source, "class")) {
    const parent = ObjectGetPrototypeOf(value);
    const parentName = parent === null ? undefined : dataProperty(parent, "name");
    const heritage = parent === null ? " extends null"
      : typeof parentName === "string" && parentName !== "" ? " extends " + shortName(parentName) : "";
    const kind = name !== "Function" && name !== null ? " [" + name + "]" : "";
    return "[class " + (label === "" ? "(anonymous)" : label) + kind + mismatch + heritage + "]";
  }
  let type = "Function";
  const prototype = ObjectGetPrototypeOf(value);
  for (const key in functionPrototypes) if (functionPrototypes[key] === prototype) type = key;
  const origin = name === null ? " (null prototype)" : "";
  const text = "[" + type + origin + (label === "" ? " (anonymous)" : ": " + label) + "]";
  return text + (name !== null && name !== type && name !== "Function" ? " " + name : "") + mismatch;
}

function describeBoxed(value, kind, name, tag) {
  const origin = name === kind ? "" : name === null ? " (null prototype)" : " (" + name + ")";
  const suffix = tag !== "" && tag !== kind && tag !== name ? " [" + tag + "]" : "";
  return "[" + kind + origin + ": " + formatPrimitive(unbox[kind](value)) + "]" + suffix;
}
const unbox = {
  __proto__: null, Number: NumberPrototypeValueOf, String: StringPrototypeValueOf, Boolean: BooleanPrototypeValueOf,
  Symbol: SymbolPrototypeValueOf, BigInt: BigIntPrototypeValueOf,
};

function dateText(value) {
  return NumberIsNaN(DatePrototypeGetTime(value)) ? "Invalid Date" : DatePrototypeToISOString(value);
}

function regExpText(value) {
  let flags = "";
  for (let i = 0; i < RegExpFlags.length; i++) {
    const { letter, get } = RegExpFlags[i];
    if (get(value)) flags += letter;
  }
  return "/" + RegExpPrototypeGetSource(value) + "/" + flags;
}
