/**
 * The controller of a readable byte stream, as a record: a queue of byte ranges, and the buffers that readers have
 * brought to be filled. What guest code sees of it is in readable_byte_classes.js.
 */

import {
  copyBytes, newQueue, queueClear, queueFirst, queueLength, queuePush, queueShift, queueShrink, queueTotal,
} from "sandbox:native";
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ArrayBufferPrototypeTransfer,
  MathMin, newList, RangeError, TypeError, Uint8Array,
} from "../primordials.js";
import { BYOB, cloneBytes, DEFAULT, NOBODY, PullInto, Range, unitBytes, viewOf } from "./pull_into.js";
import { Controller } from "./readable_controller.js";
import { CLOSED, errorReadable, READABLE } from "./readable_state.js";
import { record } from "./records.js";

/** A part of a buffer that the source may fill; the object of class ReadableStreamBYOBRequest is made from it. */
class ByobRequest {
  constructor(controller, view) {
    this.controller = controller;
    this.view = view;
    this.object = undefined;
  }
}
record(ByobRequest);

export class ByteController extends Controller {
  /** @param {number | undefined} autoAllocate Size in bytes of the buffers that default readers bring. */
  constructor(stream, source, highWaterMark, autoAllocate) {
    super(stream, source, highWaterMark);
    this.isByte = true;
    this.autoAllocate = autoAllocate;
    /** A queue of PullInto. */
    this.pending = newQueue();
    /** @type {ByobRequest | undefined} */
    this.request = undefined;
  }

  close() {
    if (!this.canEnqueue()) return;
    if (queueTotal(this.queue) > 0) {
      this.closeRequested = true;
      return;
    }
    if (queueLength(this.pending) > 0) {
      const first = queueFirst(this.pending);
      if (first.filled % first.unit !== 0) {
        const error = new TypeError("The stream was closed in the middle of an element of the view to be filled");
        this.error(error);
        throw error;
      }
    }
    this.finish();
  }

  error(error) {
    if (this.stream.state !== READABLE) return;
    this.clearPending();
    queueClear(this.queue);
    this.letGo();
    errorReadable(this.stream, error);
  }

  clearPending() {
    this.invalidate();
    queueClear(this.pending);
  }

  /** The bytes may be elsewhere now: the request that was handed out is void. */
  invalidate() {
    if (this.request === undefined) return;
    this.request.controller = undefined;
    this.request.view = null;
    this.request = undefined;
  }

  /** @returns {ByobRequest | undefined} */
  currentRequest() {
    if (this.request === undefined && queueLength(this.pending) > 0) {
      const { buffer, offset, length, filled } = queueFirst(this.pending);
      this.request = new ByobRequest(this, new Uint8Array(buffer, offset + filled, length - filled));
    }
    return this.request;
  }

  pushRange(buffer, offset, length) {
    queuePush(this.queue, new Range(buffer, offset, length), length);
  }

  pushClone(buffer, offset, length) {
    let copy;
    try {
      copy = cloneBytes(buffer, offset, length);
    } catch (error) {
      this.error(error);
      throw error;
    }
    this.pushRange(copy, 0, length);
  }

  /** What was filled on behalf of a reader that has gone belongs to the queue. @param {PullInto} into The first. */
  reclaim(into) {
    if (into.filled > 0) this.pushClone(into.buffer, into.offset, into.filled);
    queueShift(this.pending);
  }

