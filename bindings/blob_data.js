/**
 * Immutable bytes in pieces, which blobs and bodies share instead of copying them.
 *
 * A piece is a Uint8Array over a buffer that no program can reach, so its bytes never change. Or it is a part of a file,
 * whose bytes are read when they are wanted.
 */

import { joinBytes } from "sandbox:native";
import {
  newList, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeSet, Uint8Array,
} from "./primordials.js";

/**
 * @typedef {object} BlobData
 * @property {(Uint8Array | Remote)[]} pieces None of them empty.
 * @property {number} size Bytes of all pieces.
 * @property {boolean} isRemote Whether some of them are to be read first.
 *
 * @typedef {object} Source Where bytes can be read, which do not change.
 * @property {(start: number, size: number, done: (bytes: Uint8Array) => void, failed: (error: any) => void) => void} read
 *   Gives all that are asked for.
 * @property {(start: number, size: number) => Uint8Array} readNow Likewise, at once.
 */

/** A part of a source. */
class Remote {
  /** @param {Source} source @param {number} start @param {number} size */
  constructor(source, start, size) {
    this.source = source;
    this.start = start;
    this.size = size;
  }
}
Object.setPrototypeOf(Remote.prototype, null);
const isRemote = (piece) => piece instanceof Remote;
const lengthOf = (piece) => (isRemote(piece) ? piece.size : TypedArrayPrototypeGetByteLength(piece));
const partOf = (piece, start, end) => (
  isRemote(piece) ? new Remote(piece.source, piece.start + start, end - start) : viewOf(piece, start, end)
);

/** @type {BlobData} */
export const noData = { __proto__: null, pieces: newList(), size: 0, isRemote: false };

/** All bytes of a source. @param {Source} source @param {number} size @returns {BlobData} */
export function remoteData(source, size) {
  if (size === 0) return noData;
  const pieces = newList();
  pieces[0] = new Remote(source, 0, size);
  return { __proto__: null, pieces, size, isRemote: true };
}

/** @param {Uint8Array} bytes Theirs from now on. @returns {BlobData} */
export function dataOf(bytes) {
  const size = TypedArrayPrototypeGetByteLength(bytes);
  if (size === 0) return noData;
  const pieces = newList();
  pieces[0] = bytes;
  return { __proto__: null, pieces, size, isRemote: false };
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
  #isRemote = false;
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
    self.#isRemote ||= data.isRemote;
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
    return { __proto__: null, pieces: self.#pieces, size: self.#size, isRemote: self.#isRemote };
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
    const length = lengthOf(piece);
    if (at + length > start) {
      const from = start > at ? start - at : 0;
      const to = end < at + length ? end - at : length;
      pieces[pieces.length] = to - from === length ? piece : partOf(piece, from, to);
    }
    at += length;
  }
  return { __proto__: null, pieces, size: end - start, isRemote: data.isRemote };
}

/** All bytes, copied; what must be read is read at once. @param {BlobData} data @returns {Uint8Array} */
export function joinData(data) {
  if (!data.isRemote) return joinBytes(data.pieces, false);
  const pieces = newList();
  for (let i = 0; i < data.pieces.length; i++) {
    const piece = data.pieces[i];
    pieces[i] = isRemote(piece) ? piece.source.readNow(piece.start, piece.size) : piece;
  }
  return joinBytes(pieces, false);
}

/**
 * Read what must be read. Where nothing must be, `done` is called at once.
 * @param {BlobData} data
 * @param {(data: BlobData) => void} done
 * @param {(error: any) => void} failed
 */
export function loadData(data, done, failed) {
  if (!data.isRemote) {
    done(data);
    return;
  }
  const pieces = newList();
  const next = () => {
    const piece = data.pieces[pieces.length];
    if (piece === undefined) {
      done({ __proto__: null, pieces, size: data.size, isRemote: false });
    } else {
      const add = (bytes) => {
        pieces[pieces.length] = bytes;
        next();
      };
      if (isRemote(piece)) piece.source.read(piece.start, piece.size, add, failed);
      else add(piece);
    }
  };
  next();
}

/**
 * Give the bytes out one after the other, in parts of a bounded size, reading what must be read.
 * @param {BlobData} data
 * @returns {(done: (bytes: Uint8Array | undefined, isLast: boolean) => void, failed: (error: any) => void) => void}
 */
export function chunksLater(data) {
  let at = 0;
  return (done, failed) => {
    const part = sliceData(data, at, at + remoteChunkBytes < data.size ? at + remoteChunkBytes : data.size);
    loadData(part, (loaded) => {
      at += part.size;
      done(joinData(loaded), at >= data.size);
    }, failed);
  };
}
const remoteChunkBytes = 1048576;

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
