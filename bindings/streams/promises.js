/**
 * Promises as streams use them.
 *
 * What an algorithm gives is an outcome: `undefined` when it has ended well, `later` when it will say so itself, else a
 * promise of the engine's own class. Most chunks pass without any promise: a microtask takes the place of the reaction
 * to one. Nothing here looks up `then` or `constructor` where guest code could have replaced them.
 */

import {
  invoke, markHandled, microtask, newPromise, reaction, rejectedWith, rejectPromise, resolvedWith, resolvePromise,
  whenSettled,
} from "sandbox:native";
import { isObject, TypeError } from "../primordials.js";
import { record } from "./records.js";

/** @typedef {Promise<any> | undefined | typeof later} Outcome */

/** The algorithm has not ended, and calls back when it has. */
export const later = { __proto__: null };

/** Call one of two functions when an outcome is known. @param {Outcome} outcome */
export function upon(outcome, fulfilled, rejected) {
  if (outcome === undefined) microtask(fulfilled);
  else whenSettled(outcome, fulfilled, rejected);
}

/** The promise of what a reaction to an outcome gives. @param {Outcome} outcome @returns {Promise<any>} */
export const then = (outcome, fulfilled, rejected) => reaction(
  outcome === undefined ? resolvedWith(undefined) : outcome, fulfilled, rejected,
);

/** For promises whose value is of no consequence: it is not handed on, and so not asked for `then` once more. */
export const nothing = () => undefined;
/** A promise of undefined, once the outcome is known to be good. @param {Outcome} outcome */
export const settled = (outcome) => then(outcome, nothing, undefined);

/** What a `start` function gives, or throws: an outcome. */
export function started(start, self, controller) {
  const value = invoke(start, self, controller);
  return isObject(value) ? resolvedWith(value) : undefined;
}

/** Settle a promise as an outcome is. @param {Promise<any>} promise @param {Outcome} outcome */
export function follow(promise, outcome) {
  if (outcome === undefined) resolvePromise(promise, undefined);
  else whenSettled(outcome, () => resolvePromise(promise, undefined), (error) => rejectPromise(promise, error));
}

export const illegalInvocation = () => rejectedWith(new TypeError("Illegal invocation"));

/** When every one of two outcomes is good, or the first of them is not. */
export function both(first, second) {
  const promise = newPromise();
  let left = 2;
  let failed = false;
  const fulfilled = () => {
    if (--left === 0) resolvePromise(promise, undefined);
  };
  const rejected = (error) => {
    if (!failed) rejectPromise(promise, error);
    failed = true;
  };
  upon(first, fulfilled, rejected);
  upon(second, fulfilled, rejected);
  return promise;
}

export const PENDING = 0;
export const FULFILLED = 1;
export const REJECTED = 2;

/**
 * A promise of undefined that is made only when guest code asks for it. Its rejection counts as handled. One internal
 * listener can be told, in a microtask, that it has settled.
 */
export class Deferred {
  constructor() {
    this.state = PENDING;
    this.reason = undefined;
    this.made = undefined;
    this.listener = undefined;
    this.context = undefined;
  }

  promise() {
    if (this.made === undefined) {
      const promise = this.made = newPromise();
      markHandled(promise);
      if (this.state === FULFILLED) resolvePromise(promise, undefined);
      else if (this.state === REJECTED) rejectPromise(promise, this.reason);
    }
    return this.made;
  }

  /** Begin anew: who asks from now on gets another promise. */
  reset() {
    this.state = PENDING;
    this.made = undefined;
  }

  resolve() {
    if (this.state !== PENDING) return;
    this.state = FULFILLED;
    if (this.made !== undefined) resolvePromise(this.made, undefined);
    if (this.listener !== undefined) this.tell();
  }

  /** Reject what is pending; what has settled is replaced by a promise that is rejected. */
  reject(reason) {
    if (this.state !== PENDING) this.made = undefined;
    this.state = REJECTED;
    this.reason = reason;
    if (this.made !== undefined) rejectPromise(this.made, reason);
    if (this.listener !== undefined) this.tell();
  }

  tell() {
    const { listener, context } = this;
    this.listener = this.context = undefined;
    microtask(listener, context);
  }

  /** @param {(context: any) => void} listener Called once. */
  listen(listener, context) {
    this.listener = listener;
    this.context = context;
    if (this.state !== PENDING) this.tell();
  }
}
record(Deferred);
