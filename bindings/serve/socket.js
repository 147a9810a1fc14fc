/** The server's side of WebSockets: objects that the handlers of `serve` get, and the events that the host tells. */

import {
  newPromise, reaction, rejectPromise, resolvedWith, resolvePromise, task, utf8Encode, whenSettled,
} from "sandbox:native";
import { joinData } from "../blob_data.js";
import { blobData, isBlob, isBufferSource } from "../blob.js";
import { bytesOf } from "../encoding.js";
import {
  DOMException, Error, isObject, Map, MapPrototypeDelete, MapPrototypeForEach, MapPrototypeGet, MapPrototypeGetSize,
  MapPrototypeSet, ReflectApply, TypedArrayPrototypeGetByteLength, TypeError,
} from "../primordials.js";
import { execute, integer, requireArguments, requireBrand, USVString } from "../webidl.js";

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const longestReason = 123;

const names = ["open", "message", "close", "error", "drain"];
/** @type {{ __proto__: null, target: object, open?: Function, message?: Function, close?: Function, error?: Function,
 *   drain?: Function } | undefined} */
let handlers;

/** Take the handlers of the option `websocket`. */
export function useHandlers(target, where) {
  if (target === undefined || target === null) {
    handlers = undefined;
    return;
  }
  if (!isObject(target)) throw new TypeError(where + ": 'websocket' is not an object.");
  const taken = { __proto__: null, target };
  for (let i = 0; i < names.length; i++) {
    const value = target[names[i]];
    if (value === undefined || value === null) continue;
    if (typeof value !== "function") throw new TypeError(where + ": 'websocket." + names[i] + "' is not a function.");
    taken[names[i]] = value;
  }
  handlers = taken;
}

const unsignedShort = integer(16, false);
/** What an endpoint may send (RFC 6455, section 7.4). */
const isSendable = (code) => (
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
);

/** The way to the host. @type {{ send(number: number, message: any): number, close(number: number, code: number,
 *   reason: string): void, watch(lost: Function, failed: Function): number, unwatch(question: number): void }} */
let transport;
export const useTransport = (given) => { transport = given; };

/** @type {Map<number, ServerWebSocket>} Those that are not closed. */
const sockets = new Map();
let setState;
let isOpen;

class ServerWebSocket {
  #number;
  #readyState = OPEN;
  /** What `server.upgrade` was given; the program's own. */
  data;

  static {
    isOpen = (socket) => socket.#readyState === OPEN;
    setState = (socket, state) => { socket.#readyState = state; };
  }

  constructor(number, data) {
    this.#number = number;
    this.data = data;
  }

  get readyState() {
    requireBrand(isObject(this) && #number in this);
    return this.#readyState;
  }

  send(data) {
    requireBrand(isObject(this) && #number in this);
    const where = execute("send", "ServerWebSocket");
    requireArguments(arguments.length, 1, where);
    let message;
    if (isObject(data) && isBufferSource(data)) message = bytesOf(data, where);
    else if (isObject(data) && isBlob(data)) message = joinData(blobData(data));
    else message = USVString(data, where);
    return this.#readyState === OPEN ? transport.send(this.#number, message) : 0;
  }

  close(code = undefined, reason = undefined) {
    requireBrand(isObject(this) && #number in this);
    const where = execute("close", "ServerWebSocket");
    const status = code === undefined ? 1000 : unsignedShort(code, where);
    const text = reason === undefined ? "" : USVString(reason, where);
    if (!isSendable(status)) {
      throw new DOMException(where + ": The close code " + status + " cannot be sent.", "InvalidAccessError");
    }
    if (TypedArrayPrototypeGetByteLength(utf8Encode(text)) > longestReason) {
      throw new DOMException(where + ": The reason is longer than " + longestReason + " bytes.", "SyntaxError");
    }
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    transport.close(this.#number, status, text);
  }
}

/** The question whether those of this life are lost; 0: it is not open. */
let question = 0;

/** See to it that it is open, as long as there is a socket. */
function watch() {
  const isWanted = MapPrototypeGetSize(sockets) > 0;
  if (isWanted && question === 0) {
    question = transport.watch(() => {
      question = 0;
      MapPrototypeForEach(sockets, (_, number) => task(lose, number));
    }, () => { question = 0; }); // it was refused: asked again when something happens
  } else if (!isWanted && question !== 0) {
    transport.unwatch(question);
    question = 0;
  }
}
const lose = (number) => { closed(number, 1006, "", "the connection was lost"); };

/** A request has become a WebSocket. */
export function adopt(number, data) {
  MapPrototypeSet(sockets, number, new ServerWebSocket(number, data));
  watch();
}

/** A WebSocket is closed; it is not found any more. */
function closed(number, code, reason, failure) {
  const socket = MapPrototypeGet(sockets, number);
  if (socket === undefined) return undefined;
  MapPrototypeDelete(sockets, number);
  watch();
  setState(socket, CLOSED);
  if (failure !== null) tell("error", [socket, new Error(failure)]);
  return tell("close", [socket, code, reason]);
}

/**
 * Tell the program of an event. What a handler throws is for the handler `error`, if there is one.
 * @param {string} name
 * @param {any[]} args With the socket first.
 * @returns {Promise<undefined> | undefined} Pending while the handler is at work.
 */
function tell(name, args) {
  const told = handlers;
  const handler = told?.[name];
  if (handler === undefined) return undefined;
  const failed = (error) => {
    if (told.error === undefined || name === "error") throw error;
    ReflectApply(told.error, told.target, [args[0], error]);
  };
  let value;
  try {
    value = ReflectApply(handler, told.target, args);
  } catch (error) {
    return failed(error);
  }
  return isObject(value) ? reaction(resolvedWith(value), nothing, failed) : undefined;
}
const nothing = () => undefined;

/** What the host says of a WebSocket. */
export const socketEvents = {
  __proto__: null,
  "serve.open": (number) => {
    const socket = MapPrototypeGet(sockets, number);
    return socket === undefined ? undefined : tell("open", [socket]);
  },
  /** Messages that came together; microtasks run between them, as between those that did not. */
  "serve.message": (number, messages) => {
    const socket = MapPrototypeGet(sockets, number);
    if (socket === undefined) return undefined;
    watch();
    if (messages.length === 1) return tell("message", [socket, messages[0]]);
    const done = newPromise();
    let left = messages.length;
    const settled = () => {
      if (--left === 0) resolvePromise(done, undefined);
    };
    const failed = (error) => rejectPromise(done, error);
    const next = (data) => {
      try {
        const outcome = isOpen(socket) ? tell("message", [socket, data]) : undefined;
        if (outcome === undefined) settled();
        else whenSettled(outcome, settled, failed);
      } catch (error) {
        failed(error);
      }
    };
    for (let i = 0; i < messages.length; i++) task(next, messages[i]);
    return done;
  },
  "serve.drain": (number) => {
    const socket = MapPrototypeGet(sockets, number);
    return socket === undefined ? undefined : tell("drain", [socket]);
  },
  "serve.closed": closed,
};
