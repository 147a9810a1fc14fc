/** What programs get of the browser that is no page: requests, responses, messages, dialogs, downloads. */

import { classOf, utf8Encode } from "sandbox:native";
import { decodeText } from "../blob.js";
import {
  JSONParse, JSONStringify, newList, RegExp, RegExpPrototypeExec, StringPrototypeSlice, StringPrototypeToLowerCase, TypeError,
} from "../primordials.js";
import { act, cleaned, one } from "../browser.js";
import { readFile, writeFile } from "./locator.js";

/** @param {any} parts What the host tells of it. */
export function makeRequest(parts, failure = "") {
  return {
    url: () => parts.url,
    method: () => parts.method,
    headers: () => ({ ...parts.headers }),
    postData: () => parts.postData ?? null,
    resourceType: () => parts.resourceType,
    failure: () => (failure === "" ? null : { errorText: failure }),
  };
}

/** @param {any} parts */
export function makeResponse(parts) {
  const ask = (name) => act("response", parts.number, null, name, newList(), null);
  const body = () => ask("body");
  const text = async () => decodeText(await body());
  return {
    url: () => parts.url,
    status: () => parts.status,
    statusText: () => parts.statusText,
    ok: () => parts.status === 0 || (parts.status >= 200 && parts.status <= 299),
    headers: () => ({ ...parts.headers }),
    headerValue: async (name) => parts.headers[StringPrototypeToLowerCase("" + name)] ?? null,
    allHeaders: () => ask("allHeaders"),
    request: () => makeRequest(parts.request),
    body,
    text,
    json: async () => JSONParse(await text()),
  };
}

export const makeMessage = (type, text, location) => ({
  type: () => type, text: () => text, location: () => ({ ...location }),
});

export function makeDialog(number, type, message, defaultValue) {
  return {
    type: () => type,
    message: () => message,
    defaultValue: () => defaultValue,
    accept: (text = undefined) => act("dialog", number, null, "accept", text === undefined ? newList() : one(text), null),
    dismiss: () => act("dialog", number, null, "dismiss", newList(), null),
  };
}

export function makeDownload(number, url, suggestedFilename) {
  const bytes = () => act("download", number, null, "bytes", newList(), null);
  return {
    url: () => url,
    suggestedFilename: () => suggestedFilename,
    bytes,
    saveAs: async (path) => {
      await writeFile(path, await bytes());
    },
    cancel: () => act("download", number, null, "cancel", newList(), null),
  };
}

/** A request that waits for what the program says of it. @param {number} number @param {any} parts */
export function makeRoute(number, parts) {
  const decide = (name, args, options) => act("route", number, null, name, args, options);
  const goOn = (name) => (options = undefined) => decide(name, newList(), cleaned(options, "route." + name));
  return {
    request: () => makeRequest(parts),
    abort: (reason = undefined) => decide("abort", reason === undefined ? newList() : one(reason), null),
    continue: goOn("continue"),
    fallback: goOn("fallback"),
    fulfill: async (options = undefined) => {
      const taken = cleaned(options, "route.fulfill") ?? { __proto__: null };
      if (taken.json !== undefined) {
        taken.body = JSONStringify(taken.json);
        taken.contentType ??= "application/json";
        delete taken.json;
      }
      if (taken.path !== undefined) {
        taken.body = await readFile(taken.path);
        delete taken.path;
      }
      if (typeof taken.body === "string") taken.body = utf8Encode(taken.body);
      return await decide("fulfill", newList(), taken);
    },
  };
}

// --- which URLs are meant ---

const special = /[.+^$()|[\]\\?]/;
const origin = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/]*/;

/** A glob as a regular expression: `*` within a segment, `**` over several, `{a,b}`. @param {string} glob */
function expressionOf(glob) {
  let text = "^";
  let isGroup = false;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i];
    if (char === "*") {
      let stars = 1;
      for (; glob[i + 1] === "*"; i++) stars++;
      if (stars === 1) {
        text += "[^/]*";
      } else if (glob[i + 1] === "/" && (i - stars < 0 || glob[i - stars] === "/")) {
        text += "(?:.*/)?";
        i++;
      } else {
        text += ".*";
      }
    } else if (char === "{" || char === "}") {
      isGroup = char === "{";
      text += isGroup ? "(?:" : ")";
    } else if (char === "," && isGroup) {
      text += "|";
    } else {
      text += RegExpPrototypeExec(special, char) === null ? char : "\\" + char;
    }
  }
  return new RegExp(text + "$");
}

/**
 * What says whether a URL is meant.
 * @param {any} pattern A glob, a path, a regular expression, or a function of a URL.
 * @returns {(url: string, thing: any) => boolean}
 */
export function matcherOf(pattern, where) {
  if (typeof pattern === "function") {
    return (url, thing) => {
      const answer = pattern(thing);
      if (answer !== null && typeof answer === "object" && typeof answer.then === "function") {
        throw new TypeError(where + ": the predicate must answer at once, without a promise");
      }
      return !!answer;
    };
  }
  if (classOf(pattern) === "RegExp") {
    const expression = new RegExp(pattern);
    return (url) => {
      expression.lastIndex = 0;
      return RegExpPrototypeExec(expression, url) !== null;
    };
  }
  if (typeof pattern !== "string") throw new TypeError(where + ": it needs a string, a regular expression or a function");
  const expression = expressionOf(pattern);
  const isPath = pattern[0] === "/";
  return (url) => {
    const from = isPath ? RegExpPrototypeExec(origin, url) : null;
    const text = from === null ? url : StringPrototypeSlice(url, from[0].length);
    return RegExpPrototypeExec(expression, text) !== null;
  };
}
