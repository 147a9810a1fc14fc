/** Intl.Locale and Intl.getCanonicalLocales (ECMA-402, sections 8 and 15). */

import { describe, likelySubtags, localeInfo } from "./intl.js";
import {
  booleanOption, coerceOptions, dress, initialize, keyOf, keywordOf, outOfRange, record, requireNew, slotsIf, slotsOf,
  stringOption, toText, typeOption,
} from "./intl_options.js";
import {
  isObject, newList, ObjectDefineProperty, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  toArray, TypeError,
} from "./primordials.js";

const languageForm = /^(?:[a-z]{2,3}|[a-z]{5,8})$/i;
const scriptForm = /^[a-z]{4}$/i;
const regionForm = /^(?:[a-z]{2}|[0-9]{3})$/i;
/** Language, script, region, variants, and what follows them, of a canonical tag. */
const parts =
  /^([a-z]+)(?:-([A-Z][a-z]{3}))?(?:-([A-Z]{2}|[0-9]{3})(?![^-]))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)(.*)$/;
const variantsForm = /^(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3})(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$/i;
/** The attributes of a Unicode extension, its keywords, and the extensions that follow it. */
const extensionForm = /^-u((?:-[a-z0-9]{3,8})*)((?:-[a-z0-9]{2,8})*)(.*)$/;
const hourCycles = ["h11", "h12", "h23", "h24"];
const caseFirsts = ["upper", "lower", "false"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const weekdayForm = /^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i;

/** @param {string} tag */
function split(tag) {
  const found = RegExpPrototypeExec(parts, tag);
  return {
    __proto__: null, language: found[1], script: found[2], region: found[3], variants: found[4], rest: found[5],
  };
}

/** An option that must have a form. */
function formOption(options, key, form) {
  const value = stringOption(options, key, undefined);
  if (value !== undefined && RegExpPrototypeExec(form, value) === null) throw outOfRange(value, key);
  return value;
}

/** Put the parts of a language id together. */
function join(language, script, region, variants, rest) {
  let tag = language;
  if (script !== undefined) tag += "-" + script;
  if (region !== undefined) tag += "-" + region;
  return tag + variants + rest;
}

/** A tag with other keywords in its Unicode extension. @param {string} tag @param {string[]} changes Keys and types. */
function withKeywords(tag, changes) {
  if (changes.length === 0) return tag;
  // The extensions come before what is for private use.
  const end = StringPrototypeIndexOf(tag, "-x-");
  const head = end < 0 ? tag : StringPrototypeSlice(tag, 0, end);
  const tail = end < 0 ? "" : StringPrototypeSlice(tag, end);
  const { keywords } = localeInfo(tag);
  const at = StringPrototypeIndexOf(head, "-u-");
  let before = head;
  let after = "";
  let attributes = "";
  if (at >= 0) {
    before = StringPrototypeSlice(head, 0, at);
    const found = RegExpPrototypeExec(extensionForm, StringPrototypeSlice(head, at));
    attributes = found[1];
    after = found[3];
  }
  let extension = "";
  for (let i = 0; i < keywords.length; i += 2) {
    if (keywordOf(changes, keywords[i]) === undefined) {
      extension += "-" + keywords[i] + (keywords[i + 1] === "" ? "" : "-" + keywords[i + 1]);
    }
  }
  for (let i = 0; i < changes.length; i += 2) extension += "-" + changes[i] + "-" + changes[i + 1];
  return before + "-u" + attributes + extension + after + tail;
}

/** @param {any} tag @param {any} options */
export function Locale(tag, options = undefined) {
  requireNew(new.target, "Locale");
  if (typeof tag !== "string" && !isObject(tag)) throw new TypeError("Intl.Locale needs a language tag");
  const base = slotsIf(tag, "Locale")?.tag ?? toText(tag);
  const given = coerceOptions(options);
  let { tag: canonical } = localeInfo(base);
  const { language, script, region, variants, rest } = split(canonical);
  const newLanguage = formOption(given, "language", languageForm);
  const newScript = formOption(given, "script", scriptForm);
  const newRegion = formOption(given, "region", regionForm);
  const newVariants = formOption(given, "variants", variantsForm);
  const allVariants = newVariants === undefined ? variants : "-" + newVariants;
  const whole = join(newLanguage ?? language, newScript ?? script, newRegion ?? region, allVariants, rest);
  canonical = localeInfo(whole).tag;
  const changes = newList();
  const change = (key, value) => {
    if (value === undefined) return;
    changes[changes.length] = key;
    changes[changes.length] = value;
  };
  change("ca", typeOption(given, "calendar"));
  change("co", typeOption(given, "collation"));
  const firstDay = given.firstDayOfWeek;
  if (firstDay !== undefined) {
    const text = toText(firstDay);
    const day = text.length === 1 && text >= "0" && text <= "7" ? weekdays[+text % 7] : text;
    if (RegExpPrototypeExec(weekdayForm, day) === null) throw outOfRange(text, "firstDayOfWeek");
    change("fw", day);
  }
  change("hc", stringOption(given, "hourCycle", hourCycles));
  change("kf", stringOption(given, "caseFirst", caseFirsts));
  const numeric = booleanOption(given, "numeric");
  change("kn", numeric === undefined ? undefined : numeric ? "true" : "false");
  change("nu", typeOption(given, "numberingSystem"));
  return fill(this, localeInfo(withKeywords(canonical, changes)).tag);
}

const fill = (locale, tag) => initialize(locale, { __proto__: null, kind: "Locale", tag });

/** Another locale than `this`. */
function derived(locale, method, add) {
  const { tag } = slotsOf(locale, "Locale", method);
  return new Locale(likelySubtags(tag, add));
}

const keyword = (locale, key, method) => keywordOf(localeInfo(slotsOf(locale, "Locale", method).tag).keywords, key);
const part = (locale, key) => split(slotsOf(locale, "Locale", key).tag)[key];

/** @param {any} locale @param {string} what @param {string} method */
function listOf(locale, what, method) {
  const { tag } = slotsOf(locale, "Locale", method);
  return describe(keyOf({ __proto__: null, kind: "locale", locale: tag, what }));
}

function copy(list) {
  if (list === null) return undefined;
  const result = newList();
  for (let i = 0; i < list.length; i++) result[i] = list[i];
  return toArray(result);
}

function weekInfo(locale, method) {
  const days = listOf(locale, "week", method);
  const weekend = newList();
  for (let i = 1; i < days.length; i++) weekend[i - 1] = days[i];
  return record(["firstDay", days[0], "weekend", toArray(weekend)]);
}
const textInfo = (locale, method) => record(["direction", listOf(locale, "direction", method)[0]]);

dress(Locale, {
  maximize() { return derived(this, "maximize", true); },
  minimize() { return derived(this, "minimize", false); },
  toString() { return slotsOf(this, "Locale", "toString").tag; },
  get baseName() {
    const { language, script, region, variants } = split(slotsOf(this, "Locale", "baseName").tag);
    return join(language, script, region, variants, "");
  },
  get calendar() { return keyword(this, "ca", "calendar"); },
  get caseFirst() { return keyword(this, "kf", "caseFirst"); },
  get collation() { return keyword(this, "co", "collation"); },
  get firstDayOfWeek() { return keyword(this, "fw", "firstDayOfWeek"); },
  get hourCycle() { return keyword(this, "hc", "hourCycle"); },
  get numeric() {
    const value = keyword(this, "kn", "numeric");
    return value === "" || value === "true";
  },
  get numberingSystem() { return keyword(this, "nu", "numberingSystem"); },
  get language() { return part(this, "language"); },
  get script() { return part(this, "script"); },
  get region() { return part(this, "region"); },
  get variants() {
    const text = part(this, "variants");
    return text === "" ? undefined : StringPrototypeSlice(text, 1);
  },
  getCalendars() { return copy(listOf(this, "calendars", "getCalendars")); },
  getCollations() { return copy(listOf(this, "collations", "getCollations")); },
  getHourCycles() { return copy(listOf(this, "hourCycles", "getHourCycles")); },
  getNumberingSystems() { return copy(listOf(this, "numberingSystems", "getNumberingSystems")); },
  getTimeZones() { return copy(listOf(this, "timeZones", "getTimeZones")); },
  getTextInfo() { return textInfo(this, "getTextInfo"); },
  getWeekInfo() { return weekInfo(this, "getWeekInfo"); },
}, {});

ObjectDefineProperty(Locale, "length", { __proto__: null, value: 1 });
