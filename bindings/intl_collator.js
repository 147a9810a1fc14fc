/** Intl.Collator (ECMA-402, section 11). */

import { compareTexts } from "./intl.js";
import {
  booleanOption, canonicalLocales, coerceOptions, dress, includes, initialize, keyOf, readMatcher, resolveLocale,
  slotsOf, stringOption, toText, typeOption,
} from "./intl_options.js";
import {
  ObjectCreate, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeToLowerCase,
} from "./primordials.js";

const usages = ["sort", "search"];
const caseFirsts = ["upper", "lower", "false"];
const sensitivities = ["base", "accent", "case", "variant"];
const flags = ["true", "false"];
/** Languages with another order than the usual one, and its name. */
const others = { __proto__: null, de: "phonebk", es: "trad" };

/** Texts whose order is that of the lower case letters, and then of the letters: they need not go to the host. */
const plain = /^[A-Za-z0-9 ]*$/;
const plainNoDigits = /^[A-Za-z ]*$/;
/** Languages whose alphabets put some of these elsewhere. */
const odd = " az cs cy da et fo haw hr hu hsb dsb kl lt lv mt nb nn no sk smn sq sr-Latn bs to tk vi wae yo ";

function isSupported(key, type, match) {
  if (key === "co") return others[languageOf(match)] === type;
  return includes(key === "kn" ? flags : caseFirsts, type);
}

function languageOf(tag) {
  const dash = StringPrototypeIndexOf(tag, "-");
  return dash < 0 ? tag : StringPrototypeSlice(tag, 0, dash);
}

/** @param {any} locales @param {any} given */
export function createCollator(locales, given) {
  const requested = canonicalLocales(locales);
  const options = coerceOptions(given);
  const usage = stringOption(options, "usage", usages, "sort");
  readMatcher(options);
  const co = typeOption(options, "collation");
  const numericGiven = booleanOption(options, "numeric");
  const kn = numericGiven === undefined ? undefined : numericGiven ? "true" : "false";
  const kf = stringOption(options, "caseFirst", caseFirsts);
  const resolved = resolveLocale(requested, ["co", "kn", "kf"], { __proto__: null, co, kn, kf }, isSupported);
  const sensitivity = stringOption(options, "sensitivity", sensitivities, "variant");
  const ignorePunctuation = booleanOption(options, "ignorePunctuation") ?? resolved.dataLocale === "th";
  const { locale, dataLocale } = resolved;
  const language = languageOf(dataLocale);
  const collation = resolved.co ?? "default";
  const numeric = resolved.kn === "true";
  const caseFirst = resolved.kf ?? (language === "da" || language === "mt" ? "upper" : "false");
  const key = keyOf({
    __proto__: null, kind: "collator", locale: dataLocale, numeric, caseFirst, sensitivity, ignorePunctuation,
    // Who searches German texts finds ä under ae.
    collation: usage === "search" && language === "de" ? "phonebk" : collation,
  });
  const isPlain = caseFirst !== "upper" && collation === "default" && !ignorePunctuation && sensitivity === "variant" &&
    StringPrototypeIndexOf(odd, " " + language + " ") < 0 && StringPrototypeIndexOf(dataLocale, "sr-Latn") !== 0;
  return {
    __proto__: null, kind: "Collator", locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst,
    key, plain: isPlain ? (numeric ? plainNoDigits : plain) : undefined, bound: undefined,
  };
}

/** @param {any} slots @param {string} a @param {string} b @returns {number} */
export function compare(slots, a, b) {
  if (a === b) return 0;
  if (slots.plain !== undefined && RegExpPrototypeExec(slots.plain, a) !== null &&
      RegExpPrototypeExec(slots.plain, b) !== null) {
    const first = StringPrototypeToLowerCase(a);
    const second = StringPrototypeToLowerCase(b);
    if (first !== second) return first < second ? -1 : 1;
    return a < b ? 1 : -1;
  }
  return compareTexts(slots.key, a, b);
}

/** @param {any} locales @param {any} options */
export function Collator(locales = undefined, options = undefined) {
  const self = new.target === undefined ? ObjectCreate(Collator.prototype) : this;
  return initialize(self, createCollator(locales, options));
}

dress(Collator, {
  resolvedOptions() {
    const slots = slotsOf(this, "Collator", "resolvedOptions");
    const { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst } = slots;
    return { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst };
  },
  get compare() {
    const slots = slotsOf(this, "Collator", "compare");
    return slots.bound ??= (a, b) => {
      const first = toText(a);
      return compare(slots, first, toText(b));
    };
  },
});
