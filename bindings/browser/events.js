/** What happens in pages: listeners of the program, and one question to the host that is open while there are any. */

import { now } from "sandbox:native";
import { Error, newList, ObjectDefineProperty, Promise, ReflectApply, TypeError } from "../primordials.js";
import { startTimer, stopTimer } from "../timers.js";
import { URL } from "../url.js";
import { act, listen as tellHost, nextEvents, timeoutError } from "../browser.js";
import { makeDialog, makeDownload, makeMessage, makeRequest, makeResponse, makeRoute, matcherOf } from "./objects.js";

/** What the host tells of, with what programs get. */
const kinds = {
  __proto__: null,
  close: (page) => page,
  console: (_page, type, text, location) => makeMessage(type, text, location),
  dialog: (_page, number, type, message, value) => makeDialog(number, type, message, value),
  domcontentloaded: (page) => page,
  download: (_page, number, url, name) => makeDownload(number, url, name),
  framenavigated: (page) => page,
  load: (page) => page,
  page: (page) => page,
  pageerror: (_page, name, message, stack) => pageError(name, message, stack),
  request: (_page, parts) => makeRequest(parts),
  requestfailed: (_page, parts, failure) => makeRequest(parts, failure),
  requestfinished: (_page, parts) => makeRequest(parts),
  response: (_page, parts) => makeResponse(parts),
};

/** @typedef {{ kind: string, page: number, callback: Function, tell: Function }} Listener */
/** @type {Listener[]} */
let listeners = newList();
/** @type {{ page: number, pattern: any, matches: Function, handler: Function }[]} The last one comes first. */
let routes = newList();
let isAsking = false;
let wanted = "";
/** The page object of a number. @type {(number: number) => any} */
let pageOf;

/** @param {(number: number) => any} find */
export const connectPages = (find) => { pageOf = find; };

function pageError(name, message, stack) {
  const error = new Error(message);
  ObjectDefineProperty(error, "name", { __proto__: null, value: name, writable: true, configurable: true });
  ObjectDefineProperty(error, "stack", { __proto__: null, value: stack, writable: true, configurable: true });
  return error;
}

/** Tell the host what the program listens to, and ask it for what there is. */
function settle() {
  const seen = { __proto__: null };
  const list = newList();
  let text = "";
  for (let i = 0; i < listeners.length; i++) {
    const { kind } = listeners[i];
    if (seen[kind] === undefined) {
      seen[kind] = true;
      list[list.length] = kind;
      text += kind + " ";
    }
  }
  if (routes.length > 0) {
    list[list.length] = "route";
    text += "route";
  }
  if (text !== wanted) {
    wanted = text;
    tellHost(list);
  }
  if (!isAsking && list.length > 0) {
    isAsking = true;
    nextEvents((events) => {
      isAsking = false;
      for (let i = 0; i < events.length; i++) deliver(events[i]);
      settle();
    }, () => {
      isAsking = false; // the run has ended; the next listener asks again
    });
  }
}

/**
 * What stands for all pages of a context, where a page is meant else.
 * @param {number} context
 */
export const anywhereIn = (context) => -1 - context;

const isOf = (scope, page, context) => scope === page || scope === anywhereIn(context);

/** @param {any[]} event Kind, page, its context, parts. */
function deliver(event) {
  const { 0: kind, 1: number, 2: context } = event;
  if (kind === "route") {
    route(number, context, event[3], event[4]);
    return;
  }
  const parts = newList();
  parts[0] = pageOf(number);
  for (let i = 3; i < event.length; i++) parts[i - 2] = event[i];
  const thing = ReflectApply(kinds[kind], undefined, parts);
  const told = listeners;
  for (let i = 0; i < told.length; i++) {
    const each = told[i];
    if (each.kind === kind && isOf(each.page, number, context)) guarded(each.tell, thing);
  }
}

/** What a listener throws nobody has caught: it is a rejection. */
async function guarded(callback, ...args) {
  await ReflectApply(callback, undefined, args);
}

// --- listeners ---

/** @param {number} page Or all of a context. @param {string} kind @param {Function} callback @param {boolean} isOnce */
export function listen(page, kind, callback, isOnce) {
  if (kinds[kind] === undefined) throw new TypeError("there is no event " + kind + " here");
  if (typeof callback !== "function") throw new TypeError("a listener must be a function");
  const entry = { __proto__: null, kind, page, callback, tell: callback };
  if (isOnce) {
    entry.tell = (thing) => {
      remove(entry);
      return callback(thing);
    };
  }
  listeners = appended(listeners, entry);
  settle();
  return entry;
}

function appended(list, item) {
  const copy = newList();
  for (let i = 0; i < list.length; i++) copy[i] = list[i];
  copy[list.length] = item;
  return copy;
}

function remove(entry) {
  const left = newList();
  for (let i = 0; i < listeners.length; i++) if (listeners[i] !== entry) left[left.length] = listeners[i];
  listeners = left;
  settle();
}

export function unlisten(page, kind, callback) {
  for (let i = listeners.length - 1; i >= 0; i--) {
    const each = listeners[i];
    if (each.kind === kind && each.page === page && each.callback === callback) {
      remove(each);
      return;
    }
  }
}

const usual = 30_000;

/**
 * The next event of a kind that fits.
 * @param {number} page @param {string} kind @param {(thing: any) => boolean} fits @param {any} options
 */
export function waitFor(page, kind, fits, options) {
  const timeout = options?.timeout ?? usual;
  return new Promise((resolve, reject) => {
    let timer = 0;
    const end = (settleWith, value) => {
      remove(entry);
      if (timer !== 0) stopTimer(timer);
      settleWith(value);
    };
    const entry = listen(page, kind, (thing) => {
      try {
        if (fits(thing)) end(resolve, thing);
      } catch (error) {
        end(reject, error);
      }
    }, false);
    if (timeout > 0) {
      timer = startTimer(() => end(reject, timeoutError(
        "Timeout " + timeout + "ms exceeded while waiting for event \"" + kind + "\"",
      )), now() + timeout);
    }
  });
}

// --- routes ---

/** @param {number} page @param {any} pattern @param {Function} handler */
export function addRoute(page, pattern, handler) {
  if (typeof handler !== "function") throw new TypeError("route: the handler must be a function");
  routes = appended(routes, { __proto__: null, page, pattern, matches: matcherOf(pattern, "route"), handler });
  settle();
}

export function removeRoutes(page, pattern, handler) {
  const left = newList();
  for (let i = 0; i < routes.length; i++) {
    const each = routes[i];
    const isMeant = each.page === page && (pattern === undefined || each.pattern === pattern)
      && (handler === undefined || each.handler === handler);
    if (!isMeant) left[left.length] = each;
  }
  routes = left;
  settle();
}

async function route(page, context, number, parts) {
  const request = makeRoute(number, parts);
  for (let i = routes.length - 1; i >= 0; i--) {
    const each = routes[i];
    let isMeant = false;
    try {
      isMeant = isOf(each.page, page, context) && each.matches(parts.url, new URL(parts.url));
    } catch {
      isMeant = false;
    }
    if (isMeant) {
      await guarded(each.handler, request, request.request());
      return;
    }
  }
  await act("route", number, null, "continue", newList(), null);
}
