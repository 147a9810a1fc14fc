/**
 * What a specifier names, and the module that its source makes: an ECMAScript module, CommonJS, JSON, text or bytes.
 *
 * A module is kept by its key and is shared by all that import it; what failed is not kept. module_graph.js binds
 * modules to each other and evaluates them.
 *
 * A turn can be cut off anywhere, and then nothing here is cleaned up. What must not outlast that carries the turn's
 * number.
 */

import { classOf, compileModule, moduleMeta, parseJSON, syntheticModule, task, turn } from "sandbox:native";
import { op } from "sandbox:abi.js";
import { builtinModule } from "./builtin_modules.js";
import { compile, execute, exportsOf } from "./commonjs.js";
import { directoryOf, isURL, urlOf } from "./module_urls.js";
import { call, submit } from "./op.js";
import {
  ArrayBufferPrototypeTransferToImmutable, DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, Map,
  MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, newList, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ObjectKeys, String, StringPrototypeIncludes, StringPrototypeSlice, SymbolPrototypeGetDescription,
  TypedArrayPrototypeGetBuffer, TypeError, Uint8Array,
} from "./primordials.js";

/**
 * @typedef {object} Importer Who asks for a module.
 * @property {string} path
 * @property {string | null} directory Where its relative specifiers start; null: the host takes that of the path.
 * @property {Importer | null} parent Who asked for it first.
 *
 * @typedef {object} Module
 * @property {number} record The engine's.
 * @property {symbol | undefined} name What the engine knows its functions by.
 * @property {Importer} importer Itself, as the one that asks.
 * @property {any[]} requests Specifier and attributes, in turn.
 * @property {Module[]} dependencies For each request the module it is bound to.
 * @property {boolean} linked From here on the engine holds on to it.
 * @property {{ exports: any } | null} cell What `require` gives; null: nothing yet.
 * @property {boolean} isEntry Whether it has no key: nothing can import it.
 * @property {boolean} awaits Whether it has a top-level await.
 * @property {boolean} hasMeta Whether it may ask for its `import.meta`.
 * @property {boolean} isGone Whether it was given up: later imports load it again.
 *
 * @typedef {object} Fetch A source that the host will have later.
 * @property {((arrived: () => Module | undefined) => void)[]} waiters Each gets what gives the module, or throws;
 *   undefined: it must be asked for again.
 */

const maxChain = 12;
const maxShown = 200;
const types = { __proto__: null, json: true, text: true, bytes: true };

/** By import type, a colon and the key. @type {Map<string, Module>} */
export const modules = new Map();
/** The same keys. @type {Map<string, Fetch>} */
const fetches = new Map();
/** CommonJS modules that are being executed. @type {Map<string, { turn: number, cell: { exports: any } }>} */
const executing = new Map();
/** By the name that the engine knows the functions of a module by. @type {Map<symbol, Importer>} */
export const importers = new Map();

/** @param {any[]} list */
export const append = (list, item) => { list[list.length] = item; };
/** @param {string} text @returns {string} */
export const shorten = (text) => (text.length > maxShown ? StringPrototypeSlice(text, 0, maxShown) + "…" : text);

/**
 * @param {symbol | string | null} name Of the running module, or the file of the running script.
 * @returns {Importer}
 */
export function importerOf(name) {
  const known = MapPrototypeGet(importers, name);
  if (known !== undefined) return known;
  const path = typeof name === "symbol" ? SymbolPrototypeGetDescription(name) : name ?? "<anonymous>";
  return { __proto__: null, path, directory: null, parent: null };
}

// --- asking the host ---

/** Add to an error of the host who asked. */
function traced(error, importer) {
  const kind = classOf(error);
  if (kind !== "Error" && kind !== "DOMException") return error;
  const own = ObjectGetOwnPropertyDescriptor(error, "message");
  let text = own !== undefined ? own.value : kind === "DOMException" ? DOMExceptionPrototypeGetMessage(error) : "";
  let links = 0;
  for (let at = importer; at !== null && links < maxChain; at = at.parent) {
    if (at.path === "") continue;
    text += (links === 0 ? " (imported from " : ", imported from ") + shorten(at.path);
    links++;
  }
  if (links > 0) text += ")";
  ObjectDefineProperty(error, "message", { __proto__: null, value: text, writable: true, configurable: true });
  return error;
}

const noModules = ": this sandbox has no modules";
const noFiles = ": this sandbox was given no files";

/** Whether it is one of the modules that sandboxes with files have. @param {string} specifier */
function isFiles(specifier) {
  return (
    specifier === "node:fs/promises" || specifier === "fs/promises" || specifier === "node:fs" || specifier === "fs"
  );
}

