/** What the engine brings along itself, brought into the standards' shape. */

import { report } from "sandbox:native";
import { captureStack, Error, global, ReflectApply } from "./primordials.js";
import { execute, requireArguments } from "./webidl.js";

const { atob, btoa, queueMicrotask } = global;

/**
 * Keep native functions of the bindings from `Error.prepareStackTrace`: when the host calls into the guest while one of
 * them waits for it, a call site would hand it over. As for strict functions elsewhere, `getFunction` gives undefined.
 */
export function hideFunctions() {
  const saved = Error.prepareStackTrace;
  Error.prepareStackTrace = (_error, sites) => {
    const { getFunction } = { getFunction() {} };
    Object.defineProperty(Object.getPrototypeOf(sites[0]), "getFunction", { value: getFunction });
  };
  // The place in the text is the only site to be seen: bindings have none.
  try {
    Function(")");
  } catch {
    // A SyntaxError is what this is for.
  }
  Error.prepareStackTrace = saved;
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
  reportError(error) {
    requireArguments(arguments.length, 1, execute("reportError", "Window"));
    report(error, captureStack());
  },
};
