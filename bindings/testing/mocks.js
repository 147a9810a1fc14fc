/** `fn` and `spyOn`: functions that note how they are called, and do what they are told. */

import {
  isObject, newList, Object, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf, ObjectHasOwn, Promise, ReflectApply, ReflectConstruct, ReflectDeleteProperty, toArray,
  TypeError, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet,
} from "../primordials.js";

/**
 * @typedef {object} Mock
 * @property {string} name
 * @property {Function | undefined} first What it was made with.
 * @property {Function | undefined} implementation
 * @property {Function[]} once Implementations for the calls that come next.
 * @property {Calls} calls
 * @property {(() => void) | undefined} restore Puts back what a spy stands for.
 * @property {Function | undefined} original What a spy calls where it was not told otherwise.
 *
 * @typedef {object} Calls What programs see as `mock`.
 */

/** By the function. @type {WeakMap<Function, Mock>} */
const mocks = new WeakMap();
/** All of them. @type {Mock[]} */
const all = newList();
let order = 0;

/** @param {unknown} value @returns {Mock | undefined} */
export const mockOf = (value) => (typeof value === "function" ? WeakMapPrototypeGet(mocks, value) : undefined);
export const isMock = (value) => mockOf(value) !== undefined;
export const mockName = (value) => mockOf(value).name;

const newCalls = () => ({
  calls: toArray(newList()), results: toArray(newList()), contexts: toArray(newList()), instances: toArray(newList()),
  invocationCallOrder: toArray(newList()),
  get lastCall() {
    return this.calls[this.calls.length - 1];
  },
});

const push = (array, value) => {
  ObjectDefineProperty(array, array.length, {
    __proto__: null, value, writable: true, enumerable: true, configurable: true,
  });
};

function run(mock, self, args, target) {
  const { calls } = mock;
  push(calls.calls, args);
  push(calls.contexts, self);
  push(calls.invocationCallOrder, ++order);
  const at = calls.results.length;
  push(calls.results, { type: "incomplete", value: undefined });
  const settle = (type, value) => { calls.results[at] = { type, value }; };
  let action = mock.implementation;
  if (mock.once.length > 0) {
    action = mock.once[0];
    for (let i = 1; i < mock.once.length; i++) mock.once[i - 1] = mock.once[i];
    mock.once.length--;
  }
  action ??= mock.original;
  let value;
  try {
    if (target !== undefined && isConstructor(action)) value = ReflectConstruct(action, args, target);
    else value = action === undefined ? undefined : ReflectApply(action, self, args);
  } catch (error) {
    push(calls.instances, self);
    settle("throw", error);
    throw error;
  }
  push(calls.instances, target !== undefined && isObject(value) ? value : self);
  settle("return", value);
  return value;
}

/** Whether it is a class or an old function, which can be called with `new`. */
function isConstructor(value) {
  if (typeof value !== "function") return false;
  try {
    ReflectConstruct(Object, [], value);
    return true;
  } catch {
    return false;
  }
}

function make(mock) {
  const self = function (...args) {
    return run(mock, this, args, new.target);
  };
  mock.function = self;
  WeakMapPrototypeSet(mocks, self, mock);
  all[all.length] = mock;
  const method = (name, value) => {
    ObjectDefineProperty(self, name, { __proto__: null, value, writable: true, configurable: true });
  };
  const chained = (name, action) => method(name, (...args) => {
    ReflectApply(action, undefined, args);
    return self;
  });
  const made = mock.first ?? mock.original;
  if (isConstructor(made)) self.prototype = made.prototype;
  ObjectDefineProperty(self, "mock", { __proto__: null, get: () => mock.calls, configurable: true });
  ObjectDefineProperty(self, "name", { __proto__: null, value: mock.name, configurable: true });
  const later = (implementation) => { mock.once[mock.once.length] = implementation; };
  const always = (implementation) => { mock.implementation = implementation; };
  chained("mockImplementation", always);
  chained("mockImplementationOnce", later);
  chained("mockReturnValue", (value) => always(() => value));
  chained("mockReturnValueOnce", (value) => later(() => value));
  chained("mockReturnThis", () => always(function () { return this; }));
  chained("mockResolvedValue", (value) => always(async () => value));
  chained("mockResolvedValueOnce", (value) => later(async () => value));
  chained("mockRejectedValue", (value) => always(async () => { throw value; }));
  chained("mockRejectedValueOnce", (value) => later(async () => { throw value; }));
  chained("mockThrow", (error) => always(() => { throw error; }));
  chained("mockThrowOnce", (error) => later(() => { throw error; }));
  chained("mockName", (name) => { mock.name = "" + name; });
  method("getMockName", () => mock.name);
  method("getMockImplementation", () => mock.implementation);
  chained("mockClear", () => clear(mock));
  chained("mockReset", () => reset(mock));
  chained("mockRestore", () => restore(mock));
  method("withImplementation", (implementation, callback) => withImplementation(mock, implementation, callback));
  return self;
}

