/** ProgressEvent (XMLHttpRequest, section 5): how much of a transfer is done. */

import { Event, inspectEvent } from "./events.js";
import { boolean, construct, dictionary, integer, requireArguments, requireBrand } from "./webidl.js";

const unsignedLongLong = integer(64, false);
const progressInit = dictionary([
  { key: "lengthComputable", convert: boolean, fallback: false },
  { key: "loaded", convert: unsignedLongLong, fallback: 0 },
  { key: "total", convert: unsignedLongLong, fallback: 0 },
]);
let isProgressEvent;

export class ProgressEvent extends Event {
  #init;
  static {
    isProgressEvent = (value) => #init in value;
  }
  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments.length, 1, construct("ProgressEvent"));
    super(type, eventInitDict);
    this.#init = progressInit(eventInitDict, construct("ProgressEvent"));
  }
  get lengthComputable() {
    requireBrand(#init in this);
    return this.#init.lengthComputable;
  }
  get loaded() {
    requireBrand(#init in this);
    return this.#init.loaded;
  }
  get total() {
    requireBrand(#init in this);
    return this.#init.total;
  }
}

export const traits = { brand: isProgressEvent, inspect: inspectEvent };
