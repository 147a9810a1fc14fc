/** Web IDL: converting arguments, and giving classes and functions the shape that the standards ask for. */

import {
  ArrayPrototype, global, isObject, IteratorPrototype, MathFloor, MathMax, MathMin, MathTrunc, newList, NumberIsFinite,
  NumberIsNaN, ObjectCreate, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
  ObjectPrototype, ReflectApply, ReflectOwnKeys, RegExpPrototypeExec, String, StringPrototypeToWellFormed,
  SymbolIterator, SymbolToStringTag, TypeError,
} from "./primordials.js";

/**
 * @param {boolean} branded Whether `this` is an object of the interface.
 * @throws {TypeError} When it is not.
 */
export function requireBrand(branded) {
  if (!branded) throw new TypeError("Illegal invocation");
}

/**
 * @param {string} operation
 * @param {string} owner
 */
export const execute = (operation, owner) => "Failed to execute '" + operation + "' on '" + owner + "'";
/** @param {string} owner */
export const construct = (owner) => "Failed to construct '" + owner + "'";

/**
 * @param {number} given
 * @param {number} needed
 * @param {string} where Start of the message, from `execute` or `construct`.
 */
export function requireArguments(given, needed, where) {
  if (given < needed) {
    const plural = needed === 1 ? "" : "s";
    throw new TypeError(where + ": " + needed + " argument" + plural + " required, but only " + given + " present.");
  }
}

/** @typedef {(value: any, where: string) => any} Converter */

/** @type {Converter} */
export const any = (value) => value;
/** @type {Converter} */
export function object(value, where) {
  if (!isObject(value)) throw new TypeError(where + ": The provided value is not of type 'object'.");
  return value;
}
/** @type {Converter} */
export function DOMString(value, where) {
  if (typeof value === "string") return value;
  if (typeof value === "symbol") throw new TypeError(where + ": Cannot convert a Symbol value to a string");
  return String(value);
}
/** @type {Converter} */
export const USVString = (value, where) => StringPrototypeToWellFormed(DOMString(value, where));
const beyondLatin1 = /[^\x00-\xff]/;
/** @type {Converter} */
export function ByteString(value, where) {
  const text = DOMString(value, where);
  if (RegExpPrototypeExec(beyondLatin1, text) !== null) {
    throw new TypeError(where + ": The string holds a character above U+00FF.");
  }
  return text;
}
/**
 * Make the converter of an enumeration.
 * @param {string} name
 * @param {string[]} values
 * @returns {Converter}
 */
export const enumeration = (name, values) => (value, where) => {
  const text = DOMString(value, where);
  for (let i = 0; i < values.length; i++) if (values[i] === text) return text;
  throw new TypeError(where + ": The provided value '" + text + "' is not a valid enum value of type " + name + ".");
};
/** @type {Converter} */
export const boolean = (value) => !!value;

/** @type {Converter} */
export function unrestrictedDouble(value, where) {
  if (typeof value === "symbol" || typeof value === "bigint") {
    throw new TypeError(where + ": Cannot convert a " + typeof value + " value to a number");
  }
  return +value;
}
/** @type {Converter} */
export function double(value, where) {
  const number = unrestrictedDouble(value, where);
  if (!NumberIsFinite(number)) throw new TypeError(where + ": The provided double value is non-finite.");
  return number;
}

/**
 * Make the converter of an integer type.
 * @param {number} bits 8 to 64.
 * @param {boolean} signed
 * @param {"wrap" | "enforceRange" | "clamp"} [manner] What happens to numbers outside the range.
 * @returns {Converter}
 */
export function integer(bits, signed, manner = "wrap") {
  const span = 2 ** bits;
  const most = bits === 64 ? 2 ** 53 - 1 : signed ? span / 2 - 1 : span - 1;
  const least = !signed ? 0 : bits === 64 ? -most : -span / 2;
  return (value, where) => {
    const number = unrestrictedDouble(value, where);
    if (manner === "enforceRange") {
      const whole = MathTrunc(number);
      if (!NumberIsFinite(number)) throw new TypeError(where + ": The provided value is not a finite number.");
      if (whole < least || whole > most) throw new TypeError(where + ": The value is outside the range of the type.");
      return whole + 0;
    }
    if (manner === "clamp") {
      if (NumberIsNaN(number)) return 0;
      const bounded = MathMin(MathMax(number, least), most);
      const below = MathFloor(bounded);
      const rest = bounded - below;
      return (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below) + 0;
    }
    if (!NumberIsFinite(number)) return 0;
    let whole = MathTrunc(number) % span;
    if (whole < 0) whole += span;
    return (signed && whole >= span / 2 ? whole - span : whole) + 0;
  };
}
export const long = integer(32, true);
export const unsignedLong = integer(32, false);

