/**
 * DOM events: Event, EventTarget and the `on…` attributes.
 *
 * There are no trees here: the path of an event is its target alone. Lists of listeners are never changed, only
 * replaced, so that a dispatch goes on with the list it began with.
 */

import { now, report } from "sandbox:native";
import {
  DOMException, global, isObject, newList, Object, ObjectCreate, ObjectDefineProperty, ReflectApply, TypeError,
} from "./primordials.js";
import {
  boolean, construct, defineConstants, dictionary, DOMString, execute, requireArguments, requireBrand,
} from "./webidl.js";

const NONE = 0;
const AT_TARGET = 2;
const phases = { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 };

export const eventInitMembers = [
  { key: "bubbles", convert: boolean, fallback: false },
  { key: "cancelable", convert: boolean, fallback: false },
  { key: "composed", convert: boolean, fallback: false },
];
const eventInit = dictionary(eventInitMembers);

/**
 * What an event is at the moment.
 * @typedef {object} EventState
 * @property {string} type
 * @property {boolean} bubbles
 * @property {boolean} cancelable
 * @property {boolean} composed
 * @property {object | null} target
 * @property {object | null} currentTarget
 * @property {boolean} dispatching
 * @property {boolean} stopped `stopPropagation` was called.
 * @property {boolean} stoppedNow `stopImmediatePropagation` was called.
 * @property {boolean} canceled
 * @property {boolean} passive The listener that runs may not cancel the event.
 * @property {boolean} trusted The sandbox has made the event, not a program.
 * @property {number} timeStamp
 */

/** @type {(event: any) => EventState} */
let stateOf;
/** @type {(value: unknown) => boolean} */
export let isEvent;

/** @param {EventState} state */
function cancel(state) {
  if (state.cancelable && !state.passive) state.canceled = true;
}

export class Event {
  /** @type {EventState} */
  #state;

  static {
    stateOf = (event) => {
      requireBrand(isObject(event) && #state in event);
      return event.#state;
    };
    isEvent = (value) => isObject(value) && #state in value;
  }

  constructor(type, eventInitDict = undefined) {
    const where = construct("Event");
    requireArguments(arguments.length, 1, where);
    const name = DOMString(type, where);
    const { bubbles, cancelable, composed } = eventInit(eventInitDict, where);
    this.#state = {
      __proto__: null, type: name, bubbles, cancelable, composed, target: null, currentTarget: null, dispatching: false,
      stopped: false, stoppedNow: false, canceled: false, passive: false, trusted: false, timeStamp: now(),
    };
    ObjectDefineProperty(this, "isTrusted", isTrusted);
  }

  get type() { return stateOf(this).type; }
  get target() { return stateOf(this).target; }
  get srcElement() { return stateOf(this).target; }
  get currentTarget() { return stateOf(this).currentTarget; }
  composedPath() {
    const { currentTarget } = stateOf(this);
    return currentTarget === null ? [] : [currentTarget];
  }
  get eventPhase() { return stateOf(this).currentTarget === null ? NONE : AT_TARGET; }
  stopPropagation() { stateOf(this).stopped = true; }
  get cancelBubble() { return stateOf(this).stopped; }
  set cancelBubble(value) {
    const state = stateOf(this);
    if (value) state.stopped = true;
  }
  stopImmediatePropagation() {
    const state = stateOf(this);
    state.stopped = true;
    state.stoppedNow = true;
  }
  get bubbles() { return stateOf(this).bubbles; }
  get cancelable() { return stateOf(this).cancelable; }
  get returnValue() { return !stateOf(this).canceled; }
  set returnValue(value) {
    const state = stateOf(this);
    if (!value) cancel(state);
  }
  preventDefault() { cancel(stateOf(this)); }
  get defaultPrevented() { return stateOf(this).canceled; }
  get composed() { return stateOf(this).composed; }
  get timeStamp() { return stateOf(this).timeStamp; }

