/** URL Pattern: what parts of patterns are, and how text is escaped in patterns and regular expressions. */

import { RegExpPrototypeExec, StringPrototypeSlice } from "../primordials.js";

/** Kinds of part, in the order in which patterns are compared. */
export const FULL_WILDCARD = 0;
export const SEGMENT_WILDCARD = 1;
export const GROUP = 2;
export const FIXED = 3;

/** Modifiers by their order in comparisons. */
export const modifiers = { __proto__: null, "*": 0, "?": 1, "+": 2, "": 3 };

/**
 * @typedef {object} Part
 * @property {number} kind
 * @property {string} value A fixed text, or a group's regular expression.
 * @property {"" | "?" | "*" | "+"} modifier
 * @property {string} name Of a group.
 * @property {string} prefix
 * @property {string} suffix
 */

/**
 * @typedef {object} Options
 * @property {string} delimiter What ends a segment; one ASCII character or none.
 * @property {string} prefix What before a group belongs to it; one ASCII character or none.
 */

/** @param {RegExp} special One that matches the characters to be escaped. */
const escaper = (special) => (text) => {
  if (RegExpPrototypeExec(special, text) === null) return text;
  let result = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (RegExpPrototypeExec(special, text[at]) === null) continue;
    result += StringPrototypeSlice(text, from, at) + "\\";
    from = at;
  }
  return result + StringPrototypeSlice(text, from);
};
/** @type {(text: string) => string} */
export const escapeRegExp = escaper(/[.+*?^${}()[\]|/\\]/);
/** @type {(text: string) => string} */
export const escapePattern = escaper(/[+*?:{}()\\]/);

/** @param {Options} options */
export const segmentWildcard = (options) => "[^" + escapeRegExp(options.delimiter) + "]+?";
export const fullWildcard = ".*";
