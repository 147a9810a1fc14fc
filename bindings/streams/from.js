/** ReadableStream.from: an iterable or async iterable of the guest's as a source. What is called here is guest code. */

import { invoke, rejectedWith, resolvedWith } from "sandbox:native";
import { isObject, SymbolAsyncIterator, SymbolIterator, TypeError } from "../primordials.js";
import { nothing, then } from "./promises.js";
import { setUpDefaultController } from "./readable_default.js";
import { ReadableState } from "./readable_state.js";
import { record } from "./records.js";

/** A method, undefined where there is none. @param {any} object @param {PropertyKey} key */
function methodOf(object, key) {
  const method = object[key];
  if (method === undefined || method === null) return undefined;
  if (typeof method !== "function") throw new TypeError("ReadableStream.from: A method of the iterator is none.");
  return method;
}

const requireResult = (result) => {
  if (!isObject(result)) throw new TypeError("ReadableStream.from: The iterator result is not an object.");
  return result;
};

class IteratorSource {
  constructor(iterator, next, isAsync) {
    this.iterator = iterator;
    this.next = next;
    this.isAsync = isAsync;
    this.pulls = true;
    this.controller = undefined;
    this.onStep = (result) => this.step(result);
  }

  start(controller) {
    this.controller = controller;
  }

  pull() {
    try {
      const result = invoke(this.next, this.iterator);
      if (this.isAsync) return then(resolvedWith(result), this.onStep, undefined);
      return this.pullSync(requireResult(result));
    } catch (error) {
      return rejectedWith(error);
    }
  }

  /** As through the async iterator that the language makes of a sync one: values that are promises are awaited. */
  pullSync(result) {
    const done = !!result.done;
    const { value } = result;
    return then(resolvedWith(value), (settled) => this.take(done, settled), (error) => {
      if (!done) this.closeSync();
      throw error;
    });
  }

  /** @param {any} result Of an async iterator. */
  step(result) {
    requireResult(result);
    const done = !!result.done;
    this.take(done, done ? undefined : result.value);
  }

  take(done, value) {
    if (done) this.controller.close();
    else this.controller.enqueue(value);
  }

  closeSync() {
    try {
      const method = methodOf(this.iterator, "return");
      if (method !== undefined) invoke(method, this.iterator);
    } catch {
      // The reason for closing it is what counts.
    }
  }

  cancel(reason) {
    try {
      const { iterator } = this;
      const method = methodOf(iterator, "return");
      if (method === undefined) return undefined;
      const result = invoke(method, iterator, reason);
      if (this.isAsync) return then(resolvedWith(result), (settled) => void requireResult(settled), undefined);
      return then(resolvedWith(requireResult(result).value), nothing, undefined);
    } catch (error) {
      return rejectedWith(error);
    }
  }
}
record(IteratorSource);

/** @param {any} iterable @param {string} where @returns {ReadableState} */
export function streamFrom(iterable, where) {
  if (iterable === undefined || iterable === null) throw new TypeError(where + ": The value is not iterable.");
  let method = methodOf(iterable, SymbolAsyncIterator);
  const isAsync = method !== undefined;
  if (!isAsync) method = methodOf(iterable, SymbolIterator);
  if (method === undefined) throw new TypeError(where + ": The value is not iterable.");
  const iterator = invoke(method, iterable);
  if (!isObject(iterator)) throw new TypeError(where + ": The iterator is not an object.");
  const stream = new ReadableState();
  setUpDefaultController(stream, new IteratorSource(iterator, iterator.next, isAsync), 0, undefined);
  return stream;
}
