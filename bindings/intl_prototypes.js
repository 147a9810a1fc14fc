/** What ECMA-402 (section 19) makes of methods that ECMA-262 has: those whose names say "locale". */

import { isAvailable, localeInfo, defaultLocale, formatText } from "./intl.js";
import { compare, createCollator } from "./intl_collator.js";
import { createDateTimeFormat, dateKey } from "./intl_date_time_format.js";
import { mathematicalValue } from "./intl_digits.js";
import { createNumberFormat, numberKey } from "./intl_number_format.js";
import { canonicalLocales, toLength, toText } from "./intl_options.js";
import {
  BigIntPrototypeValueOf, DatePrototypeGetTime, newList, NumberPrototypeValueOf, Object, ReflectApply,
  StringPrototypeCharCodeAt, StringPrototypeIndexOf, StringPrototypeNormalize, StringPrototypeSlice,
  StringPrototypeToLowerCase, StringPrototypeToUpperCase, TypedArrayPrototypeGetLength, TypedArrayPrototypeKeys, TypeError,
} from "./primordials.js";

/** Slots of the latest formatters that were asked for by nothing but a text. @type {any[]} */
const latest = newList();
let nextLatest = 0;
const mostLatest = 8;

/**
 * The slots of a formatter; those made without options are kept.
 * @param {string} kind
 * @param {any} locales
 * @param {any} options
 * @param {(locales: any, options: any) => any} create
 */
function slotsFor(kind, locales, options, create) {
  if (options !== undefined || (locales !== undefined && typeof locales !== "string")) return create(locales, options);
  for (let i = 0; i < latest.length; i++) {
    if (latest[i].kind === kind && latest[i].locales === locales) return latest[i].slots;
  }
  const slots = create(locales, options);
  latest[nextLatest] = { __proto__: null, kind, locales, slots };
  nextLatest = (nextLatest + 1) % mostLatest;
  return slots;
}

function formatNumber(value, locales, options) {
  const slots = slotsFor("number", locales, options, createNumberFormat);
  return formatText(numberKey(slots), mathematicalValue(value));
}

function formatDate(time, locales, options, required, defaults) {
  if (time !== time) return "Invalid Date";
  const kind = required + defaults;
  const create = (given, asked) => createDateTimeFormat(given, asked, required, defaults);
  const slots = slotsFor(kind, locales, options, create);
  return formatText(dateKey(slots), time);
}

/** The language whose rules of case count. @param {any} locales */
function caseLanguage(locales) {
  if (locales === undefined && defaultLocale() === "en-US") return "";
  const requested = canonicalLocales(locales);
  const tag = requested.length === 0 ? defaultLocale() : requested[0];
  const { tag: canonical } = localeInfo(tag);
  const dash = StringPrototypeIndexOf(canonical, "-");
  const language = dash < 0 ? canonical : StringPrototypeSlice(canonical, 0, dash);
  return language === "az" ? "tr" : language;
}

/** @param {number} unit */
const isMark = (unit) => (unit >= 0x300 && unit <= 0x36f);

/** Turkish: a dotted and a dotless i. @param {string} text */
function lowerTurkish(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    if (unit === 0x130) result += "i";
    else if (unit === 0x49) {
      let end = i + 1;
      while (end < text.length && isMark(StringPrototypeCharCodeAt(text, end)) && isBelow(text, end)) end++;
      const isDotted = end < text.length && StringPrototypeCharCodeAt(text, end) === 0x307;
      result += (isDotted ? "i" : "\u0131") + StringPrototypeSlice(text, i + 1, end);
      i = isDotted ? end : end - 1;
    } else result += text[i];
  }
  return StringPrototypeToLowerCase(result);
}

/** Whether a mark stands elsewhere than above its letter. */
function isBelow(text, index) {
  const unit = StringPrototypeCharCodeAt(text, index);
  return (unit >= 0x316 && unit <= 0x333) || (unit >= 0x339 && unit <= 0x33c) || (unit >= 0x347 && unit <= 0x349) ||
    unit === 0x327 || unit === 0x328 || unit === 0x345;
}

/** @param {string} text */
function upperTurkish(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) result += StringPrototypeCharCodeAt(text, i) === 0x69 ? "\u0130" : text[i];
  return StringPrototypeToUpperCase(result);
}

/** Lithuanian keeps the dot of a small i under further accents. @param {string} text */
function lowerLithuanian(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    if (unit === 0xcc) result += "i\u0307\u0300";
    else if (unit === 0xcd) result += "i\u0307\u0301";
    else if (unit === 0x128) result += "i\u0307\u0303";
    else if ((unit === 0x49 || unit === 0x4a || unit === 0x12e) && hasAccentAbove(text, i + 1)) {
      result += StringPrototypeToLowerCase(text[i]) + "\u0307";
    } else result += text[i];
  }
  return StringPrototypeToLowerCase(result);
}

function hasAccentAbove(text, from) {
  for (let i = from; i < text.length; i++) {
    if (!isMark(StringPrototypeCharCodeAt(text, i))) return false;
    if (!isBelow(text, i)) return true;
  }
  return false;
}

