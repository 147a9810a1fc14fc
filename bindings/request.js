/** Request (Fetch, section 5.4). */

import { tag } from "sandbox:abi.js";
import { createAbortSignal, createDependentSignal, isAbortSignal } from "./abort.js";
import { cloneBody, extractBody, includeBody, isUnusable, nullableBodyInit, takeBody } from "./body.js";
import { refusing } from "./crossing.js";
import { copyHeaders, hasHeader, isForbiddenMethod, isHeaderName } from "./header_list.js";
import { fillHeaders, headersGuard, headersInit, makeHeaders } from "./headers.js";
import { ownOrigin, parseURL } from "./location.js";
import { blobOfURL } from "./object_urls.js";
import { isObject, newList, StringPrototypeEndsWith, StringPrototypeToUpperCase, TypeError } from "./primordials.js";
import { part } from "./url.js";
import {
  any, boolean, ByteString, construct, dictionary, DOMString, enumeration, execute, requireArguments, requireBrand,
  USVString,
} from "./webidl.js";

const policies = [
  "", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
  "strict-origin-when-cross-origin", "unsafe-url",
];
function nullableSignal(value, where) {
  if (value === null || isAbortSignal(value)) return value;
  throw new TypeError(where + ": The provided value is not of type 'AbortSignal'.");
}
const requestInit = dictionary([
  { key: "body", convert: nullableBodyInit },
  {
    key: "cache",
    convert: enumeration("RequestCache", [
      "default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached",
    ]),
  },
  { key: "credentials", convert: enumeration("RequestCredentials", ["omit", "same-origin", "include"]) },
  { key: "duplex", convert: enumeration("RequestDuplex", ["half"]) },
  { key: "headers", convert: headersInit },
  { key: "integrity", convert: DOMString },
  { key: "keepalive", convert: boolean },
  { key: "method", convert: ByteString },
  { key: "mode", convert: enumeration("RequestMode", ["navigate", "same-origin", "no-cors", "cors"]) },
  { key: "priority", convert: enumeration("RequestPriority", ["high", "low", "auto"]) },
  { key: "redirect", convert: enumeration("RequestRedirect", ["follow", "error", "manual"]) },
  { key: "referrer", convert: USVString },
  { key: "referrerPolicy", convert: enumeration("ReferrerPolicy", policies) },
  { key: "signal", convert: nullableSignal },
  { key: "window", convert: any },
]);
/** Which of the members, when it is there, makes a request anew. */
const members = [
  "body", "cache", "credentials", "duplex", "headers", "integrity", "keepalive", "method", "mode", "priority",
  "redirect", "referrer", "referrerPolicy", "signal", "window",
];

const normalized = { __proto__: null, DELETE: true, GET: true, HEAD: true, OPTIONS: true, POST: true, PUT: true };

/**
 * @typedef {object} RequestState
 * @property {string} method
 * @property {string} url With its fragment.
 * @property {number} fragment The length of that, with the mark.
 * @property {import("./header_list.js").HeaderList} headers
 * @property {import("./body.js").Body | null} body
 * @property {string} referrer
 * @property {string} referrerPolicy
 * @property {string} mode
 * @property {string} credentials
 * @property {string} cache
 * @property {string} redirect
 * @property {string} integrity
 * @property {boolean} keepalive
 * @property {Blob | undefined} blob What a blob: URL stood for when the request was made.
 */

/** @param {string} method @param {string} where */
function checkedMethod(method, where) {
  if (!isHeaderName(method)) throw new TypeError(where + ": '" + method + "' is not a valid HTTP method.");
  if (isForbiddenMethod(method)) throw new TypeError(where + ": '" + method + "' HTTP method is unsupported.");
  const upper = StringPrototypeToUpperCase(method);
  return normalized[upper] ? upper : method;
}

/** @param {string} given @param {string} where */
function checkedReferrer(given, where) {
  if (given === "") return "no-referrer";
  const parts = parseURL(given);
  if (parts === undefined) throw new TypeError(where + ": Referrer '" + given + "' is not a valid URL.");
  const isClient = parts[part.protocol] === "about:" && parts[part.pathname] === "client";
  return isClient || parts[part.origin] !== ownOrigin() ? "client" : parts[part.href];
}

/** @param {string} href @param {string} hash Which is empty also when there is nothing but the mark. */
const fragmentLength = (href, hash) => (hash !== "" ? hash.length : StringPrototypeEndsWith(href, "#") ? 1 : 0);

