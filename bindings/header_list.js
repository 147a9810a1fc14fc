/** Lists of headers, as the Fetch Standard's section 2.2.2 has them: what may stand in one, and how it is read. */

import {
  ArrayPrototypeSort, newList, parseInt, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeStartsWith, StringPrototypeToLowerCase, StringPrototypeToUpperCase,
} from "./primordials.js";
import { parseMimeType, token, trimHTTP } from "./mime_type.js";

/**
 * @typedef {object} Header
 * @property {string} name As it was given.
 * @property {string} lower The name in lower case.
 * @property {string} value
 */
/** @typedef {Header[]} HeaderList */

const forbiddenValue = /[\0\r\n]/;

/** @param {string} name */
export const isHeaderName = (name) => RegExpPrototypeExec(token, name) !== null;
/** @param {string} value Without white space at its ends, as `trimHTTP` leaves it. */
export const isHeaderValue = (value) => RegExpPrototypeExec(forbiddenValue, value) === null;

/** @param {HeaderList} list @param {string} lower @returns {string | null} All values of that name. */
export function getHeader(list, lower) {
  let value = null;
  for (let i = 0; i < list.length; i++) {
    if (list[i].lower === lower) value = value === null ? list[i].value : value + ", " + list[i].value;
  }
  return value;
}

/** @param {HeaderList} list @param {string} lower */
export function hasHeader(list, lower) {
  for (let i = 0; i < list.length; i++) if (list[i].lower === lower) return true;
  return false;
}

/** A name is spelled as its first header is. @param {HeaderList} list @param {string} name @param {string} value */
export function appendHeader(list, name, value) {
  const lower = StringPrototypeToLowerCase(name);
  let spelled = name;
  for (let i = 0; i < list.length; i++) {
    if (list[i].lower !== lower) continue;
    spelled = list[i].name;
    break;
  }
  list[list.length] = { __proto__: null, name: spelled, lower, value };
}

/** @param {HeaderList} list @param {string} lower */
export function deleteHeader(list, lower) {
  let kept = 0;
  for (let i = 0; i < list.length; i++) if (list[i].lower !== lower) list[kept++] = list[i];
  list.length = kept;
}

/** @param {HeaderList} list @param {string} name @param {string} value */
export function setHeader(list, name, value) {
  const lower = StringPrototypeToLowerCase(name);
  let kept = 0;
  let found = false;
  for (let i = 0; i < list.length; i++) {
    const header = list[i];
    if (header.lower !== lower) {
      list[kept++] = header;
    } else if (!found) {
      found = true;
      list[kept++] = { __proto__: null, name: header.name, lower, value };
    }
  }
  list.length = kept;
  if (!found) list[kept] = { __proto__: null, name, lower, value };
}

/** @param {HeaderList} list @returns {HeaderList} */
export function copyHeaders(list) {
  const copy = newList();
  for (let i = 0; i < list.length; i++) copy[i] = list[i];
  return copy;
}

const byName = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/**
 * The pairs an iteration shows: sorted, of each name one, but each `Set-Cookie` by itself.
 * @param {HeaderList} list
 * @returns {[string, string][]}
 */
export function sortAndCombine(list) {
  const sorted = newList();
  for (let i = 0; i < list.length; i++) sorted[i] = [list[i].lower, list[i].value];
  ArrayPrototypeSort(sorted, byName); // which is stable
  const pairs = newList();
  let last;
  for (let i = 0; i < sorted.length; i++) {
    const pair = sorted[i];
    if (last !== undefined && last[0] === pair[0] && pair[0] !== "set-cookie") {
      last[1] += ", " + pair[1];
    } else {
      pairs[pairs.length] = pair;
      last = pair;
    }
  }
  return pairs;
}

const forbiddenInRequests = {
  __proto__: null, "accept-charset": true, "accept-encoding": true, "access-control-request-headers": true,
  "access-control-request-method": true, "access-control-request-private-network": true, connection: true,
  "content-length": true, cookie: true, cookie2: true, date: true, dnt: true, expect: true, host: true,
  "keep-alive": true, origin: true, referer: true, "set-cookie": true, te: true, trailer: true,
  "transfer-encoding": true, upgrade: true, via: true,
};
const methodOverrides = {
  __proto__: null, "x-http-method": true, "x-http-method-override": true, "x-method-override": true,
};
const forbiddenMethods = { __proto__: null, CONNECT: true, TRACE: true, TRACK: true };

/** @param {string} method */
export const isForbiddenMethod = (method) => forbiddenMethods[StringPrototypeToUpperCase(method)] === true;

/** Whether only the one who sends a request may set that header. @param {string} lower @param {string} value */
export function isForbiddenInRequests(lower, value) {
  if (forbiddenInRequests[lower] || StringPrototypeStartsWith(lower, "proxy-")) return true;
  if (StringPrototypeStartsWith(lower, "sec-")) return true;
  if (!methodOverrides[lower]) return false;
  for (let start = 0; start <= value.length;) {
    let end = StringPrototypeIndexOf(value, ",", start);
    if (end < 0) end = value.length;
    if (isForbiddenMethod(trimHTTP(StringPrototypeSlice(value, start, end)))) return true;
    start = end + 1;
  }
  return false;
}

const unsafe = /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/;
const language = /^[0-9A-Za-z *,\-.;=]*$/;
const simpleTypes = {
  __proto__: null, "application/x-www-form-urlencoded": true, "multipart/form-data": true, "text/plain": true,
};
const simpleRange = /^bytes=([0-9]+)-([0-9]*)$/;

/** Whether a request without CORS may carry that header. @param {string} lower @param {string} value */
export function isSafelisted(lower, value) {
  if (value.length > 128) return false;
  switch (lower) {
    case "accept":
      return RegExpPrototypeExec(unsafe, value) === null;
    case "accept-language": case "content-language":
      return RegExpPrototypeExec(language, value) !== null;
    case "content-type": {
      if (RegExpPrototypeExec(unsafe, value) !== null) return false;
      const type = parseMimeType(value);
      return type !== null && simpleTypes[type.essence] === true;
    }
    case "range": {
      const range = RegExpPrototypeExec(simpleRange, value);
      return range !== null && (range[2] === "" || parseInt(range[1], 10) <= parseInt(range[2], 10));
    }
    default:
      return false;
  }
}

/** Of these a request without CORS may have one. @param {string} lower */
export const isNoCorsName = (lower) => lower === "accept" || lower === "accept-language"
  || lower === "content-language" || lower === "content-type";

/** As they cross to the host: names and values in turn. @param {HeaderList} list @returns {string[]} */
export function pairsOf(list) {
  const pairs = newList();
  for (let i = 0; i < list.length; i++) {
    pairs[2 * i] = list[i].name;
    pairs[2 * i + 1] = list[i].value;
  }
  return pairs;
}

/** The way back. @param {HeaderList} list @param {string[]} pairs */
export function appendPairs(list, pairs) {
  for (let i = 0; i < pairs.length; i += 2) appendHeader(list, pairs[i], pairs[i + 1]);
}
