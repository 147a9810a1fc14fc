/** MIME types: parsing and serializing them, and what headers say (MIME Sniffing, section 4; Fetch, section 2.2.2). */

import {
  MapPrototypeForEach, MapPrototypeGet, MapPrototypeHas, MapPrototypeSet, Map, newList, RegExpPrototypeExec,
  StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
} from "./primordials.js";

/** What RFC 9110 calls a token. */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const quotable = /^[\t\x20-\x7e\x80-\xff]*$/;
const needsQuotes = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]|^$/;

/**
 * @typedef {object} MimeType
 * @property {string} essence In lower case, such as "text/html".
 * @property {Map<string, string>} parameters In the order they were given, names in lower case.
 */

/** @param {string} text @param {string} unit One character. */
const isHTTPSpace = (unit) => unit === " " || unit === "\t" || unit === "\n" || unit === "\r";

/** @param {string} text Without HTTP white space at both ends. */
export function trimHTTP(text) {
  let start = 0;
  let end = text.length;
  while (start < end && isHTTPSpace(text[start])) start++;
  while (end > start && isHTTPSpace(text[end - 1])) end--;
  return start === 0 && end === text.length ? text : StringPrototypeSlice(text, start, end);
}

/** Where a character next stands; the length when nowhere. */
function next(text, unit, from) {
  const at = StringPrototypeIndexOf(text, unit, from);
  return at < 0 ? text.length : at;
}

/**
 * Read a quoted string; whatever its end is, the text's end is one too.
 * @param {string} text
 * @param {number} start Of the opening mark.
 * @returns {{ value: string, end: number }}
 */
export function quotedString(text, start) {
  let value = "";
  let at = start + 1;
  for (;;) {
    let stop = at;
    while (stop < text.length && text[stop] !== '"' && text[stop] !== "\\") stop++;
    value += StringPrototypeSlice(text, at, stop);
    if (stop === text.length) return { __proto__: null, value, end: stop };
    if (text[stop] === '"') return { __proto__: null, value, end: stop + 1 };
    if (stop + 1 === text.length) return { __proto__: null, value: value + "\\", end: stop + 1 };
    value += text[stop + 1];
    at = stop + 2;
  }
}

/**
 * @param {string} given
 * @returns {MimeType | null} Null when the text is none.
 */
export function parseMimeType(given) {
  const text = trimHTTP(given);
  const slash = StringPrototypeIndexOf(text, "/");
  if (slash < 0) return null;
  let at = next(text, ";", slash);
  const type = StringPrototypeSlice(text, 0, slash);
  const subtype = trimHTTP("x" + StringPrototypeSlice(text, slash + 1, at)); // only the end may have white space
  if (RegExpPrototypeExec(token, type) === null || subtype.length === 1) return null;
  if (RegExpPrototypeExec(token, subtype) === null) return null;
  const essence = StringPrototypeToLowerCase(type + "/" + StringPrototypeSlice(subtype, 1));
  const parameters = new Map();
  while (at < text.length) {
    at++; // the semicolon
    while (at < text.length && isHTTPSpace(text[at])) at++;
    const nameStart = at;
    while (at < text.length && text[at] !== ";" && text[at] !== "=") at++;
    if (at >= text.length) break;
    if (text[at] === ";") continue;
    const name = StringPrototypeToLowerCase(StringPrototypeSlice(text, nameStart, at));
    at++; // the equals sign
    let value;
    if (at < text.length && text[at] === '"') {
      const quoted = quotedString(text, at);
      value = quoted.value;
      at = next(text, ";", quoted.end);
    } else {
      const valueStart = at;
      at = next(text, ";", at);
      value = StringPrototypeSlice(trimHTTP("x" + StringPrototypeSlice(text, valueStart, at)), 1);
      if (value === "") continue;
    }
    if (RegExpPrototypeExec(token, name) !== null && RegExpPrototypeExec(quotable, value) !== null) {
      if (!MapPrototypeHas(parameters, name)) MapPrototypeSet(parameters, name, value);
    }
  }
  return { __proto__: null, essence, parameters };
}

/** @param {string} value With a backslash before quotation marks and backslashes. */
function quoteValue(value) {
  let result = "";
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '"' || value[i] === "\\") result += "\\";
    result += value[i];
  }
  return '"' + result + '"';
}

/** @param {MimeType} type */
export function serializeMimeType({ essence, parameters }) {
  let text = essence;
  MapPrototypeForEach(parameters, (value, name) => {
    text += ";" + name + "=" + (RegExpPrototypeExec(needsQuotes, value) === null ? value : quoteValue(value));
  });
  return text;
}

/** Split the value of a header at its commas, but not within quoted strings. @param {string} text */
function splitValues(text) {
  const values = newList();
  let value = "";
  let at = 0;
  for (;;) {
    let stop = at;
    while (stop < text.length && text[stop] !== '"' && text[stop] !== ",") stop++;
    value += StringPrototypeSlice(text, at, stop);
    if (stop < text.length && text[stop] === '"') {
      at = quotedString(text, stop).end;
      value += StringPrototypeSlice(text, stop, at);
      if (at < text.length) continue;
    }
    values[values.length] = trimHTTP(value);
    if (stop >= text.length || at >= text.length) return values;
    value = "";
    at = stop + 1;
  }
}

/**
 * The MIME type that the values of `Content-Type` amount to.
 * @param {string | null} header All of them, joined by commas; null when there are none.
 * @returns {MimeType | null}
 */
export function extractMimeType(header) {
  if (header === null) return null;
  const values = splitValues(header);
  let found = null;
  let charset;
  for (let i = 0; i < values.length; i++) {
    const type = parseMimeType(values[i]);
    if (type === null || type.essence === "*/*") continue;
    if (found === null || type.essence !== found.essence) {
      charset = MapPrototypeGet(type.parameters, "charset");
    } else if (charset !== undefined && !MapPrototypeHas(type.parameters, "charset")) {
      MapPrototypeSet(type.parameters, "charset", charset);
    }
    found = type;
  }
  return found;
}
