/** Ways to the first directory: navigator.storage (Storage Standard), and getDirectory for any path. */

import * as files from "../files.js";
import { DOMException, Promise, TypeError } from "../primordials.js";
import { execute, requireBrand, USVString } from "../webidl.js";
import { domFailure } from "./failures.js";
import { makeHandle } from "./handles.js";
import { normalize } from "./paths.js";

/** Handed to the constructor by this module alone. */
const token = {};
let isStorage;

export class StorageManager {
  #isStorage;
  static {
    isStorage = (value) => #isStorage in value;
  }
  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#isStorage = true;
  }

  getDirectory() {
    return new Promise((resolve) => {
      requireBrand(typeof this === "object" && this !== null && #isStorage in this);
      if (files.granted() !== true) {
        throw new DOMException(execute("getDirectory", "StorageManager") + ": there is no storage", "SecurityError");
      }
      resolve(makeHandle("/", true));
    });
  }
}

export const storage = new StorageManager(token);
export const storageTraits = { brand: isStorage };

export const operations = {
  getDirectory(path = undefined) {
    return new Promise((resolve, reject) => {
      const where = "Failed to execute 'getDirectory'";
      const full = normalize(path === undefined ? "/" : USVString(path, where));
      const failed = (problem) => reject(domFailure(problem, where));
      files.open(full, true, false, () => resolve(makeHandle(full, true)), failed);
    });
  },
};
