/** CompressionStream and DecompressionStream. The codecs are C; see wasm/src/compression.c. */

import { codecEnded, codecExcess, codecRun, isBufferSource, newCodec } from "sandbox:native";
import { TypeError } from "./primordials.js";
import { pairOf, setUpTransform } from "./streams/internal.js";
import { construct, DOMString, requireArguments, requireBrand } from "./webidl.js";

/** What zlib calls window bits says both how far back repetitions are found, and which format it is. */
const formats = { __proto__: null, deflate: 15, "deflate-raw": -15, gzip: 31 };

const invalid = (reason) => new TypeError("The compressed data was not valid: " + reason + ".");

/** The codec of an argument of a constructor. @param {boolean} compresses */
function codecFor(value, compresses, where) {
  const format = DOMString(value, where);
  const windowBits = formats[format];
  if (windowBits === undefined) throw new TypeError(where + ": Unsupported compression format: '" + format + "'.");
  return newCodec(windowBits, compresses);
}

/** Run a codec, and hand on what it makes. */
function run(codec, chunk, isEnd, stream) {
  const made = codecRun(codec, chunk, isEnd);
  for (let i = 0; i < made.length; i++) stream.enqueue(made[i]);
}

function codecStream(codec, flush) {
  return setUpTransform({
    transform(chunk, stream) {
      if (!isBufferSource(chunk, false)) {
        throw new TypeError("The provided value is not of type '(ArrayBuffer or ArrayBufferView)'.");
      }
      run(codec, chunk, false, stream);
      if (codecExcess(codec)) throw invalid("there is more after its end");
    },
    flush,
  });
}

let isCompressor;
let isDecompressor;

export class CompressionStream {
  #stream;
  static {
    isCompressor = (value) => #stream in value;
  }
  constructor(format) {
    const where = construct("CompressionStream");
    requireArguments(arguments.length, 1, where);
    const codec = codecFor(format, true, where);
    this.#stream = codecStream(codec, (stream) => run(codec, undefined, true, stream));
  }
  get readable() {
    requireBrand(#stream in this);
    return pairOf(this.#stream).readable;
  }
  get writable() {
    requireBrand(#stream in this);
    return pairOf(this.#stream).writable;
  }
}

export class DecompressionStream {
  #stream;
  static {
    isDecompressor = (value) => #stream in value;
  }
  constructor(format) {
    const where = construct("DecompressionStream");
    requireArguments(arguments.length, 1, where);
    const codec = codecFor(format, false, where);
    this.#stream = codecStream(codec, () => {
      if (!codecEnded(codec)) throw invalid("it is cut off");
    });
  }
  get readable() {
    requireBrand(#stream in this);
    return pairOf(this.#stream).readable;
  }
  get writable() {
    requireBrand(#stream in this);
    return pairOf(this.#stream).writable;
  }
}

export const compressionTraits = { brand: isCompressor };
export const decompressionTraits = { brand: isDecompressor };
