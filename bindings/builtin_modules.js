/** Modules that the bindings have: what a program imports where the host says that it may. */

import { ObjectCreate, ObjectKeys, TypeError } from "./primordials.js";

/** By name. @type {Record<string, Record<string, any>>} */
const builtin = { __proto__: null };

/** @param {string} name @param {Record<string, any>} members Its exports; its default export is this object. */
export function defineModule(name, members) {
  const exports = ObjectCreate(null);
  const keys = ObjectKeys(members);
  for (let i = 0; i < keys.length; i++) exports[keys[i]] = members[keys[i]];
  exports.default = members;
  builtin[name] = exports;
}

/** The exports of one. @param {string} name @returns {Record<string, any>} */
export function builtinModule(name) {
  const known = builtin[name];
  if (known === undefined) throw new TypeError("there is no built-in module of that name");
  return known;
}
