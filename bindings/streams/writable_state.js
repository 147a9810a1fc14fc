/** A writable stream and its writer, as records: what the standard calls the abstract operations of both. */

import { newPromise, rejectedWith, rejectPromise, resolvedWith, resolvePromise } from "sandbox:native";
import { TypeError } from "../primordials.js";
import { Deferred, PENDING, upon } from "./promises.js";
import { Brand, record } from "./records.js";

export const WRITABLE = 0;
export const ERRORING = 1;
export const CLOSED = 2;
export const ERRORED = 3;

/** @type {Brand<WritableState>} The objects of class WritableStream. */
export const writables = new Brand();

/**
 * Who waits for a chunk to be written.
 * @typedef {{ resolve(): void, reject(reason: any): void }} WriteRequest
 */

export class WritableState {
  constructor() {
    this.state = WRITABLE;
    this.storedError = undefined;
    /** @type {WriterState | undefined} */
    this.writer = undefined;
    /** @type {import("./writable_controller.js").WritableController} */
    this.controller = undefined;
    /** @type {WriteRequest | undefined} */
    this.writing = undefined;
    /** @type {Promise<undefined> | undefined} What `close` gave, until the sink is told; then `closing`. */
    this.closeRequest = undefined;
    this.closing = undefined;
    /** Whether there is one of the two. */
    this.isEnding = false;
    /** @type {{ promise: Promise<undefined>, reason: any, late: boolean } | undefined} */
    this.abortRequest = undefined;
    this.backpressure = false;
    /** The object guest code knows, once there is one. */
    this.object = undefined;
  }

  isBusy() {
    return this.writing !== undefined || this.closing !== undefined;
  }

  setBackpressure(backpressure) {
    const { writer } = this;
    if (writer !== undefined && backpressure !== this.backpressure) {
      const { ready } = writer;
      if (backpressure) ready.reset();
      else ready.resolve();
    }
    this.backpressure = backpressure;
  }

  /** It is writable. */
  startErroring(reason) {
    this.state = ERRORING;
    this.storedError = reason;
    if (this.writer !== undefined) this.writer.ready.reject(reason);
    if (!this.isBusy() && this.controller.started) this.finishErroring();
  }

  /** It is erroring, and the sink is not at work. */
  finishErroring() {
    this.state = ERRORED;
    const { storedError } = this;
    const requests = this.controller.clear();
    for (let i = 0; i < requests.length; i++) requests[i].reject(storedError);
    const request = this.abortRequest;
    this.abortRequest = undefined;
    if (request === undefined || request.late) {
      if (request !== undefined) rejectPromise(request.promise, storedError);
      this.rejectClosed();
      return;
    }
    upon(this.controller.abortSteps(request.reason), () => {
      resolvePromise(request.promise, undefined);
      this.rejectClosed();
    }, (error) => {
      rejectPromise(request.promise, error);
      this.rejectClosed();
    });
  }

  rejectClosed() {
    if (this.closeRequest !== undefined) {
      rejectPromise(this.closeRequest, this.storedError);
      this.closeRequest = undefined;
      this.isEnding = false;
    }
    const { writer } = this;
    if (writer !== undefined && writer.closed.state === PENDING) writer.closed.reject(this.storedError);
  }

  /** The sink has refused something. */
  dealWithRejection(error) {
    if (this.state === WRITABLE) this.startErroring(error);
    else this.finishErroring();
  }

  writeFailed(error) {
    const request = this.writing;
    this.writing = undefined;
    request.reject(error);
    this.dealWithRejection(error);
  }

  closed() {
    resolvePromise(this.closing, undefined);
    this.closing = undefined;
    this.isEnding = false;
    if (this.state === ERRORING) {
      this.storedError = undefined;
      if (this.abortRequest !== undefined) resolvePromise(this.abortRequest.promise, undefined);
      this.abortRequest = undefined;
    }
    this.state = CLOSED;
    if (this.writer !== undefined) this.writer.closed.resolve();
  }

  closeFailed(error) {
    rejectPromise(this.closing, error);
    this.closing = undefined;
    this.isEnding = false;
    if (this.abortRequest !== undefined) rejectPromise(this.abortRequest.promise, error);
    this.abortRequest = undefined;
    this.dealWithRejection(error);
  }
}
record(WritableState);

export class WriterState {
  constructor() {
    /** @type {WritableState | undefined} */
    this.stream = undefined;
    this.ready = new Deferred();
    this.closed = new Deferred();
  }
}
record(WriterState);

/** Lock a stream to a new writer. @param {WritableState} stream @param {string} where */
export function acquireWriter(stream, where = "WritableStream") {
  if (stream.writer !== undefined) throw new TypeError(where + ": The stream is locked to a writer.");
  const writer = new WriterState();
  writer.stream = stream;
  stream.writer = writer;
  const { ready, closed } = writer;
  if (stream.state === WRITABLE) {
    if (stream.isEnding || !stream.backpressure) ready.resolve();
  } else if (stream.state === ERRORING) {
    ready.reject(stream.storedError);
  } else if (stream.state === CLOSED) {
    ready.resolve();
    closed.resolve();
  } else {
    ready.reject(stream.storedError);
    closed.reject(stream.storedError);
  }
  return writer;
}

/** @param {WriterState} writer Of a stream. */
export function releaseWriter(writer) {
  const error = new TypeError("The writer was released");
  writer.ready.reject(error);
  writer.closed.reject(error);
  writer.stream.writer = undefined;
  writer.stream = undefined;
}

/**
 * @param {WriterState} writer Of a stream.
 * @param {WriteRequest} request Told at once when the chunk is refused.
 */
export function write(writer, chunk, request) {
  const { stream } = writer;
  const { controller } = stream;
  const size = controller.sizeOf(chunk);
  if (writer.stream !== stream) {
    request.reject(new TypeError("The writer was released"));
  } else if (stream.state === ERRORED || (stream.state === ERRORING && !stream.isEnding)) {
    request.reject(stream.storedError);
  } else if (stream.isEnding || stream.state === CLOSED) {
    request.reject(new TypeError("The stream is closing or closed"));
  } else {
    controller.write(chunk, size, request);
  }
}

/** @param {WritableState} stream @returns {Promise<undefined>} */
export function closeWritable(stream) {
  if (stream.state === CLOSED || stream.state === ERRORED) {
    return rejectedWith(new TypeError("The stream is closed or has failed"));
  }
  if (stream.isEnding) return rejectedWith(new TypeError("The stream is already closing"));
  const promise = stream.closeRequest = newPromise();
  stream.isEnding = true;
  const { writer } = stream;
  if (writer !== undefined && stream.backpressure && stream.state === WRITABLE) writer.ready.resolve();
  stream.controller.advance();
  return promise;
}

/** @param {WritableState} stream @returns {Promise<undefined>} */
export function abortWritable(stream, reason) {
  if (stream.state === CLOSED || stream.state === ERRORED) return resolvedWith(undefined);
  stream.controller.signalAbort(reason);
  // The signal's listeners may have done anything.
  if (stream.state === CLOSED || stream.state === ERRORED) return resolvedWith(undefined);
  if (stream.abortRequest !== undefined) return stream.abortRequest.promise;
  const late = stream.state === ERRORING;
  const promise = newPromise();
  stream.abortRequest = { promise, reason: late ? undefined : reason, late };
  if (!late) stream.startErroring(reason);
  return promise;
}
