/** FormData (XMLHttpRequest, section 4): a list of names and values, which are texts or files. */

import { tag } from "sandbox:abi.js";
import { blobData, blobType, fileModified, isBlob, isFile, makeFile } from "./blob.js";
import { refusing } from "./crossing.js";
import { DateNow, isObject, newList, toArray, TypeError } from "./primordials.js";
import { construct, definePairIterable, execute, requireArguments, requireBrand, USVString } from "./webidl.js";

/**
 * A value as an entry holds it: a blob becomes a file.
 * @param {any} value
 * @param {string | undefined} filename
 */
function entryValue(value, filename) {
  if (!isObject(value) || !isBlob(value)) return value;
  const known = isFile(value);
  if (known && filename === undefined) return value;
  const modified = known ? fileModified(value) : DateNow();
  return makeFile(blobData(value), blobType(value), filename ?? "blob", modified);
}

/** Convert the arguments of `append` and `set`, of which a third one makes the second a blob. */
function entryOf(given, name, value, filename, where) {
  requireArguments(given, 2, where);
  const key = USVString(name, where);
  const isBlobValue = isObject(value) && isBlob(value);
  if (given > 2 && !isBlobValue) throw new TypeError(where + ": parameter 2 is not of type 'Blob'.");
  const content = isBlobValue ? value : USVString(value, where);
  const called = filename === undefined ? undefined : USVString(filename, where);
  return [key, entryValue(content, called)];
}

let isFormDataObject;
let listOf;
let makeOf;

export class FormData {
  /** @type {[string, string | File][]} */
  #entries = newList();

  static {
    isFormDataObject = (value) => #entries in value;
    listOf = (self) => {
      requireBrand(isObject(self) && #entries in self);
      return self.#entries;
    };
    makeOf = (entries) => {
      const form = new FormData();
      form.#entries = entries;
      return form;
    };
  }

  constructor(form = undefined) {
    if (form !== undefined) {
      throw new TypeError(construct("FormData") + ": parameter 1 is not of type 'HTMLFormElement'.");
    }
    cross(this);
  }

  append(name, value, filename = undefined) {
    requireBrand(#entries in this);
    this.#entries[this.#entries.length] = entryOf(
      arguments.length, name, value, filename, execute("append", "FormData"),
    );
  }

  delete(name) {
    requireBrand(#entries in this);
    const where = execute("delete", "FormData");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    const kept = newList();
    for (let i = 0; i < this.#entries.length; i++) {
      if (this.#entries[i][0] !== wanted) kept[kept.length] = this.#entries[i];
    }
    this.#entries = kept;
  }

  get(name) {
    requireBrand(#entries in this);
    const where = execute("get", "FormData");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    for (let i = 0; i < this.#entries.length; i++) if (this.#entries[i][0] === wanted) return this.#entries[i][1];
    return null;
  }

  getAll(name) {
    requireBrand(#entries in this);
    const where = execute("getAll", "FormData");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    const values = newList();
    for (let i = 0; i < this.#entries.length; i++) {
      if (this.#entries[i][0] === wanted) values[values.length] = this.#entries[i][1];
    }
    return toArray(values);
  }

  has(name) {
    requireBrand(#entries in this);
    const where = execute("has", "FormData");
    requireArguments(arguments.length, 1, where);
    const wanted = USVString(name, where);
    for (let i = 0; i < this.#entries.length; i++) if (this.#entries[i][0] === wanted) return true;
    return false;
  }

  set(name, value, filename = undefined) {
    requireBrand(#entries in this);
    const entry = entryOf(arguments.length, name, value, filename, execute("set", "FormData"));
    const kept = newList();
    let found = false;
    for (let i = 0; i < this.#entries.length; i++) {
      if (this.#entries[i][0] !== entry[0]) {
        kept[kept.length] = this.#entries[i];
      } else if (!found) {
        found = true;
        kept[kept.length] = entry;
      }
    }
    if (!found) kept[kept.length] = entry;
    this.#entries = kept;
  }
}
definePairIterable(FormData, listOf);
const cross = refusing(tag.formData);

/** @type {(value: object) => boolean} */
export const isFormData = isFormDataObject;
/** @type {(form: FormData) => [string, string | File][]} Not to be changed. */
export const formEntries = listOf;
/** @type {(entries: [string, string | File][]) => FormData} */
export const makeFormData = makeOf;

export const traits = {
  brand: isFormDataObject,
  inspect: (self) => ({ __proto__: null, entries: listOf(self), arrow: true }),
};
