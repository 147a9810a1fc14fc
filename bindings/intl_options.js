/** What the constructors of Intl share (ECMA-402, section 9): options, locales, the shape of classes. */

import { defaultLocale, localeInfo } from "./intl.js";
import {
  isObject, MathFloor, newList, NumberIsNaN, Object, ObjectCreate, ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor, ObjectKeys,
  RangeError, RegExpPrototypeExec, ReflectApply, ReflectOwnKeys, String, StringPrototypeToLowerCase, SymbolToPrimitive,
  SymbolToStringTag, toArray, TypeError,
} from "./primordials.js";

// --- state that no program can reach ---

class Given {
  constructor(object) { return object; }
}

/** Puts a private field on an object that another constructor has made. */
class Slots extends Given {
  #slots;
  constructor(object, slots) {
    super(object);
    this.#slots = slots;
  }
  static read(object) {
    return isObject(object) && #slots in object ? object.#slots : undefined;
  }
}
const { read } = Slots;

/** Give an object its internal slots. @param {object} object @param {{ kind: string }} slots */
export function initialize(object, slots) {
  new Slots(object, slots);
  return object;
}

/** The slots of an object of any kind of Intl's, or undefined. @param {any} object @param {string} kind */
export function slotsIf(object, kind) {
  const slots = read(object);
  return slots !== undefined && slots.kind === kind ? slots : undefined;
}

/** @param {any} object @param {string} kind @param {string} method For the message. */
export function slotsOf(object, kind, method) {
  const slots = slotsIf(object, kind);
  if (slots === undefined) {
    throw new TypeError("Method Intl." + kind + ".prototype." + method + " called on incompatible receiver");
  }
  return slots;
}

// --- options ---

/** @param {any} value */
export function toText(value) {
  if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
  return typeof value === "string" ? value : String(value);
}

/** @param {any} options */
export function coerceOptions(options) {
  if (options === undefined) return ObjectCreate(null);
  if (options === null) throw new TypeError("Cannot convert null to object");
  return Object(options);
}

/** @param {any} options */
export function requireOptions(options) {
  if (options === undefined) return ObjectCreate(null);
  if (!isObject(options)) throw new TypeError("Incorrect options information provided");
  return options;
}

/** @param {string[]} list @param {string} value */
export function includes(list, value) {
  for (let i = 0; i < list.length; i++) if (list[i] === value) return true;
  return false;
}

/**
 * GetOption for strings.
 * @param {object} options
 * @param {string} key
 * @param {string[] | undefined} values Allowed ones; undefined: any.
 * @param {string | undefined} [fallback]
 * @param {boolean} [isRequired]
 */
export function stringOption(options, key, values, fallback = undefined, isRequired = false) {
  const given = options[key];
  if (given === undefined) {
    if (isRequired) throw new TypeError("Required option \"" + key + "\" must not be undefined");
    return fallback;
  }
  const value = toText(given);
  if (values !== undefined && !includes(values, value)) throw outOfRange(value, key);
  return value;
}

/** @param {any} value @param {string} key */
export const outOfRange = (value, key) =>
  new RangeError("Value " + toText(value) + " out of range for Intl options property " + key);

/** @param {object} options @param {string} key @returns {boolean | undefined} */
export function booleanOption(options, key) {
  const given = options[key];
  return given === undefined ? undefined : !!given;
}

/** DefaultNumberOption. @param {any} given @param {number} least @param {number} most @param {string} key */
export function numberIn(given, least, most, fallback, key) {
  if (given === undefined) return fallback;
  const value = +given;
  if (NumberIsNaN(value) || value < least || value > most) throw new RangeError(key + " value is out of range.");
  return MathFloor(value);
}

/** GetNumberOption. @param {object} options @param {string} key */
export const numberOption = (options, key, least, most, fallback) =>
  numberIn(options[key], least, most, fallback, key);

const typeForm = /^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i;

