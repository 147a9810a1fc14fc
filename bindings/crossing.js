/** Classes of the bindings whose objects cross the boundary under a tag of their own. */

import { hook } from "sandbox:abi.js";
import { brand, hook as setHook } from "sandbox:native";
import { newList } from "./primordials.js";

/** @type {((object: any) => unknown)[]} By tag. */
const partsOf = newList();
/** @type {((parts: any) => object)[]} By tag. */
const makerOf = newList();

/**
 * Let the objects of a class cross.
 * @template {object} T
 * @param {number} tag
 * @param {(object: T) => unknown} parts What a message holds of an object.
 * @param {(parts: any) => T} make An object from that.
 * @returns {(object: T) => void} To be called with every new object.
 */
export function crossing(tag, parts, make) {
  partsOf[tag] = parts;
  makerOf[tag] = make;
  return (object) => brand(object, tag);
}

/**
 * Keep the objects of a class from crossing: the host says what they are, instead of getting an empty object.
 * @param {number} tag
 * @returns {(object: object) => void} To be called with every new object.
 */
export const refusing = (tag) => crossing(tag, () => null, undefined);

setHook(hook.parts, (object, tag) => partsOf[tag](object));
setHook(hook.make, (tag, parts) => makerOf[tag](parts));
