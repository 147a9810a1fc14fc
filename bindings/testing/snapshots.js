/** `toMatchSnapshot` and its kin: the host knows what was written down, and says whether it is the same. */

import { ArrayIsArray, isObject, ObjectHasOwn, ObjectKeys, TypeError } from "../primordials.js";
import { contains } from "./equality.js";
import { messageOf, thrownBy } from "./matchers_errors.js";
import { pretty } from "./pretty.js";
import { currentTest } from "./state.js";
import { callerPlace } from "./tree.js";

/** Asks the host: test, hint, text, inline text or null, place or null; answers whether it fits, and what it should be. */
let ask;
export const serveSnapshots = (function_) => { ask = function_; };

/** @param {string | null | undefined} inline Undefined: it is in a file. */
function match(subject, text, hint, inline, where) {
  if (subject.isNot) throw new TypeError(where + " cannot be negated");
  const { id } = currentTest(where);
  const place = inline === undefined ? null : callerPlace();
  const answer = ask(id, hint, text, inline ?? null, place);
  if (answer[0] === true) return { __proto__: null, pass: true };
  const why = answer[2];
  const verdict = { __proto__: null, pass: false, say: () => why, compares: true };
  if (answer[1] !== null) {
    verdict.expected = { __proto__: null, asymmetricMatch: () => false, toString: () => answer[1] };
    verdict.received = { __proto__: null, asymmetricMatch: () => false, toString: () => text };
  }
  return verdict;
}

/** Take the properties of matchers in the place of those that were received. */
function merged(value, properties) {
  if (!isObject(value) || !isObject(properties)) return properties;
  if (typeof properties.asymmetricMatch === "function") return properties;
  const result = ArrayIsArray(value) ? [] : {};
  const keys = ObjectKeys(value);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    result[key] = ObjectHasOwn(properties, key) ? merged(value[key], properties[key]) : value[key];
  }
  return result;
}

function withProperties(subject, properties, where) {
  if (!isObject(properties)) throw new TypeError(where + " takes an object of properties, and a text");
  if (!contains(subject.value, properties)) {
    const verdict = { __proto__: null, pass: false, expected: properties, received: subject.value, compares: true };
    return { __proto__: null, verdict, value: undefined };
  }
  return { __proto__: null, verdict: null, value: merged(subject.value, properties) };
}

/** What both have in common: an object of properties, which may be left out, and a text. */
const matching = (where, isInline) => (subject, args) => {
  const hasProperties = args.length > 0 && typeof args[0] !== "string";
  const given = hasProperties ? args[1] : args[0];
  const text = given === undefined ? undefined : "" + given;
  let { value } = subject;
  if (hasProperties) {
    const result = withProperties(subject, args[0], where);
    if (result.verdict !== null) return result.verdict;
    value = result.value;
  }
  if (isInline) return match(subject, pretty(value), "", text ?? null, where);
  return match(subject, pretty(value), text ?? "", undefined, where);
};

function thrownText(subject, where) {
  const thrown = thrownBy(subject, where);
  if (thrown === null) throw new TypeError(where + ": received function did not throw");
  return pretty(messageOf(thrown.error));
}

export const snapshotMatchers = {
  __proto__: null,
  toMatchSnapshot: matching("toMatchSnapshot", false),
  toMatchInlineSnapshot: matching("toMatchInlineSnapshot", true),
  toThrowErrorMatchingSnapshot: (subject, args) => match(
    subject, thrownText(subject, "toThrowErrorMatchingSnapshot"), args[0] === undefined ? "" : "" + args[0], undefined,
    "toThrowErrorMatchingSnapshot",
  ),
  toThrowErrorMatchingInlineSnapshot: (subject, args) => match(
    subject, thrownText(subject, "toThrowErrorMatchingInlineSnapshot"), "", args[0] === undefined ? null : "" + args[0],
    "toThrowErrorMatchingInlineSnapshot",
  ),
};
