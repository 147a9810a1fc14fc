/** Intl.NumberFormat (ECMA-402, section 16). */

import { formatParts, formatText } from "./intl.js";
import {
  copyDigitSlots, listDigitOptions, listRoundingOptions, mathematicalRange, mathematicalValue, readDigitOptions,
} from "./intl_digits.js";
import { isNumberingSystem } from "./intl_systems.js";
import {
  canonicalLocales, coerceOptions, dress, includes, initialize, keyOf, outOfRange, partsOf, readMatcher, record,
  resolveLocale, slotsOf, stringOption, toText, typeOption,
} from "./intl_options.js";
import {
  newList, ObjectCreate, RangeError, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeToUpperCase, TypeError,
} from "./primordials.js";

const styles = ["decimal", "percent", "currency", "unit"];
const currencyDisplays = ["code", "symbol", "narrowSymbol", "name"];
const currencySigns = ["standard", "accounting"];
const unitDisplays = ["short", "narrow", "long"];
const notations = ["standard", "scientific", "engineering", "compact"];
const compactDisplays = ["short", "long"];
const groupings = ["min2", "auto", "always"];
const signDisplays = ["auto", "never", "always", "exceptZero", "negative"];
const currencyForm = /^[a-z]{3}$/i;
/** ECMA-402, table 2. */
export const units = [
  "acre", "bit", "byte", "celsius", "centimeter", "day", "degree", "fahrenheit", "fluid-ounce", "foot", "gallon",
  "gigabit", "gigabyte", "gram", "hectare", "hour", "inch", "kilobit", "kilobyte", "kilogram", "kilometer", "liter",
  "megabit", "megabyte", "meter", "microsecond", "mile", "mile-scandinavian", "milliliter", "millimeter", "millisecond",
  "minute", "month", "nanosecond", "ounce", "percent", "petabyte", "pound", "second", "stone", "terabit", "terabyte",
  "week", "yard", "year",
];
/** Currencies whose amounts have other than two decimals, as the locales' data has it. */
const noDigits = " ADP AFN ALL BIF BYR CLP COP DJF ESP GNF HUF IDR IQD IRR ISK ITL JPY KMF KPW KRW LAK LBP LUF MGA " +
  "MGF MMK MRO PKR PYG RWF SLL SOS STD SYP TMM TRL UGX UYI VND VUV XAF XOF XPF YER ZMK ZWD ";
const threeDigits = " BHD JOD KWD LYD OMR TND ";
const fourDigits = " CLF UYW ";

/** @param {string} currency */
function currencyDigits(currency) {
  const name = " " + currency + " ";
  if (StringPrototypeIndexOf(noDigits, name) >= 0) return 0;
  if (StringPrototypeIndexOf(threeDigits, name) >= 0) return 3;
  return StringPrototypeIndexOf(fourDigits, name) >= 0 ? 4 : 2;
}

/** @param {string} unit */
function isUnit(unit) {
  if (includes(units, unit)) return true;
  const at = StringPrototypeIndexOf(unit, "-per-");
  return at > 0 && includes(units, StringPrototypeSlice(unit, 0, at)) &&
    includes(units, StringPrototypeSlice(unit, at + 5));
}

/** The slots of a formatter. @param {any} locales @param {any} given */
export function createNumberFormat(locales, given) {
  const requested = canonicalLocales(locales);
  const options = coerceOptions(given);
  readMatcher(options);
  const nu = typeOption(options, "numberingSystem");
  const resolved = resolveLocale(requested, ["nu"], { __proto__: null, nu }, (_, type) => isNumberingSystem(type));
  const slots = {
    __proto__: null, kind: "NumberFormat", locale: resolved.locale, dataLocale: resolved.dataLocale,
    numberingSystem: resolved.nu ?? resolved.info.numberingSystem, key: undefined, bound: undefined,
  };
  readUnitOptions(slots, options);
  slots.notation = stringOption(options, "notation", notations, "standard");
  let least = 0;
  let most = slots.style === "percent" ? 0 : 3;
  if (slots.style === "currency" && slots.notation === "standard") least = most = currencyDigits(slots.currency);
  readDigitOptions(slots, options, least, most, slots.notation);
  const compactDisplay = stringOption(options, "compactDisplay", compactDisplays, "short");
  let fallback = "auto";
  if (slots.notation === "compact") {
    slots.compactDisplay = compactDisplay;
    fallback = "min2";
  }
  slots.useGrouping = readGrouping(options, fallback);
  slots.signDisplay = stringOption(options, "signDisplay", signDisplays, "auto");
  return slots;
}

