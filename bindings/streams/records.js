/** What the files of this folder are built from: records without a prototype, and brands. */

import { isObject, Object, TypeError } from "../primordials.js";

/**
 * Cut a class of internal records off from what guest code can reach: assigning to a new field, or asking for one that
 * is not there, meets nothing of `Object.prototype`. No record is ever handed to guest code.
 * @template {Function} T
 * @param {T} type
 * @returns {T}
 */
export function record(type) {
  Object.setPrototypeOf(type.prototype, null);
  return type;
}

class Returning {
  constructor(object) {
    return object;
  }
}

/**
 * A kind of platform object: which objects belong to it, and the record behind each of them.
 * @template T
 */
export class Brand {
  /** Makes an object one of this kind. @type {(object: object, state: T) => object} */
  stamp;
  /** The record of an object; undefined: the value is none of this kind. @type {(value: unknown) => T | undefined} */
  of;
  /** The same; throws a TypeError if it is none. @type {(value: unknown) => T} */
  require;

  constructor() {
    class Stamp extends Returning {
      #state;
      constructor(object, state) {
        super(object);
        this.#state = state;
      }
      static of(value) {
        return isObject(value) && #state in value ? value.#state : undefined;
      }
      static require(value) {
        if (typeof value === "object" && value !== null && #state in value) return value.#state;
        throw new TypeError("Illegal invocation");
      }
    }
    const { of, require } = Stamp;
    this.stamp = (object, state) => new Stamp(object, state);
    this.of = of;
    this.require = require;
  }
}
record(Brand);