  initEvent(type, bubbles = false, cancelable = false) {
    const state = stateOf(this);
    const where = execute("initEvent", "Event");
    requireArguments(arguments.length, 1, where);
    initEvent(state, DOMString(type, where), !!bubbles, !!cancelable);
  }
}
defineConstants(Event, phases);

/** What every event has as an own property that cannot be changed. */
const isTrusted = Object.freeze({
  __proto__: null,
  ...Object.getOwnPropertyDescriptor({ get isTrusted() { return stateOf(this).trusted; } }, "isTrusted"),
  configurable: false,
});

/**
 * Make an event anew, with another type.
 * @param {EventState} state
 * @returns {boolean} Whether it could be: not while it is dispatched.
 */
function initEvent(state, type, bubbles, cancelable) {
  if (state.dispatching) return false;
  state.stopped = state.stoppedNow = state.canceled = state.trusted = false;
  state.target = null;
  state.type = type;
  state.bubbles = bubbles;
  state.cancelable = cancelable;
  return true;
}

/**
 * `initEvent` for the methods of derived classes.
 * @param {object} event
 * @returns {boolean} Whether the event could be made anew: not while it is dispatched.
 */
export const reinitialize = (event, type, bubbles, cancelable) => initEvent(stateOf(event), type, bubbles, cancelable);

/**
 * A function or object that is called for events.
 * @typedef {object} Listener
 * @property {string} type
 * @property {any} callback
 * @property {boolean} capture
 * @property {boolean} once
 * @property {boolean} passive
 * @property {boolean} removed
 * @property {boolean} isHandler Whether it is the value of an `on…` attribute: only a function is called.
 * @property {(() => void) | undefined} release Forget the signal that would remove it.
 */

/** @type {{ isSignal: Function, isAborted: Function, addAlgorithm: Function }} */
let signals;
/**
 * Tell how signals work, which are event targets themselves.
 * @param {{ isSignal: Function, isAborted: Function, addAlgorithm: Function }} functions
 */
export function connectSignals(functions) {
  signals = functions;
}

function toSignal(value, where) {
  if (!signals.isSignal(value)) throw new TypeError(where + " is not of type 'AbortSignal'.");
  return value;
}

const removeOptions = dictionary([{ key: "capture", convert: boolean, fallback: false }]);
const addOptions = dictionary([
  { key: "capture", convert: boolean, fallback: false },
  { key: "once", convert: boolean, fallback: false },
  { key: "passive", convert: boolean, fallback: false },
  { key: "signal", convert: toSignal },
]);

/** Convert what is a dictionary or a boolean, the latter for `capture`. */
function toOptions(convert, value, where) {
  if (value === undefined || value === null || isObject(value)) return convert(value, where);
  const options = ObjectCreate(null);
  options.capture = !!value;
  return options;
}

function toCallback(value, where) {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw new TypeError(where + ": parameter 2 is not of type 'Object'.");
  return value;
}

const none = Object.freeze(newList());

/** @type {(value: unknown) => boolean} */
export let isEventTarget;
/** What has the state: the target itself, or what stands for the global object. @type {(target: any) => any} */
let ownerOf;
/** @type {(owner: any) => Listener[]} */
let listenersOf;
/** @type {(owner: any, listeners: Listener[], type: string) => void} */
let setListeners;
/** @type {(owner: any) => Record<string, Listener>} */
let handlersOf;
let setWatch;

export class EventTarget {
  /** @type {Listener[]} */
  #listeners = none;
  /** Values of the `on…` attributes, by type. @type {Record<string, Listener> | undefined} */
  #handlers = undefined;
  /** Told when listeners come or go. @type {((target: object, type: string) => void) | undefined} */
  #watch = undefined;

