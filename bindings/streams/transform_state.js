/** A transform stream as a record: the sink of its writable side, and the source of its readable side. */

import {
  microtask, newPromise, reaction, rejectedWith, rejectPromise, resolvePromise, whenSettled,
} from "sandbox:native";
import { TypeError } from "../primordials.js";
import { later, nothing, upon } from "./promises.js";
import { sourcePulled } from "./readable_controller.js";
import { setUpDefaultController } from "./readable_default.js";
import { ERRORED as READABLE_ERRORED, ReadableState } from "./readable_state.js";
import { Brand, record } from "./records.js";
import { setUpWritableController, sinkWritten } from "./writable_controller.js";
import { ERRORED, ERRORING, WritableState } from "./writable_state.js";

/**
 * What is done with chunks.
 * @typedef {object} Transformer
 * @property {(chunk: any, stream: TransformState) => import("./promises.js").Outcome} transform
 * @property {(stream: TransformState) => import("./promises.js").Outcome} flush
 * @property {(reason: any) => import("./promises.js").Outcome} cancel
 */

/** @type {Brand<TransformState>} The objects of class TransformStream. */
export const transforms = new Brand();

export class TransformState {
  /**
   * @param {Transformer} transformer
   * @param {Promise<any> | undefined} whenStarted What both sides wait for.
   * @param {{ highWaterMark: number, size: Function | undefined }} writing
   * @param {{ highWaterMark: number, size: Function | undefined }} reading
   */
  constructor(transformer, whenStarted, writing, reading) {
    /** @type {Transformer | undefined} Let go when nothing more will be asked of it. */
    this.transformer = transformer;
    this.pulls = true;
    this.readable = new ReadableState();
    this.writable = new WritableState();
    this.backpressure = true;
    /** A chunk that waits until the readable side wants one. */
    this.isWriteWaiting = false;
    this.waiting = undefined;
    /** Whether the readable side waits for `pull` to end. */
    this.isPullWaiting = false;
    /** @type {Promise<undefined> | undefined} What `close`, `abort` or `cancel` gave, whichever came first. */
    this.ended = undefined;
    /** The controller guest code knows, once there is one; and the stream. */
    this.controllerObject = undefined;
    this.object = undefined;
    this.onTransformFailed = undefined;
    setUpWritableController(this.writable, this, writing.highWaterMark, writing.size);
    setUpDefaultController(this.readable, this, reading.highWaterMark, reading.size);
    if (whenStarted === undefined) microtask(nearlyStarted, this);
    else whenSettled(whenStarted, () => nearlyStarted(this), (error) => microtask(soonFailed, this, error));
  }

  // As a sink and as a source.
  start() {
    return later;
  }

  write(chunk) {
    if (!this.backpressure) return this.perform(chunk);
    this.isWriteWaiting = true;
    this.waiting = chunk;
    return later;
  }

  pull() {
    this.isPullWaiting = true;
    this.setBackpressure(false);
    return later;
  }

  setBackpressure(backpressure) {
    // Who waits for a change has waited since the last one: never both at once.
    this.backpressure = backpressure;
    if (!backpressure && this.isWriteWaiting) {
      this.isWriteWaiting = false;
      microtask(resumeWrite, this);
    } else if (backpressure && this.isPullWaiting) {
      this.isPullWaiting = false;
      microtask(sourcePulled, this.readable.controller);
    }
  }

  /** Transform a chunk; one that nobody will read any more is dropped. */
  perform(chunk) {
    if (this.transformer === undefined) return undefined;
    const outcome = this.transformer.transform(chunk, this);
    if (outcome === undefined) return undefined;
    this.onTransformFailed ??= (error) => {
      this.error(error);
      throw error;
    };
    return reaction(outcome, nothing, this.onTransformFailed);
  }

  // What the controller offers.
  desiredSize() {
    return this.readable.controller.desiredSize();
  }

  enqueue(chunk) {
    const { readable } = this;
    const { controller } = readable;
    if (!controller.canEnqueue()) throw new TypeError("The readable side takes no more chunks");
    let wants;
    try {
      wants = controller.enqueue(chunk);
    } catch (error) {
      this.errorWritable(error);
      throw readable.storedError;
    }
    if (wants === this.backpressure) this.setBackpressure(true);
  }

  error(error) {
    this.readable.controller.error(error);
    this.errorWritable(error);
  }

  terminate() {
    this.readable.controller.close();
    this.errorWritable(new TypeError("The stream was terminated"));
  }

  errorWritable(error) {
    this.transformer = undefined;
    this.writable.controller.error(error);
    this.unblockWrite();
  }

  unblockWrite() {
    if (this.backpressure) this.setBackpressure(false);
  }

  /** Call an algorithm that ends the stream. @param {"flush" | "cancel"} name */
  end(name, argument, succeeded, failed) {
    const promise = this.ended = newPromise();
    const outcome = this.transformer === undefined ? undefined : this.transformer[name](argument);
    this.transformer = undefined;
    upon(outcome, () => succeeded(promise), (error) => {
      failed(error);
      rejectPromise(promise, error);
    });
    return promise;
  }

  close() {
    if (this.ended !== undefined) return this.ended;
    const { readable } = this;
    return this.end("flush", this, (promise) => {
      if (readable.state === READABLE_ERRORED) {
        rejectPromise(promise, readable.storedError);
        return;
      }
      readable.controller.close();
      resolvePromise(promise, undefined);
    }, (error) => readable.controller.error(error));
  }

  abort(reason) {
    if (this.ended !== undefined) return this.ended;
    const { readable } = this;
    return this.end("cancel", reason, (promise) => {
      if (readable.state === READABLE_ERRORED) {
        rejectPromise(promise, readable.storedError);
        return;
      }
      readable.controller.error(reason);
      resolvePromise(promise, undefined);
    }, (error) => readable.controller.error(error));
  }

  cancel(reason) {
    if (this.ended !== undefined) return this.ended;
    const { writable } = this;
    return this.end("cancel", reason, (promise) => {
      if (writable.state === ERRORED) {
        rejectPromise(promise, writable.storedError);
        return;
      }
      writable.controller.error(reason);
      this.unblockWrite();
      resolvePromise(promise, undefined);
    }, (error) => {
      writable.controller.error(error);
      this.unblockWrite();
    });
  }
}
record(TransformState);

/**
 * In the standard each side waits for a promise that is resolved with that of `start`: two microtasks more, of which
 * what is cancelled or aborted meanwhile may make use.
 */
function nearlyStarted(stream) {
  microtask(soonStarted, stream);
}
function soonStarted(stream) {
  microtask(bothStarted, stream);
}
function bothStarted(stream) {
  stream.writable.controller.didStart();
  stream.readable.controller.didStart();
}
function soonFailed(stream, error) {
  microtask(bothFailed, stream, error);
}
function bothFailed(stream, error) {
  stream.writable.controller.didFailToStart(error);
  stream.readable.controller.error(error);
}

/** The readable side wants a chunk, or has ended. @param {TransformState} stream */
function resumeWrite(stream) {
  const { writable, waiting } = stream;
  const { controller } = writable;
  stream.waiting = undefined;
  const outcome = writable.state === ERRORING ? rejectedWith(writable.storedError) : stream.perform(waiting);
  if (outcome === undefined) microtask(sinkWritten, controller);
  else controller.awaitWrite(outcome);
}
