/** Encoding: TextEncoder, and TextDecoder for every encoding of the standard. The work on bytes is done in C. */

import {
  classOf, decode, decoderEncoding, isBufferSource, newDecoder, utf8Encode, utf8EncodeInto,
} from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset, isObject, RangeError, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, typedArrays, TypeError, Uint8Array,
} from "./primordials.js";
import { boolean, construct, dictionary, DOMString, execute, requireArguments, requireBrand } from "./webidl.js";

const decoderOptions = dictionary([
  { key: "fatal", convert: boolean, fallback: false },
  { key: "ignoreBOM", convert: boolean, fallback: false },
]);
const decodeOptions = dictionary([{ key: "stream", convert: boolean, fallback: false }]);
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
  /** The decoder of C, which holds the encoding and the state of the stream. */
  #decoder;
  #fatal;
  #ignoreBOM;

  static {
    isDecoder = (value) => #decoder in value;
  }

  constructor(label = "utf-8", options = undefined) {
    const where = construct("TextDecoder");
    const name = DOMString(label, where);
    const { fatal, ignoreBOM } = decoderOptions(options, where);
    this.#decoder = newDecoder(name, fatal, ignoreBOM);
    if (this.#decoder === undefined) {
      throw new RangeError(where + ": The encoding label provided ('" + name + "') is invalid.");
    }
    this.#fatal = fatal;
    this.#ignoreBOM = ignoreBOM;
  }
  get encoding() {
    requireBrand(#decoder in this);
    return decoderEncoding(this.#decoder);
  }
  get fatal() {
    requireBrand(#decoder in this);
    return this.#fatal;
  }
  get ignoreBOM() {
    requireBrand(#decoder in this);
    return this.#ignoreBOM;
  }
  decode(input = undefined, options = undefined) {
    requireBrand(#decoder in this);
    const where = execute("decode", "TextDecoder");
    if (input !== undefined && !isBufferSource(input, true)) {
      throw new TypeError(where + ": parameter 1 is not of type 'ArrayBuffer' or 'ArrayBufferView'.");
    }
    // Getters of the options may do anything to the buffer: it is read after them.
    const { stream } = decodeOptions(options, where);
    const text = decode(this.#decoder, input, stream);
    if (text === undefined) throw new TypeError(where + ": The encoded data was not valid.");
    return text;
  }
}

export const encoderTraits = { brand: isEncoder };
export const decoderTraits = { brand: isDecoder };
