/**
 * setTimeout and its kin.
 *
 * All timers wait in one binary heap, ordered by due time and then by id. The host is asked to wake the guest for the
 * earliest of them only. Every callback runs as a task of its own, so that microtasks drain between two callbacks.
 */

import { now, report, task } from "sandbox:native";
import { op } from "sandbox:abi.js";
import { answerHost, cancel, submit } from "./op.js";
import {
  global, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, MathFloor, MathMax, newList, ReflectApply,
  TypeError,
} from "./primordials.js";
import { execute, long, requireArguments } from "./webidl.js";

/**
 * @typedef {object} Timer
 * @property {number} id
 * @property {number} due Milliseconds since the time origin.
 * @property {number} period Milliseconds between two calls; 0 for a timeout.
 * @property {Function} callback
 * @property {any[]} args
 * @property {number} slot Index in the heap.
 */

/** A repeating timer waits at least this long, or a virtual clock would never pass it. */
const shortestPeriodMs = 1;

/** @type {Timer[]} */
const heap = newList();
/** @type {Map<number, Timer>} */
const timers = new Map();
let lastId = 0;
/** The time the host has last woken us for: due timers count as due although the clock may read a little less. */
let reachedMs = 0;
/** Request id and due time of the wait the host has been asked for. */
let sleepId = 0;
let sleepDueMs = Infinity;
let taskPosted = false;
/** How many callbacks run in a row before the host is asked again, which may have answers to give. */
const mostInARow = 64;
let ranInARow = 0;
const noArguments = newList();

/** @param {Timer} a @param {Timer} b */
const before = (a, b) => a.due < b.due || (a.due === b.due && a.id < b.id);

/** Swap two slots. No call stands between the assignments, so an interrupt leaves every timer in the heap once. */
function swap(i, j) {
  const a = heap[i];
  const b = heap[j];
  heap[i] = b; heap[j] = a; b.slot = i; a.slot = j;
}

function siftUp(slot) {
  while (slot > 0) {
    const parent = (slot - 1) >> 1;
    if (!before(heap[slot], heap[parent])) return;
    swap(slot, parent);
    slot = parent;
  }
}

function siftDown(slot) {
  for (;;) {
    let least = slot;
    const left = 2 * slot + 1;
    if (left < heap.length && before(heap[left], heap[least])) least = left;
    if (left + 1 < heap.length && before(heap[left + 1], heap[least])) least = left + 1;
    if (least === slot) return;
    swap(slot, least);
    slot = least;
  }
}

/** @param {Timer} timer */
function remove(timer) {
  const { slot } = timer;
  const last = heap.length - 1;
  if (slot !== last) swap(slot, last);
  heap.length = last;
  MapPrototypeDelete(timers, timer.id);
  if (slot !== last) {
    siftUp(slot);
    siftDown(slot);
  }
}

const clock = () => MathMax(now(), reachedMs);

/**
 * Post the next callback when its time has come, else have the host wake us at the earliest due time. After some
 * callbacks in a row the host wakes us for the next one too: a chain of timers that are due holds nothing else up.
 */
function arm() {
  if (heap.length === 0 || heap[0].due > clock() || ranInARow === mostInARow) {
    sleepUntil(heap.length === 0 ? Infinity : heap[0].due);
  } else if (!taskPosted) {
    task(runNext);
    taskPosted = true; // at last: a limit may end this at any instant, and one task too many does no harm
  }
}

/** @param {number} dueMs Infinity: no wait is needed. */
function sleepUntil(dueMs) {
  if (dueMs === sleepDueMs) return;
  if (sleepId !== 0) cancel(sleepId);
  sleepId = 0;
  sleepDueMs = Infinity;
  if (dueMs === Infinity) return;
  sleepId = submit(op.timers.sleep, [dueMs], () => {
    reachedMs = MathMax(reachedMs, dueMs);
    ranInARow = 0;
    sleepId = 0;
    sleepDueMs = Infinity;
    arm();
  }, (error) => {
    sleepId = 0;
    sleepDueMs = Infinity;
    report(error);
  });
  sleepDueMs = dueMs;
}

/**
 * Run the earliest timer when it is due. What comes next is arranged before the callback is called: a callback that
 * throws, or that the host interrupts, leaves the other timers in order.
 */
function runNext() {
  taskPosted = false;
  const timer = heap[0];
  if (timer !== undefined && timer.due <= clock()) {
    const { callback, args, period } = timer;
    ranInARow++;
    if (period === 0) {
      remove(timer);
    } else {
      // The period counts from the due time, so it does not drift; calls whose time has passed by now are left out.
      const missed = MathFloor((clock() - timer.due) / period);
      timer.due += (missed + 1) * period;
      siftDown(timer.slot);
    }
    arm();
    ReflectApply(callback, global, args);
  } else {
    arm();
  }
}

function start(name, callback, delay, args, repeats) {
  const where = execute(name, "Window");
  if (typeof callback !== "function") throw new TypeError(where + ": The callback provided is not a function.");
  const delayMs = MathMax(long(delay, where), 0);
  const period = repeats ? MathMax(delayMs, shortestPeriodMs) : 0;
  return add(callback, now() + MathMax(delayMs, period), period, args);
}

/**
 * Start a timer for other bindings.
 * @param {() => void} callback
 * @param {number} due Milliseconds since the time origin.
 * @returns {number} For `stopTimer`; above 0.
 */
export const startTimer = (callback, due) => add(callback, due, 0, noArguments);

function add(callback, due, period, args) {
  const timer = {
    __proto__: null, id: ++lastId, due, period, callback,
    args: args.length === 0 ? noArguments : args, slot: heap.length,
  };
  MapPrototypeSet(timers, timer.id, timer);
  try {
    heap[heap.length] = timer;
  } catch (error) {
    MapPrototypeDelete(timers, timer.id);
    throw error;
  }
  siftUp(timer.slot);
  // Nothing is arranged where a limit has ended what was about to arrange it.
  if (timer.slot === 0 || (!taskPosted && sleepId === 0)) arm();
  return timer.id;
}

const stop = (name, id) => stopTimer(long(id, execute(name, "Window")));

/** @param {number} id One that is no timer's, or no longer, is ignored. */
export function stopTimer(id) {
  const timer = MapPrototypeGet(timers, id);
  if (timer === undefined) return;
  const wasFirst = timer.slot === 0;
  remove(timer);
  if (wasFirst) arm();
}

export const operations = {
  setTimeout(callback, delay = 0, ...args) {
    requireArguments(arguments.length, 1, execute("setTimeout", "Window"));
    return start("setTimeout", callback, delay, args, false);
  },
  setInterval(callback, delay = 0, ...args) {
    requireArguments(arguments.length, 1, execute("setInterval", "Window"));
    return start("setInterval", callback, delay, args, true);
  },
  clearTimeout(id = 0) {
    stop("clearTimeout", id);
  },
  clearInterval(id = 0) {
    stop("clearInterval", id);
  },
};

answerHost({
  __proto__: null,
  /** The sandbox is put aside: nothing of what it had planned happens in its next use. */
  "timers.clear": () => {
    while (heap.length > 0) remove(heap[heap.length - 1]);
    sleepUntil(Infinity);
  },
});
