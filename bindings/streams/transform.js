/** TransformStream and its controller, as guest code knows them. */

import { invoke, newPromise, outcome, rejectedWith, resolvePromise } from "sandbox:native";
import { ObjectCreate, RangeError, TypeError } from "../primordials.js";
import { any, construct, dictionary, object } from "../webidl.js";
import { readableObject } from "./readable.js";
import { Brand, record } from "./records.js";
import { callback, highWaterMarkOf, readStrategy, sizeFunctionOf } from "./strategies.js";
import { transforms, TransformState } from "./transform_state.js";
import { writableObject } from "./writable.js";

/** @type {Brand<TransformState>} */
const controllers = new Brand();

const transformerMembers = dictionary([
  { key: "cancel", convert: callback },
  { key: "flush", convert: callback },
  { key: "readableType", convert: any },
  { key: "start", convert: callback },
  { key: "transform", convert: callback },
  { key: "writableType", convert: any },
]);

/** Without a transformer; a member that is not there is undefined. */
const noMembers = { __proto__: null };

/** A transformer of the guest's. */
class GuestTransformer {
  constructor(self, members) {
    this.self = self;
    this.members = members;
    this.onChunk = members.transform;
  }

  transform(chunk, stream) {
    const { onChunk } = this;
    if (onChunk !== undefined) return outcome(onChunk, this.self, chunk, controllerObject(stream));
    try {
      stream.enqueue(chunk);
      return undefined;
    } catch (error) {
      return rejectedWith(error);
    }
  }

  flush(stream) {
    const { flush } = this.members;
    return flush === undefined ? undefined : outcome(flush, this.self, controllerObject(stream));
  }

  cancel(reason) {
    const { cancel } = this.members;
    return cancel === undefined ? undefined : outcome(cancel, this.self, reason);
  }
}
record(GuestTransformer);

export class TransformStream {
  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    const where = construct(streamName);
    const self = transformer === undefined ? null : object(transformer, where);
    const writing = readStrategy(writableStrategy, where);
    const reading = readStrategy(readableStrategy, where);
    const members = self === null ? noMembers : transformerMembers(self, where);
    if (members.readableType !== undefined || members.writableType !== undefined) {
      throw new RangeError(where + ": 'readableType' and 'writableType' are reserved for future use.");
    }
    const readingMark = highWaterMarkOf(reading, 0, where);
    const writingMark = highWaterMarkOf(writing, 1, where);
    const whenStarted = members.start === undefined ? undefined : newPromise();
    const state = new TransformState(
      new GuestTransformer(self, members), whenStarted,
      { highWaterMark: writingMark, size: sizeFunctionOf(writing) },
      { highWaterMark: readingMark, size: sizeFunctionOf(reading) },
    );
    state.object = transforms.stamp(this, state);
    if (whenStarted !== undefined) resolvePromise(whenStarted, invoke(members.start, self, controllerObject(state)));
  }

  get readable() {
    return readableObject(transforms.require(this).readable);
  }

  get writable() {
    return writableObject(transforms.require(this).writable);
  }
}
const { name: streamName } = TransformStream;

export class TransformStreamDefaultController {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  get desiredSize() {
    return controllers.require(this).desiredSize();
  }

  enqueue(chunk = undefined) {
    controllers.require(this).enqueue(chunk);
  }

  error(reason = undefined) {
    controllers.require(this).error(reason);
  }

  terminate() {
    controllers.require(this).terminate();
  }
}
const { prototype: controllerPrototype } = TransformStreamDefaultController;

/** @param {TransformState} stream */
function controllerObject(stream) {
  stream.controllerObject ??= controllers.stamp(ObjectCreate(controllerPrototype), stream);
  return stream.controllerObject;
}

export const transformTraits = {
  brand: (value) => transforms.of(value) !== undefined,
  inspect: (self) => {
    const { readable, writable, backpressure } = transforms.of(self);
    const entries = [
      ["readable", readableObject(readable)], ["writable", writableObject(writable)], ["backpressure", backpressure],
    ];
    return { __proto__: null, entries };
  },
};
export const transformControllerTraits = { brand: (value) => controllers.of(value) !== undefined };
