/** Blob and File (File API). Their bytes are pieces that blobs share, so slices and blobs of blobs copy nothing. */

import { tag } from "sandbox:abi.js";
import { classOf, utf8Decode } from "sandbox:native";
import {
  addPart, DataBuilder, dataOf, finishData, joinData, loadData, noData, sharePart, sliceData,
} from "./blob_data.js";
import { createByteStream } from "./body_stream.js";
import { crossing } from "./crossing.js";
import { bytesOf } from "./encoding.js";
import { parseMimeType, serializeMimeType } from "./mime_type.js";
import {
  DateNow, isObject, newList, Promise, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeSlice,
  StringPrototypeToLowerCase, SymbolIterator, TypedArrayPrototypeGetBuffer, typedArrays, TypeError,
} from "./primordials.js";
import {
  construct, dictionary, DOMString, enumeration, execute, integer, requireArguments, requireBrand, sequence, USVString,
} from "./webidl.js";

const outsideASCII = /[^\x20-\x7e]/;
const longLong = integer(64, true);
const clampedLongLong = integer(64, true, "clamp");
const endingType = enumeration("EndingType", ["transparent", "native"]);
const endings = { key: "endings", convert: endingType, fallback: "transparent" };
const type = { key: "type", convert: DOMString, fallback: "" };
// Members of the dictionary that the other one inherits from are read first.
const blobOptions = dictionary([endings, type]);
const fileOptions = dictionary([endings, type, { key: "lastModified", convert: longLong }]);

/**
 * A type as blobs have it: in the serialized form of MIME types, as the tests of that standard ask, which keeps
 * boundaries whole. What is no MIME type is as the File API says: in lower case, and nothing but printable ASCII.
 * @param {string} text
 */
function normalizeType(text) {
  if (text === "") return text;
  const type = parseMimeType(text);
  if (type !== null) return serializeMimeType(type);
  return RegExpPrototypeExec(outsideASCII, text) === null ? StringPrototypeToLowerCase(text) : "";
}

/** @param {any} value */
export function isBufferSource(value) {
  const kind = classOf(value);
  return kind === "ArrayBuffer" || kind === "DataView" || typedArrays[kind] !== undefined;
}

/** A part of a blob: a buffer or a blob as it is, anything else as text. */
function blobPart(value, where) {
  return isObject(value) && (isBlob(value) || isBufferSource(value)) ? value : USVString(value, where);
}

/** @param {any[]} parts @param {boolean} unifyLines @param {string} where */
function gather(parts, unifyLines, where) {
  const builder = new DataBuilder(unifyLines);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (typeof part === "string") addPart(builder, part);
    else if (isBlob(part)) sharePart(builder, blobData(part));
    else addPart(builder, bytesOf(part, where));
  }
  return finishData(builder);
}

function readParts(parts, where) {
  const method = isObject(parts) ? parts[SymbolIterator] : undefined;
  if (method === undefined || method === null) {
    throw new TypeError(where + ": The provided value cannot be converted to a sequence.");
  }
  return sequence(parts, blobPart, where, method);
}

/** UTF-8, without a mark at its beginning. @param {Uint8Array} bytes */
export function decodeText(bytes) {
  const text = utf8Decode(bytes, false);
  return StringPrototypeCharCodeAt(text, 0) === 0xfeff ? StringPrototypeSlice(text, 1) : text;
}

/** A promise of all bytes of a blob. @param {any} self @param {(bytes: Uint8Array) => any} convert */
const read = (self, convert) => new Promise((resolve, reject) => {
  requireBrand(isObject(self) && isBlob(self));
  loadData(blobData(self), (data) => {
    try {
      resolve(convert(joinData(data)));
    } catch (error) {
      reject(error); // memory does not suffice
    }
  }, reject);
});

/** What the constructor of File gives that of Blob: it fills the blob itself. */
const unfilled = {};

let isBlob;
let isFile;
let blobData;
let blobType;
let fileName;
let fileModified;
let fill;
let makeNamed;

export class Blob {
  /** @type {import("./blob_data.js").BlobData} */
  #data = noData;
  #type = "";

  static {
    isBlob = (value) => #data in value;
    blobData = (blob) => blob.#data;
    blobType = (blob) => blob.#type;
    fill = (blob, data, kind) => {
      blob.#data = data;
      blob.#type = kind;
      return blob;
    };
  }

