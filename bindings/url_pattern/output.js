/** URL Pattern: what is made of parts: a regular expression with the names of its groups, and a pattern string again. */

import { newList, StringPrototypeCharCodeAt } from "../primordials.js";
import {
  escapePattern, escapeRegExp, FIXED, FULL_WILDCARD, fullWildcard, GROUP, modifiers, SEGMENT_WILDCARD, segmentWildcard,
} from "./parts.js";
import { nameLength } from "./tokens.js";

/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./parts.js").Options} Options */

/** @param {Part} part @param {string} segment */
function groupSource(part, segment) {
  const { kind, modifier } = part;
  const value = kind === SEGMENT_WILDCARD ? segment : kind === FULL_WILDCARD ? fullWildcard : part.value;
  const repeats = modifier === "*" || modifier === "+";
  if (part.prefix === "" && part.suffix === "") {
    return repeats ? "((?:" + value + ")" + modifier + ")" : "(" + value + ")" + modifier;
  }
  const prefix = escapeRegExp(part.prefix);
  const suffix = escapeRegExp(part.suffix);
  if (!repeats) return "(?:" + prefix + "(" + value + ")" + suffix + ")" + modifier;
  // The first prefix and the last suffix do not belong to the group, those between two repetitions do.
  return "(?:" + prefix + "((?:" + value + ")(?:" + suffix + prefix + "(?:" + value + "))*)" + suffix + ")"
    + (modifier === "*" ? "?" : "");
}

/**
 * @param {Part[]} parts
 * @param {Options} options
 * @returns {{ source: string, names: string[] }} Of a regular expression for all of a component; names of its groups.
 */
export function regExpOf(parts, options) {
  const segment = segmentWildcard(options);
  const names = newList();
  let source = "^";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part.kind === FIXED) {
      const text = escapeRegExp(part.value);
      source += part.modifier === "" ? text : "(?:" + text + ")" + part.modifier;
    } else {
      names[names.length] = part.name;
      source += groupSource(part, segment);
    }
  }
  return { __proto__: null, source: source + "$", names };
}

/** @param {string} name */
const isNumber = (name) => StringPrototypeCharCodeAt(name, 0) >= 0x30 && StringPrototypeCharCodeAt(name, 0) <= 0x39;

/** Whether a group has to stand in braces. @param {Part | undefined} before @param {Part | undefined} after */
function needsBraces(part, before, after, options) {
  if (part.suffix !== "" || (part.prefix !== "" && part.prefix !== options.prefix)) return true;
  const bare = part.kind === SEGMENT_WILDCARD && !isNumber(part.name) && part.modifier === "";
  if (bare && after !== undefined && after.prefix === "" && after.suffix === "") {
    // Else what follows would be a part of the name.
    if (after.kind === FIXED ? nameLength(after.value, 0, false) > 0 : isNumber(after.name)) return true;
  }
  return part.prefix === "" && before !== undefined && before.kind === FIXED && options.prefix !== ""
    && before.value[before.value.length - 1] === options.prefix;
}

/** @param {Part} part @param {Part | undefined} before @param {Part | undefined} after @param {Options} options */
function groupPattern(part, before, after, options) {
  const named = !isNumber(part.name);
  const braces = needsBraces(part, before, after, options);
  let text = (braces ? "{" : "") + escapePattern(part.prefix);
  if (named) text += ":" + part.name;
  if (part.kind === GROUP) {
    text += "(" + part.value + ")";
  } else if (part.kind === SEGMENT_WILDCARD) {
    if (!named) text += "(" + segmentWildcard(options) + ")";
    else if (part.suffix !== "" && nameLength(part.suffix, 0, false) > 0) text += "\\";
  } else {
    const alone = before === undefined || before.kind === FIXED || before.modifier !== "" || braces || part.prefix !== "";
    text += !named && alone ? "*" : "(" + fullWildcard + ")";
  }
  return text + escapePattern(part.suffix) + (braces ? "}" : "") + part.modifier;
}

/** @param {Part[]} parts @param {Options} options */
export function patternOf(parts, options) {
  let text = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part.kind === FIXED) {
      const fixed = escapePattern(part.value);
      text += part.modifier === "" ? fixed : "{" + fixed + "}" + part.modifier;
    } else {
      const before = i > 0 ? parts[i - 1] : undefined;
      text += groupPattern(part, before, i + 1 < parts.length ? parts[i + 1] : undefined, options);
    }
  }
  return text;
}

/** What stands for a part that is missing, in comparisons. @type {Part} */
const nothing = { __proto__: null, kind: FIXED, value: "", modifier: "", name: "", prefix: "", suffix: "" };
const order = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

/** Which of two patterns is less specific. @param {Part[]} left @param {Part[]} right @returns {-1 | 0 | 1} */
export function compareParts(left, right) {
  for (let i = 0; i < left.length || i < right.length; i++) {
    const a = i < left.length ? left[i] : nothing;
    const b = i < right.length ? right[i] : nothing;
    const result = order(a.kind, b.kind) || order(modifiers[a.modifier], modifiers[b.modifier])
      || order(a.prefix, b.prefix) || order(a.value, b.value) || order(a.suffix, b.suffix);
    if (result !== 0) return result;
  }
  return 0;
}
