/** PerformanceObserver: told of new entries, in a task. */

import { report, task } from "sandbox:native";
import { choose, rememberedEntries, typeOf } from "./performance_entries.js";
import {
  DOMException, isObject, newList, ObjectFreeze, ReflectApply, toArray, TypeError,
} from "./primordials.js";
import {
  boolean, construct, dictionary, DOMString, execute, requireArguments, requireBrand, sequence,
} from "./webidl.js";

/** Only this module may construct lists. */
const key = {};
const supported = ObjectFreeze(["mark", "measure"]);
const isSupported = (type) => type === "mark" || type === "measure";

const observerInit = dictionary([
  { key: "buffered", convert: boolean },
  { key: "entryTypes", convert: (value, where) => sequence(value, DOMString, where) },
  { key: "type", convert: DOMString },
]);

/**
 * @typedef {object} ObserverState
 * @property {PerformanceObserver} observer
 * @property {Function} callback
 * @property {string[]} types Observed ones.
 * @property {"" | "single" | "multiple"} kind How it observes; never changes once it does.
 * @property {any[]} entries That it is to be told of.
 * @property {boolean} told Whether it was told of anything.
 */

/** Those that observe something, in the order they began. @type {ObserverState[]} */
let observers = newList();
let taskPosted = false;

let isList;
export class PerformanceObserverEntryList {
  #entries;
  static {
    isList = (value) => isObject(value) && #entries in value;
  }
  constructor(token = undefined, entries = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor");
    this.#entries = entries;
  }
  getEntries() {
    requireBrand(#entries in this);
    return toArray(choose(this.#entries));
  }
  getEntriesByType(type) {
    requireBrand(#entries in this);
    const where = execute("getEntriesByType", "PerformanceObserverEntryList");
    requireArguments(arguments.length, 1, where);
    return toArray(choose(this.#entries, DOMString(type, where)));
  }
  getEntriesByName(name, type = undefined) {
    requireBrand(#entries in this);
    const where = execute("getEntriesByName", "PerformanceObserverEntryList");
    requireArguments(arguments.length, 1, where);
    const wanted = DOMString(name, where);
    return toArray(choose(this.#entries, type === undefined ? undefined : DOMString(type, where), wanted));
  }
}

let isObserver;
export class PerformanceObserver {
  /** @type {ObserverState} */
  #state;
  static {
    isObserver = (value) => isObject(value) && #state in value;
  }

  constructor(callback) {
    const where = construct("PerformanceObserver");
    requireArguments(arguments.length, 1, where);
    if (typeof callback !== "function") throw new TypeError(where + ": parameter 1 is not of type 'Function'.");
    this.#state = {
      __proto__: null, observer: this, callback, types: newList(), kind: "", entries: newList(), told: false,
    };
  }

  static get supportedEntryTypes() { return supported; }

  observe(options = undefined) {
    requireBrand(#state in this);
    const state = this.#state;
    const where = execute("observe", "PerformanceObserver");
    const { entryTypes, type, buffered } = observerInit(options, where);
    if (entryTypes === undefined && type === undefined) {
      throw new TypeError(where + ": Either entryTypes or type must be given.");
    }
    if (entryTypes !== undefined && (type !== undefined || buffered !== undefined)) {
      throw new TypeError(where + ": entryTypes cannot be given with other members.");
    }
    const kind = type === undefined ? "multiple" : "single";
    if (state.kind !== "" && state.kind !== kind) {
      throw new DOMException(where + ": entryTypes and type cannot be mixed.", "InvalidModificationError");
    }
    state.kind = kind;
    const given = entryTypes ?? newList();
    if (type !== undefined) given[0] = type;
    const types = newList();
    for (let i = 0; i < given.length; i++) if (isSupported(given[i])) types[types.length] = given[i];
    if (types.length === 0) return;
    if (kind === "multiple") state.types = types;
    else if (!observes(state, type)) state.types[state.types.length] = type;
    join(state);
    if (buffered) {
      const past = choose(rememberedEntries(type));
      for (let i = 0; i < past.length; i++) state.entries[state.entries.length] = past[i];
      if (past.length > 0) post();
    }
  }

  disconnect() {
    requireBrand(#state in this);
    const others = newList();
    for (let i = 0; i < observers.length; i++) if (observers[i] !== this.#state) others[others.length] = observers[i];
    observers = others;
    this.#state.types = newList();
    this.#state.entries = newList();
  }

  takeRecords() {
    requireBrand(#state in this);
    const { entries } = this.#state;
    this.#state.entries = newList();
    return toArray(entries);
  }
}

/** @param {ObserverState} state @param {string} type */
function observes(state, type) {
  for (let i = 0; i < state.types.length; i++) if (state.types[i] === type) return true;
  return false;
}

/** @param {ObserverState} state */
function join(state) {
  for (let i = 0; i < observers.length; i++) if (observers[i] === state) return;
  observers[observers.length] = state;
}

function post() {
  if (taskPosted) return;
  task(notify);
  taskPosted = true;
}

/** A task: tell the observers. */
function notify() {
  taskPosted = false;
  const all = observers;
  const count = all.length;
  for (let i = 0; i < count; i++) {
    const state = all[i];
    const { entries, callback, observer, told } = state;
    if (entries.length === 0) continue;
    state.entries = newList();
    state.told = true;
    try {
      const list = new PerformanceObserverEntryList(key, entries);
      ReflectApply(callback, observer, [list, observer, told ? {} : { droppedEntriesCount: 0 }]);
    } catch (error) {
      report(error);
    }
  }
}

/** Tell observers of a new entry. @param {object} entry */
export function announce(entry) {
  for (let i = 0; i < observers.length; i++) {
    const state = observers[i];
    if (!observes(state, typeOf(entry))) continue;
    state.entries[state.entries.length] = entry;
    post();
  }
}

export const observerTraits = { brand: isObserver };
export const entryListTraits = { brand: isList };
