/** URLPattern. The patterns are parsed, compiled and compared in `url_pattern/`. */

import { urlParse } from "sandbox:native";
import {
  isObject, newList, ObjectDefineProperty, RegExpPrototypeExec, StringPrototypeStartsWith, toArray, TypeError,
} from "./primordials.js";
import * as canonical from "./url_pattern/canonical.js";
import {
  compile, hostnameOptions, isSpecialProtocol, pathnameOptions, plainOptions,
} from "./url_pattern/component.js";
import { parseConstructorString } from "./url_pattern/constructor_string.js";
import { bare, members, names, processInit } from "./url_pattern/init.js";
import { compareParts } from "./url_pattern/output.js";
import { invalid } from "./url_pattern/tokens.js";
import {
  boolean, construct, dictionary, enumeration, execute, requireArguments, requireBrand, USVString,
} from "./webidl.js";

const URLPatternInit = dictionary(members);
const URLPatternOptions = dictionary([{ key: "ignoreCase", convert: boolean, fallback: false }]);
const URLPatternComponent = enumeration("URLPatternComponent", [...names]);
/** Strings are patterns or URLs, everything else is a dictionary. */
const isInit = (value) => value === undefined || value === null || isObject(value);
const convertInput = (value, where) => (isInit(value) ? URLPatternInit(value, where) : USVString(value, where));

const isIPv6 = (pattern) => StringPrototypeStartsWith(pattern, "[") || StringPrototypeStartsWith(pattern, "{[")
  || StringPrototypeStartsWith(pattern, "\\[");

/**
 * @param {string | import("./url_pattern/init.js").Init} input
 * @param {string | undefined} baseURL
 * @param {boolean} ignoreCase
 * @returns {Record<string, import("./url_pattern/component.js").Component>}
 */
function create(input, baseURL, ignoreCase) {
  let init = input;
  if (typeof input === "string") {
    init = parseConstructorString(input);
    if (baseURL !== undefined) init.baseURL = baseURL;
    else if (init.protocol === undefined) throw invalid("A relative pattern must have a base URL.");
  } else if (baseURL !== undefined) {
    throw invalid("A base URL is given with a string only.");
  }
  const given = processInit(init, true);
  if (given === undefined) throw invalid("Invalid base URL.");
  for (let i = 0; i < names.length; i++) given[names[i]] ??= "*";
  if (canonical.isDefaultPort(given.protocol, given.port)) given.port = "";

  const protocol = compile(given.protocol, canonical.protocol, plainOptions, false);
  const hasSegments = isSpecialProtocol(protocol);
  const pathOptions = hasSegments ? pathnameOptions : plainOptions;
  const encodePath = hasSegments ? canonical.pathname : canonical.opaquePathname;
  const encodeHost = isIPv6(given.hostname) ? canonical.ipv6Hostname : canonical.hostname;
  return {
    __proto__: null,
    protocol,
    username: compile(given.username, canonical.username, plainOptions, false),
    password: compile(given.password, canonical.password, plainOptions, false),
    hostname: compile(given.hostname, encodeHost, hostnameOptions, false),
    port: compile(given.port, canonical.port, plainOptions, false),
    pathname: compile(given.pathname, encodePath, pathOptions, ignoreCase),
    search: compile(given.search, canonical.search, plainOptions, ignoreCase),
    hash: compile(given.hash, canonical.hash, plainOptions, ignoreCase),
  };
}

/** The components of what a pattern is put to. @returns {Record<string, string> | undefined} */
function componentsOf(input, baseURL, where) {
  if (typeof input === "string") {
    const parts = urlParse(input, baseURL);
    return parts === undefined ? undefined : bare(parts);
  }
  if (baseURL !== undefined) throw new TypeError(where + ": A base URL is given with a string only.");
  return processInit(input, false);
}

/** What `exec` tells of one component: ordinary objects of the program's. */
function resultOf(component, input, found) {
  const groups = {};
  for (let i = 0; i < component.names.length; i++) {
    const attributes = { __proto__: null, value: found[i + 1], writable: true, enumerable: true, configurable: true };
    ObjectDefineProperty(groups, component.names[i], attributes);
  }
  return { input, groups };
}

