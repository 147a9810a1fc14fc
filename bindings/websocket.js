/**
 * WebSocket (WebSockets Standard). The host connects, and speaks the protocol.
 *
 * One question is open for each socket: first for the connection, then for whatever comes. It holds the socket, which
 * so lives until it is closed. What is sent is said to the host without an answer, as much at a time as the host wants
 * to have; the rest waits here, and answers tell what has gone. A batch of messages is one answer, each of them a task.
 */

import { op } from "sandbox:abi.js";
import { joinBytes, task, urlParse, utf8Encode } from "sandbox:native";
import { blobData, isBlob, isBufferSource, makeBlob } from "./blob.js";
import { dataOf, joinData } from "./blob_data.js";
import { CloseEvent } from "./close_event.js";
import { bytesOf } from "./encoding.js";
import { defineEventHandler, Event, EventTarget, fireEvent } from "./events.js";
import { parseURL } from "./location.js";
import { fireMessage } from "./messaging.js";
import { cancel, send, submit } from "./op.js";
import {
  DOMException, isObject, newList, RegExpPrototypeExec, StringPrototypeIncludes, StringPrototypeSlice,
  StringPrototypeToLowerCase, SymbolIterator, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
} from "./primordials.js";
import { part } from "./url.js";
import {
  construct, defineConstants, DOMString, execute, integer, requireArguments, requireBrand, sequence, USVString,
} from "./webidl.js";

const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
const { CONNECTING, OPEN, CLOSING, CLOSED } = states;
/** What the host counts for a message beside its bytes. */
const messageBytes = 128;
const mostReasonBytes = 123;
const abnormal = 1006;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const clampedUnsignedShort = integer(16, false, "clamp");
const noList = newList();
const noPorts = newList();

/** @param {string} text */
const utf8Length = (text) => TypedArrayPrototypeGetByteLength(utf8Encode(text));

/** The URL of a connection. @param {string} url @param {string} where @returns {string[]} Its components. */
function socketURL(url, where) {
  let parts = parseURL(url);
  if (parts === undefined) throw new DOMException(where + ": The URL '" + url + "' is invalid.", "SyntaxError");
  const href = parts[part.href];
  if (parts[part.protocol] === "http:") parts = urlParse("ws" + StringPrototypeSlice(href, 4));
  else if (parts[part.protocol] === "https:") parts = urlParse("wss" + StringPrototypeSlice(href, 5));
  const scheme = parts[part.protocol];
  if (scheme !== "ws:" && scheme !== "wss:") {
    const text = ": The URL's scheme must be 'http', 'https', 'ws' or 'wss', not '" + StringPrototypeSlice(scheme, 0, -1);
    throw new DOMException(where + text + "'.", "SyntaxError");
  }
  if (StringPrototypeIncludes(href, "#")) {
    throw new DOMException(where + ": The URL has a fragment, which is not allowed.", "SyntaxError");
  }
  return parts;
}

/** @param {any} value A text or a sequence of texts. @param {string} where @returns {string[]} */
function subprotocols(value, where) {
  if (value === undefined) return newList();
  let list = newList();
  const method = isObject(value) ? value[SymbolIterator] : undefined;
  if (method !== undefined && method !== null) list = sequence(value, DOMString, where, method);
  else list[0] = DOMString(value, where);
  const seen = { __proto__: null };
  for (let i = 0; i < list.length; i++) {
    const lower = StringPrototypeToLowerCase(list[i]);
    if (RegExpPrototypeExec(token, list[i]) === null || seen[lower]) {
      const fault = seen[lower] ? "is duplicated" : "is invalid";
      throw new DOMException(where + ": The subprotocol '" + list[i] + "' " + fault + ".", "SyntaxError");
    }
    seen[lower] = true;
  }
  return list;
}

let isSocket;
let inspect;
let deliver;
let finish;