  constructor(blobParts = undefined, options = undefined) {
    if (blobParts === unfilled) return;
    const where = construct("Blob");
    if (blobParts !== undefined) {
      const parts = readParts(blobParts, where);
      const given = blobOptions(options, where);
      this.#data = gather(parts, given.endings === "native", where);
      this.#type = normalizeType(given.type);
    } else {
      this.#type = normalizeType(blobOptions(options, where).type);
    }
    crossBlob(this);
  }

  get size() {
    requireBrand(#data in this);
    return this.#data.size;
  }
  get type() {
    requireBrand(#data in this);
    return this.#type;
  }

  slice(start = undefined, end = undefined, contentType = undefined) {
    requireBrand(#data in this);
    const where = execute("slice", "Blob");
    const { size } = this.#data;
    const first = start === undefined ? 0 : clampedLongLong(start, where);
    const last = end === undefined ? size : clampedLongLong(end, where);
    const kind = contentType === undefined ? "" : normalizeType(DOMString(contentType, where));
    const from = first < 0 ? (first + size > 0 ? first + size : 0) : first < size ? first : size;
    const to = last < 0 ? (last + size > 0 ? last + size : 0) : last < size ? last : size;
    return fill(new Blob(), sliceData(this.#data, from, to), kind);
  }

  stream() {
    requireBrand(#data in this);
    return createByteStream(this.#data);
  }
  arrayBuffer() {
    return read(this, (bytes) => TypedArrayPrototypeGetBuffer(bytes));
  }
  bytes() {
    return read(this, (bytes) => bytes);
  }
  text() {
    return read(this, decodeText);
  }
}

export class File extends Blob {
  #name = "";
  #lastModified = 0;

  static {
    isFile = (value) => #name in value && isBlob(value);
    fileName = (file) => file.#name;
    fileModified = (file) => file.#lastModified;
    makeNamed = (data, kind, name, lastModified) => {
      const file = new File(unfilled, "");
      fill(file, data, kind);
      file.#name = name;
      file.#lastModified = lastModified;
      return file;
    };
  }

  constructor(fileBits, fileName, options = undefined) {
    super(unfilled);
    if (fileBits !== unfilled) {
      const where = construct("File");
      requireArguments(arguments.length, 2, where);
      const parts = readParts(fileBits, where);
      this.#name = USVString(fileName, where);
      const given = fileOptions(options, where);
      this.#lastModified = given.lastModified ?? DateNow();
      fill(this, gather(parts, given.endings === "native", where), normalizeType(given.type));
    }
    crossFile(this);
  }

  get name() {
    requireBrand(#name in this);
    return this.#name;
  }
  get lastModified() {
    requireBrand(#name in this);
    return this.#lastModified;
  }
}

/** @type {(data: import("./blob_data.js").BlobData, type: string) => Blob} The type is taken as it is. */
export const makeBlob = (data, kind) => fill(new Blob(), data, kind);
/** @type {(data: import("./blob_data.js").BlobData, type: string, name: string, lastModified: number) => File} */
export const makeFile = makeNamed;
/** The brand of Blob, which files have too; that of File; what they hold. The argument is an object. */
export { blobData, blobType, fileModified, fileName, isBlob, isFile };

const crossBlob = crossing(
  tag.blob,
  (blob) => { const parts = newList(); parts[0] = joinData(blobData(blob)); parts[1] = blobType(blob); return parts; },
  (parts) => makeBlob(dataOf(parts[0]), normalizeType(parts[1])),
);
const crossFile = crossing(
  tag.file,
  (file) => {
    const parts = newList();
    parts[0] = joinData(blobData(file));
    parts[1] = blobType(file);
    parts[2] = fileName(file);
    parts[3] = fileModified(file);
    return parts;
  },
  (parts) => makeFile(dataOf(parts[0]), normalizeType(parts[1]), parts[2], parts[3]),
);

function entriesOf(blob) {
  const entries = newList();
  entries[0] = ["size", blobData(blob).size];
  entries[1] = ["type", blobType(blob)];
  return entries;
}

export const blobTraits = {
  brand: isBlob,
  inspect: (blob) => ({ __proto__: null, entries: entriesOf(blob) }),
  clone: (blob) => makeBlob(blobData(blob), blobType(blob)),
};
export const fileTraits = {
  brand: isFile,
  inspect: (file) => {
    const entries = entriesOf(file);
    entries[2] = ["name", fileName(file)];
    entries[3] = ["lastModified", fileModified(file)];
    return { __proto__: null, entries };
  },
  clone: (file) => makeFile(blobData(file), blobType(file), fileName(file), fileModified(file)),
};
