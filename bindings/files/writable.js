/** FileSystemWritableFileStream: what is written is the file when the stream is closed, and not before. */

import * as files from "../files.js";
import { blobData, isBlob, isBufferSource } from "../blob.js";
import { chunksLater } from "../blob_data.js";
import { bytesOf } from "../encoding.js";
import {
  DOMException, FinalizationRegistry, FinalizationRegistryPrototypeRegister, FinalizationRegistryPrototypeUnregister,
  isObject, ObjectSetPrototypeOf, Promise, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, TypeError,
  Uint8Array,
} from "../primordials.js";
import { createWritableStream, writeChunk } from "../streams/internal.js";
import { Brand } from "../streams/records.js";
import { WritableStream } from "../streams/writable.js";
import { utf8Encode } from "sandbox:native";
import {
  dictionary, enumeration, execute, integer, requireArguments, requireBrand, USVString,
} from "../webidl.js";
import { domFailure } from "./failures.js";

const unsignedLongLong = integer(64, false);
const nullable = (convert) => (value, where) => (value === null ? null : convert(value, where));
const isBytes = (value) => isObject(value) && (isBlob(value) || isBufferSource(value));
const bytesOrText = (value, where) => (isBytes(value) ? value : USVString(value, where));
const writeParams = dictionary([
  { key: "data", convert: nullable(bytesOrText) },
  { key: "position", convert: nullable(unsignedLongLong) },
  { key: "size", convert: nullable(unsignedLongLong) },
  { key: "type", convert: enumeration("WriteCommandType", ["write", "seek", "truncate"]), required: true },
]);

/** A chunk as a command. */
function commandOf(chunk, where) {
  if (isBytes(chunk) || (!isObject(chunk) && chunk !== undefined && chunk !== null)) {
    return { __proto__: null, type: "write", data: bytesOrText(chunk, where), position: undefined, size: undefined };
  }
  return writeParams(chunk, where);
}

/** What is dropped without being closed is forgotten by the host as well. */
const registry = new FinalizationRegistry((number) => files.discard(number));

/** What one stream writes to. */
class Target {
  #number;
  #cursor = 0;
  #isOver = false;
  /** By which the registry knows the stream. */
  token = { __proto__: null };

  constructor(number) {
    this.#number = number;
  }

  /** @param {Target} self @param {any} chunk */
  static write(self, chunk) {
    const where = execute("write", name);
    return new Promise((resolve, reject) => {
      const failed = (error) => {
        self.#discard();
        reject(error);
      };
      try {
        self.#do(commandOf(chunk, where), where, () => resolve(undefined), failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  #do(command, where, done, failed) {
    const { type, data, position, size } = command;
    const refused = (problem) => failed(domFailure(problem, where));
    if (type === "seek") {
      if (typeof position !== "number") throw new DOMException(where + ": seek needs a position", "SyntaxError");
      this.#cursor = position;
      done();
    } else if (type === "truncate") {
      if (typeof size !== "number") throw new DOMException(where + ": truncate needs a size", "SyntaxError");
      files.truncate(this.#number, size, () => {
        if (this.#cursor > size) this.#cursor = size;
        done();
      }, refused);
    } else {
      if (data === undefined) throw new DOMException(where + ": write needs data", "SyntaxError");
      if (data === null) throw new TypeError(where + ": data is null");
      this.#put(data, typeof position === "number" ? position : this.#cursor, where, done, failed, refused);
    }
  }

  #put(data, start, where, done, failed, refused) {
    const put = (bytes, at, next) => {
      const end = at + TypedArrayPrototypeGetByteLength(bytes);
      files.write(this.#number, at, bytes, () => {
        this.#cursor = end;
        next(end);
      }, refused);
    };
    if (typeof data === "string") {
      put(utf8Encode(data), start, done);
    } else if (!isBlob(data)) {
      const given = bytesOf(data, where);
      const bytes = new Uint8Array(TypedArrayPrototypeGetByteLength(given));
      TypedArrayPrototypeSet(bytes, given);
      put(bytes, start, done);
    } else {
      const source = blobData(data);
      if (source.size === 0) {
        this.#cursor = start;
        done();
        return;
      }
      const chunks = chunksLater(source);
      const next = (at) => chunks((bytes, isLast) => put(bytes, at, isLast ? done : next), failed);
      next(start);
    }
  }

  /** @param {Target} self */
  static close(self) {
    return new Promise((resolve, reject) => {
      self.#end();
      files.commit(self.#number, () => resolve(undefined), (problem) => {
        reject(domFailure(problem, execute("close", name)));
      });
    });
  }

  /** @param {Target} self */
  static discard(self) {
    self.#discard();
  }

  #discard() {
    if (this.#isOver) return;
    this.#end();
    files.discard(this.#number);
  }

  #end() {
    this.#isOver = true;
    FinalizationRegistryPrototypeUnregister(registry, this.token);
  }
}
const { write: writeTo, close: closeTarget, discard: discardTarget } = Target;

/** @type {Brand<Target>} */
const streams = new Brand();

export class FileSystemWritableFileStream extends WritableStream {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  write(data) {
    return command(this, "write", arguments.length, () => data);
  }
  seek(position) {
    return command(this, "seek", arguments.length, (where) => (
      { __proto__: null, type: "seek", position: unsignedLongLong(position, where) }
    ));
  }
  truncate(size) {
    return command(this, "truncate", arguments.length, (where) => (
      { __proto__: null, type: "truncate", size: unsignedLongLong(size, where) }
    ));
  }
}
const { name, prototype } = FileSystemWritableFileStream;

function command(self, operation, count, chunkOf) {
  return new Promise((resolve, reject) => {
    requireBrand(streams.of(self) !== undefined);
    const where = execute(operation, name);
    requireArguments(count, 1, where);
    resolve(writeChunk(self, chunkOf(where), where));
  });
}

/** @param {number} number By which the host knows what is written. */
export function createWritable(number) {
  const target = new Target(number);
  const stream = createWritableStream({
    write: (chunk) => writeTo(target, chunk),
    close: () => closeTarget(target),
    abort: () => discardTarget(target),
  });
  ObjectSetPrototypeOf(stream, prototype);
  FinalizationRegistryPrototypeRegister(registry, stream, number, target.token);
  return streams.stamp(stream, target);
}

export const writableFileTraits = { brand: (value) => streams.of(value) !== undefined };
