/** The controller of a writable stream, as a record: a queue of chunks, handed to an underlying sink one by one. */

import {
  microtask, newQueue, queueClear, queueFirst, queueLength, queuePush, queueShift, queueTotal, whenSettled,
} from "sandbox:native";
import { createAbortSignal, signalAbort } from "../abort.js";
import { newList } from "../primordials.js";
import { unrestrictedDouble } from "../webidl.js";
import { later, upon } from "./promises.js";
import { record } from "./records.js";
import { ERRORED, ERRORING, WRITABLE } from "./writable_state.js";

/**
 * Where chunks go.
 * @typedef {object} Sink
 * @property {(controller: WritableController) => import("./promises.js").Outcome} start
 * @property {(chunk: any, controller: WritableController) => import("./promises.js").Outcome} write
 * @property {() => import("./promises.js").Outcome} close
 * @property {(reason: any) => import("./promises.js").Outcome} abort
 */

const sizeWhere = "QueuingStrategy size function";

export class WritableController {
  /**
   * @param {import("./writable_state.js").WritableState} stream
   * @param {Sink} sink
   * @param {number} highWaterMark
   * @param {Function | undefined} size Of a chunk; undefined: each counts as 1.
   */
  constructor(stream, sink, highWaterMark, size) {
    this.stream = stream;
    /** @type {Sink | undefined} Let go when nothing more will be asked of it. */
    this.sink = sink;
    this.highWaterMark = highWaterMark;
    this.size = size;
    /** Of chunks, the one that is being written among them. */
    this.queue = newQueue();
    /** Of write requests, for the same chunks. */
    this.requests = newQueue();
    /** The request of a chunk whose size was none. */
    this.refused = undefined;
    this.started = false;
    /** The object guest code knows, once there is one. */
    this.object = undefined;
    /** @type {AbortSignal | undefined} Made when guest code asks for it. */
    this.abortSignal = undefined;
    this.aborted = false;
    this.abortReason = undefined;
    /** The chunk that is being written has not been in the queue. */
    this.isDirect = false;
    this.onWritten = undefined;
    this.onWriteFailed = undefined;
  }

  didStart() {
    this.started = true;
    this.advance();
  }

  didFailToStart(error) {
    this.started = true;
    this.stream.dealWithRejection(error);
  }

  signal() {
    if (this.abortSignal === undefined) {
      this.abortSignal = createAbortSignal();
      if (this.aborted) signalAbort(this.abortSignal, this.abortReason);
    }
    return this.abortSignal;
  }

  signalAbort(reason) {
    if (this.aborted) return;
    this.aborted = true;
    this.abortReason = reason;
    if (this.abortSignal !== undefined) signalAbort(this.abortSignal, reason);
  }

  desiredSize() {
    return this.highWaterMark - queueTotal(this.queue);
  }

  updateBackpressure() {
    const { stream } = this;
    if (stream.state !== WRITABLE || stream.isEnding) return;
    const backpressure = this.highWaterMark - queueTotal(this.queue) <= 0;
    if (backpressure !== stream.backpressure) stream.setBackpressure(backpressure);
  }

  letGo() {
    this.sink = this.size = undefined;
  }

  /** What a chunk counts; a strategy that throws is the stream's failure. */
  sizeOf(chunk) {
    const { size } = this;
    if (size === undefined) return 1;
    try {
      return unrestrictedDouble(size(chunk), sizeWhere);
    } catch (error) {
      this.error(error);
      return 1;
    }
  }

  error(error) {
    if (this.stream.state !== WRITABLE) return;
    this.letGo();
    this.stream.startErroring(error);
  }

  write(chunk, size, request) {
    try {
      queuePush(this.queue, chunk, size);
    } catch (error) {
      this.refused = request;
      this.error(error);
      return;
    }
    queuePush(this.requests, request, 1);
    this.updateBackpressure();
    this.advance();
  }