/** @param {string} url @returns {RequestState} */
function newState(url, where) {
  const parts = parseURL(url);
  if (parts === undefined) throw new TypeError(where + ": Failed to parse URL from " + url);
  if (parts[part.username] !== "" || parts[part.password] !== "") {
    throw new TypeError(where + ": Request cannot be constructed from a URL that includes credentials: " + url);
  }
  const href = parts[part.href];
  return {
    __proto__: null, method: "GET", url: href, fragment: fragmentLength(href, parts[part.hash]), headers: newList(),
    body: null, referrer: "client", referrerPolicy: "", mode: "cors", credentials: "same-origin", cache: "default",
    redirect: "follow", integrity: "", keepalive: false,
    blob: parts[part.protocol] === "blob:" ? blobOfURL(href) : undefined,
  };
}

/** Take over what the init says, but for headers and body. */
function override(state, init, where) {
  for (let i = 0; i < members.length; i++) {
    if (init[members[i]] === undefined) continue;
    state.referrer = "client";
    state.referrerPolicy = "";
    break;
  }
  if (init.referrer !== undefined) state.referrer = checkedReferrer(init.referrer, where);
  if (init.referrerPolicy !== undefined) state.referrerPolicy = init.referrerPolicy;
  if (init.mode === "navigate") throw new TypeError(where + ": 'mode' cannot be set to 'navigate'.");
  if (init.mode !== undefined) state.mode = init.mode;
  if (init.credentials !== undefined) state.credentials = init.credentials;
  if (init.cache !== undefined) state.cache = init.cache;
  if (state.cache === "only-if-cached" && state.mode !== "same-origin") {
    throw new TypeError(where + ": 'only-if-cached' can be set only with 'same-origin' mode");
  }
  if (init.redirect !== undefined) state.redirect = init.redirect;
  if (init.integrity !== undefined) state.integrity = init.integrity;
  if (init.keepalive !== undefined) state.keepalive = init.keepalive;
  if (init.method !== undefined) state.method = checkedMethod(init.method, where);
}

/** Handed to the constructor by this module alone. */
const blank = newList();
let isRequestObject;
let stateOf;
let headersOf;
let signalOf;
let hasSignal;
let make;

export class Request {
  /** @type {RequestState} */
  #state;
  /** @type {Headers} */
  #headers;
  /** @type {AbortSignal | (() => AbortSignal) | undefined} Made when it is asked for; a function makes it. */
  #signal;

