/**
 * Streams for other bindings: made of functions that are no guest code, read and piped without anything that guest code
 * could see or replace.
 *
 * The functions get the record of the controller, whose `enqueue`, `close`, `error` and `desiredSize` they call. What
 * they return is `undefined`, or a promise of the engine's own class that is reacted to directly; they may throw.
 */

import { newPromise, rejectedWith } from "sandbox:native";
import { newList } from "../primordials.js";
import { pipeTo as pipeStates } from "./pipe.js";
import { readAllBytes } from "./read_all.js";
import { readableObject, teeStates } from "./readable.js";
import { setUpByteController } from "./readable_byte.js";
import { setUpDefaultController } from "./readable_default.js";
import { cancelReadable, CLOSED, ERRORED, ReadableState, readables } from "./readable_state.js";
import { record } from "./records.js";
import { TransformState } from "./transform_state.js";
import { PromisedWrite, writableObject } from "./writable.js";
import { setUpWritableController } from "./writable_controller.js";
import { acquireWriter, releaseWriter, WritableState, writables, write } from "./writable_state.js";

/** Call a function of a binding, if there is one; an outcome. */
function attempt(callback, first, second) {
  if (callback === undefined) return undefined;
  try {
    return callback(first, second);
  } catch (error) {
    return rejectedWith(error);
  }
}

class InternalSource {
  constructor(functions) {
    this.functions = functions;
    this.pulls = functions.pull !== undefined;
  }

  start(controller) {
    const { start } = this.functions;
    return start === undefined ? undefined : start(controller);
  }

  pull(controller) {
    return attempt(this.functions.pull, controller);
  }

  cancel(reason) {
    return attempt(this.functions.cancel, reason);
  }
}
record(InternalSource);

class InternalSink {
  constructor(functions) {
    this.functions = functions;
  }

  start(controller) {
    const { start } = this.functions;
    return start === undefined ? undefined : start(controller);
  }

  write(chunk, controller) {
    return attempt(this.functions.write, chunk, controller);
  }

  close() {
    return attempt(this.functions.close);
  }

  abort(reason) {
    return attempt(this.functions.abort, reason);
  }
}
record(InternalSink);

class InternalTransformer {
  constructor(functions) {
    this.functions = functions;
  }

  transform(chunk, stream) {
    return attempt(this.functions.transform, chunk, stream);
  }

  flush(stream) {
    return attempt(this.functions.flush, stream);
  }

  cancel(reason) {
    return attempt(this.functions.cancel, reason);
  }
}
record(InternalTransformer);

const bare = (members) => ({ __proto__: null, ...members });

/**
 * @param {{ start?(controller: any): any, pull?(controller: any): any, cancel?(reason: any): any }} source
 * @param {{ highWaterMark?: number, size?: (chunk: any) => number }} [strategy]
 * @returns {ReadableStream}
 */
export function createReadableStream(source, strategy = undefined) {
  const { highWaterMark = 1, size } = bare(strategy);
  const stream = new ReadableState();
  setUpDefaultController(stream, new InternalSource(bare(source)), highWaterMark, size);
  return readableObject(stream);
}

/**
 * A byte stream. `controller.enqueue` takes a buffer, an offset and a length, and detaches the buffer; where readers
 * bring their own, `controller.currentRequest()` is a record whose `view` may be filled, then `controller.respond(n)`.
 * @param {{ start?(controller: any): any, pull?(controller: any): any, cancel?(reason: any): any }} source
 * @param {{ highWaterMark?: number, autoAllocate?: number }} [options]
 * @returns {ReadableStream}
 */
export function createReadableByteStream(source, options = undefined) {
  const { highWaterMark = 0, autoAllocate } = bare(options);
  const stream = new ReadableState();
  setUpByteController(stream, new InternalSource(bare(source)), highWaterMark, autoAllocate);
  return readableObject(stream);
}

