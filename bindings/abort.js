/**
 * AbortController and AbortSignal.
 *
 * A signal is observed while it has listeners or algorithms. One made by `AbortSignal.any` depends on signals that depend
 * on none; those refer to it weakly unless it is observed. So a signal that lives long may be combined with short-lived
 * ones any number of times. One made by `AbortSignal.timeout` has a timer only while it, or what depends on it, is
 * observed. Else it is enough to look at the clock when it is asked for its state, which stays the same during a task;
 * nothing waits for it.
 */

import { currentTask, now } from "sandbox:native";
import {
  connectSignals, defineEventHandler, Event, EventTarget, fireEvent, hasListeners, watchListeners,
} from "./events.js";
import {
  DOMException, isObject, MathMax, newList, TypeError, WeakRef, WeakRefPrototypeDeref,
} from "./primordials.js";
import { startTimer, stopTimer } from "./timers.js";
import { execute, integer, requireArguments, requireBrand, sequence } from "./webidl.js";

/** Only this module may construct signals. */
const key = {};
const toMilliseconds = integer(64, false, "enforceRange");
/** Lists of dependent signals are looked through for dead ones when they are twice as long as after the last time. */
const shortestSweep = 16;

/**
 * How a signal is referred to by what may abort it.
 * @typedef {object} Link
 * @property {WeakRef<AbortSignal>} weak
 * @property {AbortSignal | undefined} strong The signal, while it is observed.
 * @property {boolean} done The signal is aborted.
 */

/**
 * @typedef {object} SignalState
 * @property {boolean} aborted
 * @property {any} reason
 * @property {{ run: Function | undefined }[]} algorithms What is done on abort, in this order.
 * @property {number} waiting How many of the algorithms have not been removed.
 * @property {AbortSignal[] | undefined} sources What a dependent signal depends on.
 * @property {Link[]} dependents
 * @property {number} sweepAt
 * @property {Link | undefined} link Of a dependent signal.
 * @property {boolean} observed Whether it was observed when that was last looked at.
 * @property {number} observers How many dependent signals are observed.
 * @property {number} due When a timeout aborts it, milliseconds since the time origin; else Infinity.
 * @property {number} timer Id of the timer for that; 0 without one.
 * @property {number} task The task in which it was made, or was last found to be not over.
 */

let isSignal;
/** @type {(signal: any) => SignalState} */
let stateOf;
/** The state of a signal after a look at the clock. @type {(signal: any) => SignalState} */
let stateNow;

export class AbortSignal extends EventTarget {
  /** @type {SignalState} */
  #state;

  static {
    isSignal = (value) => isObject(value) && #state in value;
    stateOf = (signal) => {
      requireBrand(isObject(signal) && #state in signal);
      return signal.#state;
    };
    stateNow = (signal) => {
      const state = stateOf(signal);
      if (state.aborted) return state;
      if (state.due !== Infinity && state.timer === 0) look(signal, state);
      const { sources } = state;
      if (sources !== undefined) for (let i = 0; i < sources.length && !state.aborted; i++) stateNow(sources[i]);
      return state;
    };
  }

  constructor(token = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor");
    super();
    this.#state = {
      __proto__: null, aborted: false, reason: undefined, algorithms: newList(), waiting: 0, sources: undefined,
      dependents: newList(), sweepAt: shortestSweep, link: undefined, observed: false, observers: 0, due: Infinity,
      timer: 0, task: 0,
    };
    watchListeners(this, observe);
  }

  static abort(reason = undefined) {
    const signal = new AbortSignal(key);
    setReason(stateOf(signal), reason);
    return signal;
  }

  static timeout(milliseconds) {
    const where = execute("timeout", "AbortSignal");
    requireArguments(arguments.length, 1, where);
    const delayMs = toMilliseconds(milliseconds, where);
    const signal = new AbortSignal(key);
    const state = stateOf(signal);
    state.due = now() + delayMs;
    state.task = currentTask();
    return signal;
  }

