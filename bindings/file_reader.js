/** FileReader (File API, section 6): blobs read in the manner of events. */

import { latin1Decode, task } from "sandbox:native";
import { blobData, blobType, isBlob } from "./blob.js";
import { joinData } from "./blob_data.js";
import { TextDecoder } from "./encoding.js";
import { defineEventHandler, EventTarget, fireEvent } from "./events.js";
import { parseMimeType } from "./mime_type.js";
import {
  DOMException, isObject, MapPrototypeGet, newList, ReflectApply, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypeError, Uint8ArrayPrototypeToBase64,
} from "./primordials.js";
import { ProgressEvent } from "./progress_event.js";
import { defineConstants, DOMString, execute, requireArguments, requireBrand } from "./webidl.js";

const EMPTY = 0;
const LOADING = 1;
const DONE = 2;
const { decode } = TextDecoder.prototype;

/** @param {string | undefined} label @returns {TextDecoder | undefined} Undefined when no encoding is called so. */
function decoderOf(label) {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

/** The encoding that the first bytes tell of. @param {Uint8Array} bytes */
function markedLabel(bytes) {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : undefined;
}

/** @param {Uint8Array} bytes @param {string} type @param {string | undefined} label */
function decodeAs(bytes, type, label) {
  const parsed = parseMimeType(type);
  const charset = parsed === null ? undefined : MapPrototypeGet(parsed.parameters, "charset");
  const decoder = decoderOf(markedLabel(bytes)) ?? decoderOf(label) ?? decoderOf(charset) ?? new TextDecoder();
  return ReflectApply(decode, decoder, [bytes]);
}

const packers = {
  __proto__: null,
  arrayBuffer: (bytes) => TypedArrayPrototypeGetBuffer(bytes),
  binaryString: (bytes) => latin1Decode(bytes, 0, TypedArrayPrototypeGetByteLength(bytes)),
  dataURL: (bytes, type) => (
    "data:" + (type === "" ? "application/octet-stream" : type) + ";base64," + Uint8ArrayPrototypeToBase64(bytes)
  ),
  text: decodeAs,
};

let isFileReader;

export class FileReader extends EventTarget {
  #state = EMPTY;
  #result = null;
  #error = null;
  /** The read in progress: events of another one are not fired. */
  #reading = undefined;

  static {
    isFileReader = (value) => #state in value;
  }

  /** Begin to read; each event is a task, so what a listener promises has come about before the next. */
  #read(blob, how, where, label = undefined) {
    if (!isObject(blob) || !isBlob(blob)) throw new TypeError(where + ": parameter 1 is not of type 'Blob'.");
    if (this.#state === LOADING) {
      throw new DOMException(where + ": The object is already busy reading Blobs.", "InvalidStateError");
    }
    const reading = this.#reading = {};
    this.#state = LOADING;
    this.#result = this.#error = null;
    const { size } = blobData(blob);
    const fire = (type, loaded) => {
      fireEvent(this, new ProgressEvent(type, { __proto__: null, lengthComputable: true, loaded, total: size }));
    };
    const steps = newList();
    steps[0] = () => fire("loadstart", 0);
    if (size > 0) steps[1] = () => fire("progress", size);
    steps[steps.length] = () => {
      this.#state = DONE;
      try {
        this.#result = packers[how](joinData(blobData(blob)), blobType(blob), label);
      } catch {
        this.#error = new DOMException("The blob could not be read.", "NotReadableError");
      }
      fire(this.#error === null ? "load" : "error", size);
    };
    steps[steps.length] = () => {
      if (this.#state !== LOADING) fire("loadend", size);
    };
    let at = 0;
    const next = () => {
      if (this.#reading !== reading) return;
      const step = steps[at++];
      if (at < steps.length) task(next);
      step();
    };
    task(next);
  }

  readAsArrayBuffer(blob) {
    requireBrand(#state in this);
    const where = execute("readAsArrayBuffer", "FileReader");
    requireArguments(arguments.length, 1, where);
    this.#read(blob, "arrayBuffer", where);
  }
  readAsBinaryString(blob) {
    requireBrand(#state in this);
    const where = execute("readAsBinaryString", "FileReader");
    requireArguments(arguments.length, 1, where);
    this.#read(blob, "binaryString", where);
  }
  readAsText(blob, encoding = undefined) {
    requireBrand(#state in this);
    const where = execute("readAsText", "FileReader");
    requireArguments(arguments.length, 1, where);
    this.#read(blob, "text", where, encoding === undefined ? undefined : DOMString(encoding, where));
  }
  readAsDataURL(blob) {
    requireBrand(#state in this);
    const where = execute("readAsDataURL", "FileReader");
    requireArguments(arguments.length, 1, where);
    this.#read(blob, "dataURL", where);
  }

  abort() {
    requireBrand(#state in this);
    const wasLoading = this.#state === LOADING;
    if (this.#state !== EMPTY) this.#result = null;
    if (!wasLoading) return;
    this.#reading = undefined;
    this.#state = DONE;
    const init = { __proto__: null };
    fireEvent(this, new ProgressEvent("abort", init));
    if (this.#state !== LOADING) fireEvent(this, new ProgressEvent("loadend", init));
  }

  get readyState() {
    requireBrand(#state in this);
    return this.#state;
  }
  get result() {
    requireBrand(#state in this);
    return this.#result;
  }
  get error() {
    requireBrand(#state in this);
    return this.#error;
  }
}
defineConstants(FileReader, { EMPTY, LOADING, DONE });
for (const type of ["loadstart", "progress", "load", "abort", "error", "loadend"]) {
  defineEventHandler(FileReader.prototype, type);
}

export const traits = { brand: isFileReader };
