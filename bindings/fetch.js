/**
 * fetch (Fetch, section 5.6). What a URL does not say itself is asked of the host, which decides, sends and follows
 * redirects.
 *
 * One question at a time is open for each fetch: first its request, with the chunks of its body as they are wanted,
 * then the chunks of the response, when somebody reads. A fetch whose response nobody can read any more is given up.
 */

import { op } from "sandbox:abi.js";
import { abortReason, addAbortAlgorithm, isAborted } from "./abort.js";
import { dataOf, joinData } from "./blob_data.js";
import { bodyOfData, bodyOfStream, cancelBody, failBody, readBody, streamOf, takeBody, wholeBytes } from "./body.js";
import { createIncomingStream, giveAway } from "./body_stream.js";
import { appendHeader, appendPairs, hasHeader, pairsOf } from "./header_list.js";
import { isIntact } from "./integrity.js";
import { localResponse } from "./local_fetch.js";
import { ownOrigin, parseURL } from "./location.js";
import { call, cancel, submit } from "./op.js";
import {
  Error, FinalizationRegistry, FinalizationRegistryPrototypeRegister, FinalizationRegistryPrototypeUnregister,
  ObjectDefineProperty, Promise, StringPrototypeSlice, TypedArrayPrototypeGetByteLength, TypeError, WeakRef,
  WeakRefPrototypeDeref,
} from "./primordials.js";
import { canAbort, Request, requestSignal, requestState } from "./request.js";
import { isNullBody, makeResponse, newResponseState, responseState } from "./response.js";
import { part } from "./url.js";
import { execute, requireArguments } from "./webidl.js";

const nothing = () => {};
const drop = (number) => submit(op.fetch.drop, [number], nothing, nothing);
const registry = new FinalizationRegistry(drop);
/** Of bodies that are here already: what their abort would do is forgotten with them. */
const present = new FinalizationRegistry((forget) => forget());

/** @param {import("./body.js").Body} body @param {AbortSignal} signal An abort makes it fail, as long as it is not read. */
function failOnAbort(body, signal) {
  const weak = new WeakRef(body);
  const forget = addAbortAlgorithm(signal, () => {
    const found = WeakRefPrototypeDeref(weak);
    if (found !== undefined) failBody(found, abortReason(signal));
  });
  FinalizationRegistryPrototypeRegister(present, body, forget);
}

/** @param {string} text @param {unknown} cause */
const failed = (text, cause) => new TypeError(text, { __proto__: null, cause });

/** What the host says of a failure. @param {string} code @param {string} text */
function failure(code, text) {
  const cause = new Error(text);
  ObjectDefineProperty(cause, "code", {
    __proto__: null, value: code, writable: true, enumerable: true, configurable: true,
  });
  return failed("fetch failed: " + text, cause);
}

/** The function of the host that answers requests has failed. */
const hostFailure = (error) => failed("fetch failed", error);

/** One fetch that the host is asked for. */
class Fetching {
  /** The number by which the host knows it; 0: it does not, or no longer. */
  #number = 0;
  /** The question that is open. */
  #question = 0;
  #isOver = false;
  #state;
  #signal;
  /** Whether the program has the signal. */
  #canAbort;
  /** Tells the program of the response, or that there is none; until one of them has happened. */
  #respond;
  #reject;
  /** Undoes what an abort would do. */
  #forget;
  /** Whether chunks of the request's body are given to the host. */
  #isGiving = false;
  /** Has that end: the program's stream is cancelled. */
  #stopGiving = nothing;
  /** The chunk that was given last is done. */
  #given = nothing;
  /** Has the stream of the response fail. */
  #failStream = nothing;
  /** By which the registry knows this object: the engine keeps what it is given for that. */
  #token = { __proto__: null };

