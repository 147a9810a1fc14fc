/** Which algorithms there are, and what becomes of an AlgorithmIdentifier (Web Cryptography API, section 18.4.4). */

import { DOMException, ReflectOwnKeys, RegExpPrototypeExec, StringPrototypeToUpperCase } from "../primordials.js";
import { sealed } from "./key.js";
import {
  aesCbc, aesCtr, aesGcm, aesKey, algorithm, BYTES, copied, ecdsa, ecKey, ed448, HASH, hkdf, hmacKey, KEY, keyDerive,
  pbkdf2, rsaImport, rsaKeyGen, rsaOaep, rsaPss,
} from "./parameters.js";

const rsaNames = ["RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP"];
const aesNames = ["AES-CTR", "AES-CBC", "AES-GCM", "AES-KW"];
const curves = ["ECDSA", "ECDH"];
const plain = ["Ed25519", "Ed448", "X25519", "X448"];
const agreements = { ECDH: keyDerive, X25519: keyDerive, X448: keyDerive };
const all = (names, parameters) => Object.fromEntries(names.map((name) => [name, parameters]));

const ciphers = { "RSA-OAEP": rsaOaep, "AES-CTR": aesCtr, "AES-CBC": aesCbc, "AES-GCM": aesGcm };
const signing = {
  "RSASSA-PKCS1-v1_5": algorithm, "RSA-PSS": rsaPss, ECDSA: ecdsa, HMAC: algorithm, Ed25519: algorithm, Ed448: ed448,
};
const lengths = { ...all(aesNames, aesKey), HMAC: hmacKey, HKDF: algorithm, PBKDF2: algorithm };

/** A table of one operation: by upper-case name, what the algorithm is called and which parameters it has. */
function table(entries) {
  const rows = { __proto__: null };
  for (const name of ReflectOwnKeys(entries)) {
    rows[name.toUpperCase()] = { __proto__: null, name, parameters: entries[name] };
  }
  return rows;
}

export const digest = table(all(["SHA-1", "SHA-256", "SHA-384", "SHA-512"], algorithm));
export const encrypt = table(ciphers);
export const sign = table(signing);
export const deriveBits = table({ ...agreements, HKDF: hkdf, PBKDF2: pbkdf2 });
export const wrapKey = table({ "AES-KW": algorithm });
export const keyLength = table(lengths);
export const generateKey = table({
  ...all(rsaNames, rsaKeyGen), ...all(curves, ecKey), ...all(plain, algorithm), ...all(aesNames, aesKey), HMAC: hmacKey,
});
export const importKey = table({
  ...all(rsaNames, rsaImport), ...all(curves, ecKey), ...all([...plain, ...aesNames], algorithm), HMAC: hmacKey,
  HKDF: algorithm, PBKDF2: algorithm,
});

const outsideASCII = /[^\x00-\x7f]/;

/**
 * Normalize an algorithm.
 * @param {Record<string, any>} rows Of the operation.
 * @param {object | string} given
 * @param {string} where
 * @returns {Record<string, any>} For the host, in which nothing is the program's any more.
 * @throws {DOMException} NotSupportedError: the operation has no such algorithm.
 */
export function normalize(rows, given, where) {
  const source = typeof given === "string" ? { __proto__: null, name: given } : given;
  const { name } = algorithm.convert(source, where + ": Algorithm");
  const row = RegExpPrototypeExec(outsideASCII, name) === null ? rows[StringPrototypeToUpperCase(name)] : undefined;
  if (row === undefined) throw new DOMException(where + ": Unrecognized algorithm name.", "NotSupportedError");
  const { convert, members } = row.parameters;
  const values = convert(source, where + ": Algorithm");
  const result = { __proto__: null, name: row.name };
  for (let i = 0; i < members.length; i++) {
    const { key, kind } = members[i];
    const value = values[key];
    if (value === undefined) continue;
    if (kind === BYTES) result[key] = copied(value);
    else if (kind === HASH) result[key] = normalize(digest, value, where);
    else if (kind === KEY) result[key] = sealed(value);
    else result[key] = value;
  }
  return result;
}
