/**
 * A readable stream and its reader, as records: what the standard calls the abstract operations of both. The
 * controller, default or byte, is known here by its methods `cancelSteps`, `pullSteps` and `releaseSteps` only.
 */

import { newQueue, queueLength, queuePush, queueShift, rejectedWith, resolvedWith } from "sandbox:native";
import { newList, TypeError } from "../primordials.js";
import { Deferred, settled } from "./promises.js";
import { Brand, record } from "./records.js";

export const READABLE = 0;
export const CLOSED = 1;
export const ERRORED = 2;

/** @type {Brand<ReadableState>} The objects of class ReadableStream. */
export const readables = new Brand();

export class ReadableState {
  constructor() {
    this.state = READABLE;
    /** @type {ReaderState | undefined} */
    this.reader = undefined;
    this.controller = undefined;
    this.storedError = undefined;
    this.disturbed = false;
    /** The object guest code knows, once there is one. */
    this.object = undefined;
  }
}
record(ReadableState);

/**
 * Who waits for a chunk: an object with `chunk(value)`, `close(value)` and `error(reason)`.
 * @typedef {{ chunk(value: any): void, close(value?: any): void, error(reason: any): void }} ReadRequest
 */

export class ReaderState {
  /** @param {boolean} byob Its requests bring buffers of their own. */
  constructor(byob) {
    this.byob = byob;
    /** @type {ReadableState | undefined} */
    this.stream = undefined;
    /** Who waits, and who waits behind it. @type {ReadRequest | undefined} */
    this.request = undefined;
    this.others = undefined;
    this.closed = new Deferred();
  }

  addRequest(request) {
    if (this.request === undefined) {
      this.request = request;
    } else {
      this.others ??= newQueue();
      queuePush(this.others, request, 1);
    }
  }

  /** The first request; there must be one. */
  takeRequest() {
    const { request, others } = this;
    this.request = others === undefined ? undefined : queueShift(others);
    return request;
  }

  countRequests() {
    if (this.request === undefined) return 0;
    return this.others === undefined ? 1 : 1 + queueLength(this.others);
  }

  /** All requests, which no longer wait. */
  takeRequests() {
    const list = newList();
    while (this.request !== undefined) list[list.length] = this.takeRequest();
    return list;
  }
}
record(ReaderState);

/** Lock a stream to a new reader. @param {ReadableState} stream @param {boolean} byob @param {string} where */
export function acquireReader(stream, byob = false, where = "ReadableStream") {
  if (stream.reader !== undefined) throw new TypeError(where + ": The stream is locked to a reader.");
  if (byob && !stream.controller.isByte) {
    throw new TypeError(where + ": The stream has no byte source, and so no BYOB readers.");
  }
  const reader = new ReaderState(byob);
  reader.stream = stream;
  stream.reader = reader;
  if (stream.state === CLOSED) reader.closed.resolve();
  else if (stream.state === ERRORED) reader.closed.reject(stream.storedError);
  return reader;
}

/** @param {ReaderState} reader Of a stream. */
export function releaseReader(reader) {
  const { stream } = reader;
  const error = new TypeError("The reader was released");
  reader.closed.reject(error);
  stream.controller.releaseSteps();
  stream.reader = undefined;
  reader.stream = undefined;
  failRequests(reader, error);
}

/** @param {ReaderState} reader */
function failRequests(reader, error) {
  const list = reader.takeRequests();
  for (let i = 0; i < list.length; i++) list[i].error(error);
}

/** @param {ReaderState} reader */
function endRequests(reader) {
  const list = reader.takeRequests();
  for (let i = 0; i < list.length; i++) list[i].close(undefined);
}

/** @param {ReaderState} reader A default reader of a stream. @param {ReadRequest} request */
export function readFrom(reader, request) {
  const { stream } = reader;
  stream.disturbed = true;
  if (stream.state === READABLE) stream.controller.pullSteps(request);
  else if (stream.state === CLOSED) request.close(undefined);
  else request.error(stream.storedError);
}

/** @param {ReadableState} stream It is readable. */
export function closeReadable(stream) {
  stream.state = CLOSED;
  const { reader } = stream;
  if (reader === undefined) return;
  reader.closed.resolve();
  if (!reader.byob) endRequests(reader);
}

/** @param {ReadableState} stream It is readable. */
export function errorReadable(stream, error) {
  stream.state = ERRORED;
  stream.storedError = error;
  const { reader } = stream;
  if (reader === undefined) return;
  reader.closed.reject(error);
  failRequests(reader, error);
}

/** @param {ReadableState} stream @returns {Promise<undefined>} */
export function cancelReadable(stream, reason) {
  stream.disturbed = true;
  if (stream.state === CLOSED) return resolvedWith(undefined);
  if (stream.state === ERRORED) return rejectedWith(stream.storedError);
  closeReadable(stream);
  const { reader } = stream;
  if (reader !== undefined && reader.byob) endRequests(reader);
  return settled(stream.controller.cancelSteps(reason));
}