  static any(signals) {
    const where = execute("any", "AbortSignal");
    requireArguments(arguments.length, 1, where);
    return dependentSignal(sequence(signals, toSignal, where));
  }

  get aborted() { return stateNow(this).aborted; }
  get reason() { return stateNow(this).reason; }
  throwIfAborted() {
    const { aborted, reason } = stateNow(this);
    if (aborted) throw reason;
  }
}
defineEventHandler(AbortSignal.prototype, "abort");

const abortText = "This operation was aborted";
const timeoutText = "The operation was aborted due to timeout";

function toSignal(value, where) {
  if (!isSignal(value)) throw new TypeError(where + ": A value of the sequence is not of type 'AbortSignal'.");
  return value;
}

/** @param {SignalState} state @param {any} reason */
function setReason(state, reason) {
  state.aborted = true;
  state.reason = reason === undefined ? new DOMException(abortText, "AbortError") : reason;
}

/** A timeout is over. @param {AbortSignal} signal */
const expire = (signal) => signalAbort(signal, new DOMException(timeoutText, "TimeoutError"));

/** A timeout without a timer: see whether it is over. @param {AbortSignal} signal @param {SignalState} state */
function look(signal, state) {
  const task = currentTask();
  if (state.task === task) return;
  if (state.due <= now()) expire(signal);
  else state.task = task;
}

/** See whether a signal is observed, and what that changes. @param {AbortSignal} signal */
function observe(signal) {
  const state = stateOf(signal);
  const { link, sources } = state;
  const observed = !state.aborted && (state.waiting > 0 || hasListeners(signal, "abort"));
  if (state.observed === observed) return;
  state.observed = observed;
  if (link !== undefined) link.strong = observed ? signal : undefined;
  if (sources !== undefined) {
    for (let i = 0; i < sources.length; i++) {
      stateOf(sources[i]).observers += observed ? 1 : -1;
      keepTimer(sources[i]);
    }
  }
  keepTimer(signal);
}

/** Have a timer exactly as long as it is needed. @param {AbortSignal} signal */
function keepTimer(signal) {
  const state = stateOf(signal);
  if (state.due === Infinity) return;
  const isNeeded = !state.aborted && (state.observed || state.observers > 0);
  if (isNeeded && state.timer === 0) {
    state.timer = startTimer(() => expire(signal), state.due);
  } else if (!isNeeded && state.timer !== 0) {
    stopTimer(state.timer);
    state.timer = 0;
  }
}

/** @param {AbortSignal[]} signals */
function dependentSignal(signals) {
  const result = new AbortSignal(key);
  const state = stateOf(result);
  for (let i = 0; i < signals.length; i++) {
    const { aborted, reason } = stateNow(signals[i]);
    if (!aborted) continue;
    setReason(state, reason);
    return result;
  }
  const link = { __proto__: null, weak: new WeakRef(result), strong: undefined, done: false };
  state.link = link;
  state.sources = newList();
  for (let i = 0; i < signals.length; i++) {
    const { sources } = stateOf(signals[i]);
    if (sources === undefined) depend(state, signals[i], link);
    else for (let k = 0; k < sources.length; k++) depend(state, sources[k], link);
  }
  return result;
}

/** @param {SignalState} state @param {AbortSignal} source @param {Link} link */
function depend(state, source, link) {
  const { sources } = state;
  const { dependents } = stateOf(source);
  // Its link was the last to come if the source is there already.
  if (dependents.length > 0 && dependents[dependents.length - 1] === link) return;
  sources[sources.length] = source;
  dependents[dependents.length] = link;
  if (dependents.length >= stateOf(source).sweepAt) sweep(stateOf(source));
}