/**
 * Make the converter of a dictionary type.
 * @param {{ key: string, convert: Converter, fallback?: any, required?: boolean }[]} members In lexicographical order.
 * @returns {Converter} Gives an object without a prototype; a missing member without `fallback` is undefined.
 */
export const dictionary = (members) => {
  const own = newList();
  for (let i = 0; i < members.length; i++) own[i] = { __proto__: null, ...members[i] };
  return (value, where) => readDictionary(own, value, where);
};

function readDictionary(members, value, where) {
  if (value !== undefined && value !== null && !isObject(value)) {
    throw new TypeError(where + ": The provided value is not an object.");
  }
  const result = ObjectCreate(null);
  for (let i = 0; i < members.length; i++) {
    const { key, convert, fallback, required } = members[i];
    const given = value === undefined || value === null ? undefined : value[key];
    if (given !== undefined) result[key] = convert(given, where + ": '" + key + "'");
    else if (required) throw new TypeError(where + ": required member " + key + " is undefined.");
    else result[key] = fallback;
  }
  return result;
}

/**
 * Read an iterable into a list.
 * @param {any} value
 * @param {Converter} convert Applied to each item.
 * @param {string} where
 * @param {Function} [method] The iterator method, when the caller has already read it.
 * @returns {any[]}
 */
export function sequence(value, convert, where, method = isObject(value) ? value[SymbolIterator] : undefined) {
  if (typeof method !== "function") {
    throw new TypeError(where + ": The provided value cannot be converted to a sequence.");
  }
  const iterator = ReflectApply(method, value, []);
  if (!isObject(iterator)) throw new TypeError(where + ": The iterator is not an object.");
  const { next } = iterator;
  const items = newList();
  for (;;) {
    const step = ReflectApply(next, iterator, []);
    if (!isObject(step)) throw new TypeError(where + ": The iterator result is not an object.");
    if (step.done) return items;
    items[items.length] = convert(step.value, where);
  }
}

/**
 * Read the own enumerable properties of an object, in order. Keys that become the same are one.
 * @param {object} value
 * @param {Converter} convert Applied to each key and each value.
 * @param {string} where
 * @returns {[any, any][]}
 */
export function record(value, convert, where) {
  const keys = ReflectOwnKeys(value);
  const pairs = newList();
  let renamed = false; // some key was changed by its conversion, so keys may now coincide
  for (let i = 0; i < keys.length; i++) {
    const descriptor = ObjectGetOwnPropertyDescriptor(value, keys[i]);
    if (descriptor === undefined || !descriptor.enumerable) continue;
    const key = convert(keys[i], where);
    const item = convert(value[keys[i]], where);
    renamed ||= key !== keys[i];
    let at = renamed ? 0 : pairs.length;
    while (at < pairs.length && pairs[at][0] !== key) at++;
    pairs[at] = [key, item];
  }
  return pairs;
}

/**
 * What other bindings must know about an interface.
 * @typedef {object} Traits
 * @property {string} name
 * @property {(value: object) => boolean} brand Whether the value is an object of this interface; runs no user code.
 * @property {(value: object) => { entries: any[], arrow?: boolean, hidden?: string }} [inspect] What `console` prints
 *   between the braces: pairs of key and value, then the own properties but for the hidden one. Without it the own
 *   properties are printed.
 * @property {(value: object) => object} [clone] Makes the copy of an object that can be cloned.
 * @property {(value: object) => object} [transfer] Moves what an object holds to a new one, for a list of transfers.
 *   May throw a DataCloneError.
 * @property {(value: object) => boolean} [isDetached] With `transfer`: whether the object was moved before.
 */

/** @type {Traits[]} */
const interfaces = newList();

/**
 * The interface of a platform object, by its brand.
 * @param {object} value Not a Proxy.
 * @returns {Traits | undefined}
 */
export function platformInterface(value) {
  const prototype = ObjectGetPrototypeOf(value);
  if (prototype === ObjectPrototype || prototype === null || prototype === ArrayPrototype) return undefined;
  return interfaceOf(value);
}

/**
 * Likewise, of an object whose prototype may have been replaced.
 * @param {object} value Not a Proxy.
 * @returns {Traits | undefined}
 */
export function interfaceOf(value) {
  // From the end: derived interfaces are exposed after those they derive from.
  for (let i = interfaces.length - 1; i >= 0; i--) if (interfaces[i].brand(value)) return interfaces[i];
  return undefined;
}