  static {
    isEventTarget = (value) => value === global || (isObject(value) && #listeners in value);
    ownerOf = (target) => {
      if (target === undefined || target === null || target === global) return globalOwner;
      requireBrand(isObject(target) && #listeners in target);
      return target;
    };
    listenersOf = (owner) => owner.#listeners;
    setListeners = (owner, listeners, type) => {
      owner.#listeners = listeners;
      const watch = owner.#watch;
      if (watch !== undefined) watch(owner, type);
    };
    handlersOf = (owner) => (owner.#handlers ??= ObjectCreate(null));
    setWatch = (owner, watch) => { owner.#watch = watch; };
  }

  addEventListener(type, callback, options = undefined) {
    const owner = ownerOf(this);
    const where = execute("addEventListener", "EventTarget");
    requireArguments(arguments.length, 2, where);
    const name = DOMString(type, where);
    const called = toCallback(callback, where);
    const { capture, once, passive, signal } = toOptions(addOptions, options, where);
    if (called === null || (signal !== undefined && signals.isAborted(signal))) return;
    const list = listenersOf(owner);
    for (let i = 0; i < list.length; i++) {
      if (matches(list[i], name, called, capture)) return;
    }
    const listener = {
      __proto__: null, type: name, callback: called, capture, once: !!once, passive: !!passive, removed: false,
      isHandler: false, release: undefined,
    };
    append(owner, listener);
    if (signal !== undefined) listener.release = signals.addAlgorithm(signal, () => remove(owner, listener));
  }

  removeEventListener(type, callback, options = undefined) {
    const owner = ownerOf(this);
    const where = execute("removeEventListener", "EventTarget");
    requireArguments(arguments.length, 2, where);
    const name = DOMString(type, where);
    const called = toCallback(callback, where);
    const { capture } = toOptions(removeOptions, options, where);
    const list = listenersOf(owner);
    for (let i = 0; i < list.length; i++) {
      if (!matches(list[i], name, called, capture)) continue;
      remove(owner, list[i]);
      return;
    }
  }

  dispatchEvent(event) {
    const owner = ownerOf(this);
    const where = execute("dispatchEvent", "EventTarget");
    requireArguments(arguments.length, 1, where);
    if (!isEvent(event)) throw new TypeError(where + ": parameter 1 is not of type 'Event'.");
    const state = stateOf(event);
    if (state.dispatching) {
      throw new DOMException(where + ": The event is already being dispatched.", "InvalidStateError");
    }
    state.trusted = false;
    return dispatch(owner, event, state);
  }
}

/** Holds the listeners of the global object. */
const globalOwner = new EventTarget();

/** @param {Listener} listener */
const matches = (listener, type, callback, capture) => listener.callback === callback && listener.type === type
  && listener.capture === capture && !listener.isHandler;

/** @param {object} owner @param {Listener} listener */
function append(owner, listener) {
  const list = listenersOf(owner);
  const longer = newList();
  for (let i = 0; i < list.length; i++) longer[i] = list[i];
  longer[list.length] = listener;
  setListeners(owner, longer, listener.type);
}

/** @param {object} owner @param {Listener} listener */
function remove(owner, listener) {
  if (listener.removed) return;
  const list = listenersOf(owner);
  const shorter = newList();
  for (let i = 0; i < list.length; i++) if (list[i] !== listener) shorter[shorter.length] = list[i];
  listener.removed = true;
  if (listener.release !== undefined) listener.release();
  setListeners(owner, shorter, listener.type);
}

/** @param {object} owner @param {object} event @param {EventState} state @returns {boolean} Not canceled. */
function dispatch(owner, event, state) {
  const target = owner === globalOwner ? global : owner;
  const list = listenersOf(owner);
  state.dispatching = true;
  state.target = state.currentTarget = target;
  if (!state.stopped) invoke(owner, event, state, list, true);
  if (!state.stopped) invoke(owner, event, state, listenersOf(owner), false);
  state.currentTarget = null;
  state.dispatching = state.stopped = state.stoppedNow = false;
  return !state.canceled;
}

function invoke(owner, event, state, list, capture) {
  for (let i = 0; i < list.length; i++) {
    const listener = list[i];
    if (listener.removed || listener.type !== state.type || listener.capture !== capture) continue;
    if (listener.once) remove(owner, listener);
    state.passive = listener.passive;
    try {
      if (listener.isHandler) callHandler(listener.callback, event, state);
      else callListener(listener.callback, event, state.currentTarget);
    } catch (error) {
      report(error);
    }
    state.passive = false;
    if (state.stoppedNow) return;
  }
}

/** Call a function, or the method `handleEvent` of an object. */
function callListener(callback, event, target) {
  if (typeof callback === "function") {
    ReflectApply(callback, target, [event]);
    return;
  }
  const { handleEvent } = callback;
  if (typeof handleEvent !== "function") throw new TypeError("The listener has no method 'handleEvent'.");
  ReflectApply(handleEvent, callback, [event]);
}

/** What the global `onerror` is called with instead of the event. @type {(event: object) => any[] | undefined} */
let errorArguments = () => undefined;
/** @param {(event: object) => any[] | undefined} parts Of an ErrorEvent. */
export function connectErrors(parts) {
  errorArguments = parts;
}

/** Call the value of an `on…` attribute; what it returns may cancel the event. */
function callHandler(callback, event, state) {
  if (typeof callback !== "function") return;
  const parts = state.currentTarget === global && state.type === "error" ? errorArguments(event) : undefined;
  const result = ReflectApply(callback, state.currentTarget, parts ?? [event]);
  if (result === (parts !== undefined)) cancel(state);
}

/**
 * Dispatch an event that the sandbox itself has made.
 * @param {object} target
 * @param {object} event
 * @returns {boolean} False when a listener has canceled it.
 */
export function fireEvent(target, event) {
  const state = stateOf(event);
  state.trusted = true;
  return dispatch(ownerOf(target), event, state);
}

/**
 * Be told when the listeners of a target change.
 * @param {object} target
 * @param {(target: object, type: string) => void} watch
 */
export const watchListeners = (target, watch) => setWatch(ownerOf(target), watch);

/** @param {object} target @param {string} type */
export function hasListeners(target, type) {
  const list = listenersOf(ownerOf(target));
  for (let i = 0; i < list.length; i++) if (list[i].type === type) return true;
  return false;
}

/**
 * Define the attribute `on…` of a type of events.
 * @param {object} prototype Of a class derived from EventTarget, or the global object.
 * @param {string} type
 * @param {(target: object) => void} [assigned] Called when the attribute was assigned to.
 */
export function defineEventHandler(prototype, type, assigned = undefined) {
  const name = "on" + type;
  const accessors = {
    get [name]() { return handlersOf(ownerOf(this))[type]?.callback ?? null; },
    set [name](value) {
      setHandler(ownerOf(this), type, isObject(value) ? value : null);
      assigned?.(this);
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(accessors, name);
  ObjectDefineProperty(prototype, name, { __proto__: null, get, set, enumerable: true, configurable: true });
}

/** While it has a value, the attribute is one listener, whose place in the order stays. */
function setHandler(owner, type, callback) {
  const handlers = handlersOf(owner);
  const known = handlers[type];
  if (known !== undefined) {
    if (callback !== null) {
      known.callback = callback;
      return;
    }
    delete handlers[type];
    remove(owner, known);
  } else if (callback !== null) {
    const listener = {
      __proto__: null, type, callback, capture: false, once: false, passive: false, removed: false, isHandler: true,
      release: undefined,
    };
    handlers[type] = listener;
    append(owner, listener);
  }
}

const shown = ["type", "defaultPrevented", "cancelable", "timeStamp"];
const read = {
  __proto__: null,
  type: (state) => state.type,
  defaultPrevented: (state) => state.canceled,
  cancelable: (state) => state.cancelable,
  timeStamp: (state) => state.timeStamp,
};
/** @param {object} event */
export function inspectEvent(event) {
  const state = stateOf(event);
  const entries = newList();
  for (let i = 0; i < shown.length; i++) entries[i] = [shown[i], read[shown[i]](state)];
  return { __proto__: null, entries, hidden: "isTrusted" };
}
export const eventTraits = { brand: isEvent, inspect: inspectEvent };
export const eventTargetTraits = { brand: isEventTarget };
