/**
 * structuredClone, and the same for messages.
 *
 * One walk over the value, in the standard's order, makes the copies. It keeps its own stack, so depth costs memory and
 * nothing else. Transferred buffers, and all views, exist only when the walk is over: until then a placeholder stands
 * for them, and a note says where they go.
 */

import { classOf, collectionEntries, viewState } from "sandbox:native";
import {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ArrayBufferPrototypeGetImmutable,
  ArrayBufferPrototypeGetMaxByteLength, ArrayBufferPrototypeGetResizable, ArrayBufferPrototypeTransfer, ArrayPrototype, BigIntPrototypeValueOf,
  BooleanPrototypeValueOf, DataView, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset, Date, DatePrototypeGetTime, DOMException, DOMExceptionPrototypeGetMessage,
  DOMExceptionPrototypeGetName, Error, ErrorPrototypeGetStack, errors, isObject, Map, MapPrototypeGet, MapPrototypeHas,
  MapPrototypeSet, newList, NumberPrototypeValueOf, Object, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, ObjectPrototype, ObjectSetPrototypeOf, RegExp, RegExpFlags,
  RegExpPrototypeGetSource, Set, SetPrototypeAdd, String, StringPrototypeValueOf, SymbolIterator,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet,
  typedArrays, TypeError, Uint8Array,
} from "./primordials.js";
import { dictionary, execute, interfaceOf, platformInterface, requireArguments, sequence } from "./webidl.js";

/** The operation that clones, for messages. */
let where = "";
const pending = { __proto__: null };

const toObject = (value, at) => {
  if (!isObject(value)) throw new TypeError(at + ": The transfer list holds a value that is not an object.");
  return value;
};
const cloneOptions = dictionary([{ key: "transfer", convert: (value, at) => sequence(value, toObject, at) }]);

/**
 * The transfer list of `postMessage`, which is given as such or as a member of options.
 * @param {any} value
 * @param {string} at
 * @returns {object[]}
 */
export function transferList(value, at) {
  const method = isObject(value) ? value[SymbolIterator] : undefined;
  if (method !== undefined && method !== null) return sequence(value, toObject, at, method);
  return cloneOptions(value, at).transfer ?? newList();
}

/** @param {string} what @returns {never} */
function refuse(what) {
  throw new DOMException(where + ": " + what + " could not be cloned.", "DataCloneError");
}

/** @param {object} target @param {PropertyKey} key @param {unknown} value @param {boolean} enumerable */
function define(target, key, value, enumerable) {
  ObjectDefineProperty(target, key, { __proto__: null, value, writable: true, enumerable, configurable: true });
}

/** @param {ArrayBuffer} buffer */
function copyBuffer(buffer) {
  if (ArrayBufferPrototypeGetDetached(buffer)) refuse("A detached ArrayBuffer");
  const byteLength = ArrayBufferPrototypeGetByteLength(buffer);
  const isResizable = ArrayBufferPrototypeGetResizable(buffer);
  const maxByteLength = isResizable ? ArrayBufferPrototypeGetMaxByteLength(buffer) : undefined;
  const copy = new ArrayBuffer(byteLength, { __proto__: null, maxByteLength });
  TypedArrayPrototypeSet(new Uint8Array(copy), new Uint8Array(buffer));
  return copy;
}

/** @param {ArrayBuffer} buffer */
function transferBuffer(buffer) {
  if (ArrayBufferPrototypeGetImmutable(buffer)) refuse("An immutable ArrayBuffer that is to be transferred");
  return ArrayBufferPrototypeTransfer(buffer);
}

/** @param {RegExp} value */
function copyRegExp(value) {
  let flags = "";
  for (let i = 0; i < RegExpFlags.length; i++) {
    const { letter, get } = RegExpFlags[i];
    if (get(value)) flags += letter;
  }
  return new RegExp(RegExpPrototypeGetSource(value), flags);
}

/** @param {object} value @param {boolean} isDOM */
function copyError(value, isDOM) {
  let copy;
  let stack = ObjectHasOwn(value, "stack") ? ownData(value, "stack") : undefined;
  if (isDOM) {
    copy = new DOMException(DOMExceptionPrototypeGetMessage(value), DOMExceptionPrototypeGetName(value));
  } else {
    const { name } = value;
    const message = ownData(value, "message");
    copy = message === undefined ? new Error() : new Error(String(message));
    const constructor = typeof name === "string" ? errors[name] ?? Error : Error;
    // The constructors of some classes take iterables; an error differs from another only in its prototype.
    if (constructor !== Error) ObjectSetPrototypeOf(copy, constructor.prototype);
    if (stack === undefined) stack = ErrorPrototypeGetStack(value);
  }
  if (typeof stack === "string") define(copy, "stack", stack, false);
  return copy;
}

