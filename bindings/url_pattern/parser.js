/** URL Pattern: a pattern string as parts, each of which is a fixed text or a group with what stands around it. */

import { Map, MapPrototypeHas, MapPrototypeSet, newList } from "../primordials.js";
import { FIXED, FULL_WILDCARD, fullWildcard, GROUP, SEGMENT_WILDCARD, segmentWildcard } from "./parts.js";
import {
  ASTERISK, CHAR, CLOSE, END, ESCAPED, invalid, MODIFIER, NAME, OPEN, REGEXP, tokenize, valueOf,
} from "./tokens.js";

/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./parts.js").Options} Options */

class Parser {
  constructor(input, options, encode) {
    this.tokens = tokenize(input, false);
    this.options = options;
    this.encode = encode;
    this.segment = segmentWildcard(options);
    /** @type {Part[]} */
    this.parts = newList();
    this.names = new Map();
    this.pending = ""; // fixed text that is not a part yet
    this.index = 0;
    this.nextNumber = 0;
  }

  /** Index of the next token if it is of a kind, and go beyond it; else -1. */
  take(kind) {
    return this.tokens.kinds[this.index] === kind ? this.index++ : -1;
  }

  takeModifier() {
    let at = this.take(MODIFIER);
    if (at < 0) at = this.take(ASTERISK);
    return at < 0 ? "" : valueOf(this.tokens, at);
  }

  takeGroup(name) {
    const at = this.take(REGEXP);
    return at < 0 && name < 0 ? this.take(ASTERISK) : at;
  }

  takeText() {
    let text = "";
    for (;;) {
      let at = this.take(CHAR);
      if (at < 0) at = this.take(ESCAPED);
      if (at < 0) return text;
      text += valueOf(this.tokens, at);
    }
  }

  require(kind, what) {
    if (this.take(kind) < 0) throw invalid(what + " at " + this.tokens.starts[this.index] + ".");
  }

  encoded(text) {
    const encoded = this.encode(text);
    if (encoded === undefined) throw invalid("A part of the URL is invalid.");
    return encoded;
  }

  push(kind, value, modifier, name, prefix, suffix) {
    this.parts[this.parts.length] = { __proto__: null, kind, value, modifier, name, prefix, suffix };
  }

  flush() {
    if (this.pending === "") return;
    const value = this.encoded(this.pending);
    this.pending = "";
    this.push(FIXED, value, "", "", "", "");
  }

  add(prefix, nameAt, groupAt, suffix, modifier) {
    if (nameAt < 0 && groupAt < 0) {
      if (modifier === "") {
        this.pending += prefix;
        return;
      }
      this.flush();
      if (prefix !== "") this.push(FIXED, this.encoded(prefix), modifier, "", "", "");
      return;
    }
    this.flush();
    let value = this.segment;
    if (groupAt >= 0) value = this.tokens.kinds[groupAt] === ASTERISK ? fullWildcard : valueOf(this.tokens, groupAt);
    let kind = GROUP;
    if (value === this.segment) kind = SEGMENT_WILDCARD;
    else if (value === fullWildcard) kind = FULL_WILDCARD;
    const name = nameAt >= 0 ? valueOf(this.tokens, nameAt) : "" + this.nextNumber++;
    if (MapPrototypeHas(this.names, name)) throw invalid("There are two groups '" + name + "'.");
    MapPrototypeSet(this.names, name, true);
    this.push(kind, kind === GROUP ? value : "", modifier, name, this.encoded(prefix), this.encoded(suffix));
  }

  /** One group, one piece of text, or the end. */
  step() {
    const { tokens } = this;
    let char = this.take(CHAR);
    let name = this.take(NAME);
    let group = this.takeGroup(name);
    if (name >= 0 || group >= 0) {
      let prefix = char < 0 ? "" : valueOf(tokens, char);
      if (prefix !== this.options.prefix) {
        this.pending += prefix;
        prefix = "";
      }
      this.flush();
      this.add(prefix, name, group, "", this.takeModifier());
      return;
    }
    if (char < 0) char = this.take(ESCAPED);
    if (char >= 0) {
      this.pending += valueOf(tokens, char);
      return;
    }
    if (this.take(OPEN) >= 0) {
      const prefix = this.takeText();
      name = this.take(NAME);
      group = this.takeGroup(name);
      const suffix = this.takeText();
      this.require(CLOSE, "A closing brace is missing");
      this.add(prefix, name, group, suffix, this.takeModifier());
      return;
    }
    this.flush();
    this.require(END, "The pattern cannot go on as it does");
  }
}
Object.setPrototypeOf(Parser.prototype, null);

/**
 * @param {string} input
 * @param {Options} options
 * @param {(text: string) => string | undefined} encode Makes a piece of the URL canonical; undefined when it is invalid.
 * @returns {Part[]}
 * @throws {TypeError} The pattern is invalid.
 */
export function parsePattern(input, options, encode) {
  const parser = new Parser(input, options, encode);
  const count = parser.tokens.kinds.length;
  while (parser.index < count) parser.step();
  return parser.parts;
}
