/** The async iterators of ReadableStream. */

import { newPromise, reaction, rejectPromise, resolvedWith, resolvePromise } from "sandbox:native";
import {
  AsyncIteratorPrototype, ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf, SymbolToStringTag,
} from "../primordials.js";
import { illegalInvocation } from "./promises.js";
import { acquireReader, cancelReadable, readFrom, releaseReader } from "./readable_state.js";
import { Brand, record } from "./records.js";

/** @type {Brand<Iteration>} */
const iterators = new Brand();

/** Stands for the end of the stream among chunks. */
const end = { __proto__: null };

class Iteration {
  constructor(stream, preventCancel) {
    this.reader = acquireReader(stream);
    this.preventCancel = preventCancel;
    this.isFinished = false;
    /** What was asked for last and has not been answered. @type {Promise<any> | undefined} */
    this.ongoing = undefined;
    this.onChunk = (value) => this.give(value);
    this.onError = (error) => this.fail(error);
    this.next = () => this.takeStep();
  }

  takeStep() {
    if (this.isFinished) return resolvedWith({ value: undefined, done: true });
    const request = new StepRequest(this);
    readFrom(this.reader, request);
    return reaction(request.promise, this.onChunk, this.onError);
  }

  give(value) {
    this.ongoing = undefined;
    if (value !== end) return { value, done: false };
    this.isFinished = true;
    return { value: undefined, done: true };
  }

  fail(error) {
    this.ongoing = undefined;
    this.isFinished = true;
    throw error;
  }

  takeReturn(value) {
    if (this.isFinished) return resolvedWith({ value, done: true });
    this.isFinished = true;
    const { reader } = this;
    const { stream } = reader;
    if (stream === undefined) return resolvedWith({ value, done: true });
    const outcome = this.preventCancel ? resolvedWith(undefined) : cancelReadable(stream, value);
    releaseReader(reader);
    return reaction(outcome, () => ({ value, done: true }), undefined);
  }
}
record(Iteration);

class StepRequest {
  constructor(iteration) {
    this.iteration = iteration;
    this.promise = newPromise();
  }

  chunk(value) {
    resolvePromise(this.promise, value);
  }

  close() {
    releaseReader(this.iteration.reader);
    resolvePromise(this.promise, end);
  }

  error(reason) {
    releaseReader(this.iteration.reader);
    rejectPromise(this.promise, reason);
  }
}
record(StepRequest);

const prototype = {
  next() {
    const iteration = iterators.of(this);
    if (iteration === undefined) return illegalInvocation();
    const { ongoing, next } = iteration;
    iteration.ongoing = ongoing === undefined ? iteration.takeStep() : reaction(ongoing, next, next);
    return iteration.ongoing;
  },
  return(value) {
    const iteration = iterators.of(this);
    if (iteration === undefined) return illegalInvocation();
    const { ongoing } = iteration;
    const step = () => iteration.takeReturn(value);
    iteration.ongoing = ongoing === undefined ? step() : reaction(ongoing, step, step);
    return iteration.ongoing;
  },
};
ObjectSetPrototypeOf(prototype, AsyncIteratorPrototype);
ObjectDefineProperty(prototype, SymbolToStringTag, { value: "ReadableStream AsyncIterator", configurable: true });

/** @param {import("./readable_state.js").ReadableState} stream Not locked. @param {boolean} preventCancel */
export const iterate = (stream, preventCancel) => (
  iterators.stamp(ObjectCreate(prototype), new Iteration(stream, preventCancel))
);
