/** navigator: the name of this engine, and the way to its storage. */

import { storage } from "./files/storage.js";
import { newList, TypeError } from "./primordials.js";
import { requireBrand } from "./webidl.js";

/** One product token, as ECMA-429 asks for: no version, and nothing about the host. */
const userAgent = "quickjs-sandbox";

/** Handed to the constructor by this module alone: nobody else makes an object of this interface. */
const key = newList();
let isNavigator;

export class Navigator {
  #granted;
  constructor() {
    if (arguments[0] !== key) throw new TypeError("Illegal constructor");
    this.#granted = true;
  }
  static {
    isNavigator = (value) => #granted in value;
  }

  get userAgent() {
    requireBrand(#granted in this);
    return userAgent;
  }
  get storage() {
    requireBrand(#granted in this);
    return storage;
  }
}

export const navigator = new Navigator(key);
export const traits = { brand: isNavigator };
