/** Encoding: TextEncoder and TextDecoder. UTF-8 is the one encoding this engine's programs exchange with their host. */

import { classOf, utf8Decode, utf8Encode, utf8EncodeInto } from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset, isObject, RangeError, StringPrototypeCharCodeAt, StringPrototypeSlice,
  StringPrototypeToLowerCase, StringPrototypeTrim, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeSet, typedArrays, TypeError, Uint8Array,
} from "./primordials.js";
import { boolean, construct, dictionary, DOMString, execute, requireArguments, requireBrand } from "./webidl.js";

const labels = {
  __proto__: null, "unicode-1-1-utf-8": true, "unicode11utf8": true, "unicode20utf8": true, "utf-8": true, "utf8": true,
  "x-unicode20utf8": true,
};
const decoderOptions = dictionary([
  { key: "fatal", convert: boolean, fallback: false },
  { key: "ignoreBOM", convert: boolean, fallback: false },
]);
const decodeOptions = dictionary([{ key: "stream", convert: boolean, fallback: false }]);
const byteOrderMark = 0xfeff;
const noBytes = new Uint8Array(0);

/**
 * The bytes of a buffer source, not copied. A detached buffer has none.
 * @param {any} source
 * @param {string} where
 * @returns {Uint8Array}
 */
export function bytesOf(source, where) {
  const kind = isObject(source) ? classOf(source) : "";
  if (kind === "ArrayBuffer") return ArrayBufferPrototypeGetByteLength(source) === 0 ? noBytes : new Uint8Array(source);
  if (kind === "SharedArrayBuffer") return new Uint8Array(source);
  if (typedArrays[kind]) {
    const length = TypedArrayPrototypeGetByteLength(source);
    if (length === 0) return noBytes;
    if (kind === "Uint8Array") return source;
    return new Uint8Array(TypedArrayPrototypeGetBuffer(source), TypedArrayPrototypeGetByteOffset(source), length);
  }
  if (kind === "DataView") {
    const buffer = DataViewPrototypeGetBuffer(source);
    if (classOf(buffer) === "ArrayBuffer" && ArrayBufferPrototypeGetByteLength(buffer) === 0) return noBytes;
    return new Uint8Array(buffer, DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source));
  }
  throw new TypeError(where + ": parameter 1 is not of type 'ArrayBuffer' or 'ArrayBufferView'.");
}

/**
 * How many bytes at the end begin a sequence that later bytes may complete.
 * @param {Uint8Array} bytes
 * @param {number} length
 */
function incompleteTail(bytes, length) {
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (needed <= back) return 0;
    if (back > 1) {
      // The second byte of some sequences has a narrower range: no overlong forms, surrogates, or beyond U+10FFFF.
      const second = bytes[length - back + 1];
      const least = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
      const most = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
      if (second < least || second > most) return 0;
    }
    return back;
  }
  return 0;
}

/** @param {Uint8Array} head @param {Uint8Array} bytes */
function concatenate(head, bytes) {
  const headLength = TypedArrayPrototypeGetByteLength(head);
  const joined = new Uint8Array(headLength + TypedArrayPrototypeGetByteLength(bytes));
  TypedArrayPrototypeSet(joined, head);
  TypedArrayPrototypeSet(joined, bytes, headLength);
  return joined;
}

/** @param {Uint8Array} bytes @param {number} start @param {number} length */
function view(bytes, start, length) {
  return new Uint8Array(TypedArrayPrototypeGetBuffer(bytes), TypedArrayPrototypeGetByteOffset(bytes) + start, length);
}

let isEncoder;
let isDecoder;

export class TextEncoder {
  #brand;
  static {
    isEncoder = (value) => #brand in value;
  }
  get encoding() {
    requireBrand(#brand in this);
    return "utf-8";
  }
  encode(input = "") {
    requireBrand(#brand in this);
    return utf8Encode(DOMString(input, execute("encode", "TextEncoder")));
  }
  encodeInto(source, destination) {
    requireBrand(#brand in this);
    const where = execute("encodeInto", "TextEncoder");
    requireArguments(arguments.length, 2, where);
    const text = DOMString(source, where);
    if (!isObject(destination) || classOf(destination) !== "Uint8Array") {
      throw new TypeError(where + ": parameter 2 is not of type 'Uint8Array'.");
    }
    const counts = utf8EncodeInto(text, destination);
    return { read: counts[0], written: counts[1] };
  }
}

export class TextDecoder {
  #fatal;
  #ignoreBOM;
  /** Bytes of a sequence that the next chunk may complete. */
  #tail = noBytes;
  /** Whether the stream has begun: a mark further on is text. */
  #begun = false;
  /** Whether the last call said that more is to come. */
  #open = false;

  static {
    isDecoder = (value) => #tail in value;
  }

  constructor(label = "utf-8", options = undefined) {
    const where = construct("TextDecoder");
    const name = DOMString(label, where);
    const { fatal, ignoreBOM } = decoderOptions(options, where);
    // Labels are ASCII, and so is the white space around them: a longer trim must not let other text through.
    const known = labels[StringPrototypeToLowerCase(StringPrototypeTrim(name))] === true && isAscii(name);
    if (!known) throw new RangeError(where + ": The encoding label provided ('" + name + "') is invalid.");
    this.#fatal = fatal;
    this.#ignoreBOM = ignoreBOM;
  }
  get encoding() {
    requireBrand(#tail in this);
    return "utf-8";
  }
  get fatal() {
    requireBrand(#tail in this);
    return this.#fatal;
  }
  get ignoreBOM() {
    requireBrand(#tail in this);
    return this.#ignoreBOM;
  }
  decode(input = undefined, options = undefined) {
    requireBrand(#tail in this);
    const where = execute("decode", "TextDecoder");
    let bytes = input === undefined ? noBytes : bytesOf(input, where);
    const { stream } = decodeOptions(options, where);
    if (!this.#open) {
      this.#tail = noBytes;
      this.#begun = false;
    }
    this.#open = stream;
    if (TypedArrayPrototypeGetByteLength(this.#tail) > 0) bytes = concatenate(this.#tail, bytes);
    this.#tail = noBytes;
    if (stream) {
      const length = TypedArrayPrototypeGetByteLength(bytes);
      const held = incompleteTail(bytes, length);
      if (held > 0) {
        this.#tail = concatenate(noBytes, view(bytes, length - held, held));
        bytes = view(bytes, 0, length - held);
      }
    }
    const text = utf8Decode(bytes, this.#fatal);
    if (text === undefined) {
      this.#tail = noBytes;
      throw new TypeError(where + ": The encoded data was not valid.");
    }
    if (this.#begun || text.length === 0) return text;
    this.#begun = true;
    if (this.#ignoreBOM || StringPrototypeCharCodeAt(text, 0) !== byteOrderMark) return text;
    return StringPrototypeSlice(text, 1);
  }
}

/** @param {string} text */
function isAscii(text) {
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    if (unit > 0x7f || unit === 0x0b) return false;
  }
  return true;
}

export const encoderTraits = { brand: isEncoder };
export const decoderTraits = { brand: isDecoder };
