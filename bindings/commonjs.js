/** CommonJS: a module's body as a function, and its `module.exports` as exports of an ECMAScript module. */

import { compileFunction } from "sandbox:native";
import {
  global, isObject, ObjectKeys, ReflectApply, RegExp, RegExpPrototypeExec, StringPrototypeSlice,
  StringPrototypeStartsWith,
} from "./primordials.js";

// The body begins on a line of its own, which counts as line 1.
const head = "(function (exports, require, module, __filename, __dirname, process, global) {\n";
const tail = "\n})";
const identifier = new RegExp("^[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*$", "u");

/**
 * Make the body of a module callable.
 * @param {string} code
 * @param {string} path What stacks call it.
 * @param {boolean} isOwn Whether its coverage counts where any does.
 * @returns {[body: Function, name: symbol]}
 */
export function compile(code, path, isOwn) {
  const text = StringPrototypeStartsWith(code, "#!") ? "//" + StringPrototypeSlice(code, 2) : code;
  return compileFunction(head + text + tail, path, isOwn ? head.length : -1);
}

/**
 * Run the body of a module.
 * @param {Function} body
 * @param {{ exports: any }} module What it knows as `module`; its `exports` may be replaced.
 * @param {Function} require
 * @param {string} path
 * @param {string} directory
 */
export function execute(body, module, require, path, directory) {
  const { exports } = module;
  const process = { env: { NODE_ENV: "production" } };
  ReflectApply(body, exports, [exports, require, module, path, directory, process, global]);
}

/**
 * What importers see. `default` is `module.exports`, unless that was compiled from an ECMAScript module and says so
 * (`__esModule`): then it is its own `default`, if there is one. Its other enumerable properties are exports of their
 * names, as far as they are identifiers, with the values they have now.
 * @param {any} exports
 * @returns {object} Values by name.
 */
export function exportsOf(exports) {
  const values = { __proto__: null };
  if (isObject(exports)) {
    const names = ObjectKeys(exports);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name !== "__esModule" && RegExpPrototypeExec(identifier, name) !== null) values[name] = exports[name];
    }
  }
  if (!(isObject(exports) && exports.__esModule === true && "default" in values)) values.default = exports;
  return values;
}
