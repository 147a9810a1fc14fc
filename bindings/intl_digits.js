/** What Intl.NumberFormat and Intl.PluralRules share: options of digits and rounding, and the values they take. */

import {
  includes, numberIn, numberOption, outOfRange, stringOption, toNumeric,
} from "./intl_options.js";
import {
  BigInt, BigIntPrototypeToString, MathMax, MathMin, newList, Number, RangeError, RegExpPrototypeExec,
  StringPrototypeTrim, TypeError,
} from "./primordials.js";

const increments = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];
const modes = [
  "ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven",
];
const priorities = ["auto", "morePrecision", "lessPrecision"];
const trailingZeros = ["auto", "stripIfInteger"];

/**
 * SetNumberFormatDigitOptions.
 * @param {Record<string, any>} slots
 * @param {object} options
 * @param {number} defaultLeast
 * @param {number} defaultMost
 * @param {string} notation
 */
export function readDigitOptions(slots, options, defaultLeast, defaultMost, notation) {
  const integers = numberOption(options, "minimumIntegerDigits", 1, 21, 1);
  let leastFraction = options.minimumFractionDigits;
  let mostFraction = options.maximumFractionDigits;
  let leastSignificant = options.minimumSignificantDigits;
  let mostSignificant = options.maximumSignificantDigits;
  slots.minimumIntegerDigits = integers;
  const increment = numberOption(options, "roundingIncrement", 1, 5000, 1);
  if (!includes(increments, increment)) throw outOfRange(increment, "roundingIncrement");
  const mode = stringOption(options, "roundingMode", modes, "halfExpand");
  let priority = stringOption(options, "roundingPriority", priorities, "auto");
  slots.trailingZeroDisplay = stringOption(options, "trailingZeroDisplay", trailingZeros, "auto");
  if (increment !== 1) defaultMost = defaultLeast;
  slots.roundingIncrement = increment;
  slots.roundingMode = mode;
  const hasSignificant = leastSignificant !== undefined || mostSignificant !== undefined;
  const hasFraction = leastFraction !== undefined || mostFraction !== undefined;
  const isAuto = priority === "auto";
  const needsSignificant = !isAuto || hasSignificant;
  const needsFraction = !isAuto || (!hasSignificant && (hasFraction || notation !== "compact"));
  if (needsSignificant) {
    leastSignificant = numberIn(leastSignificant, 1, 21, 1, "minimumSignificantDigits");
    mostSignificant = numberIn(mostSignificant, leastSignificant, 21, 21, "maximumSignificantDigits");
  }
  if (needsFraction) {
    if (hasFraction) {
      leastFraction = numberIn(leastFraction, 0, 100, undefined, "minimumFractionDigits");
      mostFraction = numberIn(mostFraction, 0, 100, undefined, "maximumFractionDigits");
      if (leastFraction === undefined) leastFraction = MathMin(defaultLeast, mostFraction);
      else if (mostFraction === undefined) mostFraction = MathMax(defaultMost, leastFraction);
      else if (leastFraction > mostFraction) throw new RangeError("maximumFractionDigits value is out of range.");
    } else {
      leastFraction = defaultLeast;
      mostFraction = defaultMost;
    }
  }
  let type;
  if (needsSignificant && needsFraction) type = priority === "auto" ? "fractionDigits" : priority;
  else if (needsSignificant) type = "significantDigits";
  else if (needsFraction) type = "fractionDigits";
  else {
    leastFraction = mostFraction = 0;
    leastSignificant = 1;
    mostSignificant = 2;
    type = priority = "morePrecision";
  }
  slots.roundingType = type;
  slots.roundingPriority = type === "morePrecision" || type === "lessPrecision" ? type : "auto";
  if (needsFraction || !needsSignificant) {
    slots.minimumFractionDigits = leastFraction;
    slots.maximumFractionDigits = mostFraction;
  }
  if (needsSignificant || !needsFraction) {
    slots.minimumSignificantDigits = leastSignificant;
    slots.maximumSignificantDigits = mostSignificant;
  }
  if (increment !== 1) {
    if (type !== "fractionDigits") throw new TypeError("roundingIncrement value is invalid.");
    if (mostFraction !== leastFraction) throw new RangeError("roundingIncrement value is out of range.");
  }
}

const digitSlots = [
  "minimumIntegerDigits", "minimumFractionDigits", "maximumFractionDigits", "minimumSignificantDigits",
  "maximumSignificantDigits", "roundingIncrement", "roundingMode", "roundingType", "trailingZeroDisplay",
];
/** Copy the slots that `readDigitOptions` sets to what the host is told. */
export function copyDigitSlots(key, slots) {
  for (let i = 0; i < digitSlots.length; i++) key[digitSlots[i]] = slots[digitSlots[i]];
}

/** Entries of `resolvedOptions`, as `record` takes them, appended to a list. */
export function listDigitOptions(entries, slots) {
  for (let i = 0; i < 5; i++) {
    entries[entries.length] = digitSlots[i];
    entries[entries.length] = slots[digitSlots[i]];
  }
}
const roundingSlots = ["roundingIncrement", "roundingMode", "roundingPriority", "trailingZeroDisplay"];
/** Likewise. */
export function listRoundingOptions(entries, slots) {
  for (let i = 0; i < roundingSlots.length; i++) {
    entries[entries.length] = roundingSlots[i];
    entries[entries.length] = slots[roundingSlots[i]];
  }
}

const decimal = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const whole = /^0(?:x[0-9a-f]+|o[0-7]+|b[01]+)$/i;
const mostDigits = 4000;

/**
 * ToIntlMathematicalValue.
 * @param {any} given
 * @returns {number | string} A string where a number could not hold all digits.
 */
export function mathematicalValue(given) {
  const value = toNumeric(given);
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return digitsOf(BigIntPrototypeToString(value));
  if (typeof value !== "string") return +value;
  const text = StringPrototypeTrim(value);
  const number = Number(text);
  if (text === "" || number === 0 || number !== number || number === Infinity || number === -Infinity) return number;
  if (RegExpPrototypeExec(whole, text) !== null) return digitsOf(BigIntPrototypeToString(BigInt(text)));
  return text.length <= 15 || RegExpPrototypeExec(decimal, text) === null ? number : digitsOf(text);
}

function digitsOf(text) {
  if (text.length <= mostDigits) return text;
  throw new RangeError("a number of more than " + mostDigits + " digits cannot be formatted");
}

/** @param {any} value @param {any} end */
export function mathematicalRange(value, end) {
  if (value === undefined || end === undefined) throw new TypeError("a range needs a start and an end");
  const range = newList();
  range[0] = mathematicalValue(value);
  range[1] = mathematicalValue(end);
  if (range[0] !== range[0] || range[1] !== range[1]) throw new RangeError("Invalid number");
  return range;
}