  /** @throws {TypeError} The buffer, or that of the reader, is detached or cannot be transferred. */
  enqueue(buffer, offset, length) {
    if (!this.canEnqueue()) return;
    if (ArrayBufferPrototypeGetDetached(buffer)) throw new TypeError("The chunk's buffer is detached");
    const taken = ArrayBufferPrototypeTransfer(buffer);
    if (queueLength(this.pending) > 0) {
      const first = queueFirst(this.pending);
      if (ArrayBufferPrototypeGetDetached(first.buffer)) throw new TypeError("The buffer to be filled is detached");
      this.invalidate();
      first.buffer = ArrayBufferPrototypeTransfer(first.buffer);
      if (first.owner === NOBODY) this.reclaim(first);
    }
    const { reader } = this.stream;
    if (reader === undefined) {
      this.pushRange(taken, offset, length);
    } else if (reader.byob) {
      this.pushRange(taken, offset, length);
      this.commitAll(this.fillPending());
    } else {
      this.serveReads(reader);
      if (reader.request === undefined) {
        this.pushRange(taken, offset, length);
      } else {
        if (queueLength(this.pending) > 0) queueShift(this.pending);
        reader.takeRequest().chunk(new Uint8Array(taken, offset, length));
      }
    }
    this.pullIfNeeded();
  }

  serveReads(reader) {
    while (reader.request !== undefined && queueTotal(this.queue) > 0) this.serveRead(reader.takeRequest());
  }

  serveRead(request) {
    const { buffer, offset, length } = queueShift(this.queue);
    this.drained();
    request.chunk(new Uint8Array(buffer, offset, length));
  }

  drained() {
    if (queueTotal(this.queue) === 0 && this.closeRequested) this.finish();
    else this.pullIfNeeded();
  }

  /** Fill what waits from the queue; the list of those that have enough now, taken out. */
  fillPending() {
    const full = newList();
    while (queueLength(this.pending) > 0 && queueTotal(this.queue) > 0) {
      if (!this.fill(queueFirst(this.pending))) break;
      full[full.length] = queueShift(this.pending);
    }
    return full;
  }

  /** Move bytes from the queue to a buffer; whether it has enough, in whole elements. @param {PullInto} into */
  fill(into) {
    const most = into.filled + MathMin(queueTotal(this.queue), into.length - into.filled);
    const aligned = most - most % into.unit;
    const ready = aligned >= into.least;
    let left = (ready ? aligned : most) - into.filled;
    while (left > 0) {
      const head = queueFirst(this.queue);
      const length = MathMin(left, head.length);
      copyBytes(into.buffer, into.offset + into.filled, head.buffer, head.offset, length);
      if (length === head.length) {
        queueShift(this.queue);
      } else {
        head.offset += length;
        head.length -= length;
        queueShrink(this.queue, length);
      }
      into.filled += length;
      left -= length;
    }
    return ready;
  }

  commitAll(list) {
    for (let i = 0; i < list.length; i++) this.commit(list[i]);
  }

  /** Hand a filled buffer to who waits for it. @param {PullInto} into It has an owner. */
  commit(into) {
    const { state, reader } = this.stream;
    const view = into.view();
    const request = reader.takeRequest();
    if (state === CLOSED) request.close(view);
    else request.chunk(view);
  }

  /** A view to be filled by a BYOB reader. @param {number} least Elements. @param {object} request */
  pullInto(kind, buffer, offset, byteLength, least, request) {
    let taken;
    try {
      taken = ArrayBufferPrototypeTransfer(buffer);
    } catch (error) {
      request.error(error);
      return;
    }
    const into = new PullInto(taken, offset, byteLength, least * unitBytes[kind], kind, BYOB);
    const { stream } = this;
    if (queueLength(this.pending) === 0) {
      if (stream.state === CLOSED) {
        request.close(viewOf(kind, taken, offset, 0));
        return;
      }
      if (queueTotal(this.queue) > 0) {
        if (this.fill(into)) {
          const view = into.view();
          this.drained();
          request.chunk(view);
          return;
        }
        if (this.closeRequested) {
          const error = new TypeError("Too few bytes are left in the stream for an element of the view");
          this.error(error);
          request.error(error);
          return;
        }
      }
    }
    const isFirst = queueLength(this.pending) === 0;
    queuePush(this.pending, into, 1);
    stream.reader.addRequest(request);
    if (isFirst) this.pullIfNeeded();
  }

