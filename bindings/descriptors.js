/** Reading objects without running user code: data properties only, and no step into a Proxy. */

import { classOf } from "sandbox:native";
import {
  ArrayPrototype, isObject, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ObjectPrototype,
  StringPrototypeSlice, SymbolToStringTag,
} from "./primordials.js";

const maxName = 1000;

/** @param {string} name A function's or a class's, which may be as long as its author likes. */
export const shortName = (name) => StringPrototypeSlice(name, 0, maxName);

/**
 * A property as plain data, from the object or its prototypes; accessors and Proxies count as absent.
 * @param {object} object
 * @param {PropertyKey} key
 */
export function dataProperty(object, key) {
  for (let at = object; at !== null && classOf(at) !== "Proxy"; at = ObjectGetPrototypeOf(at)) {
    const descriptor = ObjectGetOwnPropertyDescriptor(at, key);
    if (descriptor !== undefined) return ObjectHasOwn(descriptor, "value") ? descriptor.value : undefined;
  }
  return undefined;
}

/** The kind of a plain object or array by its prototype, which spares the usual value a walk. @param {object} object */
function plainKind(object) {
  const prototype = ObjectGetPrototypeOf(object);
  return prototype === ObjectPrototype ? "Object" : prototype === ArrayPrototype ? "Array" : undefined;
}

/**
 * Name of the nearest constructor on the prototype chain; null when there is none.
 * @param {object} object Not a Proxy.
 */
export function constructorName(object) {
  const plain = plainKind(object);
  if (plain !== undefined && !ObjectHasOwn(object, "constructor")) return plain;
  for (let at = object; at !== null && classOf(at) !== "Proxy"; at = ObjectGetPrototypeOf(at)) {
    const descriptor = ObjectGetOwnPropertyDescriptor(at, "constructor");
    const constructor = descriptor !== undefined && ObjectHasOwn(descriptor, "value") ? descriptor.value : undefined;
    if (typeof constructor !== "function" || classOf(constructor) === "Proxy") continue;
    const name = dataProperty(constructor, "name");
    const prototype = dataProperty(constructor, "prototype");
    if (typeof name === "string" && name !== "" && isObject(prototype) && inherits(object, prototype)) {
      return shortName(name);
    }
  }
  return null;
}

/** @param {object} object @param {object} prototype */
function inherits(object, prototype) {
  for (let at = object; at !== null && classOf(at) !== "Proxy";) {
    at = ObjectGetPrototypeOf(at);
    if (at === prototype) return true;
  }
  return false;
}

/**
 * The `Symbol.toStringTag` of an object, unless it shows as an own property anyway.
 * @param {object} object Not a Proxy.
 */
export function tagOf(object) {
  if (plainKind(object) !== undefined && !ObjectHasOwn(object, SymbolToStringTag)) return "";
  const tag = dataProperty(object, SymbolToStringTag);
  if (typeof tag !== "string" || ObjectGetOwnPropertyDescriptor(object, SymbolToStringTag)?.enumerable) return "";
  return shortName(tag);
}

/** What stands before the brace: "Foo(2) [tag] ". */
export function prefixOf(name, tag, fallback, size = "") {
  if (name === null) {
    return "[" + fallback + size + ": null prototype] " + (tag !== "" && tag !== fallback ? "[" + tag + "] " : "");
  }
  return name + size + " " + (tag !== "" && tag !== name ? "[" + tag + "] " : "");
}
