/** Events with contents: CustomEvent, ErrorEvent and PromiseRejectionEvent. */

import { connectErrors, Event, inspectEvent, reinitialize } from "./events.js";
import {
  any, construct, dictionary, DOMString, execute, object, requireArguments, requireBrand, unsignedLong, USVString,
} from "./webidl.js";

const customInit = dictionary([{ key: "detail", convert: any, fallback: null }]);
let isCustomEvent;

export class CustomEvent extends Event {
  #detail;
  static {
    isCustomEvent = (value) => #detail in value;
  }
  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments.length, 1, construct("CustomEvent"));
    super(type, eventInitDict);
    this.#detail = customInit(eventInitDict, construct("CustomEvent")).detail;
  }
  get detail() {
    requireBrand(#detail in this);
    return this.#detail;
  }
  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    requireBrand(#detail in this);
    const where = execute("initCustomEvent", "CustomEvent");
    requireArguments(arguments.length, 1, where);
    if (reinitialize(this, DOMString(type, where), !!bubbles, !!cancelable)) this.#detail = detail;
  }
}

const errorInit = dictionary([
  { key: "colno", convert: unsignedLong, fallback: 0 },
  { key: "error", convert: any },
  { key: "filename", convert: USVString, fallback: "" },
  { key: "lineno", convert: unsignedLong, fallback: 0 },
  { key: "message", convert: DOMString, fallback: "" },
]);
let isErrorEvent;

export class ErrorEvent extends Event {
  #init;
  static {
    isErrorEvent = (value) => #init in value;
    connectErrors((event) => {
      if (!(#init in event)) return undefined;
      const { message, filename, lineno, colno, error } = event.#init;
      return [message, filename, lineno, colno, error];
    });
  }
  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments.length, 1, construct("ErrorEvent"));
    super(type, eventInitDict);
    this.#init = errorInit(eventInitDict, construct("ErrorEvent"));
  }
  get message() {
    requireBrand(#init in this);
    return this.#init.message;
  }
  get filename() {
    requireBrand(#init in this);
    return this.#init.filename;
  }
  get lineno() {
    requireBrand(#init in this);
    return this.#init.lineno;
  }
  get colno() {
    requireBrand(#init in this);
    return this.#init.colno;
  }
  get error() {
    requireBrand(#init in this);
    return this.#init.error;
  }
}

const rejectionInit = dictionary([
  { key: "promise", convert: object, required: true },
  { key: "reason", convert: any },
]);
let isRejectionEvent;

export class PromiseRejectionEvent extends Event {
  #init;
  static {
    isRejectionEvent = (value) => #init in value;
  }
  constructor(type, eventInitDict) {
    requireArguments(arguments.length, 2, construct("PromiseRejectionEvent"));
    super(type, eventInitDict);
    this.#init = rejectionInit(eventInitDict, construct("PromiseRejectionEvent"));
  }
  get promise() {
    requireBrand(#init in this);
    return this.#init.promise;
  }
  get reason() {
    requireBrand(#init in this);
    return this.#init.reason;
  }
}

export const customEventTraits = { brand: isCustomEvent, inspect: inspectEvent };
export const errorEventTraits = { brand: isErrorEvent, inspect: inspectEvent };
export const rejectionEventTraits = { brand: isRejectionEvent, inspect: inspectEvent };