/** @param {object} target @param {PropertyKey} key @param {PropertyDescriptor} attributes */
const define = (target, key, attributes) => ObjectDefineProperty(target, key, { __proto__: null, ...attributes });

/**
 * Give a class the attributes of an interface, and make it a global.
 * @param {Function} constructor
 * @param {Omit<Traits, "name">} traits
 */
export function exposeInterface(constructor, traits) {
  const { name, prototype } = constructor;
  for (const target of [prototype, constructor]) {
    for (const key of ReflectOwnKeys(target)) {
      const fixed = target === prototype ? key === "constructor" : ["length", "name", "prototype"].includes(key);
      if (typeof key === "string" && !fixed) define(target, key, { enumerable: true });
    }
  }
  define(prototype, SymbolToStringTag, { value: name, configurable: true });
  exposeValue(name, constructor);
  interfaces[interfaces.length] = { __proto__: null, name, ...traits };
}

/**
 * Give an interface constants.
 * @param {Function} constructor
 * @param {Record<string, number>} constants
 */
export function defineConstants(constructor, constants) {
  for (const key of ReflectOwnKeys(constants)) {
    const attributes = { value: constants[key], writable: false, enumerable: true, configurable: false };
    define(constructor, key, attributes);
    define(constructor.prototype, key, attributes);
  }
}

/**
 * Make a value a global that does not show in enumerations: an interface or a namespace object.
 * @param {string} name
 * @param {any} value
 */
export function exposeValue(name, value) {
  define(global, name, { value, writable: true, configurable: true, enumerable: false });
}

/**
 * Make functions global operations.
 * @param {Record<string, Function>} operations
 */
export function exposeOperations(operations) {
  for (const name of ReflectOwnKeys(operations)) {
    define(global, name, { value: operations[name], writable: true, configurable: true, enumerable: true });
  }
}

/**
 * Make an object a global read through an accessor.
 * @param {string} name
 * @param {object} value
 * @param {{ replaceable?: boolean }} [options] A replaceable attribute becomes an ordinary property when assigned to.
 */
export function exposeAttribute(name, value, { replaceable = false } = {}) {
  const accessors = {
    get [name]() {
      requireBrand(this === undefined || this === null || this === global);
      return value;
    },
    set [name](replacement) {
      requireBrand(this === undefined || this === null || this === global);
      define(global, name, { value: replacement, writable: true, configurable: true, enumerable: true });
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(accessors, name);
  define(global, name, { get, set: replaceable ? set : undefined, configurable: true, enumerable: true });
}

/**
 * Give an interface the members of a pair iterable: entries, keys, values, forEach and the default iterator.
 * @param {Function} constructor
 * @param {(self: any) => [any, any][]} pairsOf The live list of pairs; throws when `self` has not the brand.
 */
export function definePairIterable(constructor, pairsOf) {
  const { name, prototype } = constructor;
  class PairIterator {
    #source;
    #kind;
    #index = 0;
    constructor(source, kind) {
      this.#source = source;
      this.#kind = kind;
    }
    static next(self) {
      requireBrand(isObject(self) && #source in self);
      const pairs = pairsOf(self.#source);
      if (self.#index >= pairs.length) return { value: undefined, done: true };
      const pair = pairs[self.#index++];
      if (self.#kind === "entries") return { value: [pair[0], pair[1]], done: false };
      return { value: pair[self.#kind === "keys" ? 0 : 1], done: false };
    }
  }
  const { next } = PairIterator;
  const iteratorPrototype = PairIterator.prototype;
  delete iteratorPrototype.constructor;
  ObjectDefineProperty(iteratorPrototype, SymbolToStringTag, { value: name + " Iterator", configurable: true });
  Object.setPrototypeOf(iteratorPrototype, IteratorPrototype);
  Object.assign(iteratorPrototype, { next() { return next(this); } });

  const iterate = (self, kind) => {
    pairsOf(self);
    return new PairIterator(self, kind);
  };
  Object.assign(prototype, {
    entries() { return iterate(this, "entries"); },
    keys() { return iterate(this, "keys"); },
    values() { return iterate(this, "values"); },
    forEach(callback, thisArg = undefined) {
      pairsOf(this);
      const where = execute("forEach", name);
      requireArguments(arguments.length, 1, where);
      if (typeof callback !== "function") throw new TypeError(where + ": parameter 1 is not of type 'Function'.");
      for (let i = 0; i < pairsOf(this).length; i++) {
        const pair = pairsOf(this)[i];
        ReflectApply(callback, thisArg, [pair[1], pair[0], this]);
      }
    },
  });
  Object.defineProperty(prototype, SymbolIterator, { value: prototype.entries, writable: true, configurable: true });
}