/** An own data property's value, undefined when there is none. @param {object} object @param {string} key */
function ownData(object, key) {
  const descriptor = ObjectGetOwnPropertyDescriptor(object, key);
  return descriptor !== undefined && ObjectHasOwn(descriptor, "value") ? descriptor.value : undefined;
}

/** The copy of an object, without its contents. @param {object} value @param {string} kind */
function shellOf(value, kind) {
  switch (kind) {
    case "Object": {
      const platform = platformInterface(value);
      if (platform?.clone !== undefined) return platform.clone(value);
      return platform === undefined ? { __proto__: null } : refuse("The " + platform.name + " object");
    }
    case "Array": return newList();
    case "Map": return new Map();
    case "Set": return new Set();
    case "Date": return new Date(DatePrototypeGetTime(value));
    case "RegExp": return copyRegExp(value);
    case "Error": case "DOMException": return copyError(value, kind === "DOMException");
    case "ArrayBuffer": return copyBuffer(value);
    case "Number": return Object(NumberPrototypeValueOf(value));
    case "String": return Object(StringPrototypeValueOf(value));
    case "Boolean": return Object(BooleanPrototypeValueOf(value));
    case "BigInt": return Object(BigIntPrototypeValueOf(value));
    default: return refuse(kind === "Function" ? "A function" : "A " + kind + " object");
  }
}

/**
 * An object whose contents are being read.
 * @typedef {object} Frame
 * @property {"Object" | "Array" | "Map" | "Set" | "Error"} kind
 * @property {object} source
 * @property {object} copy
 * @property {any[]} keys Keys of the properties to be read, or the contents of a Map or Set.
 * @property {number} next Index in `keys`.
 * @property {number} length Of an Array.
 */

const buffers = {
  __proto__: null, name: "ArrayBuffer", isDetached: ArrayBufferPrototypeGetDetached, transfer: transferBuffer,
};
/** How an object is transferred. @param {object} value */
const transferOf = (value) => (classOf(value) === "ArrayBuffer" ? buffers : interfaceOf(value));

class Cloner {
  /** Copies, or the placeholder, by original. */
  #copies = new Map();
  /** @type {Frame[]} Innermost last. */
  #frames = newList();
  /** What is done when the walk is over: target, key, value to be resolved. Collections keep their order by it. */
  #notes = newList();
  /** @type {{ view: object, kind: string, buffer: object, offset: number, length: number | undefined }[]} */
  #views = newList();

