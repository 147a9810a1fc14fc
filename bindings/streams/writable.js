/** WritableStream, its writer and its controller, as guest code knows them. */

import { newPromise, outcome, rejectedWith, rejectPromise, resolvePromise } from "sandbox:native";
import { ObjectCreate, RangeError, TypeError } from "../primordials.js";
import { construct, dictionary, execute, object, requireArguments } from "../webidl.js";
import { illegalInvocation, started } from "./promises.js";
import { Brand, record } from "./records.js";
import { callback, highWaterMarkOf, readStrategy, sizeFunctionOf } from "./strategies.js";
import { desiredSizeOf, setUpWritableController } from "./writable_controller.js";
import {
  abortWritable, acquireWriter, closeWritable, releaseWriter, WritableState, writables, write,
} from "./writable_state.js";

/** @type {Brand<import("./writable_state.js").WriterState>} */
const writers = new Brand();
/** @type {Brand<import("./writable_controller.js").WritableController>} */
const controllers = new Brand();

const sinkMembers = dictionary([
  { key: "abort", convert: callback },
  { key: "close", convert: callback },
  { key: "start", convert: callback },
  { key: "type", convert: (value) => value },
  { key: "write", convert: callback },
]);

/** Without a sink; a member that is not there is undefined. */
const noMembers = { __proto__: null };

/** A sink of the guest's. */
class GuestSink {
  constructor(self, members) {
    this.self = self;
    this.members = members;
    this.onWrite = members.write;
    this.controller = undefined;
  }

  start(controller) {
    const { start, write } = this.members;
    if (start === undefined && write === undefined) return undefined;
    this.controller = controllerObject(controller);
    return start === undefined ? undefined : started(start, this.self, this.controller);
  }

  write(chunk) {
    const { onWrite } = this;
    return onWrite === undefined ? undefined : outcome(onWrite, this.self, chunk, this.controller);
  }

  close() {
    const { close } = this.members;
    return close === undefined ? undefined : outcome(close, this.self);
  }

  abort(reason) {
    const { abort } = this.members;
    return abort === undefined ? undefined : outcome(abort, this.self, reason);
  }
}
record(GuestSink);

export class WritableStream {
  constructor(underlyingSink = undefined, strategy = undefined) {
    const where = construct(streamName);
    const sink = underlyingSink === undefined ? null : object(underlyingSink, where);
    const queuing = readStrategy(strategy, where);
    const members = sink === null ? noMembers : sinkMembers(sink, where);
    if (members.type !== undefined) throw new RangeError(where + ": 'type' is reserved for future use.");
    const state = new WritableState();
    state.object = writables.stamp(this, state);
    const highWaterMark = highWaterMarkOf(queuing, 1, where);
    setUpWritableController(state, new GuestSink(sink, members), highWaterMark, sizeFunctionOf(queuing));
  }

  get locked() {
    return writables.require(this).writer !== undefined;
  }

  abort(reason = undefined) {
    const stream = writables.of(this);
    if (stream === undefined) return illegalInvocation();
    if (stream.writer !== undefined) return rejectedWith(new TypeError(execute("abort", streamName) + locked));
    return abortWritable(stream, reason);
  }

  close() {
    const stream = writables.of(this);
    if (stream === undefined) return illegalInvocation();
    if (stream.writer !== undefined) return rejectedWith(new TypeError(execute("close", streamName) + locked));
    return closeWritable(stream);
  }

  getWriter() {
    const writer = acquireWriter(writables.require(this), execute("getWriter", streamName));
    return writers.stamp(ObjectCreate(writerPrototype), writer);
  }
}
const { name: streamName, prototype: streamPrototype } = WritableStream;
const locked = ": The stream is locked to a writer.";

/** A stream as guest code knows it. @param {WritableState} stream */
export const writableObject = (stream) => {
  stream.object ??= writables.stamp(ObjectCreate(streamPrototype), stream);
  return stream.object;
};

/** Guest code waits for a chunk to be written. */
export class PromisedWrite {
  constructor(promise) {
    this.promise = promise;
  }

  resolve() {
    resolvePromise(this.promise, undefined);
  }

  reject(reason) {
    rejectPromise(this.promise, reason);
  }
}
record(PromisedWrite);

const noStream = (operation) => new TypeError(execute(operation, writerName) + ": The writer was released.");

export class WritableStreamDefaultWriter {
  constructor(stream) {
    const where = construct(writerName);
    requireArguments(arguments.length, 1, where);
    const state = writables.of(stream);
    if (state === undefined) throw new TypeError(where + ": parameter 1 is not of type 'WritableStream'.");
    writers.stamp(this, acquireWriter(state, where));
  }

  get closed() {
    const writer = writers.of(this);
    return writer === undefined ? illegalInvocation() : writer.closed.promise();
  }

  get desiredSize() {
    const { stream } = writers.require(this);
    if (stream === undefined) throw noStream("desiredSize");
    return desiredSizeOf(stream);
  }

  get ready() {
    const writer = writers.of(this);
    return writer === undefined ? illegalInvocation() : writer.ready.promise();
  }

  abort(reason = undefined) {
    const writer = writers.of(this);
    if (writer === undefined) return illegalInvocation();
    if (writer.stream === undefined) return rejectedWith(noStream("abort"));
    return abortWritable(writer.stream, reason);
  }

  close() {
    const writer = writers.of(this);
    if (writer === undefined) return illegalInvocation();
    if (writer.stream === undefined) return rejectedWith(noStream("close"));
    return closeWritable(writer.stream);
  }

  releaseLock() {
    const writer = writers.require(this);
    if (writer.stream !== undefined) releaseWriter(writer);
  }

  write(chunk = undefined) {
    const writer = writers.of(this);
    if (writer === undefined) return illegalInvocation();
    if (writer.stream === undefined) return rejectedWith(noStream("write"));
    const promise = newPromise();
    write(writer, chunk, new PromisedWrite(promise));
    return promise;
  }
}
const { name: writerName, prototype: writerPrototype } = WritableStreamDefaultWriter;

export class WritableStreamDefaultController {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  get signal() {
    return controllers.require(this).signal();
  }

  error(error = undefined) {
    controllers.require(this).error(error);
  }
}
const { prototype: controllerPrototype } = WritableStreamDefaultController;

function controllerObject(controller) {
  controller.object ??= controllers.stamp(ObjectCreate(controllerPrototype), controller);
  return controller.object;
}

const stateNames = { __proto__: null, 0: "writable", 1: "erroring", 2: "closed", 3: "errored" };
export const writableTraits = {
  brand: (value) => writables.of(value) !== undefined,
  inspect: (self) => {
    const { writer, state } = writables.of(self);
    return { __proto__: null, entries: [["locked", writer !== undefined], ["state", stateNames[state]]] };
  },
};
export const writerTraits = { brand: (value) => writers.of(value) !== undefined };
export const writableControllerTraits = { brand: (value) => controllers.of(value) !== undefined };
