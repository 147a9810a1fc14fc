/**
 * Iterators across the boundary.
 *
 * An iterator of the host is an operation here that takes its steps: `("next", value)` is answered with `[done, value]`,
 * at once for an iterator and later for an async iterator. An iterator of the guest is asked by the host in the same
 * words, through the hook `step`.
 */

import { hook } from "sandbox:abi.js";
import { hook as setHook, submit } from "sandbox:native";
import {
  AsyncIteratorPrototype, isObject, IteratorPrototype, newList, ObjectDefineProperty, ObjectSetPrototypeOf, Promise,
  ReflectApply, SymbolAsyncIterator, SymbolToStringTag, TypeError,
} from "./primordials.js";

/** @typedef {"next" | "return" | "throw"} Method */

/** What a step of the host's is to the guest. @param {[boolean, unknown]} step */
const resultOf = (step) => ({ value: step[1], done: step[0] });

class HostIterator {
  #ask;

  /** @param {(method: Method, value: unknown) => [boolean, unknown]} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  next(value = undefined) {
    return resultOf(this.#ask("next", value));
  }

  return(value = undefined) {
    return resultOf(this.#ask("return", value));
  }

  throw(error = undefined) {
    return resultOf(this.#ask("throw", error));
  }
}

class HostStream {
  /** Keeps the operation of the host alive. */
  #function;
  #op;
  /** Steps that were asked for; as with a generator, each begins when the one before it has ended. */
  #first = undefined;
  #last = undefined;

  /** @param {Function} function_ @param {number} op */
  constructor(function_, op) {
    this.#function = function_;
    this.#op = op;
  }

  /** @param {Method} method @param {unknown} value */
  #step(method, value) {
    return new Promise((resolve, reject) => {
      const step = { __proto__: null, args: [method, value], resolve, reject, next: undefined };
      if (this.#last !== undefined) {
        this.#last = this.#last.next = step;
        return;
      }
      this.#first = this.#last = step;
      this.#begin();
    });
  }

  /** Ask for the first step; one whose value cannot cross has ended with that. */
  #begin() {
    while (this.#first !== undefined) {
      const { args, resolve, reject } = this.#first;
      try {
        submit(this.#op, args, (answer) => {
          this.#end();
          resolve(resultOf(answer));
        }, (error) => {
          this.#end();
          reject(error);
        });
        return;
      } catch (error) {
        this.#first = this.#first.next;
        reject(error);
      }
    }
    this.#last = undefined;
  }

  #end() {
    this.#first = this.#first.next;
    this.#begin();
  }

  next(value = undefined) {
    return this.#step("next", value);
  }

  return(value = undefined) {
    return this.#step("return", value);
  }

  throw(error = undefined) {
    return this.#step("throw", error);
  }
}

/** Give a class the prototype and the name that its kind of iterator has, and hide the class itself. */
function dress(type, prototype, name) {
  ObjectSetPrototypeOf(type.prototype, prototype);
  delete type.prototype.constructor;
  ObjectDefineProperty(type.prototype, SymbolToStringTag, { __proto__: null, value: name, configurable: true });
}

dress(HostIterator, IteratorPrototype, "Host Iterator");
dress(HostStream, AsyncIteratorPrototype, "Host AsyncIterator");

/**
 * Without a prototype: a promise of it must not ask the guest's `Array.prototype` for `then`.
 * @param {any} result What a step of the guest's gave.
 */
function stepOf(result) {
  if (!isObject(result)) throw new TypeError("a step of an iterator must give an object");
  const list = newList();
  list[0] = !!result.done;
  list[1] = result.value;
  return list;
}

const settled = async (result) => stepOf(await result);

/**
 * A step of an iterator of the guest's, asked for by the host. What is called here is guest code.
 * @param {any} iterator
 * @param {Method | "open"} method
 * @param {unknown} value
 */
function step(iterator, method, value) {
  if (method === "open") {
    const opened = iterator[SymbolAsyncIterator]();
    if (!isObject(opened)) throw new TypeError("[Symbol.asyncIterator]() must give an object");
    return opened;
  }
  const function_ = iterator[method];
  if (function_ === undefined || function_ === null) {
    if (method === "throw") throw value;
    if (method === "next") throw new TypeError("an iterator must have a method next");
    return stepOf({ __proto__: null, done: true, value });
  }
  const result = ReflectApply(function_, iterator, [value]);
  return isObject(result) && typeof result.then === "function" ? settled(result) : stepOf(result);
}

setHook(hook.hostIterator, (function_) => new HostIterator(function_));
setHook(hook.hostStream, (function_, op) => new HostStream(function_, op));
setHook(hook.step, step);