export class WebSocket extends EventTarget {
  #readyState = CONNECTING;
  /** Components of the URL. @type {string[]} */
  #parts;
  #protocol = "";
  #extensions = "";
  #binaryType = "blob";
  /** By which the host knows it; 0: it does not, or no longer. */
  #number = 0;
  /** Bytes that were given to `send` and have not gone. */
  #buffered = 0;
  /** How much the host wants to have, and has, with what messages count beside their bytes. */
  #window = 0;
  #onTheWay = 0;
  /** Messages that wait for their turn. @type {{ message: any, weight: number, next: any } | undefined} */
  #first = undefined;
  #last = undefined;
  /** What is said after them. @type {{ code: number | null, reason: string } | undefined} */
  #farewell = undefined;
  /** Messages that have come, and the end, if that has. @type {(string | Uint8Array)[]} */
  #inbox = noList;
  #index = 0;
  #end = null;
  #isOver = false;
  #question = 0;

  static {
    isSocket = (value) => #parts in value;
    inspect = (socket) => ({
      __proto__: null,
      entries: [
        ["url", socket.#parts[part.href]], ["readyState", socket.#readyState], ["protocol", socket.#protocol],
        ["extensions", socket.#extensions], ["binaryType", socket.#binaryType], ["bufferedAmount", socket.#buffered],
      ],
    });
    deliver = (socket) => socket.#deliver();
    finish = (socket) => socket.#finish();
  }

  constructor(url, protocols = undefined) {
    const where = construct("WebSocket");
    requireArguments(arguments.length, 1, where);
    const text = USVString(url, where);
    const parts = socketURL(text, where);
    const offered = subprotocols(protocols, where);
    super();
    this.#parts = parts;
    this.#ask(op.websocket.open, [parts[part.href], offered], (answer) => this.#opened(answer), "Callback error");
  }

  get url() {
    requireBrand(#parts in this);
    return this.#parts[part.href];
  }
  get readyState() {
    requireBrand(#parts in this);
    return this.#readyState;
  }
  get bufferedAmount() {
    requireBrand(#parts in this);
    return this.#buffered;
  }
  get extensions() {
    requireBrand(#parts in this);
    return this.#extensions;
  }
  get protocol() {
    requireBrand(#parts in this);
    return this.#protocol;
  }
  get binaryType() {
    requireBrand(#parts in this);
    return this.#binaryType;
  }
  set binaryType(value) {
    requireBrand(#parts in this);
    const text = DOMString(value, "Failed to set 'binaryType' on 'WebSocket'");
    if (text === "blob" || text === "arraybuffer") this.#binaryType = text;
  }

  close(code = undefined, reason = undefined) {
    requireBrand(#parts in this);
    const where = execute("close", "WebSocket");
    let given = code === undefined ? null : clampedUnsignedShort(code, where);
    const text = reason === undefined ? "" : USVString(reason, where);
    if (given !== null && given !== 1000 && (given < 3000 || given > 4999)) {
      const fault = ": The code must be either 1000, or between 3000 and 4999. " + given + " is neither.";
      throw new DOMException(where + fault, "InvalidAccessError");
    }
    if (utf8Length(text) > mostReasonBytes) {
      const fault = ": The reason must not be longer than " + mostReasonBytes + " bytes in UTF-8.";
      throw new DOMException(where + fault, "SyntaxError");
    }
    if (given === null && reason !== undefined) given = 1000;
    if (this.#readyState === CONNECTING) {
      this.#fail("");
    } else if (this.#readyState === OPEN) {
      this.#readyState = CLOSING;
      this.#farewell = { __proto__: null, code: given, reason: text };
      if (this.#first !== undefined) send(op.websocket.leave, this.#number);
      this.#flush();
    }
  }

  send(data) {
    requireBrand(#parts in this);
    const where = execute("send", "WebSocket");
    requireArguments(arguments.length, 1, where);
    const blob = isObject(data) && isBlob(data) ? blobData(data) : undefined;
    const source = blob === undefined && isObject(data) && isBufferSource(data) ? bytesOf(data, where) : undefined;
    const text = blob === undefined && source === undefined ? USVString(data, where) : "";
    if (this.#readyState === CONNECTING) {
      throw new DOMException(where + ": The socket is still connecting.", "InvalidStateError");
    }
    const size = blob !== undefined ? blob.size
      : source !== undefined ? TypedArrayPrototypeGetByteLength(source) : utf8Length(text);
    if (this.#readyState === OPEN) {
      this.#say(blob !== undefined ? joinData(blob) : source !== undefined ? joinBytes([source], false) : text, size);
    }
    this.#buffered += size;
  }

  /** @param {string | Uint8Array} message @param {number} size */
  #say(message, size) {
    const weight = size + messageBytes;
    if (this.#first === undefined && this.#hasRoom(weight)) {
      send(op.websocket.send, this.#number, message);
      this.#onTheWay += weight;
    } else {
      const waiting = { __proto__: null, message, weight, next: undefined };
      if (this.#first === undefined) this.#first = waiting;
      else this.#last.next = waiting;
      this.#last = waiting;
    }
  }

  /** @param {number} weight */
  #hasRoom(weight) {
    return this.#onTheWay === 0 || this.#onTheWay + weight <= this.#window;
  }

  /** Say what waits, as far as there is room. */
  #flush() {
    while (this.#first !== undefined && this.#hasRoom(this.#first.weight)) {
      const { message, weight, next } = this.#first;
      send(op.websocket.send, this.#number, message);
      this.#first = next;
      this.#onTheWay += weight;
    }
    if (this.#first === undefined && this.#farewell !== undefined) {
      send(op.websocket.close, this.#number, this.#farewell.code, this.#farewell.reason);
      this.#farewell = undefined;
    }
  }

  #ask(operation, args, told, failure) {
    this.#question = submit(operation, args, (answer) => {
      this.#question = 0;
      if (!this.#isOver) told(answer);
    }, () => {
      this.#question = 0;
      this.#fail(failure); // what connects has thrown, or the run has ended
    });
  }

  /** @param {string | any[]} answer */
  #opened(answer) {
    if (typeof answer === "string") {
      this.#fail(answer);
      return;
    }
    this.#number = answer[0];
    this.#protocol = answer[1];
    this.#extensions = answer[2];
    this.#window = answer[3];
    this.#readyState = OPEN;
    this.#receive();
    fireEvent(this, new Event("open"));
  }

  #receive() {
    this.#ask(op.websocket.receive, [this.#number], (answer) => this.#received(answer), "");
  }

  /** @param {any[] | null} answer */
  #received(answer) {
    if (answer === null) {
      this.#fail("");
      return;
    }
    this.#onTheWay -= answer[0];
    this.#buffered -= answer[0] - answer[1] * messageBytes;
    this.#inbox = answer[2];
    this.#index = 0;
    this.#end = answer[3];
    this.#goOn();
    if (this.#end === null) this.#flush();
  }

  /** Arrange what comes next. */
  #goOn() {
    if (this.#index < this.#inbox.length) {
      task(deliver, this);
    } else if (this.#end === null) {
      this.#receive();
    } else {
      this.#isOver = true;
      task(finish, this);
    }
  }

  /** A task: one message. */
  #deliver() {
    if (this.#isOver) return;
    const message = this.#inbox[this.#index++];
    this.#goOn();
    if (this.#readyState !== OPEN) return;
    fireMessage(this, typeof message === "string" ? message : this.#binary(message), noPorts, this.#parts[part.origin]);
  }

  /** @param {Uint8Array} bytes */
  #binary(bytes) {
    return this.#binaryType === "blob" ? makeBlob(dataOf(bytes), "") : TypedArrayPrototypeGetBuffer(bytes);
  }

  /** There is no connection, or none any more. @param {string} reason */
  #fail(reason) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#readyState = CLOSING;
    this.#end = [false, abnormal, reason];
    if (this.#question !== 0) cancel(this.#question);
    if (this.#number !== 0) send(op.websocket.drop, this.#number);
    task(finish, this);
  }

  /** A task: the end. */
  #finish() {
    const { 0: wasClean, 1: code, 2: reason } = this.#end;
    this.#readyState = CLOSED;
    this.#inbox = noList;
    this.#first = this.#last = this.#farewell = undefined;
    if (!wasClean) fireEvent(this, new Event("error"));
    fireEvent(this, new CloseEvent("close", { __proto__: null, wasClean, code, reason }));
  }
}
defineConstants(WebSocket, states);
defineEventHandler(WebSocket.prototype, "open");
defineEventHandler(WebSocket.prototype, "error");
defineEventHandler(WebSocket.prototype, "close");
defineEventHandler(WebSocket.prototype, "message");

export const traits = { brand: isSocket, inspect };
