/**
 * Transfer of streams, for structuredClone and postMessage: the standard's cross-realm transforms.
 *
 * A stream that is transferred stays where it is and is piped to, or from, one end of a channel; a new stream has the
 * other end. What passes is cloned, and arrives by a task.
 */

import { markHandled, newPromise, reaction, rejectedWith, resolvedWith, resolvePromise, task } from "sandbox:native";
import { DOMException, newList, ObjectCreate } from "../primordials.js";
import { clone } from "../structured_clone.js";
import { pipeTo } from "./pipe.js";
import { readableObject } from "./readable.js";
import { setUpDefaultController } from "./readable_default.js";
import { ReadableState, readables } from "./readable_state.js";
import { record } from "./records.js";
import { TransformStream } from "./transform.js";
import { transforms } from "./transform_state.js";
import { writableObject } from "./writable.js";
import { setUpWritableController } from "./writable_controller.js";
import { WritableState, writables } from "./writable_state.js";

const noTransfer = newList();
const noOptions = {
  __proto__: null, preventAbort: false, preventCancel: false, preventClose: false, signal: undefined,
};

/** One end of a channel between two streams. */
class End {
  constructor() {
    /** @type {End | undefined} */
    this.other = undefined;
    /** The stream's sink or source. @type {{ receive(type: string, value: any): void }} */
    this.owner = undefined;
  }

  /** @throws {DOMException} The value cannot be cloned. */
  post(type, value) {
    const { other } = this;
    const copy = clone(value, noTransfer, "ReadableStream").value;
    if (other !== undefined) task(deliver, { __proto__: null, end: other, type, value: copy });
  }

  /** Likewise; the other side is told why. */
  send(type, value) {
    try {
      this.post(type, value);
    } catch (error) {
      try {
        this.post("error", error);
      } catch {
        // Then it learns nothing.
      }
      throw error;
    }
  }

  /** The last thing that is sent. @returns {Promise<undefined> | undefined} */
  finish(reason) {
    try {
      this.send("error", reason);
      return undefined;
    } catch (error) {
      return rejectedWith(error);
    } finally {
      this.close();
    }
  }

  /** What is on its way still arrives. */
  close() {
    this.other = undefined;
  }
}
record(End);

/** A task. @param {{ end: End, type: string, value: any }} message */
function deliver({ end, type, value }) {
  end.owner.receive(type, value);
}

/** A source whose chunks come from an end. */
class FarSource {
  constructor(end) {
    this.end = end;
    this.pulls = true;
    this.controller = undefined;
    end.owner = this;
  }

  receive(type, value) {
    if (type === "chunk") {
      this.controller.enqueue(value);
      return;
    }
    if (type === "close") this.controller.close();
    else this.controller.error(value);
    this.end.close();
  }

  start(controller) {
    this.controller = controller;
  }

  pull() {
    this.end.post("pull", undefined);
  }

  cancel(reason) {
    return this.end.finish(reason);
  }
}
record(FarSource);

/** A sink whose chunks go to an end. */
class FarSink {
  constructor(end) {
    this.end = end;
    this.controller = undefined;
    /** Settles when the other side wants a chunk. @type {Promise<undefined> | undefined} */
    this.wanted = newPromise();
    end.owner = this;
  }

  receive(type, value) {
    if (type === "error") this.controller.error(value);
    const { wanted } = this;
    this.wanted = undefined;
    if (wanted !== undefined) resolvePromise(wanted, undefined);
  }

  start(controller) {
    this.controller = controller;
  }

  write(chunk) {
    return reaction(this.wanted ?? resolvedWith(undefined), () => {
      this.wanted = newPromise();
      try {
        this.end.send("chunk", chunk);
      } catch (error) {
        this.end.close();
        throw error;
      }
    }, undefined);
  }

  close() {
    this.end.post("close", undefined);
    this.end.close();
  }

  abort(reason) {
    return this.end.finish(reason);
  }
}
record(FarSink);

/** Both ends of a new channel. */
function newChannel() {
  const near = new End();
  const far = new End();
  near.other = far;
  far.other = near;
  return { __proto__: null, near, far };
}

function readableOf(end) {
  const stream = new ReadableState();
  setUpDefaultController(stream, new FarSource(end), 0, undefined);
  return stream;
}

function writableOf(end) {
  const stream = new WritableState();
  setUpWritableController(stream, new FarSink(end), 1, undefined);
  return stream;
}

function requireFree(isLocked, name) {
  if (isLocked) throw new DOMException("A " + name + " that is locked could not be transferred.", "DataCloneError");
}

/** @param {ReadableState} stream @returns {ReadableState} */
function moveReadable(stream) {
  const { near, far } = newChannel();
  const moved = readableOf(far);
  markHandled(pipeTo(stream, writableOf(near), noOptions));
  return moved;
}

/** @param {WritableState} stream @returns {WritableState} */
function moveWritable(stream) {
  const { near, far } = newChannel();
  const moved = writableOf(far);
  markHandled(pipeTo(readableOf(near), stream, noOptions));
  return moved;
}

/** A stream that was moved is locked, and so refused when it is moved again. */
const isDetached = () => false;

export const readableTransfer = {
  isDetached,
  transfer(value) {
    const stream = readables.of(value);
    requireFree(stream.reader !== undefined, "ReadableStream");
    return readableObject(moveReadable(stream));
  },
};

export const writableTransfer = {
  isDetached,
  transfer(value) {
    const stream = writables.of(value);
    requireFree(stream.writer !== undefined, "WritableStream");
    return writableObject(moveWritable(stream));
  },
};

const { prototype: transformPrototype } = TransformStream;

export const transformTransfer = {
  isDetached,
  transfer(value) {
    const { readable, writable } = transforms.of(value);
    requireFree(readable.reader !== undefined || writable.writer !== undefined, "TransformStream");
    const pair = { __proto__: null, readable: moveReadable(readable), writable: moveWritable(writable) };
    return transforms.stamp(ObjectCreate(transformPrototype), pair);
  },
};