/** An init as an ordinary object of the program's, with the members that were given. */
function initObject(init) {
  const result = {};
  for (let i = 0; i < members.length; i++) {
    const { key } = members[i];
    const attributes = { __proto__: null, value: init[key], writable: true, enumerable: true, configurable: true };
    if (init[key] !== undefined) ObjectDefineProperty(result, key, attributes);
  }
  return result;
}

let componentsOfPattern;
let isPattern;

export class URLPattern {
  #components;

  static {
    isPattern = (value) => #components in value;
    componentsOfPattern = (self) => {
      requireBrand(isObject(self) && #components in self);
      return self.#components;
    };
  }

  constructor(input = undefined, baseURL = undefined, options = undefined) {
    const where = construct("URLPattern");
    // Two overloads: (input, options) and (input, baseURL, options).
    const hasBase = arguments.length > 2 || (arguments.length === 2 && !isInit(baseURL));
    const pattern = convertInput(input, where);
    const base = hasBase ? USVString(baseURL, where) : undefined;
    const { ignoreCase } = URLPatternOptions(hasBase ? options : baseURL, where);
    this.#components = create(pattern, base, ignoreCase);
  }

  static compareComponent(component, left, right) {
    const where = execute("compareComponent", "URLPattern");
    requireArguments(arguments.length, 3, where);
    const name = URLPatternComponent(component, where);
    if (!isObject(left) || !isPattern(left) || !isObject(right) || !isPattern(right)) {
      throw new TypeError(where + ": parameters 2 and 3 must be of type 'URLPattern'.");
    }
    return compareParts(left.#components[name].parts, right.#components[name].parts);
  }

  test(input = undefined, baseURL = undefined) {
    requireBrand(#components in this);
    const where = execute("test", "URLPattern");
    const subject = convertInput(input, where);
    const base = baseURL === undefined ? undefined : USVString(baseURL, where);
    const given = componentsOf(subject, base, where);
    if (given === undefined) return false;
    for (let i = 0; i < names.length; i++) {
      if (RegExpPrototypeExec(this.#components[names[i]].regExp, given[names[i]]) === null) return false;
    }
    return true;
  }

  exec(input = undefined, baseURL = undefined) {
    requireBrand(#components in this);
    const where = execute("exec", "URLPattern");
    const subject = convertInput(input, where);
    const base = baseURL === undefined ? undefined : USVString(baseURL, where);
    const given = componentsOf(subject, base, where);
    if (given === undefined) return null;
    const found = newList();
    for (let i = 0; i < names.length; i++) {
      found[i] = RegExpPrototypeExec(this.#components[names[i]].regExp, given[names[i]]);
      if (found[i] === null) return null;
    }
    const inputs = newList();
    inputs[0] = typeof subject === "string" ? subject : initObject(subject);
    if (base !== undefined) inputs[1] = base;
    const result = { inputs: toArray(inputs) };
    for (let i = 0; i < names.length; i++) {
      const value = resultOf(this.#components[names[i]], given[names[i]], found[i]);
      const attributes = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
      ObjectDefineProperty(result, names[i], attributes);
    }
    return result;
  }

  get protocol() { return componentsOfPattern(this).protocol.pattern; }
  get username() { return componentsOfPattern(this).username.pattern; }
  get password() { return componentsOfPattern(this).password.pattern; }
  get hostname() { return componentsOfPattern(this).hostname.pattern; }
  get port() { return componentsOfPattern(this).port.pattern; }
  get pathname() { return componentsOfPattern(this).pathname.pattern; }
  get search() { return componentsOfPattern(this).search.pattern; }
  get hash() { return componentsOfPattern(this).hash.pattern; }

  get hasRegExpGroups() {
    const components = componentsOfPattern(this);
    for (let i = 0; i < names.length; i++) if (components[names[i]].hasGroups) return true;
    return false;
  }
}

export const traits = {
  brand: isPattern,
  inspect: (self) => {
    const components = componentsOfPattern(self);
    const entries = newList();
    for (let i = 0; i < names.length; i++) entries[i] = [names[i], components[names[i]].pattern];
    return { __proto__: null, entries };
  },
};
