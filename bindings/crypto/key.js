/** CryptoKey. The key itself is the host's: what an object holds of it is sealed, and opaque to everybody here. */

import { tag } from "sandbox:abi.js";
import { refusing } from "../crossing.js";
import {
  isObject, newList, ObjectDefineProperty, ObjectKeys, toArray, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet,
  TypeError, Uint8Array,
} from "../primordials.js";
import { requireBrand } from "../webidl.js";

/** Only this module may construct the interface. */
const key = {};
const cross = refusing(tag.cryptoKey);

/**
 * What the host says of a key: its sealed bytes, type, algorithm, whether it is extractable, usages.
 * @typedef {[Uint8Array, string, Record<string, any>, boolean, string[]]} Description
 */

/** @param {Uint8Array} bytes */
function copyBytes(bytes) {
  const copy = new Uint8Array(TypedArrayPrototypeGetByteLength(bytes));
  TypedArrayPrototypeSet(copy, bytes);
  return copy;
}

/** An algorithm as an object of the program's. @param {Record<string, any>} source */
function copyAlgorithm(source) {
  const copy = {};
  const names = ObjectKeys(source);
  for (let i = 0; i < names.length; i++) {
    const given = source[names[i]];
    let value = given;
    if (isObject(given)) value = names[i] === "hash" ? copyAlgorithm(given) : copyBytes(given);
    ObjectDefineProperty(copy, names[i], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

/** @param {string[]} source */
function copyUsages(source) {
  const copy = newList();
  for (let i = 0; i < source.length; i++) copy[i] = source[i];
  return toArray(copy);
}

let isCryptoKey;
let descriptionOf;

export class CryptoKey {
  /** @type {Description} */
  #description;
  #algorithm;
  #usages;

  static {
    isCryptoKey = (value) => #description in value;
    descriptionOf = (value) => value.#description;
  }
  constructor() {
    if (arguments[0] !== key) throw new TypeError("Illegal constructor");
    this.#description = arguments[1];
    cross(this);
  }
  get type() {
    requireBrand(#description in this);
    return this.#description[1];
  }
  get extractable() {
    requireBrand(#description in this);
    return this.#description[3];
  }
  get algorithm() {
    requireBrand(#description in this);
    return this.#algorithm ??= copyAlgorithm(this.#description[2]);
  }
  get usages() {
    requireBrand(#description in this);
    return this.#usages ??= copyUsages(this.#description[4]);
  }
}

/** @param {Description} description */
export const makeKey = (description) => new CryptoKey(key, description);
/** What the host gets of a key. @param {CryptoKey} value */
export const sealed = (value) => descriptionOf(value)[0];

/** @type {import("../webidl.js").Converter} */
export function cryptoKey(value, where) {
  if (!isObject(value) || !isCryptoKey(value)) throw new TypeError(where + ": The value is not of type 'CryptoKey'.");
  return value;
}

function entriesOf(value) {
  const description = descriptionOf(value);
  const entries = newList();
  entries[0] = ["type", description[1]];
  entries[1] = ["extractable", description[3]];
  entries[2] = ["algorithm", copyAlgorithm(description[2])];
  entries[3] = ["usages", copyUsages(description[4])];
  return entries;
}

export const traits = {
  brand: isCryptoKey,
  inspect: (value) => ({ __proto__: null, entries: entriesOf(value) }),
  clone: (value) => makeKey(descriptionOf(value)),
};
