/** The URLs of modules: what `import.meta` says. */

import {
  encodeURI, RegExp, RegExpPrototypeExec, StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeStartsWith,
  StringPrototypeToWellFormed,
} from "./primordials.js";

const scheme = new RegExp("^[A-Za-z][A-Za-z0-9+.-]*:");

/** @param {string} path @returns {boolean} Whether it is a URL, and no path in the guest. */
export const isURL = (path) => RegExpPrototypeExec(scheme, path) !== null;

/** @param {string} path @returns {string} The directory that holds it, without a closing slash. */
export function directoryOf(path) {
  const slash = StringPrototypeLastIndexOf(path, "/");
  return slash > 0 ? StringPrototypeSlice(path, 0, slash) : "/";
}

/** @param {string} path A path in the guest or a URL. @returns {string} */
export function urlOf(path) {
  if (isURL(path)) return path;
  let url = StringPrototypeStartsWith(path, "/") ? "file://" : "file:///";
  const text = encodeURI(StringPrototypeToWellFormed(path));
  for (let i = 0; i < text.length; i++) url += text[i] === "?" ? "%3F" : text[i] === "#" ? "%23" : text[i];
  return url;
}
