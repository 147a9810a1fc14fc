/** What stands for many values in a comparison, whatever it is: recognized by its brand. */

import { classOf } from "sandbox:native";
import { isObject, newList } from "../primordials.js";

let matchOf;
let nameOf;
let sampleOf;
let isInverse;

/** What a comparison recognizes by its brand. */
class AsymmetricMatcher {
  #match;
  #name;
  #sample;
  #inverse;

  /**
   * @param {string} name What texts call it.
   * @param {any[]} sample What they show in its brackets; empty: it has none.
   * @param {(value: any) => boolean} match
   */
  constructor(name, sample, match, inverse) {
    this.#name = name;
    this.#sample = sample;
    this.#match = match;
    this.#inverse = inverse;
  }
  static {
    matchOf = (matcher) => (isObject(matcher) && #match in matcher ? matcher.#match : undefined);
    nameOf = (matcher) => matcher.#name;
    sampleOf = (matcher) => matcher.#sample;
    isInverse = (matcher) => matcher.#inverse;
  }
  asymmetricMatch(value) {
    return asymmetricMatch(this, value);
  }
  toString() {
    return asymmetricName(this);
  }
}

/** @param {unknown} value @returns {boolean} */
export function isAsymmetric(value) {
  return isObject(value) && (matchOf(value) !== undefined ||
    (typeof value === "object" && classOf(value) === "Object" && typeof value.asymmetricMatch === "function"));
}

/** @returns {boolean} */
export function asymmetricMatch(matcher, value) {
  const match = matchOf(matcher);
  if (match === undefined) return !!matcher.asymmetricMatch(value);
  return !!match(value) !== isInverse(matcher);
}

export const asymmetricName = (matcher) => (
  matchOf(matcher) === undefined ? "" + matcher : (isInverse(matcher) ? "Not" : "") + nameOf(matcher)
);
/** What stands in its brackets. @returns {any[]} */
export const asymmetricSample = (matcher) => (matchOf(matcher) === undefined ? newList() : sampleOf(matcher));

/** Make one; see the class. @param {boolean} inverse Whether it stands for all the others. @returns {AsymmetricMatcher} */
export const asymmetric = (name, sample, inverse, match) => new AsymmetricMatcher(name, sample, match, inverse);
