/**
 * What an interactive session asks of the guest: to evaluate one script after another, to show what came of them, and
 * which names there are to go on with. Only the host can ask; guest code sees none of it, but for the global `_`.
 *
 * No getter and no trap of a Proxy runs for a list of names, nor for a text.
 */

import { classOf, evaluateScript, lexicalNames, lexicalValue, reaction } from "sandbox:native";
import { dataProperty } from "./descriptors.js";
import { inspect } from "./inspect.js";
import { answerHost } from "./op.js";
import {
  global, isObject, newList, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
  ReflectOwnKeys, RegExpPrototypeExec, StringPrototypeStartsWith,
} from "./primordials.js";

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

const maxNames = 500;
/** Objects with more own keys are left out: to list them would take longer than a person waits. */
const maxItems = 10_000;

/** What `_` was given last; a program that has made a `_` of its own keeps it. @type {unknown} */
let last;

function remember(value) {
  if (value === undefined) return;
  const descriptor = ObjectGetOwnPropertyDescriptor(global, "_");
  if (descriptor !== undefined && (!descriptor.configurable || descriptor.enumerable || descriptor.value !== last)) return;
  last = value;
  ObjectDefineProperty(global, "_", { __proto__: null, value, writable: true, enumerable: false, configurable: true });
}

/** @returns {string | null} The value as the console shows it; null: it is undefined. */
function shown(value) {
  remember(value);
  return value === undefined ? null : inspect(value);
}

/** Prototypes of primitive values, whose properties they have. */
const prototypes = {
  __proto__: null, string: String.prototype, number: Number.prototype, boolean: Boolean.prototype,
  bigint: BigInt.prototype, symbol: Symbol.prototype,
};

/** The value at a path of plain data; undefined: there is none, or only a getter knows. @param {string[]} path */
function valueAt(path) {
  const names = lexicalNames();
  let isLexical = false;
  for (let i = 0; i < names.length && !isLexical; i++) isLexical = names[i] === path[0];
  let value = isLexical ? lexicalValue(path[0]) : dataProperty(global, path[0]);
  for (let i = 1; i < path.length; i++) {
    const object = isObject(value) ? value : prototypes[typeof value];
    if (object === undefined) return undefined;
    value = dataProperty(object, path[i]);
  }
  return value;
}

function lengthOf(object) {
  const length = dataProperty(object, "length");
  return typeof length === "number" ? length : 0;
}

answerHost({
  __proto__: null,

  /** Evaluate a script, whose declarations replace earlier ones. @returns {Promise<string | null> | string | null} */
  "session.evaluate": (code, filename) => {
    const result = evaluateScript(code, filename);
    return result[1] ? reaction(result[0], (settled) => shown(settled.value), undefined) : shown(result[0]);
  },

  /** A value as the console shows it. @returns {string} */
  "session.inspect": (value) => inspect(value),

  /**
   * Names that can follow.
   * @param {string[]} path Property names from a variable on; empty: variables are wanted.
   * @param {string} prefix What they begin with.
   * @returns {string[]} At most some hundred: own ones first, then those of the prototypes.
   */
  "session.names": (path, prefix) => {
    const found = newList();
    const seen = { __proto__: null };
    const add = (names) => {
      for (let i = 0; i < names.length && found.length < maxNames; i++) {
        const name = names[i];
        if (typeof name !== "string" || name in seen || !StringPrototypeStartsWith(name, prefix)) continue;
        if (RegExpPrototypeExec(identifier, name) === null) continue;
        seen[name] = true;
        found[found.length] = name;
      }
    };
    if (path.length === 0) add(lexicalNames());
    const value = path.length === 0 ? global : valueAt(path);
    let at = isObject(value) ? value : prototypes[typeof value];
    for (; isObject(at) && classOf(at) !== "Proxy"; at = ObjectGetPrototypeOf(at)) {
      if (lengthOf(at) <= maxItems) add(ReflectOwnKeys(at));
    }
    return found;
  },
});
