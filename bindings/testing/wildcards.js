/** Values that stand for many in a comparison: `expect.any(Number)`, `expect.objectContaining({...})` and the like. */

import { classOf } from "sandbox:native";
import {
  ArrayIsArray, BigInt, Boolean, Function, isObject, MathAbs, newList, Number, Object, ObjectKeys, RegExp,
  RegExpPrototypeExec, String, StringPrototypeIncludes, Symbol, TypeError,
} from "../primordials.js";
import { asymmetric } from "./asymmetric.js";
import { equals } from "./equality.js";

const one = (value) => {
  const list = newList();
  list[0] = value;
  return list;
};

const primitives = newList();
primitives[0] = String; primitives[1] = "string"; primitives[2] = Number; primitives[3] = "number";
primitives[4] = BigInt; primitives[5] = "bigint"; primitives[6] = Symbol; primitives[7] = "symbol";
primitives[8] = Boolean; primitives[9] = "boolean"; primitives[10] = Function; primitives[11] = "function";

function isA(value, type) {
  for (let i = 0; i < primitives.length; i += 2) {
    if (primitives[i] === type && typeof value === primitives[i + 1]) return true;
  }
  if (type === Object) return typeof value === "object" && value !== null;
  return value instanceof type;
}

function needText(value, where) {
  if (typeof value !== "string") throw new TypeError(where + " needs a string");
}

/** The makers that can be negated by `expect.not`. */
export function makers(inverse) {
  return {
    objectContaining(sample) {
      if (!isObject(sample)) throw new TypeError("objectContaining needs an object");
      return asymmetric("ObjectContaining", one(sample), inverse, (value) => {
        if (!isObject(value)) return false;
        const keys = ObjectKeys(sample);
        for (let i = 0; i < keys.length; i++) {
          if (!(keys[i] in value) || !equals(value[keys[i]], sample[keys[i]])) return false;
        }
        return true;
      });
    },
    arrayContaining(sample) {
      if (!ArrayIsArray(sample)) throw new TypeError("arrayContaining needs an array");
      return asymmetric("ArrayContaining", one(sample), inverse, (value) => {
        if (!ArrayIsArray(value)) return false;
        for (let i = 0; i < sample.length; i++) {
          let found = false;
          for (let j = 0; j < value.length && !found; j++) found = equals(value[j], sample[i]);
          if (!found) return false;
        }
        return true;
      });
    },
    arrayOf(sample) {
      return asymmetric("ArrayOf", one(sample), inverse, (value) => {
        if (!ArrayIsArray(value)) return false;
        for (let i = 0; i < value.length; i++) if (!equals(value[i], sample)) return false;
        return true;
      });
    },
    stringContaining(text) {
      needText(text, "stringContaining");
      return asymmetric("StringContaining", one(text), inverse, (value) => (
        typeof value === "string" && StringPrototypeIncludes(value, text)
      ));
    },
    stringMatching(pattern) {
      if (typeof pattern !== "string" && classOf(pattern) !== "RegExp") {
        throw new TypeError("stringMatching needs a string or a regular expression");
      }
      const expression = new RegExp(pattern);
      return asymmetric("StringMatching", one(typeof pattern === "string" ? expression : pattern), inverse, (value) => {
        expression.lastIndex = 0;
        return typeof value === "string" && RegExpPrototypeExec(expression, value) !== null;
      });
    },
    closeTo(number, digits = 2) {
      if (typeof number !== "number" || typeof digits !== "number") throw new TypeError("closeTo needs numbers");
      const sample = one(number);
      sample[1] = digits;
      return asymmetric("NumberCloseTo", sample, inverse, (value) => typeof value === "number" && isClose(value, number, digits));
    },
  };
}

/** @param {number} received @param {number} expected @param {number} digits After the point. */
export function isClose(received, expected, digits) {
  if (received === expected) return true;
  return MathAbs(expected - received) < 10 ** -digits / 2;
}

export const wildcards = {
  any(type) {
    if (typeof type !== "function") throw new TypeError("any needs a class; for anything at all there is anything()");
    return asymmetric("Any", one(type), false, (value) => isA(value, type));
  },
  anything: () => asymmetric("Anything", newList(), false, (value) => value !== undefined && value !== null),
};

/** One that `expect.extend` has made. @param {(value: any) => boolean} match */
export const custom = (name, args, inverse, match) => asymmetric(name, args, inverse, match);

