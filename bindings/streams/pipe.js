/**
 * ReadableStreamPipeTo.
 *
 * One record is the read request of every chunk and the write request too, so that a chunk makes no objects here.
 */

import { microtask, newPromise, rejectedWith, rejectPromise, resolvedWith, resolvePromise } from "sandbox:native";
import { abortReason, addAbortAlgorithm, isAborted } from "../abort.js";
import { TypeError } from "../primordials.js";
import { both, FULFILLED, PENDING, upon } from "./promises.js";
import {
  acquireReader, cancelReadable, CLOSED as SOURCE_CLOSED, ERRORED as SOURCE_ERRORED, READABLE, readFrom, releaseReader,
} from "./readable_state.js";
import { record } from "./records.js";
import {
  abortWritable, acquireWriter, CLOSED, closeWritable, ERRORED, releaseWriter, WRITABLE, write,
} from "./writable_state.js";

/**
 * @typedef {object} PipeOptions
 * @property {boolean} preventAbort
 * @property {boolean} preventCancel
 * @property {boolean} preventClose
 * @property {AbortSignal | undefined} signal
 */

export class Pipe {
  /**
   * @param {import("./readable_state.js").ReadableState} source
   * @param {import("./writable_state.js").WritableState} target
   * @param {PipeOptions} options
   */
  constructor(source, target, options) {
    this.source = source;
    this.target = target;
    this.options = options;
    this.reader = acquireReader(source);
    this.writer = acquireWriter(target);
    this.promise = newPromise();
    this.isShuttingDown = false;
    /** Chunks that were read and of which the sink has not said yet that they are written. */
    this.unwritten = 0;
    this.onWritten = undefined;
    this.forget = undefined;
    /** While `readFrom` is called: a chunk that comes at once needs no microtask. */
    this.isAsking = false;
    this.hasChunk = false;
    this.held = undefined;
  }

  // As a read request.
  chunk(value) {
    this.unwritten++;
    if (this.isAsking) {
      this.hasChunk = true;
      this.held = value;
    } else {
      // Whoever enqueues a chunk must not find the sink's code running inside of that.
      microtask(deliver, this, value);
    }
  }

  close() {}

  error() {}

  // As a write request.
  resolve() {
    this.unwritten--;
    if (this.unwritten === 0 && this.onWritten !== undefined) this.goOn();
  }

  reject() {
    this.resolve();
  }

  goOn() {
    const { onWritten } = this;
    this.onWritten = undefined;
    microtask(onWritten);
  }

  /** Whether to wait for `written` before the next chunk. */
  write(chunk) {
    const { writer } = this;
    const { stream } = writer;
    if (stream === undefined) this.resolve();
    else if (stream.controller.writeDirectly(chunk, this)) return true;
    else write(writer, chunk, this);
    return false;
  }

  written() {
    pump(this);
  }

  /** @param {(() => Promise<any>) | undefined} action @param {boolean} failed @param {any} [error] */
  shutDown(action, failed, error = undefined) {
    if (this.isShuttingDown) return;
    this.isShuttingDown = true;
    const finish = () => {
      if (action === undefined) this.finish(failed, error);
      else upon(action(), () => this.finish(failed, error), (newError) => this.finish(true, newError));
    };
    const { target } = this;
    if (target.state !== WRITABLE || target.isEnding) {
      finish();
    } else {
      this.onWritten = finish;
      if (this.unwritten === 0) this.goOn();
    }
  }

  finish(failed, error) {
    releaseWriter(this.writer);
    releaseReader(this.reader);
    if (this.forget !== undefined) this.forget();
    if (failed) rejectPromise(this.promise, error);
    else resolvePromise(this.promise, undefined);
  }

  /** What has become of the source, in so far as it ends the pipe. */
  lookAtSource() {
    const { source, target, options } = this;
    if (source.state === SOURCE_ERRORED) {
      const { storedError } = source;
      this.shutDown(options.preventAbort ? undefined : () => abortWritable(target, storedError), true, storedError);
    } else if (source.state === SOURCE_CLOSED) {
      this.shutDown(options.preventClose ? undefined : () => this.closeTarget(), false);
    }
  }

  /** Close it, unless it is closing; what it failed with is the pipe's failure too. */
  closeTarget() {
    const { target } = this;
    if (target.isEnding || target.state === CLOSED) return resolvedWith(undefined);
    if (target.state === ERRORED) return rejectedWith(target.storedError);
    return closeWritable(target);
  }

  lookAtTarget() {
    const { source, target, options } = this;
    if (target.state === ERRORED) {
      const { storedError } = target;
      this.shutDown(options.preventCancel ? undefined : () => cancelReadable(source, storedError), true, storedError);
    } else if (target.isEnding || target.state === CLOSED) {
      const error = new TypeError("The stream to be written to is closing or closed");
      this.shutDown(options.preventCancel ? undefined : () => cancelReadable(source, error), true, error);
    }
  }

  abort() {
    const { source, target, options } = this;
    const error = abortReason(options.signal);
    this.shutDown(() => both(
      options.preventAbort || target.state !== WRITABLE ? undefined : abortWritable(target, error),
      options.preventCancel || source.state !== READABLE ? undefined : cancelReadable(source, error),
    ), true, error);
  }
}
record(Pipe);

/** @param {Pipe} pipe */
function deliver(pipe, chunk) {
  if (!pipe.write(chunk)) pump(pipe);
}

/** Read and write as long as chunks are there and there is room for them. @param {Pipe} pipe */
function pump(pipe) {
  const { reader, writer } = pipe;
  while (!pipe.isShuttingDown) {
    const { ready } = writer;
    if (ready.state !== FULFILLED) {
      if (ready.state === PENDING) ready.listen(pump, pipe);
      return;
    }
    if (pipe.source.state !== READABLE) return;
    pipe.isAsking = true;
    readFrom(reader, pipe);
    pipe.isAsking = false;
    if (!pipe.hasChunk) return;
    const { held } = pipe;
    pipe.hasChunk = false;
    pipe.held = undefined;
    if (pipe.write(held)) return;
  }
}

/**
 * @param {import("./readable_state.js").ReadableState} source Not locked.
 * @param {import("./writable_state.js").WritableState} target Not locked.
 * @param {PipeOptions} options
 * @returns {Promise<undefined>}
 */
export function pipeTo(source, target, options) {
  const pipe = new Pipe(source, target, options);
  source.disturbed = true;
  const { signal } = options;
  if (signal !== undefined) {
    if (isAborted(signal)) {
      pipe.abort();
      return pipe.promise;
    }
    pipe.forget = addAbortAlgorithm(signal, () => pipe.abort());
  }
  // The order is the standard's: failures before ends, forward before backward.
  if (source.state === SOURCE_ERRORED) pipe.lookAtSource();
  else pipe.reader.closed.listen(() => pipe.lookAtSource(), undefined);
  if (target.state === ERRORED) pipe.lookAtTarget();
  else pipe.writer.closed.listen(() => pipe.lookAtTarget(), undefined);
  if (source.state === SOURCE_CLOSED) pipe.lookAtSource();
  if (target.isEnding || target.state === CLOSED) pipe.lookAtTarget();
  pump(pipe);
  return pipe.promise;
}