/**
 * @param {{ start?(controller: any): any, write?(chunk: any): any, close?(): any, abort?(reason: any): any }} sink
 * @param {{ highWaterMark?: number, size?: (chunk: any) => number }} [strategy]
 * @returns {WritableStream}
 */
export function createWritableStream(sink, strategy = undefined) {
  const { highWaterMark = 1, size } = bare(strategy);
  const stream = new WritableState();
  setUpWritableController(stream, new InternalSink(bare(sink)), highWaterMark, size);
  return writableObject(stream);
}

/**
 * Write one chunk, as a writer would that is released at once.
 * @param {WritableStream} stream Not locked, or this throws.
 * @returns {Promise<undefined>}
 */
export function writeChunk(stream, chunk, where) {
  const writer = acquireWriter(writables.of(stream), where);
  const promise = newPromise();
  write(writer, chunk, new PromisedWrite(promise));
  releaseWriter(writer);
  return promise;
}

/**
 * What a class with a `readable` and a `writable` keeps. The functions get the record, with `enqueue`, `error` and
 * `terminate`; see `pairOf`.
 * @param {{ transform?(chunk: any, stream: TransformState): any, flush?(stream: TransformState): any,
 *   cancel?(reason: any): any }} transformer
 */
export function setUpTransform(transformer) {
  const one = { highWaterMark: 1, size: undefined };
  const none = { highWaterMark: 0, size: undefined };
  return new TransformState(new InternalTransformer(bare(transformer)), undefined, one, none);
}

/** The two sides of a transform stream, as guest code knows them. @param {TransformState} state */
export const pairOf = (state) => ({
  __proto__: null, readable: readableObject(state.readable), writable: writableObject(state.writable),
});

/** @param {unknown} value @returns {value is ReadableStream} */
export const isReadableStream = (value) => readables.of(value) !== undefined;
/** @param {unknown} value @returns {value is WritableStream} */
export const isWritableStream = (value) => writables.of(value) !== undefined;
/** Whether anybody has read from it or cancelled it. @param {ReadableStream} stream */
export const isDisturbed = (stream) => readables.of(stream).disturbed;
/** @param {ReadableStream} stream */
export const isLocked = (stream) => readables.of(stream).reader !== undefined;
/** @param {ReadableStream} stream */
export const isClosed = (stream) => readables.of(stream).state === CLOSED;
/** @param {ReadableStream} stream */
export const isErrored = (stream) => readables.of(stream).state === ERRORED;

/** @param {ReadableStream} stream @returns {Promise<undefined>} */
export const cancelStream = (stream, reason) => cancelReadable(readables.of(stream), reason);

/** Have a stream fail, if it has not ended. @param {ReadableStream} stream */
export const errorStream = (stream, error) => readables.of(stream).controller.error(error);

/**
 * @param {ReadableStream} stream Not locked.
 * @param {boolean} [clone] Whether the second branch gets copies of the chunks, as bodies of fetch do.
 * @returns {ReadableStream[]}
 */
export function tee(stream, clone = true) {
  const { first, second } = teeStates(readables.of(stream), clone);
  const branches = newList();
  branches[0] = readableObject(first);
  branches[1] = readableObject(second);
  return branches;
}

const pipeOptions = (options) => {
  const { preventAbort = false, preventCancel = false, preventClose = false, signal } = bare(options);
  return { __proto__: null, preventAbort, preventCancel, preventClose, signal };
};

/**
 * @param {ReadableStream} source Not locked.
 * @param {WritableStream} target Not locked.
 * @param {{ preventAbort?: boolean, preventCancel?: boolean, preventClose?: boolean, signal?: AbortSignal }} [options]
 * @returns {Promise<undefined>}
 */
export const pipeTo = (source, target, options = undefined) => (
  pipeStates(readables.of(source), writables.of(target), pipeOptions(options))
);

/**
 * Everything that is left in a stream.
 * @param {ReadableStream} stream Not locked; it stays locked.
 * @returns {Promise<Uint8Array>} Rejected when a chunk is anything but a Uint8Array.
 */
export const readAll = (stream) => readAllBytes(readables.of(stream));
