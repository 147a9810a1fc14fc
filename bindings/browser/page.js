/** Pages, their contexts and the browser, as Playwright has them: what they know is asked of the host, and nothing of it is kept here. */

import {
  isObject, JSONParse, JSONStringify, newList, toArray, TypeError,
} from "../primordials.js";
import { decodeText } from "../blob.js";
import { URL } from "../url.js";
import { act, cleaned, one, sourceOf, state, timeoutError } from "../browser.js";
import { addRoute, anywhereIn, connectPages, listen, removeRoutes, unlisten, waitFor } from "./events.js";
import {
  defineActions, defineFinders, defineShortcuts, frameFrom, locatorFrom, picture, readFile, writeFile,
} from "./locator.js";
import { makeResponse, matcherOf } from "./objects.js";

const token = {};
const stepMs = 50;
const usualMs = 30_000;
let numberOf;
export let isPage;

/** @param {any} waiting A kind of event, options or a predicate. */
function predicateOf(waiting, where) {
  const given = typeof waiting === "function" ? waiting : waiting?.predicate;
  return given === undefined ? () => true : matcherOf(given, where);
}

/** Ask again and again, until something holds or the time is over. */
export async function until(holds, timeout, what, pause) {
  for (let waited = 0; ; waited += stepMs) {
    if (await holds()) return;
    if (timeout > 0 && waited >= timeout) throw timeoutError("Timeout " + timeout + "ms exceeded while waiting for " + what);
    await pause(stepMs);
  }
}

const script = (code, argument) => (
  argument === undefined ? sourceOf(code) : "(" + sourceOf(code) + ")(" + JSONStringify(argument) + ")"
);
const initScript = (code, argument) => (
  typeof code === "function" ? "(" + sourceOf(code) + ")(" + (argument === undefined ? "" : JSONStringify(argument)) + ")"
    : script(code, undefined)
);

class Keyboard {
  #page;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#page = arguments[1];
  }
  static {
    defineActions(this.prototype, { __proto__: null, press: 1, type: 1, insertText: 1, down: 1, up: 1 }, (self) => (
      { __proto__: null, kind: "keyboard", page: self.#page, steps: null }
    ));
  }
}

