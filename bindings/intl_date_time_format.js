/** Intl.DateTimeFormat (ECMA-402, section 13). */

import { defaultTimeZone, describe, findTimeZone, formatParts, formatText } from "./intl.js";
import { isCalendar, isNumberingSystem } from "./intl_systems.js";
import {
  booleanOption, canonicalLocales, coerceOptions, createData, dress, includes, initialize, keyOf, keywordOf,
  numberOption,
  partsOf, readMatcher, record, resolveLocale, slotsOf, stringOption, toText, typeOption,
} from "./intl_options.js";
import {
  DateNow, MathTrunc, newList, ObjectCreate, RangeError, TypeError,
} from "./primordials.js";

const hourCycles = ["h11", "h12", "h23", "h24"];
const texts = ["narrow", "short", "long"];
const numerals = ["2-digit", "numeric"];
const months = ["2-digit", "numeric", "narrow", "short", "long"];
const zoneNames = ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"];
const formMatchers = ["basic", "best fit"];
const styles = ["full", "long", "medium", "short"];
/** ECMA-402, table 16, in the order in which options are read. */
const fields = [
  { __proto__: null, key: "weekday", values: texts, isDate: true },
  { __proto__: null, key: "era", values: texts },
  { __proto__: null, key: "year", values: numerals, isDate: true },
  { __proto__: null, key: "month", values: months, isDate: true },
  { __proto__: null, key: "day", values: numerals, isDate: true },
  { __proto__: null, key: "dayPeriod", values: texts, isTime: true },
  { __proto__: null, key: "hour", values: numerals, isTime: true },
  { __proto__: null, key: "minute", values: numerals, isTime: true },
  { __proto__: null, key: "second", values: numerals, isTime: true },
  { __proto__: null, key: "fractionalSecondDigits", isTime: true },
  { __proto__: null, key: "timeZoneName", values: zoneNames },
];
const keys = ["ca", "hc", "nu"];
const farthest = 8.64e15;

function isSupported(key, type) {
  if (key === "ca") return isCalendar(type);
  return key === "nu" ? isNumberingSystem(type) : includes(hourCycles, type);
}

/**
 * CreateDateTimeFormat: the slots of a formatter.
 * @param {any} locales
 * @param {any} given
 * @param {"date" | "time" | "any"} required
 * @param {"date" | "time" | "all"} defaults
 */
