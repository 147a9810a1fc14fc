/** crypto.subtle: converts and normalizes arguments. What is done with keys, and whether it may be, is the host's. */

import { isBufferSource } from "sandbox:native";
import { op } from "sandbox:abi.js";
import { call } from "./op.js";
import {
  DOMException, isObject, Promise, StringPrototypeIndexOf, StringPrototypeSlice, TypedArrayPrototypeGetBuffer, TypeError,
} from "./primordials.js";
import {
  boolean, enumeration, execute, requireArguments, requireBrand, sequence, unsignedLong,
} from "./webidl.js";
import { jsonWebKey } from "./crypto/jwk.js";
import { cryptoKey, makeKey, sealed } from "./crypto/key.js";
import * as tables from "./crypto/normalize.js";
import { bufferSource, held, identifier } from "./crypto/parameters.js";

const { normalize } = tables;
const keyFormat = enumeration("KeyFormat", ["raw", "spki", "pkcs8", "jwk"]);
const keyUsage = enumeration("KeyUsage", [
  "encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey",
]);
const keyUsages = (value, where) => sequence(value, keyUsage, where);

/** An answer of the host. @throws {DOMException} It says that the operation has failed. */
function checked(answer, where) {
  if (typeof answer !== "string") return answer;
  const colon = StringPrototypeIndexOf(answer, ": ");
  const name = StringPrototypeSlice(answer, 0, colon);
  const message = where + ": " + StringPrototypeSlice(answer, colon + 2);
  throw name === "TypeError" ? new TypeError(message) : new DOMException(message, name);
}
const bufferOf = (answer, where) => TypedArrayPrototypeGetBuffer(checked(answer, where));
const keyOf = (answer, where) => makeKey(checked(answer, where));

let isSubtle;

/** The promise of what an operation gives or throws. */
const promised = (self, given, needed, operation, body) => new Promise((resolve) => {
  requireBrand(isObject(self) && isSubtle(self));
  const where = execute(operation, "SubtleCrypto");
  requireArguments(given, needed, where);
  resolve(body(where));
});

/** encrypt, decrypt and sign: an algorithm, a key and bytes give bytes. */
function transform(number, rows, given, key, data, where) {
  const chosen = identifier(given, where);
  cryptoKey(key, where);
  bufferSource(data, where);
  const algorithm = normalize(rows, chosen, where);
  return bufferOf(call(number, algorithm, sealed(key), held(data)), where);
}

/** An algorithm for wrapping, or else one that encrypts or decrypts. */
function normalizeWrapping(given, where) {
  try {
    return normalize(tables.wrapKey, given, where);
  } catch {
    return normalize(tables.encrypt, given, where);
  }
}

/** What is imported: bytes, or a JsonWebKey. */
const keyData = (value, where) => {
  if (isObject(value) && isBufferSource(value, true)) return bufferSource(value, where);
  return jsonWebKey(value, where);
};

/** Only this module may construct the interface. */
const token = {};