class Mouse {
  #page;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#page = arguments[1];
  }
  static {
    const table = { __proto__: null, move: 2, click: 2, dblclick: 2, down: 0, up: 0, wheel: 2 };
    defineActions(this.prototype, table, (self) => ({ __proto__: null, kind: "mouse", page: self.#page, steps: null }));
  }
}

export class Page {
  #number;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#number = arguments[1];
    this.keyboard = new Keyboard(token, this.#number);
    this.mouse = new Mouse(token, this.#number);
  }
  static {
    numberOf = (page) => page.#number;
    isPage = (value) => #number in value;
  }

  url() {
    return state(this.#number, "url");
  }
  isClosed() {
    return state(this.#number, "isClosed");
  }
  viewportSize() {
    return state(this.#number, "viewportSize");
  }
  context() {
    return contextOf(state(this.#number, "context"));
  }
  locator(selector, options = undefined) {
    return locatorFrom(this.#number, newList(), selector, options);
  }
  frameLocator(selector) {
    return frameFrom(this.#number, selector);
  }

  async goto(url, options = undefined) {
    return await this.#navigate("goto", one("" + url), options);
  }
  async reload(options = undefined) {
    return await this.#navigate("reload", newList(), options);
  }
  async goBack(options = undefined) {
    return await this.#navigate("goBack", newList(), options);
  }
  async goForward(options = undefined) {
    return await this.#navigate("goForward", newList(), options);
  }
  async #navigate(name, args, options) {
    const answer = await act("page", this.#number, null, name, args, cleaned(options, "page." + name));
    return answer === null ? null : makeResponse(answer);
  }

  async evaluate(code, argument = undefined) {
    const args = one(sourceOf(code));
    if (argument !== undefined) args[1] = argument;
    return await act("page", this.#number, null, "evaluate", args, null);
  }
  async addInitScript(code, argument = undefined) {
    await act("page", this.#number, null, "addInitScript", one(initScript(code, argument)), null);
  }
  async screenshot(options = undefined) {
    return await picture("page", this.#number, null, "screenshot", options);
  }
  async pdf(options = undefined) {
    return await picture("page", this.#number, null, "pdf", options);
  }

  async waitForSelector(selector, options = undefined) {
    const locator = this.locator(selector).first();
    await locator.waitFor(options);
    return options?.state === "hidden" || options?.state === "detached" ? null : locator;
  }
  async waitForFunction(code, argument = undefined, options = undefined) {
    let value;
    await until(async () => {
      value = await this.evaluate(code, argument);
      return !!value;
    }, options?.timeout ?? usualMs, "a function", (ms) => this.waitForTimeout(ms));
    return value;
  }
  async waitForURL(url, options = undefined) {
    const matches = matcherOf(url, "page.waitForURL");
    await until(() => {
      const at = this.url();
      return matches(at, typeof url === "function" ? new URL(at) : at);
    }, options?.timeout ?? usualMs, "the URL", (ms) => this.waitForTimeout(ms));
    await this.waitForLoadState(options?.waitUntil ?? "load", cleaned(options, "page.waitForURL") && { timeout: options.timeout });
  }
  waitForEvent(kind, options = undefined) {
    const fits = predicateOf(options, "page.waitForEvent");
    return waitFor(this.#number, kind, (thing) => fits("", thing), isObject(options) ? options : undefined);
  }
  waitForRequest(pattern, options = undefined) {
    const fits = matcherOf(pattern, "page.waitForRequest");
    return waitFor(this.#number, "request", (request) => fits(request.url(), request), options);
  }
  waitForResponse(pattern, options = undefined) {
    const fits = matcherOf(pattern, "page.waitForResponse");
    return waitFor(this.#number, "response", (response) => fits(response.url(), response), options);
  }

  on(kind, listener) {
    listen(this.#number, kind, listener, false);
    return this;
  }
  once(kind, listener) {
    listen(this.#number, kind, listener, true);
    return this;
  }
  off(kind, listener) {
    unlisten(this.#number, kind, listener);
    return this;
  }
  async route(pattern, handler) {
    addRoute(this.#number, pattern, handler);
  }
  async unroute(pattern, handler = undefined) {
    removeRoutes(this.#number, pattern, handler);
  }
}

const partsOfPage = (page) => ({ __proto__: null, kind: "page", page: numberOf(page), steps: null });
defineActions(Page.prototype, {
  __proto__: null, setContent: 1, title: 0, content: 0, waitForTimeout: 1, waitForLoadState: 1, setViewportSize: 1,
  emulateMedia: 0, setExtraHTTPHeaders: 1, bringToFront: 0, close: 0,
}, partsOfPage);
defineFinders(Page.prototype, (page) => ({ __proto__: null, page: numberOf(page), steps: newList() }));
defineShortcuts(Page.prototype, numberOf);

/** The number of a page, by which the host knows it. */
export const pageNumber = (page) => numberOf(page);

export class BrowserContext {
  #number;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#number = arguments[1];
  }
  static {
    defineActions(this.prototype, {
      __proto__: null, addCookies: 1, clearCookies: 0, setExtraHTTPHeaders: 1, setOffline: 1, close: 0,
    }, (self) => ({ __proto__: null, kind: "context", page: self.#number, steps: null }));
  }
  browser() {
    return browser;
  }
  pages() {
    const numbers = state(this.#number, "pages");
    const list = newList();
    for (let i = 0; i < numbers.length; i++) list[i] = known(numbers[i]);
    return toArray(list);
  }
  async newPage() {
    return known(await act("context", this.#number, null, "newPage", newList(), null));
  }
  async cookies(urls = undefined) {
    const given = typeof urls === "string" ? one(urls) : urls;
    return await act("context", this.#number, null, "cookies", given === undefined ? newList() : one(given), null);
  }
  async addInitScript(code, argument = undefined) {
    await act("context", this.#number, null, "addInitScript", one(initScript(code, argument)), null);
  }
  async storageState(options = undefined) {
    const found = await act("context", this.#number, null, "storageState", newList(), null);
    if (options?.path !== undefined) await writeFile(options.path, JSONStringify(found));
    return found;
  }
  waitForEvent(kind, options = undefined) {
    const fits = predicateOf(options, "context.waitForEvent");
    return waitFor(anywhereIn(this.#number), kind, (thing) => fits("", thing), isObject(options) ? options : undefined);
  }
  on(kind, listener) {
    listen(anywhereIn(this.#number), kind, listener, false);
    return this;
  }
  once(kind, listener) {
    listen(anywhereIn(this.#number), kind, listener, true);
    return this;
  }
  off(kind, listener) {
    unlisten(anywhereIn(this.#number), kind, listener);
    return this;
  }
  async route(pattern, handler) {
    addRoute(anywhereIn(this.#number), pattern, handler);
  }
  async unroute(pattern, handler = undefined) {
    removeRoutes(anywhereIn(this.#number), pattern, handler);
  }
}
export class Browser {
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
  }
  contexts() {
    const numbers = state(0, "contexts");
    const list = newList();
    for (let i = 0; i < numbers.length; i++) list[i] = contextOf(numbers[i]);
    return toArray(list);
  }
  async newContext(options = undefined) {
    const taken = cleaned(options, "browser.newContext");
    if (taken !== null && typeof taken.storageState === "string") {
      taken.storageState = JSONParse(decodeText(await readFile(taken.storageState)));
    }
    return contextOf(await act("browser", 0, null, "newContext", newList(), taken));
  }
  async newPage(options = undefined) {
    return await (await this.newContext(options)).newPage();
  }
}

export const browser = new Browser(token);
/** The context of the page that a program finds. */
export const context = new BrowserContext(token, 0);
/** @type {Record<number, BrowserContext>} */
const contexts = { __proto__: null, 0: context };

/** The object of a number, the same one each time. @param {number} number */
function contextOf(number) {
  contexts[number] ??= new BrowserContext(token, number);
  return contexts[number];
}

/** The page that a program finds. */
export const page = new Page(token, 0);
/** @type {Record<number, Page>} */
const pages = { __proto__: null, 0: page };

/** The object of a number: the same one, as long as somebody may compare it. @param {number} number */
function known(number) {
  if (number < 0) return null;
  pages[number] ??= new Page(token, number);
  return pages[number];
}
connectPages(known);
