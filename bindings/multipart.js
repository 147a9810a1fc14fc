/** multipart/form-data, both ways (HTML, section 4.10.21.8; RFC 7578). */

import { findBytes, latin1Decode, utf8Decode, utf8Encode } from "sandbox:native";
import { addPart, DataBuilder, dataOf, finishData, sharePart, viewOf } from "./blob_data.js";
import { blobData, blobType, fileName, makeFile } from "./blob.js";
import { token, trimHTTP } from "./mime_type.js";
import {
  DateNow, MathFloor, MathRandom, newList, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeToLowerCase, TypedArrayPrototypeGetByteLength, Uint8Array,
} from "./primordials.js";

const needsEscape = /["\r\n]/;
const lineEnding = /[\r\n]/;
const digits = "0123456789";

/** A name as it stands in a header. @param {string} text */
function escapeName(text) {
  if (RegExpPrototypeExec(needsEscape, text) === null) return text;
  let result = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const escape = text[i] === '"' ? "%22" : text[i] === "\r" ? "%0D" : text[i] === "\n" ? "%0A" : undefined;
    if (escape === undefined) continue;
    result += StringPrototypeSlice(text, from, i) + escape;
    from = i + 1;
  }
  return result + StringPrototypeSlice(text, from);
}

/** Every line ending as CR LF. @param {string} text */
function normalizeLines(text) {
  if (RegExpPrototypeExec(lineEnding, text) === null) return text;
  let result = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\r" && text[i] !== "\n") continue;
    result += StringPrototypeSlice(text, from, i) + "\r\n";
    if (text[i] === "\r" && i + 1 < text.length && text[i + 1] === "\n") i++;
    from = i + 1;
  }
  return result + StringPrototypeSlice(text, from);
}

function makeBoundary() {
  let boundary = "----formdata-";
  for (let i = 0; i < 24; i++) boundary += digits[MathFloor(MathRandom() * 10)];
  return boundary;
}

/**
 * @param {[string, string | File][]} entries
 * @returns {{ data: import("./blob_data.js").BlobData, boundary: string }} The bytes of files are shared.
 */
export function encodeMultipart(entries) {
  const boundary = makeBoundary();
  const builder = new DataBuilder();
  for (let i = 0; i < entries.length; i++) {
    const value = entries[i][1];
    const name = escapeName(normalizeLines(entries[i][0]));
    const head = "--" + boundary + '\r\nContent-Disposition: form-data; name="' + name + '"';
    if (typeof value === "string") {
      addPart(builder, head + "\r\n\r\n" + normalizeLines(value) + "\r\n");
      continue;
    }
    const type = blobType(value);
    const kind = type === "" ? "application/octet-stream" : type;
    addPart(builder, head + '; filename="' + escapeName(fileName(value)) + '"\r\nContent-Type: ' + kind + "\r\n\r\n");
    sharePart(builder, blobData(value));
    addPart(builder, "\r\n");
  }
  addPart(builder, "--" + boundary + "--\r\n");
  return { __proto__: null, data: finishData(builder), boundary };
}

const lineEnd = new Uint8Array([0x0d, 0x0a]);

/** A name in a header, whose three characters are decoded that encoders escape. @param {string} latin1 */
function unescapeName(latin1) {
  let text = "";
  let from = 0;
  for (let i = StringPrototypeIndexOf(latin1, "%"); i >= 0; i = StringPrototypeIndexOf(latin1, "%", i + 1)) {
    const code = StringPrototypeToLowerCase(StringPrototypeSlice(latin1, i + 1, i + 3));
    const unit = code === "22" ? '"' : code === "0d" ? "\r" : code === "0a" ? "\n" : undefined;
    if (unit === undefined) continue;
    text += StringPrototypeSlice(latin1, from, i) + unit;
    from = i + 3;
  }
  return text + StringPrototypeSlice(latin1, from);
}

/**
 * The parameters of a Content-Disposition header.
 * @param {string} text UTF-8.
 * @returns {{ name?: string, filename?: string } | undefined} Undefined when it is none of form data.
 */
