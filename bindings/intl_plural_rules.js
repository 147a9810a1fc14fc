/** Intl.PluralRules (ECMA-402, section 17). */

import { describe, formatText } from "./intl.js";
import {
  copyDigitSlots, listDigitOptions, listRoundingOptions, mathematicalRange, readDigitOptions,
} from "./intl_digits.js";
import {
  canonicalLocales, coerceOptions, createData, dress, initialize, keyOf, readMatcher, record, requireNew, resolveLocale,
  slotsOf, stringOption,
} from "./intl_options.js";
import { newList, ObjectCreate, toArray } from "./primordials.js";

const types = ["cardinal", "ordinal"];
const notations = ["standard", "scientific", "engineering", "compact"];
const compactDisplays = ["short", "long"];

function hostKey(slots) {
  if (slots.key === undefined) {
    const key = ObjectCreate(null);
    key.kind = "plural";
    key.locale = slots.dataLocale;
    key.type = slots.type;
    key.notation = slots.notation;
    key.compactDisplay = slots.compactDisplay;
    copyDigitSlots(key, slots);
    slots.key = keyOf(key);
  }
  return slots.key;
}

/** @param {any} locales @param {any} options */
export function PluralRules(locales = undefined, options = undefined) {
  requireNew(new.target, "PluralRules");
  const requested = canonicalLocales(locales);
  const given = coerceOptions(options);
  readMatcher(given);
  const type = stringOption(given, "type", types, "cardinal");
  const notation = stringOption(given, "notation", notations, "standard");
  const compactDisplay = stringOption(given, "compactDisplay", compactDisplays, "short");
  const slots = {
    __proto__: null, kind: "PluralRules", type, notation, key: undefined, locale: "", dataLocale: "",
    compactDisplay: notation === "compact" ? compactDisplay : undefined,
  };
  readDigitOptions(slots, given, 0, 3, notation);
  const resolved = resolveLocale(requested, [], given, () => false);
  slots.locale = resolved.locale;
  slots.dataLocale = resolved.dataLocale;
  return initialize(this, slots);
}

dress(PluralRules, {
  resolvedOptions() {
    const slots = slotsOf(this, "PluralRules", "resolvedOptions");
    const entries = newList();
    entries[0] = "locale";
    entries[1] = slots.locale;
    entries[2] = "type";
    entries[3] = slots.type;
    entries[4] = "notation";
    entries[5] = slots.notation;
    entries[6] = "compactDisplay";
    entries[7] = slots.compactDisplay;
    listDigitOptions(entries, slots);
    const result = record(entries);
    const names = describe(hostKey(slots));
    const categories = newList();
    for (let i = 0; i < names.length; i++) categories[i] = names[i];
    createData(result, "pluralCategories", toArray(categories));
    const rest = newList();
    listRoundingOptions(rest, slots);
    for (let i = 0; i < rest.length; i += 2) createData(result, rest[i], rest[i + 1]);
    return result;
  },
  select(value) {
    const slots = slotsOf(this, "PluralRules", "select");
    return formatText(hostKey(slots), +value);
  },
  selectRange(start, end) {
    const slots = slotsOf(this, "PluralRules", "selectRange");
    const range = mathematicalRange(start, end);
    return formatText(hostKey(slots), range[0], range[1]);
  },
});
