/**
 * serve: requests that the host hands in are answered by a function of the program.
 *
 * The host asks for each request by `serve.fetch`, and its run lasts as long as what that gives is pending: until the
 * last byte of the response is given, or nobody wants it. Bodies go the ways of fetch: bytes that are here at once, others
 * chunk by chunk, each when the other side wants it.
 */

import { op } from "sandbox:abi.js";
import { newPromise, rejectPromise, resolvedWith, resolvePromise, whenSettled } from "sandbox:native";
import { createAbortSignal, signalAbort } from "./abort.js";
import { dataOf, joinData } from "./blob_data.js";
import { bodyOfData, bodyOfStream, cancelBody, isUnusable, streamOf, takeBody, wholeBytes } from "./body.js";
import { createIncomingStream, giveAway } from "./body_stream.js";
import { appendPairs, pairsOf } from "./header_list.js";
import { fillHeaders, headersInit, makeHeaders } from "./headers.js";
import { answerHost, call, cancel, send, submit } from "./op.js";
import {
  DOMException, isObject, newList, ObjectFreeze, ReflectApply, TypeError, WeakMap, WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} from "./primordials.js";
import { isRequest, makeRequest, newRequestState } from "./request.js";
import { isNullBody, isResponse, responseState } from "./response.js";
import { adopt, socketEvents, useHandlers, useTransport } from "./serve/socket.js";
import { any, dictionary, execute, requireArguments } from "./webidl.js";

const nothing = () => {};
const where = "Failed to execute 'serve'";
const whereUpgrade = execute("upgrade", "Server");

/** Whose `fetch` answers; undefined: nobody's. @type {{ target: object, fetch: Function, isExport: boolean } | undefined} */
let handler;
/** Requests that can become a WebSocket. @type {WeakMap<Request, Serving>} */
const upgradable = new WeakMap();

const unwanted = () => new DOMException("Nobody waits for this response any more", "AbortError");
const kindOf = (value) => (value === null ? "null" : typeof value === "object" ? "another object" : typeof value);

/** One request that is answered. */
class Serving {
  #number;
  #method;
  /** What the run waits for. */
  #done = newPromise();
  /** The question whether somebody still waits; 0: it is not open. */
  #question = 0;
  #isClosed = false;
  #isOver = false;
  /** @type {AbortSignal | undefined} */
  #signal;
  /** Has the stream of the response end, once it is given. */
  #stopGiving = nothing;
  #isAnswered = false;

  constructor(number, method) {
    this.#number = number;
    this.#method = method;
  }

