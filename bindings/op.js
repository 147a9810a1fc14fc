/** The way to the host: three manners of asking, by the op numbers of the ABI. */

import { call, cancel, send, submit } from "sandbox:native";
import { Promise } from "./primordials.js";

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
