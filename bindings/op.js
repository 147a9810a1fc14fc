/** The way to the host: three manners of asking, by the op numbers of the ABI; and what the host asks of bindings. */

import { hook } from "sandbox:abi.js";
import { call, cancel, hook as setHook, send, submit } from "sandbox:native";
import { Object, Promise, ReflectApply } from "./primordials.js";

export { call, cancel, send, submit };

/**
 * Queue a request.
 * @param {number} op
 * @param {any[]} args
 * @returns {{ promise: Promise<any>, cancel: () => void }} The promise settles with the host's answer, and stays
 *   pending for good once `cancel` has been called.
 */
export function request(op, args) {
  let id;
  const promise = new Promise((resolve, reject) => {
    id = submit(op, args, resolve, reject);
  });
  return { __proto__: null, promise, cancel: () => cancel(id) };
}

const entries = { __proto__: null };
setHook(hook.entry, (name, ...args) => ReflectApply(entries[name], undefined, args));

/**
 * Let the host call functions of a binding; what they return, or the promise of it, is what it gets.
 * @param {Record<string, Function>} functions By the names under which it asks for them.
 */
export const answerHost = (functions) => Object.assign(entries, functions);