/** SetNumberFormatUnitOptions. */
function readUnitOptions(slots, options) {
  const style = slots.style = stringOption(options, "style", styles, "decimal");
  const currency = stringOption(options, "currency", undefined);
  if (currency === undefined) {
    if (style === "currency") throw new TypeError("Currency code is required with currency style.");
  } else if (RegExpPrototypeExec(currencyForm, currency) === null) {
    throw new RangeError("Invalid currency code : " + currency);
  }
  const currencyDisplay = stringOption(options, "currencyDisplay", currencyDisplays, "symbol");
  const currencySign = stringOption(options, "currencySign", currencySigns, "standard");
  const unit = stringOption(options, "unit", undefined);
  if (unit === undefined) {
    if (style === "unit") throw new TypeError("Unit is required with unit style.");
  } else if (!isUnit(unit)) {
    throw new RangeError("Invalid unit argument for Intl.NumberFormat() '" + unit + "'");
  }
  const unitDisplay = stringOption(options, "unitDisplay", unitDisplays, "short");
  if (style === "currency") {
    slots.currency = StringPrototypeToUpperCase(currency);
    slots.currencyDisplay = currencyDisplay;
    slots.currencySign = currencySign;
  } else if (style === "unit") {
    slots.unit = unit;
    slots.unitDisplay = unitDisplay;
  }
}

/** GetBooleanOrStringNumberFormatOption. */
function readGrouping(options, fallback) {
  const given = options.useGrouping;
  if (given === undefined) return fallback;
  if (given === true) return "always";
  if (!given) return false;
  const value = toText(given);
  if (value === "true" || value === "false") return fallback;
  if (!includes(groupings, value)) throw outOfRange(value, "useGrouping");
  return value;
}

const keySlots = [
  "numberingSystem", "style", "currency", "currencyDisplay", "currencySign", "unit", "unitDisplay", "notation",
  "compactDisplay", "useGrouping", "signDisplay",
];

/** @param {any} slots */
export function numberKey(slots) {
  if (slots.key === undefined) {
    const key = ObjectCreate(null);
    key.kind = "number";
    key.locale = slots.dataLocale;
    for (let i = 0; i < keySlots.length; i++) key[keySlots[i]] = slots[keySlots[i]];
    copyDigitSlots(key, slots);
    slots.key = keyOf(key);
  }
  return slots.key;
}

/** @param {any} locales @param {any} options */
export function NumberFormat(locales = undefined, options = undefined) {
  const self = new.target === undefined ? ObjectCreate(NumberFormat.prototype) : this;
  return initialize(self, createNumberFormat(locales, options));
}

dress(NumberFormat, {
  resolvedOptions() {
    const slots = slotsOf(this, "NumberFormat", "resolvedOptions");
    const entries = newList();
    const add = (key) => {
      entries[entries.length] = key;
      entries[entries.length] = slots[key];
    };
    add("locale");
    for (let i = 0; i < 7; i++) add(keySlots[i]);
    listDigitOptions(entries, slots);
    add("useGrouping");
    add("notation");
    add("compactDisplay");
    add("signDisplay");
    listRoundingOptions(entries, slots);
    return record(entries);
  },
  formatToParts(value) {
    const slots = slotsOf(this, "NumberFormat", "formatToParts");
    const number = mathematicalValue(value);
    return partsOf(formatParts(numberKey(slots), number));
  },
  get format() {
    const slots = slotsOf(this, "NumberFormat", "format");
    return slots.bound ??= (value) => formatText(numberKey(slots), mathematicalValue(value));
  },
  formatRange(start, end) {
    const slots = slotsOf(this, "NumberFormat", "formatRange");
    const range = mathematicalRange(start, end);
    return formatText(numberKey(slots), range[0], range[1]);
  },
  formatRangeToParts(start, end) {
    const slots = slotsOf(this, "NumberFormat", "formatRangeToParts");
    const range = mathematicalRange(start, end);
    return partsOf(formatParts(numberKey(slots), range[0], range[1]), "source");
  },
});
