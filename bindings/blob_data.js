/**
 * Immutable bytes in pieces, which blobs and bodies share instead of copying them.
 *
 * A piece is a Uint8Array over a buffer that no program can reach, so its bytes never change.
 */

import { joinBytes } from "sandbox:native";
import {
  newList, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeSet, Uint8Array,
} from "./primordials.js";

/**
 * @typedef {object} BlobData
 * @property {Uint8Array[]} pieces None of them empty.
 * @property {number} size Bytes of all pieces.
 */

/** @type {BlobData} */
export const noData = { __proto__: null, pieces: newList(), size: 0 };

/** @param {Uint8Array} bytes Theirs from now on. @returns {BlobData} */
export function dataOf(bytes) {
  const size = TypedArrayPrototypeGetByteLength(bytes);
  if (size === 0) return noData;
  const pieces = newList();
  pieces[0] = bytes;
  return { __proto__: null, pieces, size };
}

/** A part of bytes, which shares their memory. @param {Uint8Array} bytes @param {number} start @param {number} end */
export function viewOf(bytes, start, end) {
  const offset = TypedArrayPrototypeGetByteOffset(bytes) + start;
  return new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), offset, end - start);
}

/** Puts pieces together; neighbours that are new are copied into one. */
export class DataBuilder {
  #pieces = newList();
  #size = 0;
  /** Texts and bytes not yet copied. */
  #fresh = newList();
  #unifyLines;

  /** @param {boolean} [unifyLines] Whether line endings of texts become native ones. */
  constructor(unifyLines = false) {
    this.#unifyLines = unifyLines;
  }
  /** @param {DataBuilder} self @param {string | Uint8Array} part Copied before guest code can run. */
  static add(self, part) {
    self.#fresh[self.#fresh.length] = part;
  }
  /** @param {DataBuilder} self @param {BlobData} data Shared. */
  static share(self, data) {
    self.#flush();
    for (let i = 0; i < data.pieces.length; i++) self.#pieces[self.#pieces.length] = data.pieces[i];
    self.#size += data.size;
  }
  #flush() {
    if (this.#fresh.length === 0) return;
    const bytes = joinBytes(this.#fresh, this.#unifyLines);
    this.#fresh = newList();
    const length = TypedArrayPrototypeGetByteLength(bytes);
    if (length === 0) return;
    this.#pieces[this.#pieces.length] = bytes;
    this.#size += length;
  }
  /** @param {DataBuilder} self @returns {BlobData} */
  static finish(self) {
    self.#flush();
    return { __proto__: null, pieces: self.#pieces, size: self.#size };
  }
}
export const { add: addPart, share: sharePart, finish: finishData } = DataBuilder;

/** A part of the bytes, which shares their memory. @param {BlobData} data @param {number} start @param {number} end */
export function sliceData(data, start, end) {
  if (end <= start) return noData;
  const pieces = newList();
  let at = 0; // where the piece begins
  for (let i = 0; i < data.pieces.length && at < end; i++) {
    const piece = data.pieces[i];
    const length = TypedArrayPrototypeGetByteLength(piece);
    if (at + length > start) {
      const from = start > at ? start - at : 0;
      const to = end < at + length ? end - at : length;
      pieces[pieces.length] = to - from === length ? piece : viewOf(piece, from, to);
    }
    at += length;
  }
  return { __proto__: null, pieces, size: end - start };
}

/** All bytes, copied. @param {BlobData} data @returns {Uint8Array} */
export const joinData = (data) => joinBytes(data.pieces, false);

/**
 * Give the bytes out one after the other, copied in parts of a bounded size.
 * @param {BlobData} data
 * @returns {() => Uint8Array | undefined} Undefined when there are no more.
 */
export function chunksOf(data) {
  let index = 0;
  let at = 0; // in the piece
  return () => {
    if (index === data.pieces.length) return undefined;
    const piece = data.pieces[index];
    const length = TypedArrayPrototypeGetByteLength(piece);
    const end = length - at > chunkBytes ? at + chunkBytes : length;
    const chunk = new Uint8Array(end - at);
    TypedArrayPrototypeSet(chunk, viewOf(piece, at, end));
    at = end;
    if (at === length) {
      index++;
      at = 0;
    }
    return chunk;
  };
}
const chunkBytes = 65536;