function withImplementation(mock, implementation, callback) {
  const before = mock.implementation;
  mock.implementation = implementation;
  const back = () => { mock.implementation = before; };
  let result;
  try {
    result = callback();
  } catch (error) {
    back();
    throw error;
  }
  if (!(result instanceof Promise)) {
    back();
    return undefined;
  }
  return (async () => {
    try {
      await result;
    } finally {
      back();
    }
  })();
}

const clear = (mock) => { mock.calls = newCalls(); };

function reset(mock) {
  clear(mock);
  mock.once.length = 0;
  mock.implementation = mock.first;
}

function restore(mock) {
  reset(mock);
  mock.restore?.();
}

const newMock = (name, implementation) => ({
  __proto__: null, name, first: implementation, implementation, once: newList(), calls: newCalls(), restore: undefined,
  original: undefined, function: undefined,
});

/** A function that notes its calls. @param {Function} [implementation] */
export function fn(implementation = undefined) {
  if (implementation !== undefined && typeof implementation !== "function") throw new TypeError("fn needs a function");
  const name = implementation === undefined || implementation.name === "" ? "fn" : implementation.name;
  return make(newMock(name, implementation));
}

function ownerOf(object, key) {
  for (let at = object; at !== null; at = ObjectGetPrototypeOf(at)) {
    const descriptor = ObjectGetOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

/** Put a mock in the place of a method, or of one half of an accessor. */
export function spyOn(object, key, access = undefined) {
  if (!isObject(object)) throw new TypeError("spyOn needs an object or a function");
  const descriptor = ownerOf(object, key);
  const shown = typeof key === "symbol" ? "the symbol" : "'" + key + "'";
  if (descriptor === undefined) throw new TypeError("there is no property " + shown + " to spy on");
  const half = access ?? "value";
  if (half !== "value" && half !== "get" && half !== "set") throw new TypeError('spyOn spies on "get" or "set"');
  const original = half === "value" && descriptor.get !== undefined ? object[key] : descriptor[half];
  if (typeof original !== "function") {
    throw new TypeError(half === "value" ? "the property " + shown + " is not a function" : "the property " + shown + " has no " + half);
  }
  if (isMock(original)) return original;
  const wasOwn = ObjectHasOwn(object, key) ? ObjectGetOwnPropertyDescriptor(object, key) : undefined;
  if (wasOwn !== undefined && !wasOwn.configurable && !(half === "value" && wasOwn.writable)) {
    throw new TypeError("the property " + shown + " cannot be replaced");
  }
  const mock = newMock(typeof key === "symbol" ? "spy" : "" + key, undefined);
  mock.original = original;
  const spy = make(mock);
  const { enumerable } = descriptor;
  if (half === "value") {
    const configurable = wasOwn === undefined || wasOwn.configurable;
    ObjectDefineProperty(object, key, { __proto__: null, value: spy, writable: true, enumerable, configurable });
  } else {
    const { get, set } = descriptor;
    const parts = { __proto__: null, get, set, enumerable, configurable: true };
    parts[half] = spy;
    ObjectDefineProperty(object, key, parts);
  }
  mock.restore = () => {
    if (wasOwn === undefined) ReflectDeleteProperty(object, key);
    else ObjectDefineProperty(object, key, wasOwn);
    mock.restore = undefined;
  };
  return spy;
}

const forAll = (action) => { for (let i = 0; i < all.length; i++) action(all[i]); };
export const clearAllMocks = () => forAll(clear);
export const resetAllMocks = () => forAll(reset);
export const restoreAllMocks = () => forAll((mock) => { if (mock.restore !== undefined) restore(mock); });
export const isMockFunction = (value) => isMock(value);

