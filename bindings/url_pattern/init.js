/** URL Pattern: components that are given one by one, with those of a base URL. */

import { urlParse } from "sandbox:native";
import {
  StringPrototypeEndsWith, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
} from "../primordials.js";
import { part } from "../url.js";
import { USVString } from "../webidl.js";
import * as canonical from "./canonical.js";
import { escapePattern } from "./parts.js";

/** @typedef {Record<string, string | undefined>} Init With the names of components, and `baseURL`. */

/** The components, in the order of a URL. */
export const names = Object.freeze([
  "protocol", "username", "password", "hostname", "port", "pathname", "search", "hash",
]);
/** Members of the dictionary URLPatternInit, in lexicographical order. */
export const members = ["baseURL", ...names].sort().map((key) => ({ key, convert: USVString }));

/** Components of a parsed URL without the characters that separate them. @param {string[]} parts @returns {Init} */
export const bare = (parts) => ({
  __proto__: null,
  protocol: StringPrototypeSlice(parts[part.protocol], 0, -1),
  username: parts[part.username],
  password: parts[part.password],
  hostname: parts[part.hostname],
  port: parts[part.port],
  pathname: parts[part.pathname],
  search: StringPrototypeSlice(parts[part.search], 1),
  hash: StringPrototypeSlice(parts[part.hash], 1),
});

/**
 * Take from a base URL what is less specific than all that is given.
 * @param {Init} result @param {Init} init @param {Init} base @param {boolean} isPattern
 */
function inherit(result, init, base, isPattern) {
  const inherited = (text) => (isPattern ? escapePattern(text) : text);
  let open = init.protocol === undefined;
  if (open) result.protocol = inherited(base.protocol);
  const noHost = open && init.hostname === undefined;
  const noPort = noHost && init.port === undefined;
  if (!isPattern && noPort && init.username === undefined) {
    result.username = base.username;
    if (init.password === undefined) result.password = base.password;
  }
  if (noHost) result.hostname = inherited(base.hostname);
  if (noPort) result.port = base.port;
  open = noPort && init.pathname === undefined;
  if (open) result.pathname = inherited(base.pathname);
  open &&= init.search === undefined;
  if (open) result.search = inherited(base.search);
  open &&= init.hash === undefined;
  if (open) result.hash = inherited(base.hash);
}

/** @param {string} path @param {boolean} isPattern */
function isAbsolute(path, isPattern) {
  if (StringPrototypeStartsWith(path, "/")) return true;
  return isPattern && (StringPrototypeStartsWith(path, "\\/") || StringPrototypeStartsWith(path, "{/"));
}

/**
 * Make components complete and, unless they are patterns, canonical.
 * @param {Init} init
 * @param {boolean} isPattern
 * @returns {Init | undefined} Undefined when one of them, or the base URL, is invalid.
 */
export function processInit(init, isPattern) {
  const result = { __proto__: null };
  if (!isPattern) for (let i = 0; i < names.length; i++) result[names[i]] = "";
  let base;
  if (init.baseURL !== undefined) {
    const parts = urlParse(init.baseURL);
    if (parts === undefined) return undefined;
    base = bare(parts);
    inherit(result, init, base, isPattern);
  }
  let valid = true;
  const set = (name, text, encode, more) => {
    const value = isPattern ? text : encode(text, more);
    valid &&= value !== undefined;
    result[name] = value;
  };
  if (init.protocol !== undefined) {
    const suffixed = StringPrototypeEndsWith(init.protocol, ":");
    set("protocol", suffixed ? StringPrototypeSlice(init.protocol, 0, -1) : init.protocol, canonical.protocol);
  }
  if (init.username !== undefined) set("username", init.username, canonical.username);
  if (init.password !== undefined) set("password", init.password, canonical.password);
  if (init.hostname !== undefined) set("hostname", init.hostname, canonical.hostname);
  const scheme = result.protocol ?? "";
  if (init.port !== undefined) set("port", init.port, canonical.port, scheme);
  if (init.pathname !== undefined) {
    let path = init.pathname;
    // A path that begins with no slash is opaque.
    if (base !== undefined && StringPrototypeStartsWith(base.pathname, "/") && !isAbsolute(path, isPattern)) {
      const basePath = isPattern ? escapePattern(base.pathname) : base.pathname;
      path = StringPrototypeSlice(basePath, 0, StringPrototypeLastIndexOf(basePath, "/") + 1) + path;
    }
    const hasSegments = scheme === "" || canonical.isSpecial(scheme);
    set("pathname", path, hasSegments ? canonical.pathname : canonical.opaquePathname);
  }
  if (init.search !== undefined) {
    const prefixed = StringPrototypeStartsWith(init.search, "?");
    set("search", prefixed ? StringPrototypeSlice(init.search, 1) : init.search, canonical.search);
  }
  if (init.hash !== undefined) {
    const prefixed = StringPrototypeStartsWith(init.hash, "#");
    set("hash", prefixed ? StringPrototypeSlice(init.hash, 1) : init.hash, canonical.hash);
  }
  return valid ? result : undefined;
}
