/**
 * `import`, `import()`, `require` and what the host imports: loading a graph of modules, linking and evaluating it.
 *
 * The engine's own loader would have to answer at once. So each import has a graph here, and goes through it until
 * every request of every module is bound to a module; where a source takes time to come, the graph waits.
 */

import {
  bindModule, evaluateModule, freeModule, hook as register, linkModule, moduleNamespace, moduleState, promiseState,
  reaction, task, turn, whenSettled,
} from "sandbox:native";
import { hook } from "sandbox:abi.js";
import { acquire, append, compiled, importerOf, importers, modules, serveRequire, shorten, typeOf } from "./modules.js";
import {
  errors, Map, MapPrototypeDelete, MapPrototypeForEach, MapPrototypeHas, MapPrototypeSet, newList, ObjectHasOwn, Promise,
  TypeError,
} from "./primordials.js";
import { answerHost } from "./op.js";
import { serveExport } from "./serve.js";

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
 * @property {((problem: string) => Error) | null} refusal Of `require`, which cannot wait: what to throw instead.
 */

/** Graphs that are being evaluated right now. @type {{ turn: number, graph: Graph }[]} */
const running = newList();
/** Modules that nobody can import any more. @type {Module[]} */
let dropped = newList();
/** How many times a graph waits for a source. */
let waiting = 0;

/** @returns {Graph} */
function newGraph(resolve, reject, refusal) {
  return {
    __proto__: null, root: null, queue: newList(), next: 0, members: new Map(), pending: 0, ended: false,
    atOnce: false, resolve, reject, refusal,
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
      else obtain(graph, module.importer, requests[2 * i], typeOf(requests[2 * i + 1], errors.SyntaxError), use);
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
  const found = acquire(importer, specifier, type, graph.refusal === null);
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
  if (running.length > 0 || graph.refusal !== null) check(graph);
  if (!root.linked) {
    try {
      // The last ones first: linking one by one from the top, a long chain would be as deep a recursion.
      for (let i = graph.queue.length - 1; i >= 0; i--) linkModule(graph.queue[i].record);
    } catch (error) {
      forget(graph.queue, (module) => !module.linked);
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
  else if (graph.refusal !== null) throw graph.refusal(unfinished);
  else whenSettled(promise, succeed, (error) => end(graph, graph.reject, error));
}

const unfinished = "its evaluation takes time";

/**
 * What is called by a module's body may have others evaluated, but not what that body is a part of. What `require`
 * gives has no top-level await, whether that would take time or not.
 */
function check(graph) {
  const all = closureOf(graph.root);
  for (let i = 0; i < all.length; i++) {
    const { awaits, importer, record } = all[i];
    const name = "module '" + shorten(importer.path) + "'";
    if (moduleState(record) === "evaluating") throw new TypeError(name + " is being evaluated");
    if (awaits && graph.refusal !== null) throw graph.refusal(name + " has a top-level await");
  }
}

/** @returns {Module[]} A module and all that it imports. */
function closureOf(root) {
  const seen = new Map();
  const all = newList();
  const reach = (module) => {
    if (module === undefined || MapPrototypeHas(seen, module)) return;
    MapPrototypeSet(seen, module, true);
    append(all, module);
  };
  reach(root);
  for (let next = 0; next < all.length; next++) {
    const { dependencies } = all[next];
    for (let i = 0; i < dependencies.length; i++) reach(dependencies[i]);
  }
  return all;
}

// --- letting go ---

/** Have the next import load those of some modules again. */
function forget(list, isFailed) {
  const gone = new Map();
  for (let i = 0; i < list.length; i++) {
    const module = list[i];
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

/** Clean up after imports that were cut off. */
function abandon() {
  while (running.length > 0 && running[running.length - 1].turn !== turn()) {
    const { graph } = running[running.length - 1];
    running.length--;
    forget(closureOf(graph.root), (module) => moduleState(module.record) !== "evaluated");
    end(graph, () => {}, undefined);
  }
}

/** When no import is at work: clean up after those that ended, or were cut off. */
function tidy() {
  abandon();
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
  const graph = newGraph(resolve, reject, null);
  step(graph, () => {
    obtain(graph, importerOf(name), specifier, typeOf(attributes, TypeError), (module) => enter(graph, module));
  });
});

/** Begin an import whose result may be there at once. @returns {[Graph, any]} Its namespace, unless that is to come. */
function begin(refusal, action) {
  let namespace;
  let failure = null;
  const graph = newGraph((value) => { namespace = value; }, (error) => { failure = { __proto__: null, error }; }, refusal);
  graph.atOnce = true;
  step(graph, () => action(graph));
  if (failure !== null) throw failure.error;
  graph.atOnce = false;
  return [graph, namespace];
}

/** What the host imports: `{value: namespace}`, or a promise of that. */
function importEntry(specifier, code, filename) {
  tidy();
  const importer = { __proto__: null, path: filename ?? "", directory: null, parent: null };
  const { 0: graph, 1: namespace } = begin(null, (graph) => {
    if (code !== null) enter(graph, compiled(code, importer, true));
    else obtain(graph, importer, specifier, "", (module) => enter(graph, module));
  });
  const result = (namespace) => {
    if ("default" in namespace) serveExport(namespace.default);
    return { __proto__: null, value: namespace };
  };
  if (graph.ended) return result(namespace);
  return new Promise((resolve, reject) => {
    graph.resolve = (namespace) => {
      try {
        resolve(result(namespace));
      } catch (error) {
        reject(error);
      }
    };
    graph.reject = reject;
  });
}
register(hook.importEntry, importEntry);

answerHost({
  __proto__: null,
  /** Evaluate a module whose exports the host does not want. */
  "modules.evaluate": (code, filename) => {
    const result = importEntry(null, code, filename);
    return ObjectHasOwn(result, "value") ? undefined : reaction(result, () => undefined, undefined);
  },
});

// --- require ---

const facade = "export * from 'm'; export {default} from 'm'; export const __esModule = true";

/**
 * Load what a module imports, link and evaluate it, and wait for nothing.
 *
 * What `require` gives is its export named "module.exports", else its namespace. One that has a `default` also says
 * `__esModule`, which is how code made by compilers knows whose `default` it is.
 */
serveRequire((module, refusal) => {
  let namespace;
  try {
    namespace = begin(refusal, (graph) => enter(graph, module))[1];
  } catch (error) {
    task(tidy);
    throw error;
  }
  if ("module.exports" in namespace) return namespace["module.exports"];
  if (!("default" in namespace) || "__esModule" in namespace) return namespace;
  const { dependencies, record } = compiled(facade, module.importer, true);
  for (let i = 0; i < dependencies.length; i++) bindModule(record, i, module.record);
  linkModule(record);
  evaluateModule(record);
  return moduleNamespace(record);
}, abandon);
