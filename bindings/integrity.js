/** Subresource Integrity: whether bytes are those that somebody has named by a digest. */

import {
  newList, RegExpPrototypeExec, StringPrototypeToLowerCase, Uint8ArrayPrototypeToBase64,
} from "./primordials.js";

const word = /[^\t\n\f\r ]+/g;
const hash = /^(sha256|sha384|sha512)(?:-([^?]*))?(?:\?|$)/i;
const url = /[-_]/;
const padding = /=*$/;

/** A digest in base64 as the host's is written: of the ordinary alphabet, and without its padding. @param {string} text */
function normalized(text) {
  let result = "";
  const { index: end } = RegExpPrototypeExec(padding, text);
  for (let i = 0; i < end; i++) {
    const letter = text[i];
    result += RegExpPrototypeExec(url, letter) === null ? letter : letter === "-" ? "+" : "/";
  }
  return result;
}

/**
 * What integrity metadata says, as far as it is understood ("parse metadata", "get the strongest metadata").
 * @param {string} metadata
 * @returns {{ algorithm: string, digests: string[] }} The algorithm is empty where nothing is understood.
 */
function strongest(metadata) {
  let algorithm = "";
  let digests = newList();
  word.lastIndex = 0;
  for (let found = RegExpPrototypeExec(word, metadata); found !== null; found = RegExpPrototypeExec(word, metadata)) {
    const parts = RegExpPrototypeExec(hash, found[0]);
    if (parts === null) continue;
    const name = StringPrototypeToLowerCase(parts[1]);
    if (name < algorithm) continue; // their names are in the order of their strength
    if (name > algorithm) {
      algorithm = name;
      digests = newList();
    }
    digests[digests.length] = normalized(parts[2] === undefined ? "" : parts[2]);
  }
  return { __proto__: null, algorithm, digests };
}

/**
 * Whether bytes match integrity metadata, as they do when nothing of it is understood.
 * @param {Uint8Array} bytes
 * @param {string} metadata
 * @param {(algorithm: string, bytes: Uint8Array) => Uint8Array} digest
 */
export function isIntact(bytes, metadata, digest) {
  const { algorithm, digests } = strongest(metadata);
  if (algorithm === "") return true;
  const actual = normalized(Uint8ArrayPrototypeToBase64(digest(algorithm, bytes)));
  for (let i = 0; i < digests.length; i++) {
    if (digests[i] === actual) return true;
  }
  return false;
}