  /**
   * @param {import("./request.js").RequestState} state
   * @param {AbortSignal} signal
   * @param {boolean} canAbort Whether the program has it.
   * @param {(response: Response) => void} respond
   * @param {(error: any) => void} reject
   */
  constructor(state, signal, canAbort, respond, reject) {
    this.#state = state;
    this.#signal = signal;
    this.#canAbort = canAbort;
    this.#respond = respond;
    this.#reject = reject;
    this.#forget = addAbortAlgorithm(signal, () => this.#fail(abortReason(signal)));
    const { method, url, fragment, headers, redirect } = state;
    const target = StringPrototypeSlice(url, 0, url.length - fragment);
    this.#ask(op.fetch.send, [method, target, pairsOf(headers), this.#body(), redirect], (answer) => this.#told(answer));
  }

  /** What the host is told of the request's body: the bytes, or that it is a stream, by its length if that is known. */
  #body() {
    const { body } = this.#state;
    if (body === null) return null;
    if (body.source === null) return true;
    if (body.source.size > wholeBytes || body.source.isRemote) return body.source.size;
    return joinData(takeBody(body).source);
  }

  #ask(operation, args, told) {
    this.#question = submit(operation, args, (answer) => {
      this.#question = 0;
      if (!this.#isOver) told(answer);
    }, (error) => {
      this.#question = 0;
      this.#fail(failed("fetch failed", error)); // what the host has instead of a network has thrown
    });
  }

  /** An answer to the request, or to a chunk of its body. @param {number | any[]} answer */
  #told(answer) {
    if (typeof answer === "number") {
      this.#number = answer;
      if (this.#isGiving) this.#given();
      else this.#give();
    } else if (typeof answer[0] === "string") {
      this.#number = 0;
      this.#fail(failure(answer[0], answer[1]));
    } else {
      this.#receive(answer);
    }
  }

  #give() {
    this.#isGiving = true;
    this.#stopGiving = giveAway(streamOf(this.#state.body), (bytes, done, notDone) => {
      if (!this.#isGiving) {
        notDone(unwanted());
        return;
      }
      this.#given = done;
      if (bytes === null) this.#stopGiving = nothing;
      this.#ask(op.fetch.write, [this.#number, bytes], (answer) => this.#told(answer));
    }, (error) => {
      if (this.#isGiving) this.#fail(failed("fetch failed: the body of the request failed", error));
    });
  }

  /** @param {any[]} answer What the host says of a response. */
  #receive(answer) {
    const stopGiving = this.#stopGiving;
    this.#isGiving = false;
    this.#stopGiving = nothing;
    this.#number = answer[0];
    const state = newResponseState();
    state.status = answer[1];
    state.statusText = answer[2];
    appendPairs(state.headers, answer[3]);
    state.url = answer[4];
    state.redirected = answer[5];
    state.type = state.status === 0 ? "opaqueredirect" : "basic";
    if (state.status !== 0 && this.#state.method !== "HEAD" && !isNullBody(state.status)) {
      state.body = this.#number === 0 ? bodyOfData(dataOf(answer[6])) : bodyOfStream(this.#incoming(answer[6]));
    }
    if (this.#number === 0) {
      this.#settle();
      if (this.#canAbort && state.body !== null) failOnAbort(state.body, this.#signal);
    }
    this.#reject = nothing;
    this.#respond(makeResponse(state, "immutable"));
    this.#given();
    stopGiving(unwanted());
  }

  /** The stream of a response. @param {Uint8Array} first What has come of it. */
  #incoming(first) {
    let isFirst = TypedArrayPrototypeGetByteLength(first) > 0;
    const { stream, fail } = createIncomingStream((done, notRead) => {
      if (isFirst) {
        isFirst = false;
        done(first, false);
        return;
      }
      this.#ask(op.fetch.read, [this.#number], (answer) => {
        if (typeof answer[0] === "string") {
          this.#number = 0;
          const error = failure(answer[0], answer[1]);
          this.#fail(error);
          notRead(error);
        } else {
          if (answer[1]) this.#settle();
          done(answer[0], answer[1]);
        }
      });
    }, () => this.#giveUp());
    this.#failStream = fail;
    FinalizationRegistryPrototypeRegister(registry, this, this.#number, this.#token);
    return stream;
  }

  /** Nothing more is to be asked. */
  #settle() {
    this.#isOver = true;
    this.#number = 0;
    this.#forget();
    FinalizationRegistryPrototypeUnregister(registry, this.#token);
  }

  /** The program has no use for it any more. */
  #giveUp() {
    if (this.#isOver) return;
    const question = this.#question;
    const number = this.#number;
    this.#question = 0;
    this.#settle();
    if (question !== 0) cancel(question);
    if (number !== 0) drop(number);
  }

  /** @param {any} error */
  #fail(error) {
    if (this.#isOver) return;
    const isSent = this.#isGiving;
    this.#isGiving = false;
    this.#giveUp();
    this.#reject(error);
    this.#failStream(error);
    this.#stopGiving(error);
    if (!isSent && this.#state.body !== null) cancelBody(this.#state.body, error);
  }
}

