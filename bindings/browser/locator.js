/** Locators: descriptions of elements, which are looked for when something is done with them. Nothing of them is on the host. */

import { blobData, blobType, fileName, isBlob, isBufferSource, isFile } from "../blob.js";
import { joinData, loadData } from "../blob_data.js";
import { builtinModule } from "../builtin_modules.js";
import { bytesOf } from "../encoding.js";
import {
  ArrayIsArray, isObject, newList, ObjectKeys, Promise, ReflectApply, StringPrototypeLastIndexOf, StringPrototypeSlice,
  toArray, TypeError,
} from "../primordials.js";
import { act, cleaned, method, one, sourceOf } from "../browser.js";

/** Handed to constructors by this module alone. */
const token = {};
let partsOf;
let framePartsOf;
export let isLocator;

/** Steps with one more. @param {any[]} steps @param {string} name @param {any} argument @param {any} options */
export function withStep(steps, name, argument, options) {
  const list = newList();
  for (let i = 0; i < steps.length; i++) list[i] = steps[i];
  const step = newList();
  step[0] = name; step[1] = argument; step[2] = options;
  list[steps.length] = step;
  return list;
}

/** Options of a locator, with other locators in them as their steps. */
function filters(options, page, where) {
  const taken = cleaned(options, where);
  if (taken === null) return null;
  const keys = ObjectKeys(taken);
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === "has" || keys[i] === "hasNot") taken[keys[i]] = innerSteps(taken[keys[i]], page, where);
  }
  return taken;
}

function innerSteps(value, page, where) {
  if (!isObject(value) || !isLocator(value)) throw new TypeError(where + ": it must be a locator");
  const parts = partsOf(value);
  if (parts.page !== page) throw new TypeError(where + ": the locator is of another page");
  return parts.steps;
}

export class Locator {
  #page;
  #steps;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#page = arguments[1];
    this.#steps = arguments[2];
  }
  static {
    isLocator = (value) => #steps in value;
    partsOf = (locator) => ({ __proto__: null, page: locator.#page, steps: locator.#steps });
  }

  locator(selector, options = undefined) {
    return locatorFrom(this.#page, this.#steps, selector, options);
  }
  filter(options = undefined) {
    return this.#next("filter", null, filters(options, this.#page, "locator.filter"));
  }
  and(other) {
    return this.#next("and", innerSteps(other, this.#page, "locator.and"), null);
  }
  or(other) {
    return this.#next("or", innerSteps(other, this.#page, "locator.or"), null);
  }
  first() {
    return this.#next("first", null, null);
  }
  last() {
    return this.#next("last", null, null);
  }
  nth(index) {
    return this.#next("nth", index, null);
  }
  frameLocator(selector) {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "frameLocator", selector, null));
  }
  contentFrame() {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "contentFrame", null, null));
  }
  async all() {
    const count = await this.count();
    const list = newList();
    for (let i = 0; i < count; i++) list[i] = this.nth(i);
    return toArray(list);
  }
  async screenshot(options = undefined) {
    return await picture("locator", this.#page, this.#steps, "screenshot", options);
  }
  async setInputFiles(files, options = undefined) {
    const given = cleaned(options, "locator.setInputFiles");
    return await act("locator", this.#page, this.#steps, "setInputFiles", one(await filesOf(files)), given);
  }
  async evaluate(code, argument = undefined, options = undefined) {
    return await evaluated(this, "evaluate", code, argument, options);
  }
  async evaluateAll(code, argument = undefined) {
    return await evaluated(this, "evaluateAll", code, argument, undefined);
  }
  async dispatchEvent(type, init = undefined, options = undefined) {
    const args = one(type);
    if (init !== undefined) args[1] = init;
    return await act("locator", this.#page, this.#steps, "dispatchEvent", args, cleaned(options, "locator.dispatchEvent"));
  }
  async selectOption(values, options = undefined) {
    const named = (value) => (isObject(value) && !ArrayIsArray(value) ? value.value ?? value.label : value);
    let given = named(values);
    if (ArrayIsArray(values)) {
      given = newList();
      for (let i = 0; i < values.length; i++) given[i] = named(values[i]);
    }
    const taken = cleaned(options, "locator.selectOption");
    return await act("locator", this.#page, this.#steps, "selectOption", one(given), taken);
  }
  #next(name, argument, options) {
    return new Locator(token, this.#page, withStep(this.#steps, name, argument, options));
  }
}

async function evaluated(locator, name, code, argument, options) {
  const { page, steps } = partsOf(locator);
  const args = one(sourceOf(code));
  if (argument !== undefined) args[1] = argument;
  return await act("locator", page, steps, name, args, cleaned(options, "locator." + name));
}

/** Elements in a frame. */
export class FrameLocator {
  #page;
  #steps;
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#page = arguments[1];
    this.#steps = arguments[2];
  }
  static {
    framePartsOf = (frame) => ({ __proto__: null, page: frame.#page, steps: frame.#steps });
  }
  locator(selector, options = undefined) {
    return locatorFrom(this.#page, this.#steps, selector, options);
  }
  frameLocator(selector) {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "frameLocator", selector, null));
  }
  first() {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "first", null, null));
  }
  last() {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "last", null, null));
  }
  nth(index) {
    return new FrameLocator(token, this.#page, withStep(this.#steps, "nth", index, null));
  }
}