export function createDateTimeFormat(locales, given, required, defaults) {
  const requested = canonicalLocales(locales);
  const options = coerceOptions(given);
  readMatcher(options);
  const ca = typeOption(options, "calendar");
  const nu = typeOption(options, "numberingSystem");
  const hour12 = booleanOption(options, "hour12");
  const hc = stringOption(options, "hourCycle", hourCycles);
  const asked = { __proto__: null, ca, nu, hc: hour12 === undefined ? hc : null };
  const resolved = resolveLocale(requested, keys, asked, isSupported);
  const { info } = resolved;
  const slots = {
    __proto__: null, kind: "DateTimeFormat", locale: resolved.locale, dataLocale: resolved.dataLocale,
    calendar: resolved.ca ?? "gregory", numberingSystem: resolved.nu ?? info.numberingSystem, timeZone: "",
    hour12, hourCycle: hour12 === undefined ? resolved.hc : undefined, dateStyle: undefined, timeStyle: undefined,
    key: undefined, bound: undefined, found: undefined,
  };
  slots.timeZone = readTimeZone(options.timeZone);
  let hasExplicit = false;
  let hasDate = false;
  let hasTime = false;
  for (let i = 0; i < fields.length; i++) {
    const { key, values, isDate, isTime } = fields[i];
    const value = values === undefined
      ? numberOption(options, key, 1, 3, undefined)
      : stringOption(options, key, values);
    slots[key] = value;
    if (value === undefined) continue;
    hasExplicit = true;
    if (isDate) hasDate = true;
    if (isTime) hasTime = true;
  }
  stringOption(options, "formatMatcher", formMatchers);
  const dateStyle = slots.dateStyle = stringOption(options, "dateStyle", styles);
  const timeStyle = slots.timeStyle = stringOption(options, "timeStyle", styles);
  if (dateStyle !== undefined || timeStyle !== undefined) {
    if (hasExplicit) throw new TypeError("Can't set another option when dateStyle or timeStyle is used");
    if (required === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
    if (required === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
  } else {
    const isEnough = (hasDate && required !== "time") || (hasTime && required !== "date");
    if (!isEnough) {
      if (defaults !== "time") slots.year = slots.month = slots.day = "numeric";
      if (defaults !== "date") slots.hour = slots.minute = slots.second = "numeric";
    }
  }
  return slots;
}

function readTimeZone(given) {
  if (given === undefined) return defaultTimeZone();
  const name = toText(given);
  if (name === "UTC" || name === defaultTimeZone()) return name;
  const found = findTimeZone(name);
  if (found === null) throw new RangeError("Invalid time zone specified: " + name);
  return found;
}

/** @param {any} slots */
export function dateKey(slots) {
  if (slots.key === undefined) {
    const key = {
      __proto__: null, kind: "date", locale: slots.dataLocale, calendar: slots.calendar,
      numberingSystem: slots.numberingSystem, timeZone: slots.timeZone, hour12: slots.hour12,
      hourCycle: slots.hourCycle, dateStyle: slots.dateStyle, timeStyle: slots.timeStyle,
    };
    for (let i = 0; i < fields.length; i++) key[fields[i].key] = slots[fields[i].key];
    slots.key = keyOf(key);
  }
  return slots.key;
}

/** @param {any} value */
function timeOf(value) {
  const number = value === undefined ? DateNow() : +value;
  if (!(number >= -farthest && number <= farthest)) throw new RangeError("Invalid time value");
  return MathTrunc(number) + 0;
}

/** @param {any} start @param {any} end */
function timesOf(start, end) {
  if (start === undefined || end === undefined) throw new TypeError("startDate or endDate cannot be undefined");
  const from = +start;
  const times = newList();
  const to = +end;
  times[0] = timeOf(from);
  times[1] = timeOf(to);
  return times;
}

/** @param {any} locales @param {any} options */
export function DateTimeFormat(locales = undefined, options = undefined) {
  const self = new.target === undefined ? ObjectCreate(DateTimeFormat.prototype) : this;
  return initialize(self, createDateTimeFormat(locales, options, "any", "date"));
}

dress(DateTimeFormat, {
  resolvedOptions() {
    const slots = slotsOf(this, "DateTimeFormat", "resolvedOptions");
    const { locale, calendar, numberingSystem, timeZone, dateStyle, timeStyle } = slots;
    const result = record([
      "locale", locale, "calendar", calendar, "numberingSystem", numberingSystem, "timeZone", timeZone,
    ]);
    const found = slots.found ??= describe(dateKey(slots));
    const hourCycle = keywordOf(found, "hourCycle");
    if (hourCycle !== undefined) {
      createData(result, "hourCycle", hourCycle);
      createData(result, "hour12", hourCycle === "h11" || hourCycle === "h12");
    }
    const hasStyle = dateStyle !== undefined || timeStyle !== undefined;
    for (let i = 0; i < fields.length && !hasStyle; i++) {
      const value = keywordOf(found, fields[i].key);
      if (value !== undefined) createData(result, fields[i].key, fields[i].values === undefined ? +value : value);
    }
    if (dateStyle !== undefined) createData(result, "dateStyle", dateStyle);
    if (timeStyle !== undefined) createData(result, "timeStyle", timeStyle);
    return result;
  },
  formatToParts(date) {
    const slots = slotsOf(this, "DateTimeFormat", "formatToParts");
    const time = timeOf(date);
    return partsOf(formatParts(dateKey(slots), time));
  },
  get format() {
    const slots = slotsOf(this, "DateTimeFormat", "format");
    return slots.bound ??= (date) => formatText(dateKey(slots), timeOf(date));
  },
  formatRange(startDate, endDate) {
    const slots = slotsOf(this, "DateTimeFormat", "formatRange");
    const times = timesOf(startDate, endDate);
    return formatText(dateKey(slots), times[0], times[1]);
  },
  formatRangeToParts(startDate, endDate) {
    const slots = slotsOf(this, "DateTimeFormat", "formatRangeToParts");
    const times = timesOf(startDate, endDate);
    return partsOf(formatParts(dateKey(slots), times[0], times[1]), "source");
  },
});
