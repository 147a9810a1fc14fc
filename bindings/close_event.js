/** CloseEvent (WebSockets Standard, section 6): how a connection has ended. */

import { Event, inspectEvent } from "./events.js";
import { boolean, construct, dictionary, integer, requireArguments, requireBrand, USVString } from "./webidl.js";

const closeInit = dictionary([
  { key: "code", convert: integer(16, false), fallback: 0 },
  { key: "reason", convert: USVString, fallback: "" },
  { key: "wasClean", convert: boolean, fallback: false },
]);
let isCloseEvent;

export class CloseEvent extends Event {
  #init;
  static {
    isCloseEvent = (value) => #init in value;
  }
  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments.length, 1, construct("CloseEvent"));
    super(type, eventInitDict);
    this.#init = closeInit(eventInitDict, construct("CloseEvent"));
  }
  get wasClean() {
    requireBrand(#init in this);
    return this.#init.wasClean;
  }
  get code() {
    requireBrand(#init in this);
    return this.#init.code;
  }
  get reason() {
    requireBrand(#init in this);
    return this.#init.reason;
  }
}

export const traits = { brand: isCloseEvent, inspect: inspectEvent };