/** The page and the steps of a locator. */
export const locatorParts = (locator) => partsOf(locator);

/** @param {number} page @param {any[]} steps @param {any} selector @param {any} options */
export function locatorFrom(page, steps, selector, options) {
  const inner = isObject(selector) && isLocator(selector) ? innerSteps(selector, page, "locator") : selector;
  return new Locator(token, page, withStep(steps, "locator", inner, filters(options, page, "locator")));
}

/** @param {number} page @param {string} selector */
export const frameFrom = (page, selector) => (
  new FrameLocator(token, page, withStep(newList(), "frameLocator", selector, null))
);

const byNames = toArray(newList());
byNames[0] = "getByRole"; byNames[1] = "getByText"; byNames[2] = "getByLabel"; byNames[3] = "getByPlaceholder";
byNames[4] = "getByAltText"; byNames[5] = "getByTitle"; byNames[6] = "getByTestId";

/** Give a class the ways to find elements by what users see. @param {(self: any) => { page: number, steps: any[] }} parts */
export function defineFinders(prototype, parts) {
  for (let i = 0; i < byNames.length; i++) {
    const name = byNames[i];
    method(prototype, name, function (argument, options = undefined) {
      const { page, steps } = parts(this);
      return new Locator(token, page, withStep(steps, name, argument, cleaned(options, name)));
    });
  }
}
defineFinders(Locator.prototype, partsOf);
defineFinders(FrameLocator.prototype, framePartsOf);

/** Actions that are as they are called, with how many arguments they take before options. */
const plain = {
  __proto__: null, click: 0, dblclick: 0, hover: 0, tap: 0, check: 0, uncheck: 0, setChecked: 1, fill: 1, clear: 0, type: 1,
  pressSequentially: 1, press: 1, focus: 0, blur: 0, selectText: 0, scrollIntoViewIfNeeded: 0, waitFor: 0, count: 0,
  boundingBox: 0, textContent: 0, innerText: 0, innerHTML: 0, inputValue: 0, getAttribute: 1, allTextContents: 0,
  allInnerTexts: 0, isVisible: 0, isHidden: 0, isEnabled: 0, isDisabled: 0, isEditable: 0, isChecked: 0, ariaSnapshot: 0,
};

/** Give a class actions. @param {any} table @param {(self: any) => { kind: string, page: number, steps: any[] | null }} parts */
export function defineActions(prototype, table, parts) {
  const names = ObjectKeys(table);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const count = table[name];
    method(prototype, name, async function (...given) {
      const { kind, page, steps } = parts(this);
      const args = newList();
      for (let j = 0; j < count && j < given.length && given[j] !== undefined; j++) args[j] = given[j];
      return await act(kind, page, steps, name, args, cleaned(given[count], kind + "." + name));
    });
  }
}
defineActions(Locator.prototype, plain, (locator) => ({ __proto__: null, kind: "locator", ...partsOf(locator) }));

/** Give a class those actions of elements that begin with a selector. */
export function defineShortcuts(prototype, pageOf) {
  const names = ObjectKeys({
    ...plain, setInputFiles: 1, selectOption: 1, dispatchEvent: 2,
  });
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name in prototype) continue;
    const action = Locator.prototype[name];
    method(prototype, name, function (selector, ...rest) {
      return ReflectApply(action, locatorFrom(pageOf(this), newList(), selector, undefined), rest);
    });
  }
}

// --- files: the program's own, by the paths it knows ---

const fileSystem = () => builtinModule("node:fs/promises");
/** @param {string} path @param {Uint8Array | string} data */
export const writeFile = (path, data) => fileSystem().writeFile(path, data);
/** @param {string} path @returns {Promise<Uint8Array>} */
export const readFile = (path) => fileSystem().readFile(path);

/** Take a picture, which is written to a file of the program's where the options name one. */
export async function picture(kind, page, steps, name, options) {
  const taken = cleaned(options, kind + "." + name);
  const path = taken === null ? undefined : taken.path;
  if (path !== undefined) delete taken.path;
  const bytes = await act(kind, page, steps, name, newList(), taken);
  if (path !== undefined) await writeFile(path, bytes);
  return bytes;
}

async function filesOf(files) {
  const given = ArrayIsArray(files) ? files : one(files);
  const list = newList();
  for (let i = 0; i < given.length; i++) list[i] = await fileOf(given[i]);
  return list;
}

async function fileOf(file) {
  const entry = newList();
  if (typeof file === "string") {
    entry[0] = StringPrototypeSlice(file, StringPrototypeLastIndexOf(file, "/") + 1);
    entry[1] = "";
    entry[2] = await readFile(file);
    return entry;
  }
  if (!isObject(file)) throw new TypeError("setInputFiles: a file is a path, a File, or {name, mimeType, buffer}");
  if (isBlob(file)) {
    entry[0] = isFile(file) ? fileName(file) : "blob";
    entry[1] = blobType(file);
    entry[2] = await joined(file);
    return entry;
  }
  const { name, mimeType, buffer } = file;
  if (!isObject(buffer) || !isBufferSource(buffer)) throw new TypeError("setInputFiles: a file needs a buffer");
  entry[0] = name; entry[1] = mimeType ?? ""; entry[2] = bytesOf(buffer, "setInputFiles");
  return entry;
}

const joined = (blob) => new Promise((resolve, reject) => {
  loadData(blobData(blob), (data) => resolve(joinData(data)), reject);
});
