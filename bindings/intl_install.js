/** The namespace object Intl (ECMA-402, section 8). A sandbox whose host has no data of locales loses it at start. */

import { supportedValues } from "./intl.js";
import { Collator } from "./intl_collator.js";
import { DateTimeFormat } from "./intl_date_time_format.js";
import { DisplayNames } from "./intl_display_names.js";
import { ListFormat, RelativeTimeFormat } from "./intl_lists.js";
import { Locale } from "./intl_locale.js";
import { NumberFormat, units } from "./intl_number_format.js";
import { canonicalLocales, defineMembers, includes, toText } from "./intl_options.js";
import { PluralRules } from "./intl_plural_rules.js";
import "./intl_prototypes.js";
import { Segmenter } from "./intl_segmenter.js";
import { newList, ObjectDefineProperty, RangeError, SymbolToStringTag, toArray } from "./primordials.js";

const keys = ["calendar", "collation", "currency", "numberingSystem", "timeZone", "unit"];

export const Intl = {};
ObjectDefineProperty(Intl, SymbolToStringTag, { __proto__: null, value: "Intl", configurable: true });
defineMembers(Intl, {
  getCanonicalLocales(locales) {
    return toArray(canonicalLocales(locales));
  },
  supportedValuesOf(key) {
    const name = toText(key);
    if (!includes(keys, name)) throw new RangeError("Invalid key : " + name);
    const values = name === "unit" ? units : supportedValues(name);
    const list = newList();
    for (let i = 0; i < values.length; i++) list[i] = values[i];
    return toArray(list);
  },
  Collator, DateTimeFormat, DisplayNames, ListFormat, Locale, NumberFormat, PluralRules, RelativeTimeFormat, Segmenter,
});
