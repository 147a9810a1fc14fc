/** What the engine brings along itself, brought into the standards' shape. */

import { Error, global, ReflectApply } from "./primordials.js";
import { execute, requireArguments } from "./webidl.js";

const { atob, btoa, queueMicrotask } = global;

/**
 * Keep the functions of the bindings out of stack traces: a call site would hand them, and the native ones they call,
 * to whoever sets `Error.prepareStackTrace`. As for strict functions elsewhere, `getFunction` gives undefined.
 */
export function hideFrames() {
  let sites = [];
  const saved = Error.prepareStackTrace;
  Error.prepareStackTrace = (_error, given) => {
    sites = given;
  };
  String(new Error().stack);
  Error.prepareStackTrace = saved;
  const prototype = sites.length > 0 ? Object.getPrototypeOf(sites[0]) : {};
  Reflect.defineProperty(prototype, "getFunction", { value: { getFunction() {} }.getFunction });
}

export const operations = {
  atob(data) {
    requireArguments(arguments.length, 1, execute("atob", "Window"));
    return ReflectApply(atob, global, [data]);
  },
  btoa(data) {
    requireArguments(arguments.length, 1, execute("btoa", "Window"));
    return ReflectApply(btoa, global, [data]);
  },
  queueMicrotask(callback) {
    requireArguments(arguments.length, 1, execute("queueMicrotask", "Window"));
    ReflectApply(queueMicrotask, global, [callback]);
  },
};