/** An option that is the type of a Unicode extension's keyword. @param {object} options @param {string} key */
export function typeOption(options, key) {
  const value = stringOption(options, key, undefined);
  if (value !== undefined && RegExpPrototypeExec(typeForm, value) === null) throw outOfRange(value, key);
  return value === undefined ? undefined : StringPrototypeToLowerCase(value);
}

const matchers = ["lookup", "best fit"];
/** @param {object} options */
export const readMatcher = (options) => stringOption(options, "localeMatcher", matchers, "best fit");

// --- locales ---

/**
 * CanonicalizeLocaleList.
 * @param {any} locales
 * @returns {string[]} Canonical tags, without a prototype.
 */
export function canonicalLocales(locales) {
  const seen = newList();
  if (locales === undefined) return seen;
  if (typeof locales === "string") {
    seen[0] = localeInfo(locales).tag;
    return seen;
  }
  const locale = slotsIf(locales, "Locale");
  if (locale !== undefined) {
    seen[0] = locale.tag;
    return seen;
  }
  if (locales === null) throw new TypeError("Cannot convert null to object");
  const list = Object(locales);
  const length = toLength(list.length);
  for (let i = 0; i < length; i++) {
    if (!(i in list)) continue;
    const item = list[i];
    if (typeof item !== "string" && !isObject(item)) throw new TypeError("Incorrect locale information provided");
    const { tag } = slotsIf(item, "Locale") ?? localeInfo(toText(item));
    if (!includes(seen, tag)) seen[seen.length] = tag;
  }
  return seen;
}

/** @param {any} value */
export function toLength(value) {
  const number = +value;
  if (!(number > 0)) return 0;
  return number > 2 ** 53 - 1 ? 2 ** 53 - 1 : MathFloor(number);
}

/** The type of a keyword in a tag's Unicode extension, or undefined. @param {string[]} keywords @param {string} key */
export function keywordOf(keywords, key) {
  for (let i = 0; i < keywords.length; i += 2) if (keywords[i] === key) return keywords[i + 1];
  return undefined;
}

/**
 * ResolveLocale.
 * @param {string[]} requested Canonical tags.
 * @param {string[]} keys Of the keywords that matter, in order.
 * @param {Record<string, string | undefined | null>} options What options say; null: the keyword is ignored too.
 * @param {(key: string, type: string, match: string) => boolean} isSupported
 * @returns {{ locale: string, dataLocale: string, info: any, [key: string]: any }}
 */
export function resolveLocale(requested, keys, options, isSupported) {
  let info;
  for (let i = 0; i < requested.length && info === undefined; i++) {
    const candidate = localeInfo(requested[i]);
    if (candidate.match !== null) info = candidate;
  }
  if (info === undefined) info = localeInfo(defaultLocale());
  const result = { __proto__: null, locale: info.match, dataLocale: info.match, info };
  let extension = "";
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    let value;
    let isFromTag = false;
    const asked = keywordOf(info.keywords, key);
    if (asked !== undefined && isSupported(key, asked === "" ? "true" : asked, info.match)) {
      value = asked === "" ? "true" : asked;
      isFromTag = true;
    }
    const option = options[key];
    if (option === null) {
      value = undefined;
      isFromTag = false;
    } else if (option !== undefined && isSupported(key, option, info.match)) {
      if (option !== value) isFromTag = false;
      value = option;
    }
    if (isFromTag) extension += "-" + key + (asked === "" ? "" : "-" + asked);
    result[key] = value;
  }
  if (extension !== "") result.locale += "-u" + extension;
  return result;
}

/** @param {any} locales @param {any} options */
function supportedLocalesOf(locales, options = undefined) {
  const requested = canonicalLocales(locales);
  readMatcher(coerceOptions(options));
  const supported = newList();
  for (let i = 0; i < requested.length; i++) {
    if (localeInfo(requested[i]).match !== null) supported[supported.length] = requested[i];
  }
  return toArray(supported);
}

// --- classes ---

