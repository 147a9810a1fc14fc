/** Performance Timeline and User Timing: entries, and the list of them. */

import { now } from "sandbox:native";
import {
  ArrayPrototypeSort, DOMException, isObject, newList, TypeError,
} from "./primordials.js";
import { clone } from "./structured_clone.js";
import { any, construct, dictionary, DOMString, double, requireArguments, requireBrand } from "./webidl.js";

/** Only this module may construct entries, but for marks. */
const key = {};
/** So many marks and measures are remembered at least, the newest ones; twice as many at most. */
const remembered = 10_000;
const noTransfer = newList();

/**
 * @typedef {object} EntryState
 * @property {string} name
 * @property {"mark" | "measure"} entryType
 * @property {number} startTime
 * @property {number} duration
 * @property {any} detail
 */

let isEntry;
/** @type {(entry: any) => EntryState} */
let stateOf;

export class PerformanceEntry {
  /** @type {EntryState} */
  #state;
  static {
    isEntry = (value) => isObject(value) && #state in value;
    stateOf = (entry) => {
      requireBrand(isObject(entry) && #state in entry);
      return entry.#state;
    };
  }
  constructor(token = undefined, state = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor");
    this.#state = state;
  }
  get name() { return stateOf(this).name; }
  get entryType() { return stateOf(this).entryType; }
  get startTime() { return stateOf(this).startTime; }
  get duration() { return stateOf(this).duration; }
  toJSON() {
    const { name, entryType, startTime, duration } = stateOf(this);
    return { name, entryType, startTime, duration };
  }
}

function toTime(value, where) {
  const time = double(value, where);
  if (time < 0) throw new TypeError(where + ": The time is negative.");
  return time;
}
const markOptions = dictionary([{ key: "detail", convert: any }, { key: "startTime", convert: toTime }]);
const copyOf = (detail, where) => (detail === undefined || detail === null ? null : clone(detail, noTransfer, where).value);

let isMark;
export class PerformanceMark extends PerformanceEntry {
  #branded = true;
  static {
    isMark = (value) => isObject(value) && #branded in value;
  }
  constructor(markName, markOptions = undefined) {
    const where = construct("PerformanceMark");
    requireArguments(arguments.length, 1, where);
    super(key, readMark(markName, markOptions, where));
  }
  get detail() {
    requireBrand(#branded in this);
    return stateOf(this).detail;
  }
}

/** @returns {EntryState} */
function readMark(markName, options, where) {
  const name = DOMString(markName, where);
  const { detail, startTime } = markOptions(options, where);
  return {
    __proto__: null, name, entryType: "mark", startTime: startTime ?? now(), duration: 0, detail: copyOf(detail, where),
  };
}

let isMeasure;
export class PerformanceMeasure extends PerformanceEntry {
  #branded = true;
  static {
    isMeasure = (value) => isObject(value) && #branded in value;
  }
  constructor(token = undefined, state = undefined) {
    super(token, state);
  }
  get detail() {
    requireBrand(#branded in this);
    return stateOf(this).detail;
  }
}

const toMark = (value, where) => (typeof value === "number" ? double(value, where) : DOMString(value, where));
const measureOptions = dictionary([
  { key: "detail", convert: any },
  { key: "duration", convert: double },
  { key: "end", convert: toMark },
  { key: "start", convert: toMark },
]);

/** The time of a mark by its name, or a time. */
function timeOf(mark, where) {
  if (typeof mark === "number") {
    if (mark < 0) throw new TypeError(where + ": The time is negative.");
    return mark;
  }
  const { mark: marks } = timeline;
  for (let i = marks.length - 1; i >= 0; i--) if (stateOf(marks[i]).name === mark) return stateOf(marks[i]).startTime;
  throw new DOMException(where + ": The mark '" + mark + "' does not exist.", "SyntaxError");
}

/**
 * @param {any} measureName
 * @param {any} from A name of a mark, or options.
 * @param {any} endMark
 * @param {string} where
 * @returns {PerformanceMeasure}
 */
export function makeMeasure(measureName, from, endMark, where) {
  const name = DOMString(measureName, where);
  const named = from !== undefined && from !== null && !isObject(from);
  const options = measureOptions(named ? undefined : from, where);
  const start = named ? DOMString(from, where) : options.start;
  const end = endMark === undefined ? options.end : DOMString(endMark, where);
  const { duration, detail } = options;
  if (start !== undefined || options.end !== undefined || duration !== undefined || detail !== undefined) {
    if (!named && endMark !== undefined) throw new TypeError(where + ": There are options and the name of a mark.");
    if (start === undefined && end === undefined) throw new TypeError(where + ": There is neither start nor end.");
    if (start !== undefined && duration !== undefined && end !== undefined) {
      throw new TypeError(where + ": There are start, duration and end.");
    }
  }
  let endTime;
  if (end !== undefined) endTime = timeOf(end, where);
  else if (duration !== undefined) endTime = timeOf(start, where) + duration;
  else endTime = now();
  let startTime = 0;
  if (start !== undefined) startTime = timeOf(start, where);
  else if (duration !== undefined) startTime = endTime - duration;
  return new PerformanceMeasure(key, {
    __proto__: null, name, entryType: "measure", startTime, duration: endTime - startTime, detail: copyOf(detail, where),
  });
}

/** Entries by type, oldest first. @type {Record<string, PerformanceEntry[]>} */
const timeline = { __proto__: null, mark: newList(), measure: newList() };

/** @param {PerformanceEntry} entry */
export function remember(entry) {
  const type = stateOf(entry).entryType;
  const list = timeline[type];
  list[list.length] = entry;
  if (list.length <= 2 * remembered) return;
  const newest = newList();
  for (let i = list.length - remembered; i < list.length; i++) newest[newest.length] = list[i];
  timeline[type] = newest;
}

/** @param {"mark" | "measure"} type @param {string | undefined} name All of them when undefined. */
export function forget(type, name) {
  const list = timeline[type];
  const kept = newList();
  if (name !== undefined) {
    for (let i = 0; i < list.length; i++) if (stateOf(list[i]).name !== name) kept[kept.length] = list[i];
  }
  timeline[type] = kept;
}

const byTime = (a, b) => stateOf(a).startTime - stateOf(b).startTime;

/**
 * Choose entries, and put them in the order of their start.
 * @param {PerformanceEntry[]} entries
 * @param {string} [type]
 * @param {string} [name]
 * @returns {PerformanceEntry[]} A list.
 */
export function choose(entries, type = undefined, name = undefined) {
  const chosen = newList();
  for (let i = 0; i < entries.length; i++) {
    const state = stateOf(entries[i]);
    if ((type === undefined || state.entryType === type) && (name === undefined || state.name === name)) {
      chosen[chosen.length] = entries[i];
    }
  }
  ArrayPrototypeSort(chosen, byTime);
  return chosen;
}

/** All entries. @param {string} [type] */
export function rememberedEntries(type = undefined) {
  const all = newList();
  for (const each in timeline) {
    if (type !== undefined && type !== each) continue;
    const list = timeline[each];
    for (let i = 0; i < list.length; i++) all[all.length] = list[i];
  }
  return all;
}

/** @param {PerformanceEntry} entry */
export const typeOf = (entry) => stateOf(entry).entryType;

const shown = ["name", "entryType", "startTime", "duration"];
const inspect = (self) => {
  const state = stateOf(self);
  const entries = newList();
  for (let i = 0; i < shown.length; i++) entries[i] = [shown[i], state[shown[i]]];
  entries[shown.length] = ["detail", state.detail];
  return { __proto__: null, entries };
};
export const entryTraits = { brand: isEntry, inspect };
export const markTraits = { brand: isMark, inspect };
export const measureTraits = { brand: isMeasure, inspect };