function readDisposition(text) {
  let at = StringPrototypeIndexOf(text, ";");
  const kind = at < 0 ? "" : trimHTTP(StringPrototypeSlice(text, 0, at));
  if (StringPrototypeToLowerCase(kind) !== "form-data") return undefined;
  const found = { __proto__: null, name: undefined, filename: undefined };
  while (at < text.length) {
    const equals = StringPrototypeIndexOf(text, "=", at);
    if (equals < 0) return trimHTTP(StringPrototypeSlice(text, at + 1)) === "" ? found : undefined;
    const key = StringPrototypeToLowerCase(trimHTTP(StringPrototypeSlice(text, at + 1, equals)));
    if (RegExpPrototypeExec(token, key) === null) return undefined;
    let value;
    if (equals + 1 < text.length && text[equals + 1] === '"') {
      const close = StringPrototypeIndexOf(text, '"', equals + 2); // a backslash is one: paths of Windows hold some
      if (close < 0) return undefined;
      value = unescapeName(StringPrototypeSlice(text, equals + 2, close));
      at = close + 1;
      while (at < text.length && (text[at] === " " || text[at] === "\t")) at++;
      if (at < text.length && text[at] !== ";") return undefined;
    } else {
      at = StringPrototypeIndexOf(text, ";", equals);
      if (at < 0) at = text.length;
      value = trimHTTP(StringPrototypeSlice(text, equals + 1, at));
    }
    if (key === "name" || key === "filename") found[key] ??= value;
  }
  return found;
}

/**
 * @param {Uint8Array} bytes Theirs from now on: files share them.
 * @param {string} boundary
 * @returns {[string, string | File][] | undefined} Undefined when the bytes are not form data with that boundary.
 */
export function parseMultipart(bytes, boundary) {
  const length = TypedArrayPrototypeGetByteLength(bytes);
  const dashes = utf8Encode("--" + boundary);
  const delimiter = utf8Encode("\r\n--" + boundary);
  const boundaryLength = TypedArrayPrototypeGetByteLength(dashes);
  const entries = newList();
  let at = findBytes(bytes, dashes, 0);
  if (at > 0 && findBytes(viewOf(bytes, at - 2 > 0 ? at - 2 : 0, at), lineEnd, 0) < 0) {
    at = findBytes(bytes, delimiter, 0); // what stands before the first boundary is not for programs
    if (at >= 0) at += 2;
  }
  if (at < 0) return undefined;
  for (;;) {
    at += boundaryLength;
    if (bytes[at] === 0x2d && bytes[at + 1] === 0x2d) return entries;
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
    if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) return undefined;
    at += 2;
    let disposition;
    let contentType;
    for (;;) {
      const end = findBytes(bytes, lineEnd, at);
      if (end < 0) return undefined;
      if (end === at) break;
      const line = latin1Decode(bytes, at, end);
      const colon = StringPrototypeIndexOf(line, ":");
      if (colon < 0) return undefined;
      const name = StringPrototypeToLowerCase(trimHTTP(StringPrototypeSlice(line, 0, colon)));
      if (RegExpPrototypeExec(token, name) === null) return undefined;
      if (name === "content-disposition") {
        disposition = readDisposition(trimHTTP(utf8Decode(viewOf(bytes, at + colon + 1, end), false)));
        if (disposition === undefined) return undefined;
      } else if (name === "content-type") {
        contentType = trimHTTP(StringPrototypeSlice(line, colon + 1));
      }
      at = end + 2;
    }
    at += 2;
    // The line end before a boundary belongs to it, and may be the one that ended the headers.
    const end = findBytes(bytes, delimiter, at - 2 < 0 ? 0 : at - 2);
    if (end < 0 || disposition?.name === undefined) return undefined;
    const content = viewOf(bytes, at, end > at ? end : at);
    const { name, filename } = disposition;
    entries[entries.length] = [name, filename === undefined ? utf8Decode(content, false)
      : makeFile(dataOf(content), contentType ?? "text/plain", filename, DateNow())];
    at = end + 2;
    if (at > length) return undefined;
  }
}
