/** Headers (Fetch, section 5.1). */

import { tag } from "sandbox:abi.js";
import { refusing } from "./crossing.js";
import {
  appendHeader, deleteHeader, getHeader, hasHeader, isForbiddenInRequests, isHeaderName, isHeaderValue, isNoCorsName,
  isSafelisted, setHeader, sortAndCombine,
} from "./header_list.js";
import { quote } from "./layout.js";
import { trimHTTP } from "./mime_type.js";
import {
  isObject, newList, RegExpPrototypeExec, StringPrototypeToLowerCase, SymbolIterator, toArray, TypeError,
} from "./primordials.js";
import {
  ByteString, construct, definePairIterable, execute, record, requireArguments, requireBrand, sequence,
} from "./webidl.js";

/** @typedef {"none" | "immutable" | "request" | "request-no-cors" | "response"} Guard */

/**
 * Read what headers may be made of: an iterable of pairs, or an object.
 * @param {any} init
 * @param {string} where
 * @returns {[string, string][]}
 */
export function headersInit(init, where) {
  if (!isObject(init)) throw new TypeError(where + ": The provided value is not of type 'HeadersInit'.");
  const method = init[SymbolIterator];
  if (method === undefined || method === null) return record(init, ByteString, where);
  const pairs = sequence(init, (item, at) => sequence(item, ByteString, at), where, method);
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].length !== 2) throw new TypeError(where + ": Each header must be a pair of a name and a value.");
  }
  return pairs;
}

let isHeadersObject;
let make;
let guardOf;
let pairsOf;
let fillFrom;

export class Headers {
  /** @type {import("./header_list.js").HeaderList} */
  #list = newList();
  /** @type {Guard} */
  #guard = "none";
  /** What an iteration shows, until the list changes. */
  #pairs = undefined;

  static {
    isHeadersObject = (value) => #guard in value;
    make = (list, guard) => {
      const headers = new Headers();
      headers.#list = list;
      headers.#guard = guard;
      return headers;
    };
    guardOf = (headers) => headers.#guard;
    fillFrom = (headers, pairs, where) => {
      for (let i = 0; i < pairs.length; i++) headers.#append(pairs[i][0], pairs[i][1], where);
    };
    pairsOf = (self) => {
      requireBrand(isObject(self) && #guard in self);
      self.#pairs ??= sortAndCombine(self.#list);
      return self.#pairs;
    };
  }

  constructor(init = undefined) {
    cross(this);
    const where = construct("Headers");
    if (init === undefined) return;
    const pairs = headersInit(init, where);
    for (let i = 0; i < pairs.length; i++) this.#append(pairs[i][0], pairs[i][1], where);
  }

  /** Whether a header may be changed. @throws {TypeError} It could never be one, or these cannot be changed at all. */
  #admits(name, lower, value, where) {
    if (!isHeaderName(name)) throw new TypeError(where + ": Invalid header name");
    if (!isHeaderValue(value)) throw new TypeError(where + ": Invalid header value");
    if (this.#guard === "immutable") throw new TypeError(where + ": Headers are immutable");
    return this.#guard !== "request" || !isForbiddenInRequests(lower, value);
  }

  #append(name, given, where) {
    const value = trimHTTP(given);
    const lower = StringPrototypeToLowerCase(name);
    if (!this.#admits(name, lower, value, where)) return;
    if (this.#guard === "request-no-cors") {
      const before = getHeader(this.#list, lower);
      const all = before === null ? value : before + ", " + value;
      if (!isNoCorsName(lower) || !isSafelisted(lower, all)) return;
    }
    appendHeader(this.#list, name, value);
    this.#change();
  }

  #change() {
    this.#pairs = undefined;
    if (this.#guard === "request-no-cors") deleteHeader(this.#list, "range");
  }

  append(name, value) {
    requireBrand(#guard in this);
    const where = execute("append", "Headers");
    requireArguments(arguments.length, 2, where);
    const wanted = ByteString(name, where);
    this.#append(wanted, ByteString(value, where), where);
  }

  delete(name) {
    requireBrand(#guard in this);
    const where = execute("delete", "Headers");
    requireArguments(arguments.length, 1, where);
    const wanted = ByteString(name, where);
    const lower = StringPrototypeToLowerCase(wanted);
    if (!this.#admits(wanted, lower, "", where)) return;
    if (this.#guard === "request-no-cors" && !isNoCorsName(lower) && lower !== "range") return;
    if (!hasHeader(this.#list, lower)) return;
    deleteHeader(this.#list, lower);
    this.#change();
  }

  get(name) {
    requireBrand(#guard in this);
    const where = execute("get", "Headers");
    requireArguments(arguments.length, 1, where);
    return getHeader(this.#list, lowerName(name, where));
  }

  getSetCookie() {
    requireBrand(#guard in this);
    const values = newList();
    for (let i = 0; i < this.#list.length; i++) {
      if (this.#list[i].lower === "set-cookie") values[values.length] = this.#list[i].value;
    }
    return toArray(values);
  }

  has(name) {
    requireBrand(#guard in this);
    const where = execute("has", "Headers");
    requireArguments(arguments.length, 1, where);
    return hasHeader(this.#list, lowerName(name, where));
  }

  set(name, value) {
    requireBrand(#guard in this);
    const where = execute("set", "Headers");
    requireArguments(arguments.length, 2, where);
    const wanted = ByteString(name, where);
    const given = trimHTTP(ByteString(value, where));
    const lower = StringPrototypeToLowerCase(wanted);
    if (!this.#admits(wanted, lower, given, where)) return;
    if (this.#guard === "request-no-cors" && (!isNoCorsName(lower) || !isSafelisted(lower, given))) return;
    setHeader(this.#list, wanted, given);
    this.#change();
  }
}
definePairIterable(Headers, pairsOf);
const cross = refusing(tag.headers);

function lowerName(name, where) {
  const wanted = ByteString(name, where);
  if (!isHeaderName(wanted)) throw new TypeError(where + ": Invalid header name");
  return StringPrototypeToLowerCase(wanted);
}

/** @type {(list: import("./header_list.js").HeaderList, guard: Guard) => Headers} The list is theirs from now on. */
export const makeHeaders = make;
/** @type {(headers: Headers) => Guard} */
export const headersGuard = guardOf;
/** @type {(headers: Headers, pairs: [string, string][], where: string) => void} Append what the guard admits. */
export const fillHeaders = fillFrom;

const identifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

export const traits = {
  brand: isHeadersObject,
  inspect: (self) => {
    const pairs = pairsOf(self);
    const entries = newList();
    for (let i = 0; i < pairs.length; i++) {
      const name = pairs[i][0];
      entries[i] = [RegExpPrototypeExec(identifier, name) === null ? quote(name) : name, pairs[i][1]];
    }
    return { __proto__: null, entries };
  },
};
