/** Reading a stream to its end, as bodies do. */

import { copyBytes, fulfilPromise, newPromise, rejectPromise } from "sandbox:native";
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeTransfer, MathMax, TypeError, Uint8Array,
} from "../primordials.js";
import { acquireReader, readFrom } from "./readable_state.js";
import { record } from "./records.js";
import { viewParts } from "./views.js";

class Collector {
  constructor(stream) {
    this.reader = acquireReader(stream);
    this.promise = newPromise();
    /** Grows by doubling; the first `length` bytes count. */
    this.buffer = new ArrayBuffer(0);
    this.length = 0;
    /** Chunks that are there at once come in a loop, not deeper and deeper. */
    this.isAsking = false;
    this.hasChunk = false;
  }

  read() {
    do {
      this.hasChunk = false;
      this.isAsking = true;
      readFrom(this.reader, this);
      this.isAsking = false;
    } while (this.hasChunk);
  }

  chunk(value) {
    try {
      this.append(value);
    } catch (error) {
      rejectPromise(this.promise, error);
      return;
    }
    if (this.isAsking) this.hasChunk = true;
    else this.read();
  }

  append(value) {
    const { kind, buffer, offset, byteLength } = viewParts(value, "ReadableStream");
    if (kind !== "Uint8Array") throw new TypeError("A chunk of the stream is not of type 'Uint8Array'");
    const needed = this.length + byteLength;
    const room = ArrayBufferPrototypeGetByteLength(this.buffer);
    if (needed > room) this.buffer = ArrayBufferPrototypeTransfer(this.buffer, MathMax(needed, 2 * room));
    copyBytes(this.buffer, this.length, buffer, offset, byteLength);
    this.length = needed;
  }

  close() {
    let bytes;
    try {
      bytes = new Uint8Array(ArrayBufferPrototypeTransfer(this.buffer, this.length));
    } catch (error) {
      rejectPromise(this.promise, error);
      return;
    }
    fulfilPromise(this.promise, bytes);
  }

  error(reason) {
    rejectPromise(this.promise, reason);
  }
}
record(Collector);

/** @param {import("./readable_state.js").ReadableState} stream Not locked. @returns {Promise<Uint8Array>} */
export function readAllBytes(stream) {
  const collector = new Collector(stream);
  collector.read();
  return collector.promise;
}
