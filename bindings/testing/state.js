/** What is going on: the test whose body runs, what it has asserted, and what fails it without ending it. */

import { Error, newList, ObjectDefineProperty, TypeError, WeakMap, WeakMapPrototypeGet, WeakMapPrototypeSet } from "../primordials.js";

/**
 * @typedef {object} Progress Of a test.
 * @property {number} id
 * @property {string} name
 * @property {number} assertions How many there were.
 * @property {number} expected How many there are to be; -1: nobody said.
 * @property {boolean} needsAny
 * @property {unknown[]} failures What fails it at its end: of soft assertions.
 *
 * @typedef {object} Details Of a failed assertion.
 * @property {string} matcher
 * @property {string | null} expected As text; null: there is nothing to compare.
 * @property {string | null} received
 */

/** @type {Progress | null} */
let current = null;
/** Whether several tests run at a time, so that nobody can say whose an assertion is. */
let together = false;
let counted = 0;
/** @type {WeakMap<Error, Details>} */
const details = new WeakMap();

export const newProgress = (id, name) => ({
  __proto__: null, id, name, assertions: 0, expected: -1, needsAny: false, failures: newList(),
});

/** @param {Progress | null} progress @param {boolean} many */
export function setCurrent(progress, many = false) {
  current = progress;
  together = many;
}

/** The test that an assertion belongs to. @param {string} what Needs to know it. @returns {Progress} */
export function currentTest(what) {
  if (together) throw new TypeError(what + " cannot be used in concurrent tests, which share it");
  if (current === null) throw new TypeError(what + " can be used in a test only");
  return current;
}

export const currentName = () => (current === null ? undefined : current.name);
export const totalAssertions = () => counted;

export function countAssertion() {
  counted++;
  if (current !== null) current.assertions++;
}

/** An assertion that does not hold. */
class AssertionError extends Error {}
ObjectDefineProperty(AssertionError.prototype, "name", { __proto__: null, value: "AssertionError", writable: true, configurable: true });

/** @param {string} message @param {Details} about @returns {Error} */
export function assertionError(message, about) {
  const error = new AssertionError(message);
  ObjectDefineProperty(error, "matcherResult", {
    __proto__: null, value: { name: about.matcher, pass: false, message, expected: about.expected, actual: about.received },
    writable: true, configurable: true,
  });
  WeakMapPrototypeSet(details, error, about);
  return error;
}

/** @returns {Details | undefined} */
export const detailsOf = (error) => WeakMapPrototypeGet(details, error);
