/** Intl.DisplayNames (ECMA-402, section 12). */

import { formatText, localeInfo } from "./intl.js";
import {
  canonicalLocales, dress, initialize, keyOf, readMatcher, requireNew, requireOptions, resolveLocale, slotsOf,
  stringOption, toText,
} from "./intl_options.js";
import {
  RangeError, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToLowerCase,
  StringPrototypeToUpperCase, TypeError,
} from "./primordials.js";

const styles = ["narrow", "short", "long"];
const types = ["language", "region", "script", "currency", "calendar", "dateTimeField"];
const fallbacks = ["code", "none"];
const languageDisplays = ["dialect", "standard"];
const forms = {
  __proto__: null,
  language: /^[a-z]{2,8}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$/i,
  region: /^(?:[a-z]{2}|[0-9]{3})$/i,
  script: /^[a-z]{4}$/i,
  currency: /^[a-z]{3}$/i,
  calendar: /^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i,
  dateTimeField: /^(?:era|year|quarter|month|weekOfYear|weekday|day|dayPeriod|hour|minute|second|timeZoneName)$/,
};

/** @param {any} locales @param {any} options */
export function DisplayNames(locales, options) {
  requireNew(new.target, "DisplayNames");
  const requested = canonicalLocales(locales);
  if (options === undefined) throw new TypeError("Intl.DisplayNames needs options");
  const given = requireOptions(options);
  readMatcher(given);
  const style = stringOption(given, "style", styles, "long");
  const type = stringOption(given, "type", types, undefined, true);
  const fallback = stringOption(given, "fallback", fallbacks, "code");
  const { locale, dataLocale } = resolveLocale(requested, [], given, () => false);
  const languageDisplay = stringOption(given, "languageDisplay", languageDisplays, "dialect");
  const key = keyOf({ __proto__: null, kind: "names", locale: dataLocale, type, style, languageDisplay });
  const slots = { __proto__: null, kind: "DisplayNames", locale, style, type, fallback, languageDisplay, key };
  return initialize(this, slots);
}

/** CanonicalCodeForDisplayNames. */
function canonicalCode(type, code) {
  const form = forms[type];
  if (code.length > 100 || RegExpPrototypeExec(form, code) === null) {
    throw new RangeError("Invalid argument to Intl.DisplayNames.prototype.of");
  }
  if (type === "language") return localeInfo(code).tag;
  if (type === "region" || type === "currency") return StringPrototypeToUpperCase(code);
  if (type === "calendar") return StringPrototypeToLowerCase(code);
  if (type === "dateTimeField") return code;
  return StringPrototypeToUpperCase(code[0]) + StringPrototypeToLowerCase(StringPrototypeSlice(code, 1));
}

dress(DisplayNames, {
  resolvedOptions() {
    const { locale, style, type, fallback, languageDisplay } = slotsOf(this, "DisplayNames", "resolvedOptions");
    return type === "language" ? { locale, style, type, fallback, languageDisplay } : { locale, style, type, fallback };
  },
  of(code) {
    const slots = slotsOf(this, "DisplayNames", "of");
    const canonical = canonicalCode(slots.type, toText(code));
    const name = formatText(slots.key, canonical);
    if (name !== "") return name;
    return slots.fallback === "code" ? canonical : undefined;
  },
});
