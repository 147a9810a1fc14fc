/** The dictionaries of the algorithms, and how their members are converted (Web Cryptography API, section 18.4). */

import { classOf, isBufferSource } from "sandbox:native";
import { bytesOf } from "../encoding.js";
import {
  ArrayBufferPrototypeGetResizable, DataViewPrototypeGetBuffer, isObject, newList, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, TypeError, Uint8Array,
} from "../primordials.js";
import { dictionary, DOMString, integer } from "../webidl.js";
import { cryptoKey } from "./key.js";

/** @type {import("../webidl.js").Converter} */
export function bufferSource(value, where) {
  if (!isObject(value) || !isBufferSource(value, false)) {
    throw new TypeError(where + ": The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.");
  }
  const kind = classOf(value);
  const buffer = kind === "ArrayBuffer" ? value
    : kind === "DataView" ? DataViewPrototypeGetBuffer(value) : TypedArrayPrototypeGetBuffer(value);
  if (ArrayBufferPrototypeGetResizable(buffer)) throw new TypeError(where + ": The buffer is resizable.");
  return value;
}

/** What a buffer source holds now, in memory of its own. @param {ArrayBuffer | ArrayBufferView} source */
export function copied(source) {
  const bytes = held(source);
  const copy = new Uint8Array(TypedArrayPrototypeGetByteLength(bytes));
  TypedArrayPrototypeSet(copy, bytes);
  return copy;
}

/** What a buffer source holds now: a view, which is good until guest code runs. */
export function held(source) {
  try {
    return bytesOf(source, "");
  } catch {
    return new Uint8Array(0); // a DataView that is detached
  }
}

/** @type {import("../webidl.js").Converter} */
function bigInteger(value, where) {
  if (!isObject(value) || classOf(value) !== "Uint8Array") {
    throw new TypeError(where + ": The provided value is not of type 'Uint8Array'.");
  }
  return bufferSource(value, where);
}

/** AlgorithmIdentifier: an object, or a name. @type {import("../webidl.js").Converter} */
export const identifier = (value, where) => (isObject(value) ? value : DOMString(value, where));

const octet = integer(8, false, "enforceRange");
const unsignedShort = integer(16, false, "enforceRange");
const unsignedLong = integer(32, false, "enforceRange");

/** What has to be done with a member when all of them are read. */
export const BYTES = 1;
export const HASH = 2;
export const KEY = 3;

const need = (key, convert, kind = 0) => ({ __proto__: null, key, convert, kind, required: true });
const may = (key, convert, kind = 0) => ({ __proto__: null, key, convert, kind, required: false });
const name = need("name", DOMString);
const hash = need("hash", identifier, HASH);

/**
 * @typedef {object} Parameters
 * @property {import("../webidl.js").Converter} convert
 * @property {{ key: string, kind: number }[]} members Those that an algorithm has beside its name, in order.
 */

/** @param {...object} own @returns {Parameters} */
function parameters(...own) {
  const members = newList();
  for (let i = 0; i < own.length; i++) members[i] = own[i];
  return { __proto__: null, convert: dictionary([name, ...own]), members };
}

export const algorithm = parameters();
export const aesCbc = parameters(need("iv", bufferSource, BYTES));
export const aesCtr = parameters(need("counter", bufferSource, BYTES), need("length", octet));
export const aesGcm = parameters(
  may("additionalData", bufferSource, BYTES), need("iv", bufferSource, BYTES), may("tagLength", octet),
);
export const aesKey = parameters(need("length", unsignedShort));
export const hmacKey = parameters(hash, may("length", unsignedLong));
export const rsaKeyGen = parameters(
  need("modulusLength", unsignedLong), need("publicExponent", bigInteger, BYTES), hash,
);
export const rsaImport = parameters(hash);
export const rsaOaep = parameters(may("label", bufferSource, BYTES));
export const rsaPss = parameters(need("saltLength", unsignedLong));
export const ecKey = parameters(need("namedCurve", DOMString));
export const ecdsa = parameters(hash);
export const keyDerive = parameters(need("public", cryptoKey, KEY));
export const ed448 = parameters(may("context", bufferSource, BYTES));
export const hkdf = parameters(hash, need("info", bufferSource, BYTES), need("salt", bufferSource, BYTES));
export const pbkdf2 = parameters(hash, need("iterations", unsignedLong), need("salt", bufferSource, BYTES));
