/** Response (Fetch, section 5.5). */

import { tag } from "sandbox:abi.js";
import {
  cloneBody, extractBody, includeBody, isUnusable, isUsed, nullableBodyInit, streamOf,
} from "./body.js";
import { refusing } from "./crossing.js";
import { appendHeader, copyHeaders, hasHeader } from "./header_list.js";
import { fillHeaders, headersGuard, headersInit, makeHeaders } from "./headers.js";
import { parseURL } from "./location.js";
import { isObject, JSONStringify, newList, RangeError, RegExpPrototypeExec, TypeError } from "./primordials.js";
import { part } from "./url.js";
import {
  ByteString, construct, dictionary, execute, integer, requireArguments, requireBrand, USVString,
} from "./webidl.js";

const unsignedShort = integer(16, false);
const responseInit = dictionary([
  { key: "headers", convert: headersInit },
  { key: "status", convert: unsignedShort, fallback: 200 },
  { key: "statusText", convert: ByteString, fallback: "" },
]);
const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/;
/** @param {number} status */
export const isNullBody = (status) => status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
const isRedirect = (status) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

/**
 * @typedef {object} ResponseState
 * @property {"basic" | "cors" | "default" | "error" | "opaque" | "opaqueredirect"} type
 * @property {string} url Without a fragment.
 * @property {boolean} redirected
 * @property {number} status
 * @property {string} statusText
 * @property {import("./header_list.js").HeaderList} headers
 * @property {import("./body.js").Body | null} body
 */

/** @returns {ResponseState} */
const newState = () => ({
  __proto__: null, type: "default", url: "", redirected: false, status: 200, statusText: "", headers: newList(),
  body: null,
});

let isResponseObject;
let stateOf;
let make;
let headersOf;

export class Response {
  /** @type {ResponseState} */
  #state = newState();
  /** @type {Headers} */
  #headers;

  static {
    isResponseObject = (value) => #state in value;
    stateOf = (self) => {
      requireBrand(isObject(self) && #state in self);
      return self.#state;
    };
    headersOf = (response) => response.#headers;
    make = (state, guard) => {
      const response = new Response();
      response.#state = state;
      response.#headers = makeHeaders(state.headers, guard);
      return response;
    };
  }

  constructor(body = null, init = undefined) {
    const where = construct("Response");
    const content = nullableBodyInit(body, where);
    const given = responseInit(init, where);
    this.#headers = makeHeaders(this.#state.headers, "response");
    cross(this);
    this.#initialize(given, content === null ? undefined : extractBody(content, where), where);
  }

  static error() {
    const state = newState();
    state.type = "error";
    state.status = 0;
    return make(state, "immutable");
  }

  static redirect(url, status = 302) {
    const where = execute("redirect", "Response");
    requireArguments(arguments.length, 1, where);
    const target = USVString(url, where);
    const code = unsignedShort(status, where);
    const parts = parseURL(target);
    if (parts === undefined) throw new TypeError(where + ": Invalid URL");
    if (!isRedirect(code)) throw new RangeError(where + ": Invalid status code");
    const state = newState();
    state.status = code;
    appendHeader(state.headers, "Location", parts[part.href]);
    return make(state, "immutable");
  }

  static json(data, init = undefined) {
    const where = execute("json", "Response");
    requireArguments(arguments.length, 1, where);
    const given = responseInit(init, where);
    const text = JSONStringify(data);
    if (text === undefined) throw new TypeError(where + ": The data is not JSON serializable");
    const { body } = extractBody(text, where);
    const response = make(newState(), "response");
    response.#initialize(given, { __proto__: null, body, type: "application/json" }, where);
    return response;
  }

  #initialize({ headers, status, statusText }, content, where) {
    if (status < 200 || status > 599) {
      throw new RangeError(where + ": The status provided (" + status + ") is outside the range [200, 599].");
    }
    if (RegExpPrototypeExec(reasonPhrase, statusText) === null) throw new TypeError(where + ": Invalid statusText");
    const state = this.#state;
    state.status = status;
    state.statusText = statusText;
    if (headers !== undefined) fillHeaders(this.#headers, headers, where);
    if (content === undefined) return;
    if (isNullBody(status)) throw new TypeError(where + ": Response with null body status cannot have body");
    const { body, type } = content;
    state.body = body;
    if (type !== null && !hasHeader(state.headers, "content-type")) appendHeader(state.headers, "Content-Type", type);
  }

  get type() { return stateOf(this).type; }
  get url() { return stateOf(this).url; }
  get redirected() { return stateOf(this).redirected; }
  get status() { return stateOf(this).status; }
  get ok() {
    const { status } = stateOf(this);
    return status >= 200 && status <= 299;
  }
  get statusText() { return stateOf(this).statusText; }
  get headers() {
    requireBrand(#state in this);
    return this.#headers;
  }

  clone() {
    const state = stateOf(this);
    if (state.body !== null && isUnusable(state.body)) {
      throw new TypeError(execute("clone", "Response") + ": Response.clone: Body has already been consumed.");
    }
    const copy = { __proto__: null, ...state };
    copy.headers = copyHeaders(state.headers);
    if (state.body !== null) copy.body = cloneBody(state.body);
    return make(copy, headersGuard(this.#headers));
  }
}
const cross = refusing(tag.response);
includeBody(Response, (self) => stateOf(self));

/** @type {(state: ResponseState, guard: import("./headers.js").Guard) => Response} */
export const makeResponse = make;
export const newResponseState = newState;
/** @param {unknown} value @returns {value is Response} */
export const isResponse = (value) => isObject(value) && isResponseObject(value);
/** @type {(response: Response) => ResponseState} */
export const responseState = stateOf;

export const traits = {
  brand: isResponseObject,
  inspect: (self) => {
    const { status, statusText, body, redirected, type, url } = stateOf(self);
    const entries = newList();
    entries[0] = ["status", status];
    entries[1] = ["statusText", statusText];
    entries[2] = ["headers", headersOf(self)];
    entries[3] = ["body", body === null ? null : streamOf(body)];
    entries[4] = ["bodyUsed", body !== null && isUsed(body)];
    entries[5] = ["ok", status >= 200 && status <= 299];
    entries[6] = ["redirected", redirected];
    entries[7] = ["type", type];
    entries[8] = ["url", url];
    return { __proto__: null, entries };
  },
};