export class SubtleCrypto {
  #brand;
  static {
    isSubtle = (value) => #brand in value;
  }
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
  }

  encrypt(algorithm, key, data) {
    return promised(this, arguments.length, 3, "encrypt",
      (where) => transform(op.crypto.encrypt, tables.encrypt, algorithm, key, data, where));
  }
  decrypt(algorithm, key, data) {
    return promised(this, arguments.length, 3, "decrypt",
      (where) => transform(op.crypto.decrypt, tables.encrypt, algorithm, key, data, where));
  }
  sign(algorithm, key, data) {
    return promised(this, arguments.length, 3, "sign",
      (where) => transform(op.crypto.sign, tables.sign, algorithm, key, data, where));
  }
  verify(algorithm, key, signature, data) {
    return promised(this, arguments.length, 4, "verify", (where) => {
      const chosen = identifier(algorithm, where);
      cryptoKey(key, where);
      bufferSource(signature, where);
      bufferSource(data, where);
      const normalized = normalize(tables.sign, chosen, where);
      return checked(call(op.crypto.verify, normalized, sealed(key), held(signature), held(data)), where);
    });
  }
  digest(algorithm, data) {
    return promised(this, arguments.length, 2, "digest", (where) => {
      const chosen = identifier(algorithm, where);
      bufferSource(data, where);
      const normalized = normalize(tables.digest, chosen, where);
      return bufferOf(call(op.crypto.digest, normalized, held(data)), where);
    });
  }
  generateKey(algorithm, extractable, usages) {
    return promised(this, arguments.length, 3, "generateKey", (where) => {
      const chosen = identifier(algorithm, where);
      const may = boolean(extractable);
      const wanted = keyUsages(usages, where);
      const normalized = normalize(tables.generateKey, chosen, where);
      const keys = checked(call(op.crypto.generate, normalized, may, wanted), where);
      if (keys.length === 1) return makeKey(keys[0]);
      return { publicKey: makeKey(keys[0]), privateKey: makeKey(keys[1]) };
    });
  }
  deriveKey(algorithm, baseKey, derivedKeyType, extractable, usages) {
    return promised(this, arguments.length, 5, "deriveKey", (where) => {
      const chosen = identifier(algorithm, where);
      cryptoKey(baseKey, where);
      const kind = identifier(derivedKeyType, where);
      const may = boolean(extractable);
      const wanted = keyUsages(usages, where);
      const normalized = normalize(tables.deriveBits, chosen, where);
      const imported = normalize(tables.importKey, kind, where);
      const measured = normalize(tables.keyLength, kind, where);
      // AES has its length in the one, and nothing else in the other.
      if (measured.length !== undefined) imported.length = measured.length;
      return keyOf(call(op.crypto.deriveKey, normalized, sealed(baseKey), imported, may, wanted), where);
    });
  }
  deriveBits(algorithm, baseKey, length = null) {
    return promised(this, arguments.length, 2, "deriveBits", (where) => {
      const chosen = identifier(algorithm, where);
      cryptoKey(baseKey, where);
      const bits = length === null ? null : unsignedLong(length, where);
      const normalized = normalize(tables.deriveBits, chosen, where);
      return bufferOf(call(op.crypto.deriveBits, normalized, sealed(baseKey), bits), where);
    });
  }
  importKey(format, data, algorithm, extractable, usages) {
    return promised(this, arguments.length, 5, "importKey", (where) => {
      const form = keyFormat(format, where);
      const given = keyData(data, where);
      const chosen = identifier(algorithm, where);
      const may = boolean(extractable);
      const wanted = keyUsages(usages, where);
      const normalized = normalize(tables.importKey, chosen, where);
      const isBytes = isBufferSource(given, false);
      if (isBytes === (form === "jwk")) {
        throw new TypeError(where + ": The key data is not " + (isBytes ? "a JsonWebKey" : "of type 'BufferSource'") + ".");
      }
      return keyOf(call(op.crypto.import, form, isBytes ? held(given) : given, normalized, may, wanted), where);
    });
  }
  exportKey(format, key) {
    return promised(this, arguments.length, 2, "exportKey", (where) => {
      const form = keyFormat(format, where);
      cryptoKey(key, where);
      const answer = call(op.crypto.export, form, sealed(key));
      return form === "jwk" ? checked(answer, where) : bufferOf(answer, where);
    });
  }
  wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    return promised(this, arguments.length, 4, "wrapKey", (where) => {
      const form = keyFormat(format, where);
      cryptoKey(key, where);
      cryptoKey(wrappingKey, where);
      const chosen = identifier(wrapAlgorithm, where);
      const normalized = normalizeWrapping(chosen, where);
      return bufferOf(call(op.crypto.wrap, form, sealed(key), sealed(wrappingKey), normalized), where);
    });
  }
  unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, usages) {
    return promised(this, arguments.length, 7, "unwrapKey", (where) => {
      const form = keyFormat(format, where);
      bufferSource(wrappedKey, where);
      cryptoKey(unwrappingKey, where);
      const chosen = identifier(unwrapAlgorithm, where);
      const kind = identifier(unwrappedKeyAlgorithm, where);
      const may = boolean(extractable);
      const wanted = keyUsages(usages, where);
      const normalized = normalizeWrapping(chosen, where);
      const imported = normalize(tables.importKey, kind, where);
      const bytes = held(wrappedKey);
      return keyOf(call(op.crypto.unwrap, form, bytes, sealed(unwrappingKey), normalized, imported, may, wanted), where);
    });
  }
}

const subtle = new SubtleCrypto(token);
/** Whether the host can do what `subtle` is for; undefined: nobody has asked. */
let hasSubtle;

/** @returns {SubtleCrypto | undefined} Undefined when the host has no cryptography. */
export function subtleCrypto() {
  hasSubtle ??= call(op.crypto.available);
  return hasSubtle ? subtle : undefined;
}
export const traits = { brand: isSubtle };
