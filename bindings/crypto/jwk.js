/** JsonWebKey, as a program gives it. */

import { newList, ObjectKeys } from "../primordials.js";
import { boolean, dictionary, DOMString, sequence } from "../webidl.js";

const text = (key) => ({ key, convert: DOMString });
const strings = (value, where) => sequence(value, DOMString, where);
const otherPrime = dictionary([text("d"), text("r"), text("t")]);
const otherPrimes = (value, where) => sequence(value, otherPrime, where);

const convert = dictionary([
  text("alg"), text("crv"), text("d"), text("dp"), text("dq"), text("e"), { key: "ext", convert: boolean }, text("k"),
  { key: "key_ops", convert: strings }, text("kty"), text("n"), { key: "oth", convert: otherPrimes }, text("p"),
  text("q"), text("qi"), text("use"), text("x"), text("y"),
]);

/**
 * A JsonWebKey for the host: the members that there are.
 * @type {import("../webidl.js").Converter}
 */
export function jsonWebKey(value, where) {
  const members = convert(value, where);
  const keys = ObjectKeys(members);
  const result = { __proto__: null };
  for (let i = 0; i < keys.length; i++) {
    const given = members[keys[i]];
    // Which other primes there are is of no interest: keys that have some are refused.
    if (given !== undefined) result[keys[i]] = keys[i] === "oth" ? newList() : given;
  }
  return result;
}