/** @param {object} target @param {PropertyKey} key @param {any} value */
export const createData = (target, key, value) => ObjectDefineProperty(target, key, {
  __proto__: null, value, writable: true, enumerable: true, configurable: true,
});

/** An ordinary object with these entries, undefined ones left out. @param {any[]} entries Keys and values in turn. */
export function record(entries) {
  const result = {};
  for (let i = 0; i < entries.length; i += 2) {
    if (entries[i + 1] !== undefined) createData(result, entries[i], entries[i + 1]);
  }
  return result;
}

/** @param {string[]} flat Types and values in turn. @param {string} [third] The key of a third item of each. */
export function partsOf(flat, third = undefined) {
  const parts = newList();
  const step = third === undefined ? 2 : 3;
  for (let i = 0; i < flat.length; i += step) {
    const part = { type: flat[i], value: flat[i + 1] };
    if (third !== undefined && flat[i + 2] !== "") createData(part, third, flat[i + 2]);
    parts[parts.length] = part;
  }
  return toArray(parts);
}

/**
 * What the host is told of a formatter, as JSON. The engine's own `JSON.stringify` would show the object to setters of
 * `Array.prototype`. All texts are names that the standard or this folder has checked: none needs escapes.
 * @param {Record<string, any>} slots Without a prototype; undefined ones are left out.
 * @returns {string}
 */
export function keyOf(slots) {
  const names = ObjectKeys(slots);
  let text = "";
  for (let i = 0; i < names.length; i++) {
    const value = slots[names[i]];
    if (value === undefined) continue;
    text += (text === "" ? '{"' : ',"') + names[i] + '":' + (typeof value === "string" ? '"' + value + '"' : value);
  }
  return text + "}";
}

/**
 * Copy methods and getters, as those of a built-in object.
 * @param {object} target
 * @param {object} members
 */
export function defineMembers(target, members) {
  const keys = ReflectOwnKeys(members);
  for (let i = 0; i < keys.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(members, keys[i]);
    ObjectDefineProperty(target, keys[i], { __proto__: null, ...descriptor, enumerable: false });
  }
}

/**
 * Give a constructor of Intl its prototype and statics.
 * @param {Function} constructor
 * @param {object} members Of the prototype.
 * @param {object} [statics]
 */
export function dress(constructor, members, statics = { supportedLocalesOf }) {
  const { prototype } = constructor;
  ObjectDefineProperty(constructor, "prototype", { __proto__: null, writable: false });
  defineMembers(prototype, members);
  const tag = "Intl." + constructor.name;
  ObjectDefineProperty(prototype, SymbolToStringTag, { __proto__: null, value: tag, configurable: true });
  if (statics.supportedLocalesOf === supportedLocalesOf) {
    // Each constructor has a function of its own.
    statics = { supportedLocalesOf(locales, options = undefined) { return supportedLocalesOf(locales, options); } };
  }
  defineMembers(constructor, statics);
}

/** @param {any} target @param {string} name */
export function requireNew(target, name) {
  if (target === undefined) throw new TypeError("Constructor Intl." + name + " requires 'new'");
}

/** ToPrimitive with the hint number, which tells bigints from numbers. @param {any} value */
export function toNumeric(value) {
  if (!isObject(value)) return value;
  const exotic = value[SymbolToPrimitive];
  if (exotic !== undefined && exotic !== null) {
    const primitive = ReflectApply(exotic, value, ["number"]);
    if (isObject(primitive)) throw new TypeError("Cannot convert object to primitive value");
    return primitive;
  }
  const { valueOf } = value;
  if (typeof valueOf === "function") {
    const primitive = ReflectApply(valueOf, value, []);
    if (!isObject(primitive)) return primitive;
  }
  const { toString } = value;
  if (typeof toString === "function") {
    const primitive = ReflectApply(toString, value, []);
    if (!isObject(primitive)) return primitive;
  }
  throw new TypeError("Cannot convert object to primitive value");
}
