/** Web Cryptography's source of randomness. The bytes are the host's, so a seeded sandbox draws the same ones again. */

import { classOf } from "sandbox:native";
import { op } from "sandbox:abi.js";
import { subtleCrypto } from "./crypto.js";
import { call } from "./op.js";
import {
  DOMException, isObject, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeSet, TypeError, Uint8Array,
} from "./primordials.js";
import { execute, requireArguments, requireBrand } from "./webidl.js";

/** Only this module may construct the interface. */
const key = {};
const quotaBytes = 65536;
const integerArrays = {
  __proto__: null, Int8Array: true, Uint8Array: true, Uint8ClampedArray: true, Int16Array: true, Uint16Array: true,
  Int32Array: true, Uint32Array: true, BigInt64Array: true, BigUint64Array: true,
};
const otherViews = { __proto__: null, Float16Array: true, Float32Array: true, Float64Array: true, DataView: true };

const hexDigits = "0123456789abcdef";

/** @returns {string} A UUID of version 4. */
export function randomUUID() {
  const bytes = call(op.random.fill, 16);
  let text = "";
  for (let i = 0; i < 16; i++) {
    let byte = bytes[i];
    if (i === 6) byte = (byte & 0x0f) | 0x40; // version 4
    if (i === 8) byte = (byte & 0x3f) | 0x80; // variant of RFC 9562
    text += hexDigits[byte >> 4] + hexDigits[byte & 15];
    if (i === 3 || i === 5 || i === 7 || i === 9) text += "-";
  }
  return text;
}

let isCrypto;

export class Crypto {
  #granted;
  constructor() {
    if (arguments[0] !== key) throw new TypeError("Illegal constructor");
    this.#granted = true;
  }
  static {
    isCrypto = (value) => #granted in value;
  }

  get subtle() {
    requireBrand(#granted in this);
    return subtleCrypto();
  }

  getRandomValues(array) {
    requireBrand(#granted in this);
    const where = execute("getRandomValues", "Crypto");
    requireArguments(arguments.length, 1, where);
    const kind = isObject(array) ? classOf(array) : "";
    if (!integerArrays[kind]) {
      if (!otherViews[kind]) throw new TypeError(where + ": parameter 1 is not of type 'ArrayBufferView'.");
      const text = where + ": The array is of type '" + kind + "', not of an integer type.";
      throw new DOMException(text, "TypeMismatchError");
    }
    const byteLength = TypedArrayPrototypeGetByteLength(array);
    if (byteLength > quotaBytes) {
      const text = where + ": " + byteLength + " bytes were asked for; one call gives " + quotaBytes + " at most.";
      throw new DOMException(text, "QuotaExceededError");
    }
    if (byteLength > 0) {
      const bytes = call(op.random.fill, byteLength);
      const offset = TypedArrayPrototypeGetByteOffset(array);
      TypedArrayPrototypeSet(new Uint8Array(TypedArrayPrototypeGetBuffer(array), offset, byteLength), bytes);
    }
    return array;
  }

  randomUUID() {
    requireBrand(#granted in this);
    return randomUUID();
  }
}

export const crypto = new Crypto(key);
export const traits = { brand: isCrypto };
