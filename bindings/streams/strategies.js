/** CountQueuingStrategy and ByteLengthQueuingStrategy, and reading any object as a strategy. */

import { RangeError, TypeError } from "../primordials.js";
import { construct, dictionary, requireArguments, unrestrictedDouble } from "../webidl.js";
import { Brand } from "./records.js";

/** The converter of a callback function. @type {import("../webidl.js").Converter} */
export function callback(value, where) {
  if (typeof value !== "function") throw new TypeError(where + ": The value is not of type 'Function'.");
  return value;
}

/** @typedef {{ highWaterMark: number | undefined, size: Function | undefined }} Strategy */

const strategyMembers = dictionary([
  { key: "highWaterMark", convert: unrestrictedDouble },
  { key: "size", convert: callback },
]);

const noStrategy = { __proto__: null, highWaterMark: undefined, size: undefined };

/** @type {(value: unknown, where: string) => Strategy} */
export const readStrategy = (value, where) => (value === undefined ? noStrategy : strategyMembers(value, where));

/** The size function; undefined where every chunk counts as 1. @param {Strategy} strategy */
export const sizeFunctionOf = ({ size }) => (size === countSize ? undefined : size);

/** @param {Strategy} strategy @param {number} fallback @param {string} where */
export function highWaterMarkOf(strategy, fallback, where) {
  const { highWaterMark } = strategy;
  if (highWaterMark === undefined) return fallback;
  if (!(highWaterMark >= 0)) throw new RangeError(where + ": highWaterMark must be a number that is not negative.");
  return highWaterMark;
}

/** @type {Brand<number>} */
const counts = new Brand();
/** @type {Brand<number>} */
const byteLengths = new Brand();

const initMembers = dictionary([{ key: "highWaterMark", convert: unrestrictedDouble, required: true }]);

/** The functions that all strategies of a class share; they are no methods, and cannot be constructors. */
const { size: countSize } = { size() { return 1; } };
const { size: byteLengthSize } = { size(chunk) { return chunk.byteLength; } };

export class CountQueuingStrategy {
  constructor(init) {
    const where = construct("CountQueuingStrategy");
    requireArguments(arguments.length, 1, where);
    counts.stamp(this, initMembers(init, where).highWaterMark);
  }
  get highWaterMark() {
    return counts.require(this);
  }
  get size() {
    counts.require(this);
    return countSize;
  }
}

export class ByteLengthQueuingStrategy {
  constructor(init) {
    const where = construct("ByteLengthQueuingStrategy");
    requireArguments(arguments.length, 1, where);
    byteLengths.stamp(this, initMembers(init, where).highWaterMark);
  }
  get highWaterMark() {
    return byteLengths.require(this);
  }
  get size() {
    byteLengths.require(this);
    return byteLengthSize;
  }
}

const inspect = (brand) => (self) => ({ __proto__: null, entries: [["highWaterMark", brand.of(self)]] });
export const countTraits = { brand: (value) => counts.of(value) !== undefined, inspect: inspect(counts) };
export const byteLengthTraits = {
  brand: (value) => byteLengths.of(value) !== undefined, inspect: inspect(byteLengths),
};
