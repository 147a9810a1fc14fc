/** URL Pattern: the pattern of one component, ready to be matched. */

import { errors, ObjectGetPrototypeOf, RegExp, RegExpPrototypeExec } from "../primordials.js";
import { protocol, specialSchemes } from "./canonical.js";
import { patternOf, regExpOf } from "./output.js";
import { parsePattern } from "./parser.js";
import { GROUP } from "./parts.js";
import { invalid } from "./tokens.js";

/**
 * @typedef {object} Component
 * @property {string} pattern In its normal form.
 * @property {RegExp} regExp
 * @property {string[]} names Of the groups of the regular expression.
 * @property {boolean} hasGroups Whether some of them were given as regular expressions.
 * @property {import("./parts.js").Part[]} parts
 */

export const plainOptions = Object.freeze({ __proto__: null, delimiter: "", prefix: "" });
export const hostnameOptions = Object.freeze({ __proto__: null, delimiter: ".", prefix: "" });
export const pathnameOptions = Object.freeze({ __proto__: null, delimiter: "/", prefix: "/" });

const syntaxError = errors.SyntaxError.prototype;

/** @returns {Component} */
function make(input, encode, options, ignoreCase) {
  const parts = parsePattern(input, options, encode);
  const { source, names } = regExpOf(parts, options);
  let regExp;
  try {
    regExp = new RegExp(source, ignoreCase ? "vi" : "v");
  } catch (error) {
    if (ObjectGetPrototypeOf(error) !== syntaxError) throw error;
    throw invalid("A regular expression is invalid.");
  }
  let hasGroups = false;
  for (let i = 0; i < parts.length; i++) hasGroups ||= parts[i].kind === GROUP;
  return { __proto__: null, pattern: patternOf(parts, options), regExp, names, hasGroups, parts };
}

/** The two most frequent ones, which are the same for every component. */
const anything = make("*", (text) => text, plainOptions, false);
const nothing = make("", (text) => text, plainOptions, false);

/**
 * @param {string} input A pattern string.
 * @param {(text: string) => string | undefined} encode Makes fixed text canonical.
 * @param {import("./parts.js").Options} options
 * @param {boolean} ignoreCase
 * @returns {Component}
 * @throws {TypeError} The pattern is invalid.
 */
export function compile(input, encode, options, ignoreCase) {
  return input === "*" ? anything : input === "" ? nothing : make(input, encode, options, ignoreCase);
}

/** @param {Component} component */
export function isSpecialProtocol(component) {
  for (let i = 0; i < specialSchemes.length; i++) {
    if (RegExpPrototypeExec(component.regExp, specialSchemes[i]) !== null) return true;
  }
  return false;
}

/** @param {string} input Pattern of a protocol. @throws {TypeError} It is invalid. */
export const matchesSpecialScheme = (input) => isSpecialProtocol(compile(input, protocol, plainOptions, false));
