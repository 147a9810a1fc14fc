/** Asynchronous pair iterables (Web IDL, section 2.5.10), whose pairs come all at once when the first is asked for. */

import {
  AsyncIteratorPrototype, newList, ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf, Promise,
  SymbolAsyncIterator, SymbolToStringTag,
} from "../primordials.js";
import { illegalInvocation } from "../streams/promises.js";
import { Brand, record } from "../streams/records.js";

/** @type {Brand<Iteration>} */
const iterators = new Brand();

class Iteration {
  constructor(pairs, kind) {
    this.pairs = pairs;
    this.kind = kind;
    this.at = 0;
    this.keys = undefined;
    this.valueOf = undefined;
    this.isFinished = false;
    /** Who asked before there was an answer: what resolves and what rejects, in turn. */
    this.waiting = undefined;
  }

  next(resolve, reject) {
    if (this.isFinished || this.keys !== undefined) {
      resolve(this.step());
      return;
    }
    if (this.waiting !== undefined) {
      this.waiting[this.waiting.length] = resolve;
      this.waiting[this.waiting.length] = reject;
      return;
    }
    this.waiting = newList();
    this.waiting[0] = resolve;
    this.waiting[1] = reject;
    this.pairs.load((keys, valueOf) => {
      this.keys = keys;
      this.valueOf = valueOf;
      this.answer(undefined);
    }, (error) => {
      this.isFinished = true;
      this.answer({ __proto__: null, error });
    });
  }

  /** The first who asked is told of the failure; to the others the iteration has ended. */
  answer(failure) {
    const { waiting } = this;
    this.waiting = undefined;
    for (let i = 0; i < waiting.length; i += 2) {
      if (failure !== undefined && i === 0) waiting[1](failure.error);
      else waiting[i](this.step());
    }
  }

  step() {
    if (this.isFinished || this.at === this.keys.length) {
      this.isFinished = true;
      return { value: undefined, done: true };
    }
    const index = this.at++;
    if (this.kind === "keys") return { value: this.keys[index], done: false };
    const value = this.valueOf(index);
    return { value: this.kind === "values" ? value : [this.keys[index], value], done: false };
  }
}
record(Iteration);

/**
 * Give an interface the members `entries`, `keys`, `values` and the default asynchronous iterator.
 * @param {Function} constructor
 * @param {(self: any) => { load(done: (keys: any[], valueOf: (index: number) => any) => void,
 *   failed: (error: any) => void): void }} pairsOf Throws when `self` has not the brand.
 */
export function defineAsyncIterable(constructor, pairsOf) {
  const iteratorPrototype = {
    next() {
      const iteration = iterators.of(this);
      if (iteration === undefined) return illegalInvocation();
      return new Promise((resolve, reject) => iteration.next(resolve, reject));
    },
  };
  ObjectSetPrototypeOf(iteratorPrototype, AsyncIteratorPrototype);
  const value = constructor.name + " AsyncIterator";
  ObjectDefineProperty(iteratorPrototype, SymbolToStringTag, { value, configurable: true });
  const iterate = (self, kind) => iterators.stamp(ObjectCreate(iteratorPrototype), new Iteration(pairsOf(self), kind));
  const { prototype } = constructor;
  Object.assign(prototype, {
    entries() { return iterate(this, "entries"); },
    keys() { return iterate(this, "keys"); },
    values() { return iterate(this, "values"); },
  });
  Object.defineProperty(prototype, SymbolAsyncIterator, {
    value: prototype.entries, writable: true, configurable: true,
  });
}
