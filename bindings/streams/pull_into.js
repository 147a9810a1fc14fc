/** Buffers that readers of byte streams bring to be filled, and the bytes that fill them. */

import { copyBytes } from "sandbox:native";
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeTransfer, DataView, typedArrays, Uint8Array,
} from "../primordials.js";
import { record } from "./records.js";

/** Who a buffer to be filled is for. */
export const NOBODY = 0;
export const DEFAULT = 1;
export const BYOB = 2;

export const unitBytes = { __proto__: null, DataView: 1 };
for (const kind in typedArrays) unitBytes[kind] = typedArrays[kind].BYTES_PER_ELEMENT;

/** A view of a kind. @param {string} kind Name of its class. */
export const viewOf = (kind, buffer, offset, byteLength) => (
  kind === "Uint8Array" ? new Uint8Array(buffer, offset, byteLength)
    : kind === "DataView" ? new DataView(buffer, offset, byteLength)
      : new typedArrays[kind](buffer, offset, byteLength / unitBytes[kind])
);

/** A copy of some bytes in a buffer of their own. */
export function cloneBytes(buffer, offset, length) {
  const copy = new ArrayBuffer(length);
  copyBytes(copy, 0, buffer, offset, length);
  return copy;
}

export class Range {
  constructor(buffer, offset, length) {
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
  }
}
record(Range);

/** A buffer that waits to be filled: the standard's pull-into descriptor. */
export class PullInto {
  constructor(buffer, offset, length, least, kind, owner) {
    this.buffer = buffer;
    this.bufferLength = ArrayBufferPrototypeGetByteLength(buffer);
    this.offset = offset;
    this.length = length;
    this.filled = 0;
    this.least = least;
    this.unit = unitBytes[kind];
    this.kind = kind;
    this.owner = owner;
  }

  /** What was filled, as a view of the kind that was asked for. Takes the buffer. */
  view() {
    return viewOf(this.kind, ArrayBufferPrototypeTransfer(this.buffer), this.offset, this.filled);
  }
}
record(PullInto);
