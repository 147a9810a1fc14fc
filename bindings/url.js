/** URL and URLSearchParams. Parser and setters are native; the list of parameters and its live link are here. */

import { tag } from "sandbox:abi.js";
import { parseUrlencoded, urlCanParse, urlParse, urlSet, utf8Decode, utf8Encode } from "sandbox:native";
import { crossing } from "./crossing.js";
import {
  ArrayPrototypeSort, isObject, newList, ObjectGetOwnPropertyDescriptor, ReflectOwnKeys, StringPrototypeIncludes,
  StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeStartsWith, SymbolIterator, toArray,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypeError, Uint8Array,
} from "./primordials.js";
import {
  construct, definePairIterable, DOMString, execute, requireArguments, requireBrand, sequence, USVString,
} from "./webidl.js";

/** Places of the components in what the native parser answers. */
export const part = {
  __proto__: null, href: 0, origin: 1, protocol: 2, username: 3, password: 4, host: 5, hostname: 6, port: 7,
  pathname: 8, search: 9, hash: 10,
};
/** What the urlencoded serializer leaves as it is: * - . _ and letters and digits. */
const isPlain = (byte) => (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f
  || (byte >= 0x30 && byte <= 0x39) || byte === 0x2a || byte === 0x2d || byte === 0x2e;
const digits = "0123456789ABCDEF";
const ascii = String.fromCharCode(...Array(128).keys());

const hexValue = (byte) => (byte >= 0x30 && byte <= 0x39 ? byte - 0x30
  : byte >= 0x41 && byte <= 0x46 ? byte - 0x37 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1);

/** Decode one name or value of a query. @param {string} text */
function decodeComponent(text) {
  if (!StringPrototypeIncludes(text, "%") && !StringPrototypeIncludes(text, "+")) return text;
  const bytes = utf8Encode(text);
  let length = 0; // of the decoded bytes, which overwrite those already read
  for (let i = 0; bytes[i] !== undefined; i++) {
    let byte = bytes[i];
    if (byte === 0x2b) {
      byte = 0x20;
    } else if (byte === 0x25 && hexValue(bytes[i + 1]) >= 0 && hexValue(bytes[i + 2]) >= 0) {
      byte = hexValue(bytes[i + 1]) * 16 + hexValue(bytes[i + 2]);
      i += 2;
    }
    bytes[length++] = byte;
  }
  const offset = TypedArrayPrototypeGetByteOffset(bytes);
  return utf8Decode(new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), offset, length), false);
}

/** @param {string} query Without the question mark. @returns {[string, string][]} */
function parseQuery(query) {
  const pairs = newList();
  for (let start = 0; start < query.length;) {
    let end = StringPrototypeIndexOf(query, "&", start);
    if (end < 0) end = query.length;
    if (end > start) {
      const field = StringPrototypeSlice(query, start, end);
      const equals = StringPrototypeIndexOf(field, "=");
      const name = equals < 0 ? field : StringPrototypeSlice(field, 0, equals);
      const value = equals < 0 ? "" : StringPrototypeSlice(field, equals + 1);
      pairs[pairs.length] = [decodeComponent(name), decodeComponent(value)];
    }
    start = end + 1;
  }
  return pairs;
}

/** @param {string} text */
function encodeComponent(text) {
  const bytes = utf8Encode(text);
  let i = 0;
  // While all bytes so far are plain, they are also the code units of the text.
  while (i < text.length && isPlain(bytes[i])) i++;
  if (i === text.length) return text;
  let result = StringPrototypeSlice(text, 0, i);
  for (; bytes[i] !== undefined; i++) {
    const byte = bytes[i];
    if (isPlain(byte)) result += ascii[byte];
    else result += byte === 0x20 ? "+" : "%" + digits[byte >> 4] + digits[byte & 15];
  }
  return result;
}

/** The fields of an application/x-www-form-urlencoded body. @param {Uint8Array} bytes @returns {[string, string][]} */
export function parseForm(bytes) {
  const flat = parseUrlencoded(bytes);
  const pairs = newList();
  for (let i = 0; i < flat.length; i += 2) pairs[pairs.length] = [flat[i], flat[i + 1]];
  return pairs;
}

/** @param {[string, string][]} pairs */
function serialize(pairs) {
  let query = "";
  for (let i = 0; i < pairs.length; i++) {
    query += (i === 0 ? "" : "&") + encodeComponent(pairs[i][0]) + "=" + encodeComponent(pairs[i][1]);
  }
  return query;
}