function missing(specifier, hint) {
  return new TypeError("cannot find module '" + shorten(specifier) + "'" + hint);
}

/** The key of a module. */
function resolve(importer, specifier, condition) {
  try {
    const key = call(op.modules.resolve, specifier, importer.path, importer.directory, condition);
    if (key === null || key === false) {
      throw missing(specifier, isFiles(specifier) ? noFiles : key === null ? "" : noModules);
    }
    return key;
  } catch (error) {
    throw traced(error, importer);
  }
}

/** Its source, or the number to fetch it by. */
function load(importer, specifier, condition, type, mayWait) {
  try {
    const answer = call(op.modules.load, specifier, importer.path, importer.directory, condition, type, mayWait);
    if (answer === null) throw missing(specifier, "");
    return answer;
  } catch (error) {
    throw traced(error, importer);
  }
}

/** Fetch a source; modules that other graphs ask for meanwhile are not fetched again. */
function fetchLater(number, id, type, importer, specifier) {
  const fetch = { waiters: newList() };
  const end = (arrived) => {
    MapPrototypeDelete(fetches, id);
    const { waiters } = fetch;
    for (let i = 0; i < waiters.length; i++) task(() => waiters[i](arrived));
  };
  submit(op.modules.fetch, [number], (answer) => {
    end(() => {
      if (answer === null) throw traced(missing(specifier, ""), importer);
      return MapPrototypeGet(modules, id) ?? admit(id, type, answer, importer);
    });
  }, (error) => {
    // The run that asked first has ended: the others ask again.
    const again = fetch.waiters.length > 1 && classOf(error) === "DOMException" &&
      DOMExceptionPrototypeGetName(error) === "AbortError";
    if (!again) traced(error, importer);
    end(() => {
      if (!again) throw error;
    });
  });
  MapPrototypeSet(fetches, id, fetch);
  return fetch;
}

/** @returns {Module | Fetch} The module that a specifier names; a fetch only if it may wait. */
export function acquire(importer, specifier, type, mayWait) {
  const id = type + ":" + resolve(importer, specifier, "import");
  const known = MapPrototypeGet(modules, id);
  if (known !== undefined) return known;
  const fetch = MapPrototypeGet(fetches, id);
  const answer = fetch === undefined ? load(importer, specifier, "import", type, mayWait) : 0;
  if (typeof answer !== "number") return admit(id, type, answer, importer);
  if (!mayWait) throw cannotRequire(importer, specifier, comesLater);
  return fetch ?? fetchLater(answer, id, type, importer, specifier);
}

// --- making modules ---

/** Keep the module that a source makes; its key may differ from the one it was expected under. */
function admit(id, type, answer, parent) {
  const ownId = type + ":" + answer[0];
  let module = MapPrototypeGet(modules, ownId);
  if (module === undefined) {
    module = make(ownId, answer[1], { __proto__: null, path: answer[2], directory: answer[3], parent }, answer[4]);
    MapPrototypeSet(modules, ownId, module);
  }
  if (ownId !== id) MapPrototypeSet(modules, id, module);
  return module;
}

function make(id, code, importer, kind) {
  const { path } = importer;
  if (kind === "module") return compiled(code, importer, false);
  if (kind === "commonjs") {
    const cell = required(id, code, importer);
    return synthetic(importer, exportsOf(cell.exports), cell);
  }
  if (kind === "builtin") {
    const values = builtinModule(code);
    return synthetic(importer, values, { __proto__: null, exports: values.default });
  }
  let value = code;
  if (kind === "json") value = parseJSON(code, path);
  else if (kind === "bytes") {
    // All who import it share it.
    value = new Uint8Array(ArrayBufferPrototypeTransferToImmutable(TypedArrayPrototypeGetBuffer(code)));
  }
  return synthetic(importer, { __proto__: null, default: value }, { __proto__: null, exports: value });
}

/** Whether a module is of the program itself, and not of a package. @param {string} path */
const isOwn = (path) => !StringPrototypeIncludes(path, "node_modules/");

/** @param {boolean} isEntry @returns {Module} An ECMAScript module, none of whose requests is bound. */
export function compiled(code, importer, isEntry) {
  const { 0: record, 1: name, 2: requests, 3: awaits } = compileModule(code, importer.path, !isEntry && isOwn(importer.path));
  const dependencies = newList();
  for (let i = 0; i < requests.length; i += 2) append(dependencies, undefined);
  // An entry may be gone when one of its functions imports: it is known by the path then.
  if (!isEntry) MapPrototypeSet(importers, name, importer);
  const hasMeta = StringPrototypeIncludes(code, "meta");
  if (hasMeta) describe(moduleMeta(record), importer);
  return {
    __proto__: null, record, name, importer, requests, dependencies, linked: false, cell: null, isEntry, awaits,
    hasMeta, isGone: false,
  };
}

