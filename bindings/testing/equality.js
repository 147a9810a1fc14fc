/**
 * Whether two values are alike: `toEqual`, `toStrictEqual` and `toMatchObject`.
 *
 * Values that contain themselves are compared as well: a pair that is being compared counts as alike. Properties are
 * read as a program reads them, so getters and Proxies of the program run.
 */

import { classOf, collectionEntries } from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, ArrayIsArray, BigIntPrototypeValueOf, BooleanPrototypeValueOf,
  DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, DatePrototypeGetTime,
  DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, isObject, newList, NumberPrototypeValueOf,
  ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ObjectIs, ReflectOwnKeys, RegExpFlags,
  RegExpPrototypeGetSource, StringPrototypeValueOf, SymbolPrototypeValueOf, TypedArrayPrototypeGetLength, typedArrays,
  Uint8Array,
} from "../primordials.js";
import { platformInterface } from "../webidl.js";
import { asymmetricMatch, isAsymmetric } from "./asymmetric.js";

/**
 * @typedef {object} Manner
 * @property {boolean} strict Whether types, holes and properties that are undefined count.
 * @property {boolean} subset Whether the received object may have more properties than the expected one.
 * @property {any[]} path Pairs that are being compared, both halves in turn.
 */

const manner = (strict, subset) => ({ __proto__: null, strict, subset, path: newList() });

/** As `toEqual`. @param {unknown} received @param {unknown} expected @returns {boolean} */
export const equals = (received, expected) => compare(received, expected, manner(false, false));
/** As `toStrictEqual`. @type {(received: unknown, expected: unknown) => boolean} */
export const strictlyEquals = (received, expected) => compare(received, expected, manner(true, false));
/** As `toMatchObject`. @type {(received: unknown, expected: unknown) => boolean} */
export const contains = (received, expected) => compare(received, expected, manner(false, true));

/** @param {Manner} how */
function compare(received, expected, how) {
  if (isAsymmetric(expected)) return asymmetricMatch(expected, received);
  if (isAsymmetric(received)) return asymmetricMatch(received, expected);
  if (ObjectIs(received, expected)) return true;
  if (!isObject(received) || !isObject(expected)) return false;
  if (typeof received === "function" || typeof expected === "function") return false;
  const { path } = how;
  for (let i = 0; i < path.length; i += 2) {
    if (path[i] === received && path[i + 1] === expected) return true;
  }
  const depth = path.length;
  path[depth] = received;
  path[depth + 1] = expected;
  const same = compareObjects(received, expected, how);
  path.length = depth;
  return same;
}

const brandOf = (value) => (ArrayIsArray(value) ? "Array" : classOf(value) === "Proxy" ? "Object" : classOf(value));

function compareObjects(received, expected, how) {
  const brand = brandOf(received);
  if (brand !== brandOf(expected)) return false;
  if (how.strict && ObjectGetPrototypeOf(received) !== ObjectGetPrototypeOf(expected)) return false;
  if (brand in typedArrays) return sameItems(received, expected);
  switch (brand) {
    case "Date": return ObjectIs(DatePrototypeGetTime(received), DatePrototypeGetTime(expected)) && sameProperties(received, expected, how);
    case "RegExp": return sameRegExp(received, expected) && sameProperties(received, expected, how);
    case "Error": return sameError(received, expected, how);
    case "DOMException":
      return DOMExceptionPrototypeGetName(received) === DOMExceptionPrototypeGetName(expected) &&
        DOMExceptionPrototypeGetMessage(received) === DOMExceptionPrototypeGetMessage(expected);
    case "Number": return ObjectIs(NumberPrototypeValueOf(received), NumberPrototypeValueOf(expected));
    case "String": return StringPrototypeValueOf(received) === StringPrototypeValueOf(expected);
    case "Boolean": return BooleanPrototypeValueOf(received) === BooleanPrototypeValueOf(expected);
    case "BigInt": return BigIntPrototypeValueOf(received) === BigIntPrototypeValueOf(expected);
    case "Symbol": return SymbolPrototypeValueOf(received) === SymbolPrototypeValueOf(expected);
    case "ArrayBuffer": case "SharedArrayBuffer":
      return sameBytes(received, 0, ArrayBufferPrototypeGetByteLength(received), expected, 0, ArrayBufferPrototypeGetByteLength(expected));
    case "DataView":
      return sameBytes(
        DataViewPrototypeGetBuffer(received), DataViewPrototypeGetByteOffset(received), DataViewPrototypeGetByteLength(received),
        DataViewPrototypeGetBuffer(expected), DataViewPrototypeGetByteOffset(expected), DataViewPrototypeGetByteLength(expected),
      );
    case "Map": return sameMap(received, expected, how) && sameProperties(received, expected, how);
    case "Set": return sameSet(received, expected, how) && sameProperties(received, expected, how);
    case "Promise": case "WeakMap": case "WeakSet": case "WeakRef": case "Generator": return false;
    case "Array":
      if (received.length !== expected.length) return false;
      break;
    default: {
      const known = platformInterface(received);
      if (known !== platformInterface(expected)) return false;
      if (known !== undefined) return samePlatformObject(known, received, expected, how);
    }
  }
  return sameProperties(received, expected, how);
}

