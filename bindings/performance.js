/** High Resolution Time and User Timing: the clock of the sandbox, real or virtual, and marks on it. */

import { now, timeOrigin } from "sandbox:native";
import { EventTarget } from "./events.js";
import { choose, forget, makeMeasure, PerformanceMark, remember, rememberedEntries } from "./performance_entries.js";
import { announce } from "./performance_observer.js";
import { isObject, toArray, TypeError } from "./primordials.js";
import { DOMString, execute, requireArguments, requireBrand } from "./webidl.js";

/** Only this module may construct the interface. */
const key = {};
let isPerformance;

export class Performance extends EventTarget {
  #granted = true;
  constructor(token = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor");
    super();
  }
  static {
    isPerformance = (value) => isObject(value) && #granted in value;
  }
  get timeOrigin() {
    requireBrand(#granted in this);
    return timeOrigin();
  }
  now() {
    requireBrand(#granted in this);
    return now();
  }
  toJSON() {
    requireBrand(#granted in this);
    return { timeOrigin: timeOrigin() };
  }

  mark(markName, markOptions = undefined) {
    requireBrand(#granted in this);
    requireArguments(arguments.length, 1, execute("mark", "Performance"));
    return add(new PerformanceMark(markName, markOptions));
  }
  clearMarks(markName = undefined) {
    requireBrand(#granted in this);
    forget("mark", markName === undefined ? undefined : DOMString(markName, execute("clearMarks", "Performance")));
  }
  measure(measureName, startOrMeasureOptions = undefined, endMark = undefined) {
    requireBrand(#granted in this);
    const where = execute("measure", "Performance");
    requireArguments(arguments.length, 1, where);
    return add(makeMeasure(measureName, startOrMeasureOptions, endMark, where));
  }
  clearMeasures(measureName = undefined) {
    requireBrand(#granted in this);
    const where = execute("clearMeasures", "Performance");
    forget("measure", measureName === undefined ? undefined : DOMString(measureName, where));
  }

  getEntries() {
    requireBrand(#granted in this);
    return toArray(choose(rememberedEntries()));
  }
  getEntriesByType(type) {
    requireBrand(#granted in this);
    const where = execute("getEntriesByType", "Performance");
    requireArguments(arguments.length, 1, where);
    return toArray(choose(rememberedEntries(DOMString(type, where))));
  }
  getEntriesByName(name, type = undefined) {
    requireBrand(#granted in this);
    const where = execute("getEntriesByName", "Performance");
    requireArguments(arguments.length, 1, where);
    const wanted = DOMString(name, where);
    const entries = rememberedEntries(type === undefined ? undefined : DOMString(type, where));
    return toArray(choose(entries, undefined, wanted));
  }
}

/** @template T @param {T} entry @returns {T} */
function add(entry) {
  remember(entry);
  announce(entry);
  return entry;
}

export const performance = new Performance(key);
export const traits = { brand: isPerformance };