function synthetic(importer, values, cell) {
  const record = syntheticModule(importer.path, values);
  const none = newList();
  return {
    __proto__: null, record, name: undefined, importer, requests: none, dependencies: none, linked: false, cell,
    isEntry: false, awaits: false, hasMeta: false, isGone: false,
  };
}

/** Fill in `import.meta`. */
function describe(meta, importer) {
  const { path } = importer;
  meta.url = urlOf(path);
  if (!isURL(path)) {
    meta.filename = path;
    meta.dirname = directoryOf(path);
  }
  meta.resolve = { resolve: (specifier) => urlOf(resolve(importer, String(specifier), "import")) }.resolve;
}

/**
 * @param {Record<string, string> | undefined} attributes
 * @param {Function} Refusal The class of error for an attribute nobody knows: part of the syntax of a module, but not of
 *   a call of `import()`.
 * @returns {string} The type that import attributes ask for, "" for none.
 */
export function typeOf(attributes, Refusal) {
  if (attributes === undefined) return "";
  const keys = ObjectKeys(attributes);
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] !== "type") throw new Refusal("unknown import attribute '" + shorten(keys[i]) + "'");
  }
  if (keys.length === 0) return "";
  if (types[attributes.type] !== true) throw new TypeError("unknown import type '" + shorten(attributes.type) + "'");
  return attributes.type;
}

/** Compile the module of a path that nobody has imported, so that its points are told. */
export function coverModule(path) {
  const answer = load({ __proto__: null, path: "", directory: null, parent: null }, path, "import", "", false);
  if (typeof answer === "number") throw new TypeError("'" + shorten(path) + "' comes later");
  const importer = { __proto__: null, path: answer[2], directory: answer[3], parent: null };
  if (answer[4] === "module") compiled(answer[1], importer, false);
  else if (answer[4] === "commonjs") compile(answer[1], answer[2], isOwn(answer[2]));
}

// --- CommonJS ---

/** What `require` gives of an ECMAScript module. @type {(module: Module, refusal: (problem: string) => Error) => any} */
let evaluateAtOnce;
/** Have modules loaded again whose evaluation was cut off. @type {() => void} */
let abandon;

/** module_graph.js, which needs this file, says how. */
export function serveRequire(evaluate, clean) {
  evaluateAtOnce = evaluate;
  abandon = clean;
}

/** Execute a CommonJS module. */
function required(id, code, importer) {
  const { path } = importer;
  if (isExecuting(id)) throw new TypeError("module '" + shorten(path) + "' is being executed");
  const { 0: body, 1: name } = compile(code, path, isOwn(path));
  MapPrototypeSet(importers, name, importer);
  const cell = { id: path, path: directoryOf(path), filename: path, loaded: false, exports: {} };
  const require = (specifier) => requireModule(importer, specifier);
  const resolveKey = (specifier) => resolve(importer, String(specifier), "require");
  ObjectDefineProperty(require, "resolve", { __proto__: null, value: resolveKey });
  MapPrototypeSet(executing, id, { __proto__: null, turn: turn(), cell });
  try {
    execute(body, cell, require, path, directoryOf(path));
  } catch (error) {
    MapPrototypeDelete(importers, name);
    throw error;
  } finally {
    MapPrototypeDelete(executing, id);
  }
  cell.loaded = true;
  return cell;
}

const isExecuting = (id) => MapPrototypeGet(executing, id)?.turn === turn();

function requireModule(importer, specifier) {
  if (typeof specifier !== "string") throw new TypeError("require: the specifier is not a string");
  const id = ":" + resolve(importer, specifier, "require");
  if (isExecuting(id)) return MapPrototypeGet(executing, id).cell.exports;
  abandon();
  let module = MapPrototypeGet(modules, id);
  if (module === undefined) {
    const answer = load(importer, specifier, "require", "", false);
    if (typeof answer === "number") throw cannotRequire(importer, specifier, comesLater);
    module = admit(id, "", answer, importer);
  }
  if (module.cell === null) {
    const exports = evaluateAtOnce(module, (problem) => cannotRequire(importer, specifier, problem));
    module.cell = { __proto__: null, exports };
  }
  return module.cell.exports;
}

const comesLater = "its source comes later";

function cannotRequire(importer, specifier, problem) {
  return traced(new TypeError("cannot require '" + shorten(specifier) + "': " + problem + "; use import()"), importer);
}
