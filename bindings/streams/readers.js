/** ReadableStreamDefaultReader and ReadableStreamBYOBReader: the locks through which guest code reads. */

import { newPromise, rejectedWith, rejectPromise, resolvePromise } from "sandbox:native";
import {
  ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ObjectCreate, RangeError, TypeError,
} from "../primordials.js";
import { construct, dictionary, execute, integer, requireArguments } from "../webidl.js";
import { illegalInvocation } from "./promises.js";
import { unitBytes } from "./pull_into.js";
import { acquireReader, cancelReadable, ERRORED, readables, readFrom, releaseReader } from "./readable_state.js";
import { Brand, record } from "./records.js";
import { viewParts } from "./views.js";

/** @typedef {import("./readable_state.js").ReaderState} ReaderState */

/** @type {Brand<ReaderState>} */
const defaultReaders = new Brand();
/** @type {Brand<ReaderState>} */
const byobReaders = new Brand();

const noStream = (where) => new TypeError(where + ": The reader was released.");

/** Guest code waits for a chunk: its promise settles with a result as of an iterator. */
class PromisedRead {
  constructor(promise) {
    this.promise = promise;
  }

  chunk(value) {
    resolvePromise(this.promise, { value, done: false });
  }

  close(value) {
    resolvePromise(this.promise, { value, done: true });
  }

  error(reason) {
    rejectPromise(this.promise, reason);
  }
}
record(PromisedRead);

/** @param {Brand<ReaderState>} readers @param {object} self */
function closedOf(readers, self) {
  const reader = readers.of(self);
  return reader === undefined ? illegalInvocation() : reader.closed.promise();
}

function cancelBy(readers, self, reason, name) {
  const reader = readers.of(self);
  if (reader === undefined) return illegalInvocation();
  if (reader.stream === undefined) return rejectedWith(noStream(execute("cancel", name)));
  return cancelReadable(reader.stream, reason);
}

function release(readers, self) {
  const reader = readers.require(self);
  if (reader.stream !== undefined) releaseReader(reader);
}

function lock(self, readers, byob, name, given, stream) {
  const where = construct(name);
  requireArguments(given, 1, where);
  const state = readables.of(stream);
  if (state === undefined) throw new TypeError(where + ": parameter 1 is not of type 'ReadableStream'.");
  readers.stamp(self, acquireReader(state, byob, where));
}

export class ReadableStreamDefaultReader {
  constructor(stream) {
    lock(this, defaultReaders, false, defaultName, arguments.length, stream);
  }

  get closed() {
    return closedOf(defaultReaders, this);
  }

  cancel(reason = undefined) {
    return cancelBy(defaultReaders, this, reason, defaultName);
  }

  read() {
    const reader = defaultReaders.of(this);
    if (reader === undefined) return illegalInvocation();
    if (reader.stream === undefined) return rejectedWith(noStream(execute("read", defaultName)));
    const promise = newPromise();
    readFrom(reader, new PromisedRead(promise));
    return promise;
  }

  releaseLock() {
    release(defaultReaders, this);
  }
}
const { name: defaultName, prototype: defaultPrototype } = ReadableStreamDefaultReader;

const readOptions = dictionary([{ key: "min", convert: integer(64, false, "enforceRange"), fallback: 1 }]);

export class ReadableStreamBYOBReader {
  constructor(stream) {
    lock(this, byobReaders, true, byobName, arguments.length, stream);
  }

  get closed() {
    return closedOf(byobReaders, this);
  }

  cancel(reason = undefined) {
    return cancelBy(byobReaders, this, reason, byobName);
  }

  read(view, options = undefined) {
    const reader = byobReaders.of(this);
    if (reader === undefined) return illegalInvocation();
    try {
      return readInto(reader, view, options, arguments.length);
    } catch (error) {
      return rejectedWith(error);
    }
  }

  releaseLock() {
    release(byobReaders, this);
  }
}
const { name: byobName, prototype: byobPrototype } = ReadableStreamBYOBReader;

/** @param {ReaderState} reader */
function readInto(reader, view, options, given) {
  const where = execute("read", byobName);
  requireArguments(given, 1, where);
  const { kind, buffer, offset, byteLength } = viewParts(view, where);
  const { min } = readOptions(options, where);
  if (byteLength === 0) throw new TypeError(where + ": The view is empty.");
  if (ArrayBufferPrototypeGetByteLength(buffer) === 0) throw new TypeError(where + ": The view's buffer is empty.");
  if (ArrayBufferPrototypeGetDetached(buffer)) throw new TypeError(where + ": The view's buffer is detached.");
  if (min === 0) throw new TypeError(where + ": min must be more than 0.");
  if (min > byteLength / unitBytes[kind]) throw new RangeError(where + ": min is more than the view can hold.");
  const { stream } = reader;
  if (stream === undefined) throw noStream(where);
  const promise = newPromise();
  const request = new PromisedRead(promise);
  stream.disturbed = true;
  if (stream.state === ERRORED) request.error(stream.storedError);
  else stream.controller.pullInto(kind, buffer, offset, byteLength, min, request);
  return promise;
}

/** A reader as guest code knows it. @param {ReaderState} reader */
export const readerObject = (reader) => (
  reader.byob ? byobReaders.stamp(ObjectCreate(byobPrototype), reader)
    : defaultReaders.stamp(ObjectCreate(defaultPrototype), reader)
);

export const defaultReaderTraits = { brand: (value) => defaultReaders.of(value) !== undefined };
export const byobReaderTraits = { brand: (value) => byobReaders.of(value) !== undefined };
