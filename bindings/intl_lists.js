/** Intl.ListFormat and Intl.RelativeTimeFormat (ECMA-402, sections 14 and 18). */

import { formatParts, formatText } from "./intl.js";
import { isNumberingSystem } from "./intl_systems.js";
import {
  canonicalLocales, coerceOptions, dress, initialize, keyOf, partsOf, readMatcher, requireNew, requireOptions,
  resolveLocale, slotsOf, stringOption, toText, typeOption,
} from "./intl_options.js";
import {
  isObject, newList, NumberIsFinite, RangeError, ReflectApply, SymbolIterator, TypeError,
} from "./primordials.js";

const mostItems = 10_000;
const listTypes = ["conjunction", "disjunction", "unit"];
const widths = ["long", "short", "narrow"];

/** @param {any} locales @param {any} options */
export function ListFormat(locales = undefined, options = undefined) {
  requireNew(new.target, "ListFormat");
  const requested = canonicalLocales(locales);
  const given = requireOptions(options);
  readMatcher(given);
  const { locale, dataLocale } = resolveLocale(requested, [], given, () => false);
  const type = stringOption(given, "type", listTypes, "conjunction");
  const style = stringOption(given, "style", widths, "long");
  const key = keyOf({ __proto__: null, kind: "list", locale: dataLocale, type, style });
  return initialize(this, { __proto__: null, kind: "ListFormat", locale, type, style, key });
}

/** StringListFromIterable. */
function stringsOf(iterable) {
  const strings = newList();
  if (iterable === undefined) return strings;
  const method = iterable[SymbolIterator];
  if (typeof method !== "function") throw new TypeError("the list is not iterable");
  const iterator = ReflectApply(method, iterable, []);
  if (!isObject(iterator)) throw new TypeError("the iterator is not an object");
  const { next } = iterator;
  for (;;) {
    const step = ReflectApply(next, iterator, []);
    if (!isObject(step)) throw new TypeError("the iterator result is not an object");
    if (step.done) return strings;
    const { value } = step;
    if (typeof value !== "string") {
      const close = iterator.return;
      if (close !== undefined && close !== null) {
        try {
          ReflectApply(close, iterator, []);
        } catch { /* what is thrown below counts */ }
      }
      throw new TypeError("Iterable yielded a value which is not a string");
    }
    if (strings.length === mostItems) {
      throw new RangeError("a list of more than " + mostItems + " items cannot be formatted");
    }
    strings[strings.length] = value;
  }
}

dress(ListFormat, {
  resolvedOptions() {
    const { locale, type, style } = slotsOf(this, "ListFormat", "resolvedOptions");
    return { locale, type, style };
  },
  format(list) {
    const { key } = slotsOf(this, "ListFormat", "format");
    return formatText(key, stringsOf(list));
  },
  formatToParts(list) {
    const { key } = slotsOf(this, "ListFormat", "formatToParts");
    return partsOf(formatParts(key, stringsOf(list)));
  },
});

const numerics = ["always", "auto"];
const timeUnits = {
  __proto__: null, second: "second", seconds: "second", minute: "minute", minutes: "minute", hour: "hour",
  hours: "hour", day: "day", days: "day", week: "week", weeks: "week", month: "month", months: "month", quarter: "quarter",
  quarters: "quarter", year: "year", years: "year",
};

/** @param {any} locales @param {any} options */
export function RelativeTimeFormat(locales = undefined, options = undefined) {
  requireNew(new.target, "RelativeTimeFormat");
  const requested = canonicalLocales(locales);
  const given = coerceOptions(options);
  readMatcher(given);
  const nu = typeOption(given, "numberingSystem");
  const resolved = resolveLocale(requested, ["nu"], { __proto__: null, nu }, (_, type) => isNumberingSystem(type));
  const { locale, dataLocale } = resolved;
  const style = stringOption(given, "style", widths, "long");
  const numeric = stringOption(given, "numeric", numerics, "always");
  const numberingSystem = resolved.nu ?? resolved.info.numberingSystem;
  const key = keyOf({ __proto__: null, kind: "relative", locale: dataLocale, style, numeric, numberingSystem });
  const slots = { __proto__: null, kind: "RelativeTimeFormat", locale, style, numeric, numberingSystem, key };
  return initialize(this, slots);
}

function singular(unit) {
  const text = toText(unit);
  const name = timeUnits[text];
  if (name === undefined) throw new RangeError("Invalid unit argument for format() '" + text + "'");
  return name;
}

dress(RelativeTimeFormat, {
  resolvedOptions() {
    const { locale, style, numeric, numberingSystem } = slotsOf(this, "RelativeTimeFormat", "resolvedOptions");
    return { locale, style, numeric, numberingSystem };
  },
  format(value, unit) {
    const { key } = slotsOf(this, "RelativeTimeFormat", "format");
    const number = +value;
    const name = singular(unit);
    requireFinite(number, "format");
    return formatText(key, number, name);
  },
  formatToParts(value, unit) {
    const { key } = slotsOf(this, "RelativeTimeFormat", "formatToParts");
    const number = +value;
    const name = singular(unit);
    requireFinite(number, "formatToParts");
    return partsOf(formatParts(key, number, name), "unit");
  },
});

function requireFinite(number, method) {
  if (!NumberIsFinite(number)) {
    throw new RangeError("The value need be finite number for Intl.RelativeTimeFormat.prototype." + method + "()");
  }
}
