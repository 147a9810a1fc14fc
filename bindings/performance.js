/** High Resolution Time: the clock of the sandbox, real or virtual. */

import { now, timeOrigin } from "sandbox:native";
import { TypeError } from "./primordials.js";
import { requireBrand } from "./webidl.js";

/** Only this module may construct the interface. */
const key = {};
let isPerformance;

export class Performance {
  #granted;
  constructor() {
    if (arguments[0] !== key) throw new TypeError("Illegal constructor");
    this.#granted = true;
  }
  static {
    isPerformance = (value) => #granted in value;
  }
  get timeOrigin() {
    requireBrand(#granted in this);
    return timeOrigin();
  }
  now() {
    requireBrand(#granted in this);
    return now();
  }
  toJSON() {
    requireBrand(#granted in this);
    return { timeOrigin: timeOrigin() };
  }
}

export const performance = new Performance(key);
export const traits = { brand: isPerformance };