  /** @param {Uint8Array | true | null} body True: it comes by and by. @returns {Promise<number>} */
  begin(url, pairs, body, canUpgrade) {
    const state = newRequestState(url, "Request");
    state.method = this.#method;
    appendPairs(state.headers, pairs);
    if (body !== null) state.body = body === true ? bodyOfStream(this.#incoming()) : bodyOfData(dataOf(body));
    const request = makeRequest(state, "immutable", () => this.#makeSignal());
    if (canUpgrade) WeakMapPrototypeSet(upgradable, request, this);
    const value = ReflectApply(handler.fetch, handler.target, [request, server]);
    whenSettled(resolvedWith(value), (response) => {
      try {
        this.#answer(response);
      } catch (error) {
        this.#fail(error);
      }
    }, (error) => this.#fail(error));
    return this.#done;
  }

  /** Become a WebSocket. @returns {boolean} Whether that is possible. */
  upgrade(data, headers) {
    if (this.#isAnswered || this.#isClosed || this.#isOver) return false;
    call(op.serve.respond, this.#number, 101, "", pairsOf(headers), null);
    this.#isAnswered = true;
    adopt(this.#number, data);
    return true;
  }

  #incoming() {
    return createIncomingStream((done, failed) => {
      submit(op.serve.read, [this.#number], (answer) => done(answer[0], answer[1]), failed);
    }, nothing).stream;
  }

  #makeSignal() {
    this.#signal = createAbortSignal();
    if (this.#isClosed) signalAbort(this.#signal);
    else this.#watch();
    return this.#signal;
  }

  /** Ask to be told when nobody waits any more. */
  #watch() {
    if (this.#question !== 0 || this.#isOver || this.#isClosed) return;
    const closed = () => {
      this.#question = 0;
      this.#close();
    };
    this.#question = submit(op.serve.closed, [this.#number], closed, closed);
  }

  #close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#signal !== undefined) signalAbort(this.#signal);
    this.#stopGiving(unwanted());
  }

  /** @param {unknown} response What the handler gave. */
  #answer(response) {
    if (this.#isAnswered) { // by an upgrade
      this.#finish();
      return;
    }
    if (!isResponse(response)) {
      throw new TypeError("The fetch handler did not return a Response (got " + kindOf(response) + ")");
    }
    const { status, statusText, headers, body } = responseState(response);
    if (status === 0) throw new TypeError("The fetch handler returned a Response that stands for a failure");
    if (body !== null) {
      if (body.failure !== undefined) throw body.failure.error;
      if (isUnusable(body)) throw new TypeError("The fetch handler returned a Response whose body has been used");
    }
    this.#isAnswered = true;
    const pairs = pairsOf(headers);
    const respond = (content) => call(op.serve.respond, this.#number, status, statusText, pairs, content);
    if (body === null || this.#method === "HEAD" || isNullBody(status)) {
      respond(null);
      if (body !== null) cancelBody(body, unwanted());
      this.#finish();
    } else if (body.source !== null && body.source.size <= wholeBytes) {
      respond(joinData(takeBody(body).source));
      this.#finish();
    } else {
      respond(true);
      this.#give(streamOf(body));
    }
  }

  /** @param {ReadableStream} stream */
  #give(stream) {
    this.#watch();
    this.#stopGiving = giveAway(stream, (bytes, done, notDone) => {
      submit(op.serve.write, [this.#number, bytes], (isWanted) => {
        if (bytes === null) {
          done();
          this.#finish();
        } else if (isWanted) {
          done();
        } else {
          this.#close();
          notDone(unwanted());
        }
      }, notDone);
    }, (error) => {
      if (this.#isClosed) this.#finish();
      else this.#fail(error);
    });
    if (this.#isClosed) this.#stopGiving(unwanted());
  }

  #end() {
    this.#isOver = true;
    if (this.#question !== 0) cancel(this.#question);
    this.#question = 0;
  }

  #finish() {
    this.#end();
    resolvePromise(this.#done, 0);
  }

  #fail(error) {
    this.#end();
    rejectPromise(this.#done, error);
  }
}

const upgradeOptions = dictionary([{ key: "data", convert: any }, { key: "headers", convert: headersInit }]);

const server = ObjectFreeze({
  upgrade(request, options = undefined) {
    requireArguments(arguments.length, 1, whereUpgrade);
    if (!isRequest(request)) throw new TypeError(whereUpgrade + ": parameter 1 is not of type 'Request'.");
    const { data, headers } = upgradeOptions(options, whereUpgrade);
    const list = newList();
    if (headers !== undefined) fillHeaders(makeHeaders(list, "response"), headers, whereUpgrade);
    const serving = WeakMapPrototypeGet(upgradable, request);
    return serving !== undefined && serving.upgrade(data, list);
  },
});

/** @param {object} target @param {Function} fetch */
function install(target, fetch, isExport) {
  useHandlers(target.websocket, where);
  handler = { __proto__: null, target, fetch, isExport };
}

/** What a module exports as `default`, where the host has asked for the module: it serves as if given to `serve`. */
export function serveExport(value) {
  if (!isObject(value) || (handler !== undefined && !handler.isExport)) return;
  let fetch;
  try {
    fetch = value.fetch;
  } catch {
    return; // whatever that is, it is no handler
  }
  if (typeof fetch === "function") install(value, fetch, true);
}

export const operations = {
  serve(options) {
    requireArguments(arguments.length, 1, where);
    if (!isObject(options)) throw new TypeError(where + ": parameter 1 is not an object.");
    const { fetch } = options;
    if (typeof fetch !== "function") throw new TypeError(where + ": 'fetch' is not a function.");
    install(options, fetch, false);
  },
};

useTransport({
  __proto__: null,
  send: (number, message) => call(op.serve.send, number, message),
  close: (number, code, reason) => send(op.serve.close, number, code, reason),
  watch: (lost, failed) => submit(op.serve.lost, [], lost, failed),
  unwatch: cancel,
});

answerHost({
  __proto__: null,
  "serve.ready": () => handler !== undefined,
  "serve.fetch": (number, method, url, pairs, body, canUpgrade) => (
    handler === undefined ? 1 : new Serving(number, method).begin(url, pairs, body, canUpgrade)
  ),
  ...socketEvents,
});
