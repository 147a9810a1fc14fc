/**
 * ECMAScript modules: `import`, `import()` and `import.meta`, from sources of the host.
 *
 * The engine compiles, links and evaluates. Loading is done here, since a source may take time to come: an import has a
 * graph of modules, and goes through it until every request of every module is bound to a module. What was compiled is
 * kept by its key and is shared by all graphs; what failed is not kept.
 *
 * A turn can be cut off anywhere, and then nothing here is cleaned up. What must not outlast that carries the turn's
 * number.
 */

import {
  bindModule, classOf, compileModule, evaluateModule, freeModule, hook as register, linkModule, moduleMeta,
  moduleNamespace, moduleState, parseJSON, promiseState, syntheticModule, task, turn, whenSettled,
} from "sandbox:native";
import { hook, op } from "sandbox:abi.js";
import { compile, execute, exportsOf } from "./commonjs.js";
import { directoryOf, isURL, urlOf } from "./module_urls.js";
import { call, submit } from "./op.js";
import {
  DOMExceptionPrototypeGetMessage, DOMExceptionPrototypeGetName, Map, MapPrototypeDelete, MapPrototypeForEach,
  MapPrototypeGet, MapPrototypeHas, MapPrototypeSet, newList, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor,
  ObjectKeys, Promise, String, StringPrototypeIncludes, StringPrototypeSlice, SymbolPrototypeGetDescription, TypeError,
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
 * @property {{ exports: any } | null} cell What `require` gives; null: nothing.
 * @property {boolean} isEntry Whether it has no key: nothing can import it.
 * @property {boolean} hasMeta Whether it may ask for its `import.meta`.
 *
 * @typedef {object} Fetch A source that the host will have later.
 * @property {((arrived: () => Module | undefined) => void)[]} waiters
 *
 * @typedef {object} Graph What one import needs.
 * @property {Module} root
 * @property {Module[]} queue Modules in it; those before `next` were looked through.
 * @property {Map<Module, true>} members
 * @property {number} pending Sources it waits for.
 * @property {boolean} ended
 * @property {boolean} atOnce Whether a result that is there is given without waiting for a microtask.
 */

const maxChain = 12;
const maxShown = 200;
const types = { __proto__: null, json: true, text: true, bytes: true };

/** By import type, a colon and the key. @type {Map<string, Module>} */
const modules = new Map();
/** The same keys. @type {Map<string, Fetch>} */
const fetches = new Map();
/** CommonJS modules that are being executed. @type {Map<string, { turn: number, cell: { exports: any } }>} */
const executing = new Map();
/** By the name that the engine knows the functions of a module by. @type {Map<symbol, Importer>} */
const importers = new Map();
/** Graphs that are being evaluated right now. @type {{ turn: number, graph: Graph }[]} */
const running = newList();
/** Modules that nobody can import any more. @type {Module[]} */
let dropped = newList();
/** Graphs that wait for a source. */
let waiting = 0;

const append = (list, item) => { list[list.length] = item; };
const shorten = (text) => (text.length > maxShown ? StringPrototypeSlice(text, 0, maxShown) + "…" : text);

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

function missing(specifier, hint) {
  return new TypeError("cannot find module '" + shorten(specifier) + "'" + hint);
}

/** The key of a module. */
function resolve(importer, specifier, condition) {
  try {
    const key = call(op.modules.resolve, specifier, importer.path, importer.directory, condition);
    if (key === null || key === false) {
      throw missing(specifier, key === null ? "" : ": this sandbox has no modules");
    }
    return key;
  } catch (error) {
    throw traced(error, importer);
  }
}

/** Its source, or the number to fetch it by. */
function load(importer, specifier, condition, type) {
  try {
    const answer = call(op.modules.load, specifier, importer.path, importer.directory, condition, type);
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

/** @returns {Module | Fetch} The module that a specifier names. */
function acquire(importer, specifier, type) {
  const id = type + ":" + resolve(importer, specifier, "import");
  const known = MapPrototypeGet(modules, id) ?? MapPrototypeGet(fetches, id);
  if (known !== undefined) return known;
  const answer = load(importer, specifier, "import", type);
  if (typeof answer === "number") return fetchLater(answer, id, type, importer, specifier);
  return admit(id, type, answer, importer);
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
  const value = kind === "json" ? parseJSON(code, path) : code;
  return synthetic(importer, { __proto__: null, default: value }, { __proto__: null, exports: value });
}

function compiled(code, importer, isEntry) {
  const { 0: record, 1: name, 2: requests } = compileModule(code, importer.path);
  const dependencies = newList();
  for (let i = 0; i < requests.length; i += 2) append(dependencies, undefined);
  // An entry may be gone when one of its functions imports: it is known by the path then.
  if (!isEntry) MapPrototypeSet(importers, name, importer);
  const hasMeta = StringPrototypeIncludes(code, "meta");
  if (hasMeta) describe(moduleMeta(record), importer);
  return { __proto__: null, record, name, importer, requests, dependencies, linked: false, cell: null, isEntry, hasMeta };
}

function synthetic(importer, values, cell) {
  const record = syntheticModule(importer.path, values);
  const none = newList();
  return {
    __proto__: null, record, name: undefined, importer, requests: none, dependencies: none, linked: false, cell,
    isEntry: false, hasMeta: false,
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

/** @returns {string} The type that import attributes ask for, "" for none. */
function typeOf(attributes) {
  if (attributes === undefined) return "";
  const keys = ObjectKeys(attributes);
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] !== "type") throw new TypeError("unknown import attribute '" + shorten(keys[i]) + "'");
  }
  if (keys.length === 0) return "";
  if (types[attributes.type] !== true) throw new TypeError("unknown import type '" + shorten(attributes.type) + "'");
  return attributes.type;
}

// --- CommonJS ---

/** Execute a CommonJS module. */
function required(id, code, importer) {
  const { path } = importer;
  if (isExecuting(id)) throw new TypeError("module '" + shorten(path) + "' is being executed");
  const { 0: body, 1: name } = compile(code, path);
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
  let module = MapPrototypeGet(modules, id);
  if (module === undefined) {
    const answer = load(importer, specifier, "require", "");
    const problem = typeof answer === "number" ? "its source comes later" : answer[4] === "module" ? esModule : "";
    if (problem !== "") throw cannotRequire(importer, specifier, problem);
    module = admit(id, "", answer, importer);
  }
  if (module.cell === null) throw cannotRequire(importer, specifier, esModule);
  return module.cell.exports;
}

const esModule = "it is an ECMAScript module";

function cannotRequire(importer, specifier, problem) {
  return traced(new TypeError("cannot require '" + shorten(specifier) + "': " + problem + "; use import()"), importer);
}

// --- graphs ---

/** @returns {Graph} */
function newGraph(resolve, reject) {
  return {
    __proto__: null, root: null, queue: newList(), next: 0, members: new Map(), pending: 0, ended: false,
    atOnce: false, resolve, reject,
  };
}

/** Do something for a graph and then whatever else can be done for it. */
function step(graph, action) {
  if (graph.ended) return;
  try {
    action();
    walk(graph);
    if (graph.pending === 0) complete(graph);
  } catch (error) {
    end(graph, graph.reject, error);
  }
}

function end(graph, settle, value) {
  if (graph.ended) return;
  graph.ended = true;
  if (graph.root !== null && graph.root.isEntry) append(dropped, graph.root);
  settle(value);
}

/** Look through modules until none is left, or all that is left waits. */
function walk(graph) {
  while (graph.next < graph.queue.length) {
    const module = graph.queue[graph.next++];
    const { dependencies, requests } = module;
    for (let i = 0; i < dependencies.length; i++) {
      const use = (dependency) => {
        if (dependencies[i] === undefined) {
          bindModule(module.record, i, dependency.record);
          dependencies[i] = dependency;
        }
        add(graph, dependencies[i]);
      };
      if (dependencies[i] !== undefined) add(graph, dependencies[i]);
      else obtain(graph, module.importer, requests[2 * i], typeOf(requests[2 * i + 1]), use);
    }
  }
}

function add(graph, module) {
  if (module.linked || MapPrototypeHas(graph.members, module)) return;
  MapPrototypeSet(graph.members, module, true);
  append(graph.queue, module);
}

/** Have a graph use the module that a specifier names, now or when its source has come. */
function obtain(graph, importer, specifier, type, use) {
  const found = acquire(importer, specifier, type);
  if (found.waiters === undefined) {
    use(found);
    return;
  }
  graph.pending++;
  waiting++;
  append(found.waiters, (arrived) => {
    waiting--;
    graph.pending--;
    step(graph, () => {
      const module = arrived();
      if (module === undefined) obtain(graph, importer, specifier, type, use);
      else use(module);
    });
  });
}

function enter(graph, module) {
  graph.root = module;
  add(graph, module);
}

/** All is loaded: link and evaluate. */
function complete(graph) {
  const { root } = graph;
  refuseWhileRunning(root);
  if (!root.linked) {
    try {
      // The last ones first: linking one by one from the top, a long chain would be as deep a recursion.
      for (let i = graph.queue.length - 1; i >= 0; i--) linkModule(graph.queue[i].record);
    } catch (error) {
      forget(graph, (module) => !module.linked);
      throw error;
    }
    for (let i = 0; i < graph.queue.length; i++) graph.queue[i].linked = true;
  }
  append(running, { __proto__: null, turn: turn(), graph });
  const promise = evaluateModule(root.record);
  running.length--;
  const { 0: state, 1: value } = promiseState(promise);
  if (graph.atOnce && state === "rejected") {
    whenSettled(promise, undefined, undefined);
    throw value;
  }
  const succeed = () => {
    try {
      end(graph, graph.resolve, moduleNamespace(root.record));
    } catch (error) {
      end(graph, graph.reject, error);
    }
  };
  if (graph.atOnce && state === "fulfilled") succeed();
  else whenSettled(promise, succeed, (error) => end(graph, graph.reject, error));
}

/** A host function called by a module's body may have others evaluated, but not what that body is a part of. */
function refuseWhileRunning(root) {
  if (running.length === 0) return;
  const seen = new Map();
  const queue = newList();
  append(queue, root);
  for (let next = 0; next < queue.length; next++) {
    const module = queue[next];
    if (module === undefined || MapPrototypeHas(seen, module)) continue;
    MapPrototypeSet(seen, module, true);
    if (moduleState(module.record) === "evaluating") {
      throw new TypeError("module '" + shorten(module.importer.path) + "' is being evaluated");
    }
    for (let i = 0; i < module.dependencies.length; i++) append(queue, module.dependencies[i]);
  }
}

// --- letting go ---

/** Have the next import load those modules of a graph again. */
function forget(graph, isFailed) {
  const { queue } = graph;
  const gone = new Map();
  for (let i = 0; i < queue.length; i++) {
    const module = queue[i];
    if (module.isEntry || !isFailed(module)) continue;
    MapPrototypeSet(gone, module, true);
    MapPrototypeDelete(importers, module.name);
    append(dropped, module);
  }
  MapPrototypeForEach(modules, (module, id) => {
    if (MapPrototypeHas(gone, module)) MapPrototypeDelete(modules, id);
    else if (!module.linked) {
      const { dependencies } = module;
      for (let i = 0; i < dependencies.length; i++) {
        if (MapPrototypeHas(gone, dependencies[i])) dependencies[i] = undefined;
      }
    }
  });
}

/** At the beginning of an import, when no other one is at work: clean up after those that ended, or were cut off. */
function tidy() {
  while (running.length > 0 && running[running.length - 1].turn !== turn()) {
    const { graph } = running[running.length - 1];
    running.length--;
    forget(graph, (module) => moduleState(module.record) !== "evaluated");
    end(graph, () => {}, undefined);
  }
  if (dropped.length === 0 || waiting > 0) return;
  const list = dropped;
  dropped = newList();
  for (let i = 0; i < list.length; i++) {
    const { isEntry, hasMeta, linked, record } = list[i];
    // The engine knows a linked module by its address, unless nothing can import it.
    const mayGo = !linked || (isEntry && !hasMeta);
    if (mayGo && !freeModule(record)) append(dropped, list[i]);
  }
}

// --- what the engine asks for ---

/** @param {symbol | string | null} name Of the running module, or the file of the running script. @returns {Importer} */
function importerOf(name) {
  const known = MapPrototypeGet(importers, name);
  if (known !== undefined) return known;
  const path = typeof name === "symbol" ? SymbolPrototypeGetDescription(name) : name ?? "<anonymous>";
  return { __proto__: null, path, directory: null, parent: null };
}

register(hook.dynamicImport, (name, specifier, attributes, resolve, reject) => {
  tidy();
  const graph = newGraph(resolve, reject);
  step(graph, () => {
    obtain(graph, importerOf(name), specifier, typeOf(attributes), (module) => enter(graph, module));
  });
});

register(hook.importEntry, (specifier, code, filename) => {
  tidy();
  const importer = { __proto__: null, path: filename ?? "", directory: null, parent: null };
  let state = "pending";
  let result;
  const graph = newGraph((namespace) => {
    state = "fulfilled";
    result = namespace;
  }, (error) => {
    state = "rejected";
    result = error;
  });
  graph.atOnce = true;
  step(graph, () => {
    if (code !== null) enter(graph, compiled(code, importer, true));
    else obtain(graph, importer, specifier, "", (module) => enter(graph, module));
  });
  if (state === "fulfilled") return result;
  if (state === "rejected") throw result;
  graph.atOnce = false;
  return new Promise((resolve, reject) => {
    graph.resolve = (namespace) => resolve({ __proto__: null, value: namespace });
    graph.reject = reject;
  });
});