  /** Take an object out of the walk: it will be transferred. */
  reserve(value) {
    if (transferOf(value)?.transfer === undefined) {
      refuse("The transfer list holds a value that cannot be transferred, and");
    }
    if (MapPrototypeHas(this.#copies, value)) refuse("The transfer list holds an object twice, and");
    MapPrototypeSet(this.#copies, value, pending);
  }

  walk(value) {
    this.#visit(value);
    while (this.#frames.length > 0) this.#step(this.#frames[this.#frames.length - 1]);
  }

  /** The copy of a value; the placeholder where it cannot exist yet. */
  #visit(value) {
    if (typeof value === "symbol") refuse("A symbol");
    if (!isObject(value)) return value;
    const known = MapPrototypeGet(this.#copies, value);
    if (known !== undefined) return known;
    const kind = classOf(value);
    if (typedArrays[kind] !== undefined || kind === "DataView") {
      this.#visitView(value, kind);
      return pending;
    }
    const copy = shellOf(value, kind);
    MapPrototypeSet(this.#copies, value, copy);
    if (kind === "Object" && ObjectGetPrototypeOf(copy) !== null) return copy; // a platform object, which is whole
    let keys;
    if (kind === "Map" || kind === "Set") keys = collectionEntries(value);
    else if (kind === "Error") keys = ["cause", "errors"];
    else if (kind === "Object" || kind === "Array") keys = ObjectKeys(value);
    if (keys !== undefined) {
      const length = kind === "Array" ? ownData(value, "length") : 0;
      this.#frames[this.#frames.length] = { __proto__: null, kind, source: value, copy, keys, next: 0, length };
    }
    return copy;
  }

  #visitView(view, kind) {
    const isDataView = kind === "DataView";
    const buffer = isDataView ? DataViewPrototypeGetBuffer(view) : TypedArrayPrototypeGetBuffer(view);
    if (classOf(buffer) === "ArrayBuffer" && ArrayBufferPrototypeGetDetached(buffer)) {
      refuse("A view of a detached ArrayBuffer");
    }
    const isTracking = viewState(view);
    if (isTracking === undefined) refuse("A view outside of its ArrayBuffer");
    this.#visit(buffer);
    MapPrototypeSet(this.#copies, view, pending);
    const offset = isDataView ? DataViewPrototypeGetByteOffset(view) : TypedArrayPrototypeGetByteOffset(view);
    let length;
    if (!isTracking) length = isDataView ? DataViewPrototypeGetByteLength(view) : TypedArrayPrototypeGetLength(view);
    this.#views[this.#views.length] = { __proto__: null, view, kind, buffer, offset, length };
  }

  /** @param {Frame} frame */
  #step(frame) {
    const { kind, source, copy, keys } = frame;
    if (frame.next === keys.length) {
      this.#frames.length--;
      if (kind === "Array") {
        if (copy.length !== frame.length) copy.length = frame.length;
        ObjectSetPrototypeOf(copy, ArrayPrototype);
      } else if (kind === "Object") {
        ObjectSetPrototypeOf(copy, ObjectPrototype);
      }
      return;
    }
    if (kind === "Object" || kind === "Array") {
      this.#readProperties(frame);
      return;
    }
    const index = frame.next++;
    const key = keys[index];
    if (kind === "Error") {
      const value = ownData(source, key);
      if (value === undefined) return;
      if (key === "errors" && ObjectGetPrototypeOf(copy) !== errors.AggregateError.prototype) return;
      define(copy, key, undefined, false);
      this.#visit(value);
      this.#note(copy, key, value);
    } else {
      this.#visit(key);
      if (kind === "Set") this.#note(copy, key, undefined);
      else if (index % 2 === 1) this.#note(copy, keys[index - 1], key);
    }
  }

  /** Read properties until one of them holds an object to be read first. @param {Frame} frame */
  #readProperties(frame) {
    const { source, copy, keys } = frame;
    const depth = this.#frames.length;
    while (frame.next < keys.length && this.#frames.length === depth) {
      const key = keys[frame.next++];
      if (!ObjectHasOwn(source, key)) continue; // a getter has deleted it
      const value = source[key];
      if (!isObject(value) && typeof value !== "symbol") {
        copy[key] = value;
        continue;
      }
      const inner = this.#visit(value);
      copy[key] = inner === pending ? undefined : inner;
      if (inner === pending) this.#note(copy, key, value);
    }
  }

  #note(target, key, value) {
    const notes = this.#notes;
    notes[notes.length] = target;
    notes[notes.length] = key;
    notes[notes.length] = value;
  }

  #resolve(value) {
    return isObject(value) ? MapPrototypeGet(this.#copies, value) : value;
  }

  /**
   * Transfer what is to be transferred, make the views, and carry out the notes.
   * @returns {object[]} What has taken the place of the transferred objects.
   */
  finish(transfer) {
    for (let i = 0; i < transfer.length; i++) {
      const { name, isDetached } = transferOf(transfer[i]);
      if (isDetached(transfer[i])) refuse("A detached " + name);
    }
    const transferred = newList();
    for (let i = 0; i < transfer.length; i++) {
      const moved = transferOf(transfer[i]).transfer(transfer[i]);
      transferred[i] = moved;
      MapPrototypeSet(this.#copies, transfer[i], moved);
    }
    for (let i = 0; i < this.#views.length; i++) {
      const { view, kind, buffer, offset, length } = this.#views[i];
      const constructor = kind === "DataView" ? DataView : typedArrays[kind];
      MapPrototypeSet(this.#copies, view, new constructor(this.#resolve(buffer), offset, length));
    }
    const notes = this.#notes;
    for (let i = 0; i < notes.length; i += 3) {
      const target = notes[i];
      const kind = classOf(target);
      if (kind === "Map") MapPrototypeSet(target, this.#resolve(notes[i + 1]), this.#resolve(notes[i + 2]));
      else if (kind === "Set") SetPrototypeAdd(target, this.#resolve(notes[i + 1]));
      else define(target, notes[i + 1], this.#resolve(notes[i + 2]), kind !== "Error");
    }
    return transferred;
  }

  resultOf(value) {
    return this.#resolve(value);
  }
}

/**
 * Clone a value.
 * @param {any} value
 * @param {object[]} transfer Objects to be moved instead of copied.
 * @param {string} at Start of the messages of errors.
 * @returns {{ value: any, transferred: object[] }}
 * @throws {DOMException} DataCloneError.
 */
export function clone(value, transfer, at) {
  if (!isObject(value) && typeof value !== "symbol" && transfer.length === 0) {
    return { __proto__: null, value, transferred: newList() };
  }
  const outer = where;
  where = at;
  try {
    const cloner = new Cloner();
    for (let i = 0; i < transfer.length; i++) cloner.reserve(transfer[i]);
    cloner.walk(value);
    const transferred = cloner.finish(transfer);
    return { __proto__: null, value: cloner.resultOf(value), transferred };
  } finally {
    where = outer;
  }
}

export const operations = {
  structuredClone(value, options = undefined) {
    const at = execute("structuredClone", "Window");
    requireArguments(arguments.length, 1, at);
    return clone(value, cloneOptions(options, at).transfer ?? newList(), at).value;
  },
};