const unwanted = () => failure("closed", "nobody wants the rest of this body");

const noStore = { __proto__: null, "no-store": true, reload: true };

/** What the cache mode asks of caches on the way: the sandbox has none. @param {import("./request.js").RequestState} state */
function addCacheHeaders({ cache, headers }) {
  if (cache === "no-cache" && !hasHeader(headers, "cache-control")) {
    appendHeader(headers, "Cache-Control", "max-age=0");
  }
  if (!noStore[cache]) return;
  if (!hasHeader(headers, "pragma")) appendHeader(headers, "Pragma", "no-cache");
  if (!hasHeader(headers, "cache-control")) appendHeader(headers, "Cache-Control", "no-cache");
}

const digest = (algorithm, bytes) => call(op.fetch.digest, algorithm, bytes);

/**
 * Give the program a response once all of its body is here and is what it should be.
 * @param {string} integrity Not empty.
 * @param {(response: Response) => void} resolve
 * @param {(error: any) => void} reject
 * @returns {(response: Response) => void}
 */
function checking(integrity, resolve, reject) {
  return (response) => {
    const { body } = responseState(response);
    if (body === null) {
      reject(new TypeError("fetch failed: there is no body whose integrity could be checked"));
      return;
    }
    readBody(body, (data) => {
      try {
        if (!isIntact(joinData(data), integrity, digest)) {
          throw new TypeError("fetch failed: the body is not what integrity says");
        }
        body.source = data;
        body.stream = undefined;
        body.used = false;
        resolve(response);
      } catch (error) {
        reject(error);
      }
    }, reject);
  };
}

/** @param {import("./request.js").RequestState} state @param {AbortSignal} signal @param {boolean} isGiven */
function begin(state, signal, isGiven, done, reject) {
  const resolve = state.integrity === "" ? done : checking(state.integrity, done, reject);
  const parts = parseURL(state.url);
  const scheme = parts[part.protocol];
  if (scheme !== "http:" && scheme !== "https:") {
    resolve(localResponse(state, scheme));
    return;
  }
  if (state.cache === "only-if-cached") throw new TypeError("fetch failed: there is no cache");
  if (state.mode === "same-origin" && parts[part.origin] !== ownOrigin()) {
    throw new TypeError("fetch failed: the URL is not of the same origin");
  }
  addCacheHeaders(state);
  new Fetching(state, signal, isGiven, resolve, reject);
}

export const operations = {
  fetch(input, init = undefined) {
    return new Promise((resolve, reject) => {
      requireArguments(arguments.length, 1, execute("fetch", "Window"));
      const request = new Request(input, init);
      const state = requestState(request);
      const isGiven = canAbort(request);
      const signal = requestSignal(request);
      try {
        if (isAborted(signal)) throw abortReason(signal);
        begin(state, signal, isGiven, resolve, reject);
      } catch (error) {
        if (state.body !== null) cancelBody(state.body, error);
        reject(error);
      }
    });
  },
};
