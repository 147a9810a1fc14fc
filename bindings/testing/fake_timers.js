/**
 * Fake timers: `setTimeout` and its kin, `Date` and `performance.now` of a clock that moves only when it is told to.
 *
 * They take the places of the globals, so that programs under test find them. Timers of the test environment itself are
 * not among them.
 */

import {
  Date, global, MathFloor, MathMax, newList, Number, NumberIsFinite, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ReflectApply, ReflectConstruct, ReflectDeleteProperty, RangeError, TypeError, DatePrototypeGetTime, isObject,
} from "../primordials.js";

/** @typedef {{ id: number, due: number, period: number, callback: Function, args: any[] }} Timer */

const mostTimers = 100_000;
const now = Date.now;
/** @type {Timer[]} In the order in which they were started. */
const timers = newList();
/** What stood where the fakes stand: object, key and descriptor, in turn. */
const replaced = newList();
let isFake = false;
let lastId = 0;
/** Milliseconds since the fake clock was started, and what `Date` said then. */
let elapsed = 0;
let epoch = 0;

function need() {
  if (!isFake) throw new TypeError("timers are not fake: call useFakeTimers first");
}

function put(object, key, value) {
  replaced[replaced.length] = object;
  replaced[replaced.length] = key;
  replaced[replaced.length] = ObjectGetOwnPropertyDescriptor(object, key);
  ObjectDefineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function start(callback, delay, args, repeats) {
  if (typeof callback !== "function") throw new TypeError("the callback of a timer must be a function");
  const wanted = MathFloor(Number(delay));
  const wait = wanted > 0 ? wanted : 0;
  const timer = { __proto__: null, id: ++lastId, due: elapsed + wait, period: repeats ? MathMax(wait, 1) : 0, callback, args };
  if (timers.length >= mostTimers) throw new RangeError("there are " + mostTimers + " fake timers");
  if (repeats) timer.due = elapsed + timer.period;
  timers[timers.length] = timer;
  return timer.id;
}

function drop(id) {
  for (let i = 0; i < timers.length; i++) {
    if (timers[i].id !== id) continue;
    for (let j = i + 1; j < timers.length; j++) timers[j - 1] = timers[j];
    timers.length--;
    return;
  }
}

const time = () => epoch + elapsed;

function FakeDate(...args) {
  if (new.target === undefined) return new Date(time()).toString();
  if (args.length === 0) args[0] = time();
  return ReflectConstruct(Date, args, new.target === FakeDate ? Date : new.target);
}
ObjectDefineProperty(FakeDate, "name", { __proto__: null, value: "Date", configurable: true });
ObjectDefineProperty(FakeDate, "length", { __proto__: null, value: 7, configurable: true });
ObjectDefineProperty(FakeDate, "prototype", { __proto__: null, value: Date.prototype });
for (const key of ["parse", "UTC"]) { // while the guest is built
  ObjectDefineProperty(FakeDate, key, { __proto__: null, value: Date[key], writable: true, configurable: true });
}
ObjectDefineProperty(FakeDate, "now", { __proto__: null, value: () => time(), writable: true, configurable: true });

const fakes = {
  __proto__: null,
  setTimeout: (callback, delay = 0, ...args) => start(callback, delay, args, false),
  setInterval: (callback, delay = 0, ...args) => start(callback, delay, args, true),
  clearTimeout: drop,
  clearInterval: drop,
  Date: FakeDate,
};

function milliseconds(value) {
  const ms = isObject(value) ? DatePrototypeGetTime(value) : Number(value);
  if (!NumberIsFinite(ms)) throw new TypeError("a time is a Date or a number of milliseconds");
  return ms;
}

/** @param {{ now?: number | Date, toFake?: string[] }} [options] */
export function useFakeTimers(options = undefined) {
  if (isFake) useRealTimers();
  const wanted = options?.toFake;
  const includes = (name) => {
    if (wanted === undefined) return true;
    for (let i = 0; i < wanted.length; i++) if (wanted[i] === name) return true;
    return false;
  };
  epoch = options?.now === undefined ? now() : milliseconds(options.now);
  elapsed = 0;
  timers.length = 0;
  isFake = true;
  for (const name in fakes) if (includes(name)) put(global, name, fakes[name]);
  if (includes("performance")) {
    const { performance } = global;
    if (isObject(performance)) put(performance, "now", () => elapsed);
  }
}

export function useRealTimers() {
  while (replaced.length > 0) {
    const descriptor = replaced[replaced.length - 1];
    const key = replaced[replaced.length - 2];
    const object = replaced[replaced.length - 3];
    replaced.length -= 3;
    if (descriptor === undefined) ReflectDeleteProperty(object, key);
    else ObjectDefineProperty(object, key, descriptor);
  }
  timers.length = 0;
  isFake = false;
}

export const isFakeTimers = () => isFake;

/** The timer that is due next, not after a time. @returns {Timer | undefined} */
function next(until) {
  let first;
  for (let i = 0; i < timers.length; i++) {
    const timer = timers[i];
    if (timer.due <= until && (first === undefined || timer.due < first.due)) first = timer;
  }
  return first;
}

function fire(timer) {
  elapsed = MathMax(elapsed, timer.due);
  if (timer.period === 0) drop(timer.id);
  else timer.due += timer.period;
  ReflectApply(timer.callback, global, timer.args);
}

/**
 * The timers up to a time, one after the other; some of them may be left out. A generator, so that promises can go on
 * between two of them, or not.
 */
function* passing(until, limit, isMeant = () => true) {
  for (let count = 0; ; count++) {
    let timer = next(until);
    if (timer !== undefined && !isMeant(timer)) {
      timer = undefined;
      for (let i = 0; i < timers.length; i++) {
        if (timers[i].due <= until && isMeant(timers[i]) && (timer === undefined || timers[i].due < timer.due)) timer = timers[i];
      }
    }
    if (timer === undefined) return;
    if (count >= limit) throw new RangeError("timers went on after " + limit + " of them: do they start one another?");
    fire(timer);
    yield;
  }
}

function finish(steps, end) {
  while (!steps.next().done);
  if (end !== undefined) elapsed = MathMax(elapsed, end);
}

/** Likewise, with time for promises before, between and after. */
async function finishLater(steps, end) {
  await settle();
  while (!steps.next().done) await settle();
  if (end !== undefined) elapsed = MathMax(elapsed, end);
}

/** Some rounds of promise reactions. */
async function settle() {
  for (let i = 0; i < 16; i++) await undefined;
}

const plenty = 100_000;

function span(ms) {
  need();
  const wait = Number(ms);
  if (!(wait >= 0)) throw new TypeError("time goes forward, by a number of milliseconds");
  return elapsed + wait;
}

function pendingOnly() {
  need();
  const last = lastId;
  let end = elapsed;
  for (let i = 0; i < timers.length; i++) end = MathMax(end, timers[i].due);
  const seen = newList();
  return passing(end, plenty, (timer) => {
    if (timer.id > last) return false;
    if (timer.period === 0) return true;
    for (let i = 0; i < seen.length; i++) if (seen[i] === timer.id) return false;
    seen[seen.length] = timer.id;
    return true;
  });
}

const everything = () => {
  need();
  return passing(Infinity, plenty);
};

function toNext(steps) {
  need();
  for (let i = 0; i < steps; i++) {
    const timer = next(Infinity);
    if (timer !== undefined) fire(timer);
  }
}

async function toNextLater(steps) {
  need();
  for (let i = 0; i < steps; i++) {
    await settle();
    const timer = next(Infinity);
    if (timer !== undefined) fire(timer);
  }
  await settle();
}

export const timerControls = {
  useFakeTimers,
  useRealTimers,
  isFakeTimers,
  advanceTimersByTime(ms) {
    const end = span(ms);
    finish(passing(end, plenty), end);
  },
  async advanceTimersByTimeAsync(ms) {
    const end = span(ms);
    await finishLater(passing(end, plenty), end);
  },
  runAllTimers: () => finish(everything()),
  runAllTimersAsync: async () => finishLater(everything()),
  runOnlyPendingTimers: () => finish(pendingOnly()),
  runOnlyPendingTimersAsync: async () => finishLater(pendingOnly()),
  advanceTimersToNextTimer: (steps = 1) => toNext(steps),
  advanceTimersToNextTimerAsync: async (steps = 1) => toNextLater(steps),
  getTimerCount() {
    need();
    return timers.length;
  },
  clearAllTimers() {
    need();
    timers.length = 0;
  },
  setSystemTime(value = now()) {
    need();
    epoch = milliseconds(value) - elapsed;
  },
  getMockedSystemTime: () => (isFake ? new Date(time()) : null),
  getRealSystemTime: () => now(),
};

