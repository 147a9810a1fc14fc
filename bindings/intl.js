/**
 * The way of Intl to the host, which has the locales' data and does the formatting. A formatter is a text there and
 * here: its kind, locale and options, as JSON. The host keeps no more than a cache of these, so the guest is the whole
 * state. What this module keeps are answers that never change.
 */

import { op } from "sandbox:abi.js";
import { call } from "./op.js";
import { newList, RangeError, TypeError } from "./primordials.js";

/** @type {[string, string] | null | undefined} Of the sandbox; null: its host has no data of locales. */
let defaults;

function readDefaults() {
  if (defaults === undefined) {
    const answer = call(op.intl.defaults);
    defaults = answer === null ? null : { __proto__: null, locale: answer[0], timeZone: answer[1] };
  }
  return defaults;
}

/** Whether the host has data of locales. Without, there is no `Intl`, and what formats for locales ignores them. */
export const isAvailable = () => readDefaults() !== null;
export const defaultLocale = () => readDefaults().locale;
export const defaultTimeZone = () => readDefaults().timeZone;

/**
 * @typedef {object} LocaleInfo What is known of a language tag.
 * @property {string} tag Its canonical form.
 * @property {string | null} match The locale there is data for.
 * @property {string[]} keywords Key and type in turn, of its Unicode extension.
 * @property {string} numberingSystem Of the locale, by default.
 * @property {string} hourCycle Likewise.
 */
/** @type {{ given: string, info: LocaleInfo }[]} The latest ones, few. */
const known = newList();
const mostKnown = 16;
let nextKnown = 0;

/**
 * @param {string} given
 * @returns {LocaleInfo}
 * @throws {RangeError} It is no language tag.
 */
export function localeInfo(given) {
  for (let i = 0; i < known.length; i++) if (known[i].given === given) return known[i].info;
  const answer = given.length > 400 ? null : call(op.intl.locale, given);
  if (answer === null) throw new RangeError("Incorrect locale information provided");
  const info = {
    __proto__: null, tag: answer[0], match: answer[1], keywords: answer[2], numberingSystem: answer[3],
    hourCycle: answer[4],
  };
  known[nextKnown] = { __proto__: null, given, info };
  nextKnown = (nextKnown + 1) % mostKnown;
  return info;
}

/** @param {string} tag Canonical. @param {boolean} add */
export const likelySubtags = (tag, add) => call(op.intl.likely, tag, add);
/** @param {string} name @returns {string | null} */
export const findTimeZone = (name) => (name.length > 100 ? null : call(op.intl.zone, name));
/** @param {string} key A formatter. */
export const describe = (key) => call(op.intl.describe, key);
/** @param {string} key @param {any} [first] @param {any} [second] @returns {string} */
export const formatText = (key, first, second = null) =>
  checked(call(op.intl.format, key, false, first, second));
/** @param {string} key @param {any} [first] @param {any} [second] @returns {string[]} The parts, flat. */
export const formatParts = (key, first, second = null) =>
  checked(call(op.intl.format, key, true, first, second));
/** @param {string} key A collator. @param {string} a @param {string} b */
export const compareTexts = (key, a, b) => call(op.intl.compare, key, a, b);
/** @param {string} key Of `Intl.supportedValuesOf`. */
export const supportedValues = (key) => call(op.intl.supported, key);

function checked(answer) {
  if (answer === null) throw new TypeError("this value is beyond what can be formatted");
  return answer;
}
