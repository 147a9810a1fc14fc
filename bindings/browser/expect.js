/** Matchers of elements and pages, which wait until they hold. Each gives the promise of a verdict; see testing/expect.js. */

import { classOf } from "sandbox:native";
import { isObject, newList, RegExp, TypeError } from "../primordials.js";
import { cleaned, judge } from "../browser.js";
import { isLocator, locatorParts } from "./locator.js";
import { matcherOf } from "./objects.js";
import { isPage, pageNumber, until } from "./page.js";

const usualMs = 5000;
/** By name, how many arguments come before options. */
const ofElements = {
  __proto__: null, toBeAttached: 0, toBeChecked: 0, toBeDisabled: 0, toBeEditable: 0, toBeEmpty: 0, toBeEnabled: 0,
  toBeFocused: 0, toBeHidden: 0, toBeInViewport: 0, toBeVisible: 0, toContainClass: 1, toContainText: 1,
  toHaveAccessibleDescription: 1, toHaveAccessibleName: 1, toHaveAttribute: 2, toHaveClass: 1, toHaveCount: 1, toHaveCSS: 2,
  toHaveId: 1, toHaveJSProperty: 2, toHaveRole: 1, toHaveText: 1, toHaveValue: 1, toHaveValues: 1,
};
const ofPages = { __proto__: null, toHaveURL: 1, toHaveTitle: 1 };
const something = new RegExp("[\\s\\S]*");

/** What the host said, as a verdict: whether it holds, apart from `not`. */
const verdict = (isNot, heading, text) => ({
  __proto__: null, pass: text === null ? !isNot : isNot, text: text === null ? undefined : heading + "\n\n" + text,
});

function elementMatcher(name, count) {
  return async ({ value, isNot }, given) => {
    if (!isObject(value) || !isLocator(value)) throw new TypeError("expect(...)." + name + " needs a locator");
    const args = newList();
    for (let i = 0; i < count && i < given.length; i++) args[i] = given[i];
    let options = given[count];
    if (name === "toHaveAttribute" && (given.length < 2 || (isObject(given[1]) && classOf(given[1]) !== "RegExp"))) {
      args[1] = something;
      options = given[1];
    }
    const { page, steps } = locatorParts(value);
    const text = await judge("locator", page, steps, name, isNot, args, cleaned(options, name));
    return verdict(isNot, "expect(locator)" + (isNot ? ".not." : ".") + name + "() failed", text);
  };
}

function pageMatcher(name) {
  return async ({ value, isNot }, given) => {
    if (!isObject(value) || !isPage(value)) throw new TypeError("expect(...)." + name + " needs a page");
    const heading = "expect(page)" + (isNot ? ".not." : ".") + name + "() failed";
    const options = cleaned(given[1], name);
    if (typeof given[0] === "string" && given[0][0] !== "*") {
      const args = newList();
      args[0] = given[0];
      const text = await judge("page", pageNumber(value), null, name, isNot, args, options);
      return verdict(isNot, heading, text);
    }
    const matches = matcherOf(given[0], name);
    let received = "";
    try {
      await until(async () => {
        received = name === "toHaveURL" ? value.url() : await value.title();
        return matches(received, received) !== isNot;
      }, options?.timeout ?? usualMs, name, (ms) => value.waitForTimeout(ms));
      return verdict(isNot, heading, null);
    } catch (error) {
      if (error.name !== "TimeoutError") throw error;
      return verdict(isNot, heading, "Expected: " + (isNot ? "not " : "") + given[0] + "\nReceived: " + received);
    }
  };
}

export const matchers = { __proto__: null };
for (const name in ofElements) matchers[name] = elementMatcher(name, ofElements[name]);
for (const name in ofPages) matchers[name] = pageMatcher(name);
