/** URL Pattern: a pattern string as tokens. They are four lists of numbers, since a pattern may be very long. */

import {
  newList, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeCodePointAt, StringPrototypeSlice, TypeError,
} from "../primordials.js";
import { construct } from "../webidl.js";

/** Kinds of token. */
export const OPEN = 0;
export const CLOSE = 1;
export const REGEXP = 2;
export const NAME = 3;
export const CHAR = 4;
export const ESCAPED = 5;
export const MODIFIER = 6;
export const ASTERISK = 7;
export const END = 8;
export const INVALID = 9;

/**
 * @typedef {object} Tokens
 * @property {string} input
 * @property {number[]} kinds
 * @property {number[]} starts Where in the input each begins, in code units.
 * @property {number[]} froms Where its value begins.
 * @property {number[]} tos Where its value ends.
 */

/** @param {string} reason */
export const invalid = (reason) => new TypeError(construct("URLPattern") + ": " + reason);

const identifierStart = /^[$_\p{ID_Start}]/u;
const identifierPart = /^[$\u200c\u200d\p{ID_Continue}]/u;
const isLetter = (code) => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);

/**
 * Length of the code point at an index when it may stand in a name, else 0.
 * @param {string} text
 * @param {number} index
 * @param {boolean} first Whether it would be the first of the name.
 */
export function nameLength(text, index, first) {
  const code = StringPrototypeCharCodeAt(text, index);
  if (code < 0x80) {
    const digit = code >= 0x30 && code <= 0x39;
    return isLetter(code) || code === 0x5f || code === 0x24 || (digit && !first) ? 1 : 0;
  }
  if (index >= text.length) return 0;
  const length = lengthAt(text, index);
  const point = StringPrototypeSlice(text, index, index + length);
  return RegExpPrototypeExec(first ? identifierStart : identifierPart, point) === null ? 0 : length;
}

/** @param {string} text Well-formed. @param {number} index */
const lengthAt = (text, index) => (StringPrototypeCodePointAt(text, index) > 0xffff ? 2 : 1);

/**
 * Where the parenthesis that closes a regular expression stands; a negative number when it is no valid one.
 * @param {string} input
 * @param {number} start After the opening parenthesis.
 */
function regexpEnd(input, start) {
  let depth = 1;
  for (let at = start; at < input.length; at++) {
    let code = StringPrototypeCharCodeAt(input, at);
    if (code > 0x7f || (at === start && code === 0x3f)) return -1;
    if (code === 0x5c) {
      at++;
      code = StringPrototypeCharCodeAt(input, at);
      if (!(code <= 0x7f)) return -1; // not ASCII, or the end
    } else if (code === 0x29) {
      depth--;
      if (depth === 0) return at > start ? at : -1;
    } else if (code === 0x28) {
      depth++;
      // Groups inside must not capture.
      if (StringPrototypeCharCodeAt(input, at + 1) !== 0x3f) return -1;
    }
  }
  return -1;
}

/**
 * @param {string} input Well-formed.
 * @param {boolean} lenient Whether what is invalid becomes a token of its own.
 * @returns {Tokens}
 * @throws {TypeError} Something is invalid.
 */
export function tokenize(input, lenient) {
  const kinds = newList();
  const starts = newList();
  const froms = newList();
  const tos = newList();
  let index = 0;
  const add = (kind, next, from, to) => {
    const count = kinds.length;
    kinds[count] = kind;
    starts[count] = index;
    froms[count] = from;
    tos[count] = to;
    index = next;
  };
  const refuse = (reason, next, from) => {
    if (!lenient) throw invalid(reason + " at " + index + ".");
    add(INVALID, next, from, next);
  };
  while (index < input.length) {
    const code = StringPrototypeCharCodeAt(input, index);
    if (code === 0x2a) {
      add(ASTERISK, index + 1, index, index + 1);
    } else if (code === 0x2b || code === 0x3f) {
      add(MODIFIER, index + 1, index, index + 1);
    } else if (code === 0x7b) {
      add(OPEN, index + 1, index, index + 1);
    } else if (code === 0x7d) {
      add(CLOSE, index + 1, index, index + 1);
    } else if (code === 0x5c) {
      if (index === input.length - 1) {
        refuse("Nothing follows the backslash", index + 1, index);
      } else {
        const next = index + 1 + lengthAt(input, index + 1);
        add(ESCAPED, next, index + 1, next);
      }
    } else if (code === 0x3a) {
      const from = index + 1;
      let to = from;
      for (let more = nameLength(input, to, true); more > 0; more = nameLength(input, to, false)) to += more;
      if (to === from) refuse("A name is missing", from, index);
      else add(NAME, to, from, to);
    } else if (code === 0x28) {
      const from = index + 1;
      const to = regexpEnd(input, from);
      if (to < 0) refuse("An invalid regular expression begins", from, index);
      else add(REGEXP, to + 1, from, to);
    } else {
      const next = index + lengthAt(input, index);
      add(CHAR, next, index, next);
    }
  }
  add(END, index, index, index);
  return { __proto__: null, input, kinds, starts, froms, tos };
}

/** @param {Tokens} tokens @param {number} at */
export const valueOf = (tokens, at) => StringPrototypeSlice(tokens.input, tokens.froms[at], tokens.tos[at]);
