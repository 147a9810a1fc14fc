/** FileList (File API, section 5): what libraries ask values about with `instanceof`. No form here could make one. */

import { newList, TypeError } from "./primordials.js";
import { execute, requireArguments, requireBrand, unsignedLong } from "./webidl.js";

let isFileList;

export class FileList {
  /** @type {File[]} */
  #files = newList();
  static {
    isFileList = (value) => #files in value;
  }
  constructor() {
    throw new TypeError("Illegal constructor");
  }
  get length() {
    requireBrand(#files in this);
    return this.#files.length;
  }
  item(index) {
    requireBrand(#files in this);
    const where = execute("item", "FileList");
    requireArguments(arguments.length, 1, where);
    const at = unsignedLong(index, where);
    return at < this.#files.length ? this.#files[at] : null;
  }
}

export const traits = { brand: isFileList };