/** Order of code units, as the standard asks for; the engine compares strings so. */
const byName = (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/** Read what a URLSearchParams may be made of. @returns {[string, string][]} */
function pairsFrom(init, where) {
  if (!isObject(init)) {
    const query = USVString(init, where);
    return parseQuery(StringPrototypeStartsWith(query, "?") ? StringPrototypeSlice(query, 1) : query);
  }
  const method = init[SymbolIterator];
  const pairs = newList();
  if (method !== undefined && method !== null) {
    const items = sequence(init, (item, at) => sequence(item, USVString, at), where, method);
    for (let i = 0; i < items.length; i++) {
      if (items[i].length !== 2) throw new TypeError(where + ": Each pair must be an iterable of a name and a value.");
      pairs[i] = items[i];
    }
    return pairs;
  }
  const keys = ReflectOwnKeys(init);
  let renamed = false; // some name was not well-formed, so names may now coincide
  for (let i = 0; i < keys.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(init, keys[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    const name = USVString(keys[i], where);
    const value = USVString(init[keys[i]], where);
    renamed ||= name !== keys[i];
    let at = renamed ? 0 : pairs.length;
    while (at < pairs.length && pairs[at][0] !== name) at++;
    pairs[at] = [name, value];
  }
  return pairs;
}

let isParams;
let pairsOf;
let setPairs;
let makeLinked;
let isURL;
let setQuery;
let partsOf;

export class URLSearchParams {
  /** @type {[string, string][]} */
  #pairs;
  /** The URL whose query this is, if any. @type {URL | null} */
  #url = null;

  static {
    isParams = (value) => #pairs in value;
    pairsOf = (self) => {
      requireBrand(isObject(self) && #pairs in self);
      return self.#pairs;
    };
    setPairs = (self, pairs) => { self.#pairs = pairs; };
    makeLinked = (url, query) => {
      const params = new URLSearchParams();
      params.#pairs = parseQuery(query);
      params.#url = url;
      return params;
    };
  }

  constructor(init = "") {
    this.#pairs = pairsFrom(init, construct("URLSearchParams"));
  }

  #update() {
    if (this.#url !== null) setQuery(this.#url, serialize(this.#pairs));
  }

  get size() {
    requireBrand(#pairs in this);
    return this.#pairs.length;
  }

  append(name, value) {
    requireBrand(#pairs in this);
    const where = execute("append", "URLSearchParams");
    requireArguments(arguments.length, 2, where);
    const pair = [USVString(name, where), USVString(value, where)];
    this.#pairs[this.#pairs.length] = pair;
    this.#update();
  }

  delete(name, value = undefined) {
    requireBrand(#pairs in this);
    const where = execute("delete", "URLSearchParams");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    const only = value === undefined ? undefined : USVString(value, where);
    const kept = newList();
    for (let i = 0; i < this.#pairs.length; i++) {
      const pair = this.#pairs[i];
      if (pair[0] !== wanted || (only !== undefined && pair[1] !== only)) kept[kept.length] = pair;
    }
    this.#pairs = kept;
    this.#update();
  }

  get(name) {
    requireBrand(#pairs in this);
    const where = execute("get", "URLSearchParams");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === wanted) return this.#pairs[i][1];
    return null;
  }

  getAll(name) {
    requireBrand(#pairs in this);
    const where = execute("getAll", "URLSearchParams");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    const values = newList();
    for (let i = 0; i < this.#pairs.length; i++) {
      if (this.#pairs[i][0] === wanted) values[values.length] = this.#pairs[i][1];
    }
    return toArray(values);
  }

  has(name, value = undefined) {
    requireBrand(#pairs in this);
    const where = execute("has", "URLSearchParams");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    const only = value === undefined ? undefined : USVString(value, where);
    for (let i = 0; i < this.#pairs.length; i++) {
      const pair = this.#pairs[i];
      if (pair[0] === wanted && (only === undefined || pair[1] === only)) return true;
    }
    return false;
  }

  set(name, value) {
    requireBrand(#pairs in this);
    const where = execute("set", "URLSearchParams");
    requireArguments(arguments.length, 2, where);
    const wanted = USVString(name, where);
    const given = USVString(value, where);
    const kept = newList();
    let found = false;
    for (let i = 0; i < this.#pairs.length; i++) {
      const pair = this.#pairs[i];
      if (pair[0] !== wanted) {
        kept[kept.length] = pair;
      } else if (!found) {
        found = true;
        kept[kept.length] = [wanted, given];
      }
    }
    if (!found) kept[kept.length] = [wanted, given];
    this.#pairs = kept;
    this.#update();
  }

  sort() {
    requireBrand(#pairs in this);
    ArrayPrototypeSort(this.#pairs, byName);
    this.#update();
  }

  toString() {
    requireBrand(#pairs in this);
    return serialize(this.#pairs);
  }
}
definePairIterable(URLSearchParams, pairsOf);

// The native functions take lone surrogates for U+FFFD: a DOMString is as good as a USVString for them.
const whereMade = construct("URL");
const whereParsed = execute("parse", "URL");
const whereTried = execute("canParse", "URL");

/** Handed to the constructor by this module alone, with components instead of a base. */
const parsed = newList();

export class URL {
  /** Components of the current URL; replaced whole, never changed. @type {string[]} */
  #parts;
  /** @type {URLSearchParams | undefined} */
  #params;

  static {
    isURL = (value) => #parts in value;
    partsOf = (self) => {
      requireBrand(isObject(self) && #parts in self);
      return self.#parts;
    };
    setQuery = (self, query) => { self.#parts = urlSet(self.#parts[part.href], "search", query) ?? self.#parts; };
  }

  constructor(url, base = undefined) {
    if (url === parsed) {
      this.#parts = base;
      cross(this);
      return;
    }
    requireArguments(arguments.length, 1, whereMade);
    const input = DOMString(url, whereMade);
    const parts = urlParse(input, base === undefined ? undefined : DOMString(base, whereMade));
    if (parts === undefined) throw new TypeError(whereMade + ": Invalid URL");
    this.#parts = parts;
    cross(this);
  }

  static parse(url, base = undefined) {
    requireArguments(arguments.length, 1, whereParsed);
    const input = DOMString(url, whereParsed);
    const parts = urlParse(input, base === undefined ? undefined : DOMString(base, whereParsed));
    return parts === undefined ? null : new URL(parsed, parts);
  }

  static canParse(url, base = undefined) {
    requireArguments(arguments.length, 1, whereTried);
    const input = DOMString(url, whereTried);
    return urlCanParse(input, base === undefined ? undefined : DOMString(base, whereTried));
  }

  #set(which, value) {
    const text = DOMString(value, "Failed to set the '" + which + "' property on 'URL'");
    const parts = urlSet(this.#parts[part.href], which, text);
    if (parts === undefined) return false;
    this.#parts = parts;
    if (this.#params !== undefined && (which === "search" || which === "href")) {
      setPairs(this.#params, parseQuery(StringPrototypeSlice(parts[part.search], 1)));
    }
    return true;
  }

  get href() { return partsOf(this)[part.href]; }
  set href(value) {
    partsOf(this);
    if (!this.#set("href", value)) throw new TypeError("Failed to set the 'href' property on 'URL': Invalid URL");
  }
  get origin() { return partsOf(this)[part.origin]; }
  get protocol() { return partsOf(this)[part.protocol]; }
  set protocol(value) { partsOf(this); this.#set("protocol", value); }
  get username() { return partsOf(this)[part.username]; }
  set username(value) { partsOf(this); this.#set("username", value); }
  get password() { return partsOf(this)[part.password]; }
  set password(value) { partsOf(this); this.#set("password", value); }
  get host() { return partsOf(this)[part.host]; }
  set host(value) { partsOf(this); this.#set("host", value); }
  get hostname() { return partsOf(this)[part.hostname]; }
  set hostname(value) { partsOf(this); this.#set("hostname", value); }
  get port() { return partsOf(this)[part.port]; }
  set port(value) { partsOf(this); this.#set("port", value); }
  get pathname() { return partsOf(this)[part.pathname]; }
  set pathname(value) { partsOf(this); this.#set("pathname", value); }
  get search() { return partsOf(this)[part.search]; }
  set search(value) { partsOf(this); this.#set("search", value); }
  get searchParams() {
    const query = StringPrototypeSlice(partsOf(this)[part.search], 1);
    this.#params ??= makeLinked(this, query);
    return this.#params;
  }
  get hash() { return partsOf(this)[part.hash]; }
  set hash(value) { partsOf(this); this.#set("hash", value); }

  toString() { return partsOf(this)[part.href]; }
  toJSON() { return partsOf(this)[part.href]; }
}

/** @param {URL} url */
export const hrefOf = (url) => partsOf(url)[part.href];
/** @param {URLSearchParams} params */
export const serializeParams = (params) => serialize(pairsOf(params));

const cross = crossing(tag.url, (url) => partsOf(url)[part.href], (href) => new URL(href));

const shown = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search"];

export const paramsTraits = {
  brand: isParams,
  inspect: (self) => ({ __proto__: null, entries: pairsOf(self), arrow: true }),
};
/** The components of a URL, by `part`; throws if it is none. */
export { partsOf };
export const urlTraits = {
  brand: isURL,
  inspect: (self) => {
    const parts = partsOf(self);
    const entries = newList();
    for (let i = 0; i < shown.length; i++) entries[i] = [shown[i], parts[part[shown[i]]]];
    entries[entries.length] = ["searchParams", makeLinked(null, StringPrototypeSlice(parts[part.search], 1))];
    entries[entries.length] = ["hash", parts[part.hash]];
    return { __proto__: null, entries };
  },
};