/** Those that are what they show: the others are like themselves alone. */
const shown = { __proto__: null, URL: true, URLSearchParams: true, Headers: true, FormData: true };

function samePlatformObject(known, received, expected, how) {
  if (!(known.name in shown)) return false;
  const { entries } = known.inspect(received);
  const { entries: others } = known.inspect(expected);
  if (entries.length !== others.length) return false;
  for (let i = 0; i < entries.length; i++) {
    if (!compare(entries[i][0], others[i][0], how) || !compare(entries[i][1], others[i][1], how)) return false;
  }
  return true;
}

function sameItems(received, expected) {
  const length = TypedArrayPrototypeGetLength(received);
  if (length !== TypedArrayPrototypeGetLength(expected)) return false;
  for (let i = 0; i < length; i++) if (!ObjectIs(received[i], expected[i])) return false;
  return true;
}

function sameBytes(buffer, offset, length, other, otherOffset, otherLength) {
  return length === otherLength &&
    sameItems(new Uint8Array(buffer, offset, length), new Uint8Array(other, otherOffset, otherLength));
}

function sameRegExp(received, expected) {
  if (RegExpPrototypeGetSource(received) !== RegExpPrototypeGetSource(expected)) return false;
  for (let i = 0; i < RegExpFlags.length; i++) {
    if (RegExpFlags[i].get(received) !== RegExpFlags[i].get(expected)) return false;
  }
  return true;
}

/** Name, message, cause and the errors of an AggregateError; properties of its own; no stack. */
function sameError(received, expected, how) {
  if (received.name !== expected.name || received.message !== expected.message) return false;
  if (!how.subset || ObjectHasOwn(expected, "cause")) {
    if (!compare(received.cause, expected.cause, how)) return false;
  }
  if (ObjectHasOwn(received, "errors") || ObjectHasOwn(expected, "errors")) {
    if (!compare(received.errors, expected.errors, how)) return false;
  }
  return sameProperties(received, expected, how);
}

function sameMap(received, expected, how) {
  const entries = collectionEntries(received);
  const others = collectionEntries(expected);
  return entries.length === others.length && matchUp(entries, others, 2, how);
}

function sameSet(received, expected, how) {
  const entries = collectionEntries(received);
  const others = collectionEntries(expected);
  return entries.length === others.length && matchUp(entries, others, 1, how);
}

/** Whether each of some entries has one of its own that is like it among others, in any order. */
function matchUp(entries, others, width, how) {
  const taken = newList();
  for (let i = 0; i < others.length; i += width) taken[i / width] = false;
  for (let i = 0; i < entries.length; i += width) {
    let found = false;
    for (let step = 0; step < others.length && !found; step += width) {
      const j = (i + step) % others.length; // most are at the same place
      if (taken[j / width] || !compare(entries[i], others[j], how)) continue;
      if (width === 2 && !compare(entries[i + 1], others[j + 1], how)) continue;
      taken[j / width] = found = true;
    }
    if (!found) return false;
  }
  return true;
}

/** Names of enumerable properties, symbols among them. */
function keysOf(object) {
  const keys = newList();
  const all = ReflectOwnKeys(object);
  for (let i = 0; i < all.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(object, all[i]);
    if (descriptor !== undefined && descriptor.enumerable) keys[keys.length] = all[i];
  }
  return keys;
}

function sameProperties(received, expected, how) {
  const keys = keysOf(expected);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (how.strict && !ObjectHasOwn(received, key)) return false;
    // A property that is expected to be undefined must be there only where that was asked for.
    if (how.subset && !(key in received)) return false;
    if (!compare(received[key], expected[key], how)) return false;
  }
  if (how.subset && !ArrayIsArray(received)) return true;
  const others = keysOf(received);
  for (let i = 0; i < others.length; i++) {
    const key = others[i];
    if (ObjectHasOwn(expected, key)) continue;
    if (how.strict || received[key] !== undefined) return false;
  }
  return true;
}