  static {
    isRequestObject = (value) => #state in value;
    stateOf = (self) => {
      requireBrand(isObject(self) && #state in self);
      return self.#state;
    };
    headersOf = (request) => request.#headers;
    hasSignal = (request) => request.#signal !== undefined;
    signalOf = (request) => {
      if (request.#signal === undefined) request.#signal = createAbortSignal();
      else if (typeof request.#signal === "function") request.#signal = request.#signal();
      return request.#signal;
    };
    make = (state, guard, signal) => {
      const request = new Request(blank);
      request.#state = state;
      request.#headers = makeHeaders(state.headers, guard);
      request.#signal = signal;
      return request;
    };
  }

  constructor(input, init = undefined) {
    if (input === blank) { // this module fills it in
      cross(this);
      return;
    }
    const where = construct("Request");
    requireArguments(arguments.length, 1, where);
    const from = isObject(input) && isRequestObject(input) ? input : undefined;
    const text = from === undefined ? USVString(input, where) : undefined;
    const given = requestInit(init, where);

    const source = from === undefined ? undefined : stateOf(from);
    const state = source === undefined ? newState(text, where) : { __proto__: null, ...source };
    if (given.window !== undefined && given.window !== null) {
      throw new TypeError(where + ": 'window' member in RequestInit must be null.");
    }
    override(state, given, where);

    const parent = given.signal !== undefined ? given.signal : from === undefined ? null : signalOf(from);
    if (parent !== null) {
      const signals = newList();
      signals[0] = parent;
      this.#signal = createDependentSignal(signals);
    }

    const noCors = state.mode === "no-cors";
    if (noCors && state.method !== "GET" && state.method !== "HEAD" && state.method !== "POST") {
      throw new TypeError(where + ": '" + state.method + "' is unsupported in no-cors mode.");
    }
    state.headers = newList();
    const headers = makeHeaders(state.headers, noCors ? "request-no-cors" : "request");
    if (given.headers !== undefined) {
      fillHeaders(headers, given.headers, where);
    } else if (source !== undefined) {
      const pairs = newList();
      for (let i = 0; i < source.headers.length; i++) pairs[i] = [source.headers[i].name, source.headers[i].value];
      fillHeaders(headers, pairs, where);
    }
    this.#state = state;
    this.#headers = headers;
    state.body = null;
    cross(this);
    this.#setBody(given, source?.body ?? null, where);
  }

  #setBody(init, inputBody, where) {
    const state = this.#state;
    const hasInit = init.body !== undefined && init.body !== null;
    if ((hasInit || inputBody !== null) && (state.method === "GET" || state.method === "HEAD")) {
      throw new TypeError(where + ": Request with GET/HEAD method cannot have body.");
    }
    if (hasInit) {
      const { body, type } = extractBody(init.body, where);
      if (body.source === null && state.keepalive) throw new TypeError(where + ": keepalive with a stream as body");
      if (type !== null && !hasHeader(state.headers, "content-type")) {
        const pairs = newList();
        pairs[0] = ["Content-Type", type];
        fillHeaders(this.#headers, pairs, where);
      }
      state.body = body;
    }
    const used = state.body ?? inputBody;
    if (used !== null && used.source === null) {
      if (hasInit && init.duplex === undefined) {
        throw new TypeError(where + ": RequestInit: duplex option is required when sending a body.");
      }
      if (state.mode !== "same-origin" && state.mode !== "cors") {
        throw new TypeError(where + ": A stream as body needs mode 'same-origin' or 'cors'.");
      }
    }
    if (hasInit || inputBody === null) return;
    if (isUnusable(inputBody)) {
      throw new TypeError(where + ": Cannot construct a Request with a Request object that has already been used.");
    }
    state.body = takeBody(inputBody);
  }

  get method() { return stateOf(this).method; }
  get url() { return stateOf(this).url; }
  get headers() {
    requireBrand(#state in this);
    return this.#headers;
  }
  get destination() {
    requireBrand(#state in this);
    return "";
  }
  get referrer() {
    const { referrer } = stateOf(this);
    return referrer === "no-referrer" ? "" : referrer === "client" ? "about:client" : referrer;
  }
  get referrerPolicy() { return stateOf(this).referrerPolicy; }
  get mode() { return stateOf(this).mode; }
  get credentials() { return stateOf(this).credentials; }
  get cache() { return stateOf(this).cache; }
  get redirect() { return stateOf(this).redirect; }
  get integrity() { return stateOf(this).integrity; }
  get keepalive() { return stateOf(this).keepalive; }
  get isReloadNavigation() {
    requireBrand(#state in this);
    return false;
  }
  get isHistoryNavigation() {
    requireBrand(#state in this);
    return false;
  }
  get signal() {
    requireBrand(#state in this);
    return signalOf(this);
  }
  get duplex() {
    requireBrand(#state in this);
    return "half";
  }

  clone() {
    const state = stateOf(this);
    if (state.body !== null && isUnusable(state.body)) {
      throw new TypeError(execute("clone", "Request") + ": Request body is already used");
    }
    const copy = { __proto__: null, ...state };
    copy.headers = copyHeaders(state.headers);
    if (state.body !== null) copy.body = cloneBody(state.body);
    const signals = newList();
    signals[0] = signalOf(this);
    return make(copy, headersGuard(this.#headers), createDependentSignal(signals));
  }
}
const cross = refusing(tag.request);
includeBody(Request, (self) => stateOf(self));

/** @type {(request: Request) => RequestState} */
export const requestState = stateOf;
export const newRequestState = newState;
/** @type {(state: RequestState, guard: import("./headers.js").Guard, signal: AbortSignal | (() => AbortSignal)) => Request} */
export const makeRequest = make;
/** @param {unknown} value @returns {value is Request} */
export const isRequest = (value) => isObject(value) && isRequestObject(value);
/** @type {(request: Request) => AbortSignal} */
export const requestSignal = signalOf;
/** @type {(request: Request) => boolean} Whether anything can abort it. */
export const canAbort = hasSignal;

const shown = [
  "method", "url", "headers", "destination", "referrer", "referrerPolicy", "mode", "credentials", "cache", "redirect",
  "integrity", "keepalive", "isReloadNavigation", "isHistoryNavigation", "signal",
];

export const traits = {
  brand: isRequestObject,
  inspect: (self) => {
    const state = stateOf(self);
    const values = {
      __proto__: null, ...state, headers: headersOf(self), destination: "", isReloadNavigation: false,
      isHistoryNavigation: false, signal: signalOf(self),
      referrer: state.referrer === "client" ? "about:client" : state.referrer === "no-referrer" ? "" : state.referrer,
    };
    const entries = newList();
    for (let i = 0; i < shown.length; i++) entries[i] = [shown[i], values[shown[i]]];
    return { __proto__: null, entries };
  },
};
