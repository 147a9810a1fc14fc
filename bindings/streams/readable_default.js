/** ReadableStreamDefaultController: a queue of chunks, filled by an underlying source. */

import { queueClear, queueLength, queuePush, queueShift } from "sandbox:native";
import { ObjectCreate, TypeError } from "../primordials.js";
import { execute, unrestrictedDouble } from "../webidl.js";
import { Controller } from "./readable_controller.js";
import { errorReadable, READABLE } from "./readable_state.js";
import { Brand } from "./records.js";

const sizeWhere = "QueuingStrategy size function";

export class DefaultController extends Controller {
  /** @param {Function | undefined} size Of a chunk; undefined: each counts as 1. */
  constructor(stream, source, highWaterMark, size) {
    super(stream, source, highWaterMark);
    this.isByte = false;
    this.size = size;
  }

  /**
   * @returns {boolean} Whether more is wanted; the opposite is what transform streams call backpressure.
   * @throws {any} What the size function throws, or that it gave no size; the stream has failed then.
   */
  enqueue(chunk) {
    const { stream } = this;
    if (this.closeRequested || stream.state !== READABLE) return false;
    const { reader } = stream;
    if (reader !== undefined && reader.request !== undefined) {
      reader.takeRequest().chunk(chunk);
    } else if (this.size === undefined) {
      queuePush(this.queue, chunk, 1);
    } else {
      try {
        const { size } = this;
        queuePush(this.queue, chunk, unrestrictedDouble(size(chunk), sizeWhere));
      } catch (error) {
        this.error(error);
        throw error;
      }
    }
    return this.pullIfNeeded();
  }

  close() {
    if (!this.canEnqueue()) return;
    this.closeRequested = true;
    if (queueLength(this.queue) === 0) this.finish();
  }

  letGo() {
    this.source = this.size = undefined;
  }

  error(error) {
    if (this.stream.state !== READABLE) return;
    queueClear(this.queue);
    this.letGo();
    errorReadable(this.stream, error);
  }

  cancelSteps(reason) {
    queueClear(this.queue);
    return this.cancelSource(reason);
  }

  /** @param {import("./readable_state.js").ReadRequest} request */
  pullSteps(request) {
    if (queueLength(this.queue) === 0) {
      this.stream.reader.addRequest(request);
      this.pullIfNeeded();
      return;
    }
    const chunk = queueShift(this.queue);
    if (this.closeRequested && queueLength(this.queue) === 0) this.finish();
    else this.pullIfNeeded();
    request.chunk(chunk);
  }

  releaseSteps() {}
}

/**
 * Connect a stream with its source, and start that.
 * @returns {DefaultController}
 * @throws {any} What the source's `start` throws.
 */
export function setUpDefaultController(stream, source, highWaterMark, size) {
  const controller = stream.controller = new DefaultController(stream, source, highWaterMark, size);
  controller.start();
  return controller;
}

/** @type {Brand<DefaultController>} */
const controllers = new Brand();

export class ReadableStreamDefaultController {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  get desiredSize() {
    return controllers.require(this).desiredSize();
  }

  close() {
    const controller = controllers.require(this);
    if (!controller.canEnqueue()) throw new TypeError(execute("close", name) + ": The stream takes no more chunks.");
    controller.close();
  }

  enqueue(chunk = undefined) {
    const controller = controllers.require(this);
    if (!controller.canEnqueue()) throw new TypeError(execute("enqueue", name) + ": The stream takes no more chunks.");
    controller.enqueue(chunk);
  }

  error(error = undefined) {
    controllers.require(this).error(error);
  }
}
const { name, prototype } = ReadableStreamDefaultController;

/** The controller as guest code knows it. @param {DefaultController} controller */
export const defaultControllerObject = (controller) => {
  controller.object ??= controllers.stamp(ObjectCreate(prototype), controller);
  return controller.object;
};

export const defaultControllerTraits = { brand: (value) => controllers.of(value) !== undefined };