  /** The source has filled so many bytes of the first buffer. */
  respond(bytes) {
    const first = queueFirst(this.pending);
    if (this.stream.state === CLOSED) {
      if (bytes !== 0) throw new TypeError("The stream is closed: bytesWritten must be 0");
    } else {
      if (bytes === 0) throw new TypeError("The stream is readable: bytesWritten must be more than 0");
      if (first.filled + bytes > first.length) throw new RangeError("bytesWritten is more than the view's length");
    }
    first.buffer = ArrayBufferPrototypeTransfer(first.buffer);
    this.responded(first, bytes);
  }

  /** The same, in a buffer that has taken the place of the first one. */
  respondWithView(buffer, offset, length) {
    const first = queueFirst(this.pending);
    if (this.stream.state === CLOSED) {
      if (length !== 0) throw new TypeError("The stream is closed: the view must have length 0");
    } else if (length === 0) {
      throw new TypeError("The stream is readable: the view must have a length above 0");
    }
    if (first.offset + first.filled !== offset) throw new RangeError("The view begins at another offset");
    if (first.bufferLength !== ArrayBufferPrototypeGetByteLength(buffer)) {
      throw new RangeError("The view's buffer has another length");
    }
    if (first.filled + length > first.length) throw new RangeError("The view is longer than what was asked for");
    first.buffer = ArrayBufferPrototypeTransfer(buffer);
    this.responded(first, length);
  }

  responded(first, bytes) {
    this.invalidate();
    if (this.stream.state === CLOSED) this.respondedClosed(first);
    else this.respondedReadable(first, bytes);
    this.pullIfNeeded();
  }

  respondedClosed(first) {
    if (first.owner === NOBODY) queueShift(this.pending);
    const { reader } = this.stream;
    if (reader === undefined || !reader.byob) return;
    const list = newList();
    const count = reader.countRequests();
    while (list.length < count) list[list.length] = queueShift(this.pending);
    this.commitAll(list);
  }

  respondedReadable(first, bytes) {
    first.filled += bytes;
    if (first.owner === NOBODY) {
      this.reclaim(first);
      this.commitAll(this.fillPending());
      return;
    }
    if (first.filled < first.least) return;
    queueShift(this.pending);
    const rest = first.filled % first.unit;
    if (rest > 0) {
      this.pushClone(first.buffer, first.offset + first.filled - rest, rest);
      first.filled -= rest;
    }
    const list = this.fillPending();
    this.commit(first);
    this.commitAll(list);
  }

  cancelSteps(reason) {
    this.clearPending();
    queueClear(this.queue);
    return this.cancelSource(reason);
  }

  /** @param {import("./readable_state.js").ReadRequest} request Of a default reader. */
  pullSteps(request) {
    if (queueTotal(this.queue) > 0) {
      this.serveRead(request);
      return;
    }
    if (this.autoAllocate !== undefined) {
      let buffer;
      try {
        buffer = new ArrayBuffer(this.autoAllocate);
      } catch (error) {
        request.error(error);
        return;
      }
      queuePush(this.pending, new PullInto(buffer, 0, this.autoAllocate, 1, "Uint8Array", DEFAULT), 1);
    }
    this.stream.reader.addRequest(request);
    this.pullIfNeeded();
  }

  releaseSteps() {
    const { pending } = this;
    if (queueLength(pending) === 0) return;
    const first = queueFirst(pending);
    first.owner = NOBODY;
    queueClear(pending);
    queuePush(pending, first, 1);
  }
}

/**
 * Connect a stream with its byte source, and start that.
 * @returns {ByteController}
 * @throws {any} What the source's `start` throws.
 */
export function setUpByteController(stream, source, highWaterMark, autoAllocate) {
  const controller = stream.controller = new ByteController(stream, source, highWaterMark, autoAllocate);
  controller.start();
  return controller;
}
