/**
 * `import`, `import()` and what the host imports: loading a graph of modules, linking and evaluating it.
 *
 * The engine's own loader would have to answer at once. So each import has a graph here, and goes through it until
 * every request of every module is bound to a module; where a source takes time to come, the graph waits.
 */

import {
  bindModule, evaluateModule, freeModule, hook as register, linkModule, moduleNamespace, moduleState, promiseState,
  turn, whenSettled,
} from "sandbox:native";
import { hook } from "sandbox:abi.js";
import { acquire, append, compiled, importerOf, importers, modules, shorten, typeOf } from "./modules.js";
import {
  Map, MapPrototypeDelete, MapPrototypeForEach, MapPrototypeHas, MapPrototypeSet, newList, Promise, TypeError,
} from "./primordials.js";

/**
 * @typedef {import("./modules.js").Module} Module
 *
 * @typedef {object} Graph What one import needs.
 * @property {Module | null} root
 * @property {Module[]} queue Modules in it; those before `next` were looked through.
 * @property {number} next
 * @property {Map<Module, true>} members Those in the queue.
 * @property {number} pending Sources it waits for.
 * @property {boolean} ended
 * @property {boolean} atOnce Whether a result that is there is given without waiting for a microtask.
 * @property {(namespace: object) => void} resolve
 * @property {(error: any) => void} reject
 */

/** Graphs that are being evaluated right now. @type {{ turn: number, graph: Graph }[]} */
const running = newList();
/** Modules that nobody can import any more. @type {Module[]} */
let dropped = newList();
/** How many times a graph waits for a source. */
let waiting = 0;

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
    if (module.isEntry || module.isGone || !isFailed(module)) continue;
    module.isGone = true;
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
