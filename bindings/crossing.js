/** Classes of the bindings whose objects cross the boundary under a tag of their own. */

import { hook } from "sandbox:abi.js";
import { brand, hook as setHook } from "sandbox:native";
import { newList } from "./primordials.js";

/** @type {((object: any) => unknown)[]} By tag. */
const partsOf = newList();
/** @type {((parts: any) => object)[]} By tag. */
const makerOf = newList();

/**
 * Let what the host sends under a tag become an object.
 * @param {number} tag
 * @param {(parts: any) => object} make An object from what a message holds.
 */
export function makes(tag, make) {
  makerOf[tag] = make;
}

/**
 * Let the objects of a class cross, both ways.
 * @template {object} T
 * @param {number} tag
 * @param {(object: T) => unknown} parts What a message holds of an object.
 * @param {(parts: any) => T} make An object from that.
 * @returns {(object: T) => void} To be called with every new object.
 */
export function crossing(tag, parts, make) {
  partsOf[tag] = parts;
  makes(tag, make);
  return (object) => brand(object, tag);
}

setHook(hook.parts, (object, tag) => partsOf[tag](object));
setHook(hook.make, (tag, parts) => makerOf[tag](parts));