/** Forget dependent signals that are gone, or aborted by others. @param {SignalState} state */
function sweep(state) {
  const { dependents } = state;
  const live = newList();
  for (let i = 0; i < dependents.length; i++) {
    const link = dependents[i];
    if (!link.done && WeakRefPrototypeDeref(link.weak) !== undefined) live[live.length] = link;
  }
  state.dependents = live;
  state.sweepAt = MathMax(shortestSweep, 2 * live.length);
}

/** Run the algorithms and tell the listeners. @param {AbortSignal} signal */
function abortSteps(signal) {
  const state = stateOf(signal);
  const { algorithms } = state;
  state.algorithms = newList();
  state.waiting = 0;
  for (let i = 0; i < algorithms.length; i++) {
    const { run } = algorithms[i];
    algorithms[i].run = undefined;
    if (run !== undefined) run();
  }
  observe(signal);
  if (hasListeners(signal, "abort")) fireEvent(signal, new Event("abort"));
}

/**
 * Abort a signal, and all that depend on it.
 * @param {AbortSignal} signal
 * @param {any} [reason] An AbortError when undefined.
 */
export function signalAbort(signal, reason = undefined) {
  const state = stateOf(signal);
  if (state.aborted) return;
  setReason(state, reason);
  const { dependents } = state;
  const aborting = newList();
  for (let i = 0; i < dependents.length; i++) {
    const dependent = WeakRefPrototypeDeref(dependents[i].weak);
    if (dependent === undefined || stateOf(dependent).aborted) continue;
    setReason(stateOf(dependent), state.reason);
    dependents[i].done = true;
    aborting[aborting.length] = dependent;
  }
  state.dependents = newList();
  abortSteps(signal);
  for (let i = 0; i < aborting.length; i++) abortSteps(aborting[i]);
}

/**
 * Have something done when a signal is aborted, before its listeners are told. It must not throw.
 * @param {AbortSignal} signal
 * @param {() => void} algorithm
 * @returns {() => void} Removes the algorithm; to be called when it is of no use any more.
 */
export function addAbortAlgorithm(signal, algorithm) {
  const state = stateNow(signal);
  if (state.aborted) return () => {};
  const entry = { __proto__: null, run: algorithm };
  state.algorithms[state.algorithms.length] = entry;
  state.waiting++;
  observe(signal);
  return () => {
    if (entry.run === undefined) return;
    entry.run = undefined;
    if (state.aborted) return;
    state.waiting--;
    trim(state);
    observe(signal);
  };
}

/** Drop removed algorithms once they are the most. @param {SignalState} state */
function trim(state) {
  const { algorithms } = state;
  if (algorithms.length < 2 * state.waiting + shortestSweep) return;
  const kept = newList();
  for (let i = 0; i < algorithms.length; i++) if (algorithms[i].run !== undefined) kept[kept.length] = algorithms[i];
  state.algorithms = kept;
}

export const isAbortSignal = isSignal;
export const createAbortSignal = () => new AbortSignal(key);
/** @param {AbortSignal} signal */
export const isAborted = (signal) => stateNow(signal).aborted;
/** @param {AbortSignal} signal */
export const abortReason = (signal) => stateNow(signal).reason;
export const createDependentSignal = dependentSignal;
connectSignals({ __proto__: null, isSignal, isAborted, addAlgorithm: addAbortAlgorithm });

let isController;
let signalOf;

export class AbortController {
  #signal = createAbortSignal();
  static {
    isController = (value) => #signal in value;
    signalOf = (controller) => controller.#signal;
  }
  get signal() {
    requireBrand(#signal in this);
    return this.#signal;
  }
  abort(reason = undefined) {
    requireBrand(#signal in this);
    signalAbort(this.#signal, reason);
  }
}

export const signalTraits = {
  brand: isSignal,
  inspect: (self) => ({ __proto__: null, entries: [["aborted", isAborted(self)]] }),
};
export const controllerTraits = {
  brand: isController,
  inspect: (self) => ({ __proto__: null, entries: [["signal", signalOf(self)]] }),
};