const softDotted = "ij\u012f\u0268\u1e2d\u1ecb";
/** @param {string} text */
function upperLithuanian(text) {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    result += text[i];
    if (StringPrototypeIndexOf(softDotted, text[i]) < 0) continue;
    let end = i + 1;
    while (end < text.length && isMark(StringPrototypeCharCodeAt(text, end)) && isBelow(text, end)) end++;
    if (end < text.length && StringPrototypeCharCodeAt(text, end) === 0x307) {
      result += StringPrototypeSlice(text, i + 1, end);
      i = end;
    }
  }
  return StringPrototypeToUpperCase(result);
}

/** Greek capitals have no accents. @param {string} text */
function upperGreek(text) {
  const marks = StringPrototypeNormalize(text, "NFD");
  let result = "";
  let isGreek = false;
  for (let i = 0; i < marks.length; i++) {
    const unit = StringPrototypeCharCodeAt(marks, i);
    if (!isMark(unit)) isGreek = unit >= 0x370 && unit <= 0x3ff;
    const isAccent = unit === 0x301 || unit === 0x300 || unit === 0x342 || unit === 0x313 || unit === 0x314;
    if (!isGreek || !isAccent) result += marks[i];
  }
  return StringPrototypeToUpperCase(StringPrototypeNormalize(result, "NFC"));
}

const lowerings = { __proto__: null, tr: lowerTurkish, lt: lowerLithuanian };
const raisings = { __proto__: null, tr: upperTurkish, lt: upperLithuanian, el: upperGreek };

/** @param {any} value @param {string} method */
function textOf(value, method) {
  if (value === undefined || value === null) {
    throw new TypeError("String.prototype." + method + " called on null or undefined");
  }
  return toText(value);
}

/** @param {any} self @param {number} length @param {any} locales @param {any} options */
function joinLocally(self, length, locales, options) {
  let result = "";
  for (let i = 0; i < length; i++) {
    if (i > 0) result += ",";
    const item = self[i];
    if (item !== undefined && item !== null) result += toText(item.toLocaleString(locales, options));
  }
  return result;
}

/**
 * Replace methods of a prototype where the host has data of locales; where it has none, the engine's own are called.
 * @param {object} prototype
 * @param {Record<string, (self: any, first: any, second: any, third: any) => any>} methods
 * @param {Record<string, number>} [lengths] Of the functions; 0 by default.
 */
function replace(prototype, methods, lengths = { __proto__: null }) {
  for (const name of Object.keys(methods)) {
    const own = prototype[name];
    const method = methods[name];
    const { [name]: replacement } = {
      [name](first, second, third) {
        return isAvailable() ? method(this, first, second, third) : ReflectApply(own, this, [first, second]);
      },
    };
    const length = lengths[name] ?? 0;
    Object.defineProperty(replacement, "length", { value: length, configurable: true });
    Object.defineProperty(prototype, name, { value: replacement, writable: true, configurable: true });
  }
}

replace(Number.prototype, {
  toLocaleString: (self, locales, options) => formatNumber(NumberPrototypeValueOf(self), locales, options),
});
replace(BigInt.prototype, {
  toLocaleString: (self, locales, options) => formatNumber(BigIntPrototypeValueOf(self), locales, options),
});
replace(globalThis.Date.prototype, {
  toLocaleString: (self, locales, options) =>
    formatDate(DatePrototypeGetTime(self), locales, options, "any", "all"),
  toLocaleDateString: (self, locales, options) =>
    formatDate(DatePrototypeGetTime(self), locales, options, "date", "date"),
  toLocaleTimeString: (self, locales, options) =>
    formatDate(DatePrototypeGetTime(self), locales, options, "time", "time"),
});
replace(globalThis.String.prototype, {
  localeCompare(self, that, locales, options) {
    const first = textOf(self, "localeCompare");
    const second = toText(that);
    return compare(slotsFor("collator", locales, options, createCollator), first, second);
  },
  toLocaleLowerCase(self, locales) {
    const text = textOf(self, "toLocaleLowerCase");
    const lower = lowerings[caseLanguage(locales)];
    return lower === undefined ? StringPrototypeToLowerCase(text) : lower(text);
  },
  toLocaleUpperCase(self, locales) {
    const text = textOf(self, "toLocaleUpperCase");
    const raise = raisings[caseLanguage(locales)];
    return raise === undefined ? StringPrototypeToUpperCase(text) : raise(text);
  },
}, { __proto__: null, localeCompare: 1 });
replace(Array.prototype, {
  toLocaleString(self, locales, options) {
    if (self === undefined || self === null) throw new TypeError("Cannot convert undefined or null to object");
    const list = Object(self);
    return joinLocally(list, toLength(list.length), locales, options);
  },
});
replace(Object.getPrototypeOf(Uint8Array.prototype), {
  toLocaleString(self, locales, options) {
    TypedArrayPrototypeKeys(self); // throws where the array is detached, or outside of its buffer
    return joinLocally(self, TypedArrayPrototypeGetLength(self), locales, options);
  },
});
