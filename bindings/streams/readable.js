/** ReadableStream, as guest code knows it. */

import { markHandled, outcome, rejectedWith } from "sandbox:native";
import { isAbortSignal } from "../abort.js";
import {
  ObjectCreate, ObjectDefineProperty, RangeError, SymbolAsyncIterator, TypeError,
} from "../primordials.js";
import { boolean, construct, dictionary, DOMString, execute, integer, object, requireArguments } from "../webidl.js";
import { iterate } from "./async_iterator.js";
import { streamFrom } from "./from.js";
import { pipeTo } from "./pipe.js";
import { illegalInvocation, started } from "./promises.js";
import { setUpByteController } from "./readable_byte.js";
import { byteControllerObject } from "./readable_byte_classes.js";
import { defaultControllerObject, setUpDefaultController } from "./readable_default.js";
import { acquireReader, cancelReadable, ReadableState, readables } from "./readable_state.js";
import { readerObject } from "./readers.js";
import { record } from "./records.js";
import { callback, highWaterMarkOf, readStrategy, sizeFunctionOf } from "./strategies.js";
import { teeDefault } from "./tee.js";
import { teeBytes } from "./tee_bytes.js";
import { writables } from "./writable_state.js";

/** The converter of an enumeration with one value. @param {string} only */
const enumeration = (only) => (value, where) => {
  const text = DOMString(value, where);
  if (text !== only) throw new TypeError(where + ": The provided value '" + text + "' is not a valid enum value.");
  return text;
};

const sourceMembers = dictionary([
  { key: "autoAllocateChunkSize", convert: integer(64, false, "enforceRange") },
  { key: "cancel", convert: callback },
  { key: "pull", convert: callback },
  { key: "start", convert: callback },
  { key: "type", convert: enumeration("bytes") },
]);
/** Without a source; a member that is not there is undefined. */
const noMembers = { __proto__: null };
const readerOptions = dictionary([{ key: "mode", convert: enumeration("byob") }]);
const iteratorOptions = dictionary([{ key: "preventCancel", convert: boolean, fallback: false }]);
/** @type {(value: unknown, where: string) => import("./pipe.js").PipeOptions} */
const pipeOptions = dictionary([
  { key: "preventAbort", convert: boolean, fallback: false },
  { key: "preventCancel", convert: boolean, fallback: false },
  { key: "preventClose", convert: boolean, fallback: false },
  {
    key: "signal",
    convert(value, where) {
      if (!isAbortSignal(value)) throw new TypeError(where + " is not of type 'AbortSignal'.");
      return value;
    },
  },
]);

function requireReadable(value, where) {
  if (readables.of(value) === undefined) throw new TypeError(where + " is not of type 'ReadableStream'.");
  return value;
}
function requireWritable(value, where) {
  if (writables.of(value) === undefined) throw new TypeError(where + " is not of type 'WritableStream'.");
  return value;
}
const pairMembers = dictionary([
  { key: "readable", convert: requireReadable, required: true },
  { key: "writable", convert: requireWritable, required: true },
]);

/** A source of the guest's. */
class GuestSource {
  constructor(self, members) {
    this.self = self;
    this.members = members;
    this.onPull = members.pull;
    this.pulls = members.pull !== undefined;
    this.controller = undefined;
  }

  start(controller) {
    if (this.members.start === undefined && !this.pulls) return undefined;
    this.controller = controller.isByte ? byteControllerObject(controller) : defaultControllerObject(controller);
    const { start } = this.members;
    return start === undefined ? undefined : started(start, this.self, this.controller);
  }

  pull() {
    return outcome(this.onPull, this.self, this.controller);
  }

  cancel(reason) {
    const { cancel } = this.members;
    return cancel === undefined ? undefined : outcome(cancel, this.self, reason);
  }
}
record(GuestSource);

const isLocked = ": The stream is locked.";