  /**
   * Give the sink a chunk past the queue, if it is free and the queue has room for one chunk only: nobody can tell, as
   * long as a pipe has the stream.
   * @param {import("./pipe.js").Pipe} pipe Told to go on when the chunk is written.
   * @returns {boolean} Whether the sink has it.
   */
  writeDirectly(chunk, pipe) {
    const { stream } = this;
    if (
      stream.writing !== undefined || stream.state !== WRITABLE || this.highWaterMark > 1 || this.size !== undefined ||
      !this.started
    ) return false;
    stream.writing = pipe;
    this.isDirect = true;
    const outcome = this.sink.write(chunk, this);
    if (outcome === undefined) microtask(sinkWritten, this);
    else if (outcome !== later) this.awaitWrite(outcome);
    return true;
  }

  /** Forget the queue; the requests that were waiting. */
  clear() {
    const { requests, refused } = this;
    const list = newList();
    while (queueLength(requests) > 0) list[list.length] = queueShift(requests);
    if (refused !== undefined) list[list.length] = refused;
    this.refused = undefined;
    queueClear(this.queue);
    return list;
  }

  abortSteps(reason) {
    const outcome = this.sink === undefined ? undefined : this.sink.abort(reason);
    this.letGo();
    return outcome;
  }

  /** Give the sink what comes next, if it is free. */
  advance() {
    const { stream } = this;
    if (!this.started || stream.writing !== undefined) return;
    if (stream.state === ERRORING) {
      stream.finishErroring();
    } else if (queueLength(this.queue) > 0) {
      stream.writing = queueShift(this.requests);
      const outcome = this.sink.write(queueFirst(this.queue), this);
      if (outcome === undefined) microtask(sinkWritten, this);
      else if (outcome !== later) this.awaitWrite(outcome);
    } else if (stream.closeRequest !== undefined) {
      this.processClose();
    }
  }

  awaitWrite(promise) {
    this.onWritten ??= () => sinkWritten(this);
    this.onWriteFailed ??= (error) => {
      this.isDirect = false;
      if (this.stream.state === WRITABLE) this.letGo();
      this.stream.writeFailed(error);
    };
    whenSettled(promise, this.onWritten, this.onWriteFailed);
  }

  processClose() {
    const { stream } = this;
    stream.closing = stream.closeRequest;
    stream.closeRequest = undefined;
    const outcome = this.sink.close();
    this.letGo();
    upon(outcome, () => stream.closed(), (error) => stream.closeFailed(error));
  }
}
record(WritableController);

function sinkStarted(controller) {
  controller.didStart();
}

/** The sink has written the chunk it was given. @param {WritableController} controller */
export function sinkWritten(controller) {
  const { stream } = controller;
  const request = stream.writing;
  stream.writing = undefined;
  request.resolve();
  if (controller.isDirect) {
    controller.isDirect = false;
    if (stream.state === WRITABLE) request.written();
    else controller.advance();
    return;
  }
  queueShift(controller.queue);
  controller.updateBackpressure();
  controller.advance();
}

/**
 * Connect a stream with its sink, and start that.
 * @returns {WritableController}
 * @throws {any} What the sink's `start` throws.
 */
export function setUpWritableController(stream, sink, highWaterMark, size) {
  const controller = stream.controller = new WritableController(stream, sink, highWaterMark, size);
  stream.setBackpressure(controller.desiredSize() <= 0);
  const outcome = sink.start(controller);
  if (outcome === undefined) {
    microtask(sinkStarted, controller);
  } else if (outcome !== later) {
    whenSettled(outcome, () => controller.didStart(), (error) => controller.didFailToStart(error));
  }
  return controller;
}

/** What a writer's `desiredSize` says. @param {import("./writable_state.js").WritableState} stream */
export function desiredSizeOf(stream) {
  if (stream.state === ERRORED || stream.state === ERRORING) return null;
  return stream.state === WRITABLE ? stream.controller.desiredSize() : 0;
}
