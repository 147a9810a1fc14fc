/**
 * URL Pattern: pieces of the components of URLs in their canonical form, by the URL parser. Each function gives undefined
 * when its text can be in no URL.
 */

import { urlParse, urlSet } from "sandbox:native";
import {
  RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
} from "../primordials.js";
import { part } from "../url.js";

/** Default ports by special scheme. */
const ports = { __proto__: null, ftp: "21", file: "", http: "80", https: "443", ws: "80", wss: "443" };
export const specialSchemes = Object.freeze(Object.keys(ports));
/** @param {string} scheme */
export const isSpecial = (scheme) => ports[scheme] !== undefined;
/** @param {string} scheme @param {string} port */
export const isDefaultPort = (scheme, port) => port !== "" && ports[scheme] === port;

const dummy = "https://dummy.invalid/";
const plainScheme = /^[a-z][a-z0-9+.-]*$/;
/** What is the same in paths, queries and fragments. */
const plain = /^[\w/-]*$/;
const isPlain = (text) => RegExpPrototypeExec(plain, text) !== null;

/** @typedef {(text: string) => string | undefined} Encode */

/** @type {Encode} */
export function protocol(text) {
  if (text === "" || RegExpPrototypeExec(plainScheme, text) !== null) return text;
  const parts = urlParse(text + "://dummy.invalid/");
  return parts === undefined ? undefined : StringPrototypeSlice(parts[part.protocol], 0, -1);
}

/** A component of the dummy after it was set. @param {string} which @param {string} text */
function set(which, text) {
  const parts = urlSet(dummy, which, text);
  return parts === undefined ? undefined : parts[part[which]];
}

/** @type {Encode} */
export const username = (text) => (text === "" ? text : set("username", text));
/** @type {Encode} */
export const password = (text) => (text === "" ? text : set("password", text));
/** @type {Encode} */
export const hostname = (text) => (text === "" ? text : set("hostname", text));

const ipv6 = /^[0-9A-Fa-f[\]:]*$/;
/** @type {Encode} */
export const ipv6Hostname = (text) => (
  RegExpPrototypeExec(ipv6, text) === null ? undefined : StringPrototypeToLowerCase(text)
);

const blank = /[\t\n\r]/;
const leadingDigits = /^0*([0-9]*)/;
/** @param {string} text @param {string} [scheme] Whose default port is the empty one. @returns {string | undefined} */
export function port(text, scheme = "") {
  let digits = "";
  for (let i = 0; i < text.length; i++) if (RegExpPrototypeExec(blank, text[i]) === null) digits += text[i];
  if (digits === "") return digits;
  const found = RegExpPrototypeExec(leadingDigits, digits);
  if (found[0] === "") return undefined;
  const number = found[1] === "" ? "0" : found[1];
  if (number.length > 5 || +number > 65535) return undefined;
  return isDefaultPort(scheme, number) ? "" : number;
}

/** All but the first characters. @param {string | undefined} text @param {number} count */
const without = (text, count) => (text === undefined ? undefined : StringPrototypeSlice(text, count));

/** @type {Encode} */
export function pathname(text) {
  if (isPlain(text)) return text;
  // The parser puts a slash before it and resolves dots: neither must happen at the beginning of a piece.
  return text[0] === "/" ? set("pathname", text) : without(set("pathname", "/-" + text), 2);
}

/** @type {Encode} */
export function opaquePathname(text) {
  if (isPlain(text)) return text;
  // Characters around it keep it opaque, and its spaces where they are.
  const ends = StringPrototypeIndexOf(text, "?") >= 0 || StringPrototypeIndexOf(text, "#") >= 0;
  const parts = urlParse("data:-" + text + "-");
  return parts === undefined ? undefined : StringPrototypeSlice(parts[part.pathname], 1, ends ? undefined : -1);
}

/** @type {Encode} */
export const search = (text) => (isPlain(text) ? text : without(set("search", "?" + text), 1));
/** @type {Encode} */
export const hash = (text) => (isPlain(text) ? text : without(set("hash", "#" + text), 1));