export class ReadableStream {
  constructor(underlyingSource = undefined, strategy = undefined) {
    const where = construct(name);
    const source = underlyingSource === undefined ? null : object(underlyingSource, where);
    const queuing = readStrategy(strategy, where);
    const members = source === null ? noMembers : sourceMembers(source, where);
    const state = new ReadableState();
    state.object = readables.stamp(this, state);
    const guest = new GuestSource(source, members);
    if (members.type === undefined) {
      setUpDefaultController(state, guest, highWaterMarkOf(queuing, 1, where), sizeFunctionOf(queuing));
      return;
    }
    if (queuing.size !== undefined) throw new RangeError(where + ": The strategy of a byte stream must have no size.");
    const highWaterMark = highWaterMarkOf(queuing, 0, where);
    const { autoAllocateChunkSize } = members;
    if (autoAllocateChunkSize === 0) throw new TypeError(where + ": autoAllocateChunkSize must be more than 0.");
    setUpByteController(state, guest, highWaterMark, autoAllocateChunkSize);
  }

  static from(asyncIterable) {
    const where = execute("from", name);
    requireArguments(arguments.length, 1, where);
    return readableObject(streamFrom(asyncIterable, where));
  }

  get locked() {
    return readables.require(this).reader !== undefined;
  }

  cancel(reason = undefined) {
    const stream = readables.of(this);
    if (stream === undefined) return illegalInvocation();
    if (stream.reader !== undefined) return rejectedWith(new TypeError(execute("cancel", name) + isLocked));
    return cancelReadable(stream, reason);
  }

  getReader(options = undefined) {
    const stream = readables.require(this);
    const where = execute("getReader", name);
    const { mode } = readerOptions(options, where);
    return readerObject(acquireReader(stream, mode !== undefined, where));
  }

  pipeThrough(transform, options = undefined) {
    const stream = readables.require(this);
    const where = execute("pipeThrough", name);
    requireArguments(arguments.length, 1, where);
    const { readable, writable } = pairMembers(transform, where);
    const target = writables.of(writable);
    const settings = pipeOptions(options, where);
    if (stream.reader !== undefined || target.writer !== undefined) throw new TypeError(where + isLocked);
    markHandled(pipeTo(stream, target, settings));
    return readable;
  }

  pipeTo(destination, options = undefined) {
    const stream = readables.of(this);
    if (stream === undefined) return illegalInvocation();
    try {
      const where = execute("pipeTo", name);
      requireArguments(arguments.length, 1, where);
      const target = writables.of(requireWritable(destination, where + ": parameter 1"));
      const settings = pipeOptions(options, where);
      if (stream.reader !== undefined || target.writer !== undefined) throw new TypeError(where + isLocked);
      return pipeTo(stream, target, settings);
    } catch (error) {
      return rejectedWith(error);
    }
  }

  tee() {
    const { first, second } = teeStates(readables.require(this), false);
    return [readableObject(first), readableObject(second)];
  }

  values(options = undefined) {
    const stream = readables.require(this);
    const { preventCancel } = iteratorOptions(options, execute("values", name));
    return iterate(stream, preventCancel);
  }
}
const { name, prototype } = ReadableStream;
ObjectDefineProperty(prototype, SymbolAsyncIterator, {
  value: prototype.values, writable: true, enumerable: false, configurable: true,
});

/** A stream as guest code knows it. @param {ReadableState} stream */
export function readableObject(stream) {
  stream.object ??= readables.stamp(ObjectCreate(prototype), stream);
  return stream.object;
}

/** @param {ReadableState} stream @param {boolean} clone Whether the second branch gets copies of the chunks. */
export function teeStates(stream, clone) {
  const { first, second } = stream.controller.isByte ? teeBytes(stream) : teeDefault(stream, clone);
  return { first: first.stream, second: second.stream };
}

const stateNames = { __proto__: null, 0: "readable", 1: "closed", 2: "errored" };
export const readableTraits = {
  brand: (value) => readables.of(value) !== undefined,
  inspect: (self) => {
    const { reader, state, controller } = readables.of(self);
    const { isByte } = controller;
    const entries = [["locked", reader !== undefined], ["state", stateNames[state]], ["supportsBYOB", isByte]];
    return { __proto__: null, entries };
  },
};
