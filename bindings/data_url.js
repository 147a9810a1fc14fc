/** The data: URL processor (Fetch, section 6). */

import { findBytes, latin1Decode, percentDecode, utf8Encode } from "sandbox:native";
import { viewOf } from "./blob_data.js";
import { parseMimeType, serializeMimeType } from "./mime_type.js";
import {
  RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeStartsWith, TypedArrayPrototypeGetByteLength, Uint8Array,
  Uint8ArrayFromBase64,
} from "./primordials.js";

const base64Mark = /; *base64$/i;
const isSpace = (unit) => unit === " " || unit === "\t" || unit === "\n" || unit === "\f" || unit === "\r";

/** @param {string} text Without ASCII white space at its ends. */
function trimASCII(text) {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return StringPrototypeSlice(text, start, end);
}

/** @param {Uint8Array} bytes @returns {Uint8Array | null} Null when they are not base64. */
function forgivingBase64(bytes) {
  try {
    return Uint8ArrayFromBase64(latin1Decode(bytes, 0, TypedArrayPrototypeGetByteLength(bytes)));
  } catch {
    return null;
  }
}

const commaByte = new Uint8Array([0x2c]);

/**
 * @param {string} url The serialized URL, without its fragment.
 * @returns {{ type: string, bytes: Uint8Array } | null} Null when it is malformed.
 */
export function processDataURL(url) {
  const input = utf8Encode(url);
  const comma = findBytes(input, commaByte, 5);
  if (comma < 0) return null;
  let type = trimASCII(latin1Decode(input, 5, comma));
  let bytes = percentDecode(viewOf(input, comma + 1, TypedArrayPrototypeGetByteLength(input)));
  const mark = RegExpPrototypeExec(base64Mark, type);
  if (mark !== null) {
    bytes = forgivingBase64(bytes);
    if (bytes === null) return null;
    type = StringPrototypeSlice(type, 0, mark.index);
  }
  if (StringPrototypeStartsWith(type, ";")) type = "text/plain" + type;
  const parsed = parseMimeType(type);
  return { __proto__: null, type: parsed === null ? "text/plain;charset=US-ASCII" : serializeMimeType(parsed), bytes };
}
