/** The global object as an event target. */

import { EventTarget } from "./events.js";
import { global, ObjectSetPrototypeOf } from "./primordials.js";

/** The methods of EventTarget become global functions: called without an object, they mean the global object. */
export function makeGlobalTarget() {
  ObjectSetPrototypeOf(global, EventTarget.prototype);
}
