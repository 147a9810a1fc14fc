/** The base of relative URLs: a sandbox has no address, but a program may say one by a global `location`. */

import { urlCanParse, urlParse } from "sandbox:native";
import { dataProperty } from "./descriptors.js";
import { global, isObject } from "./primordials.js";
import { hrefOf, part, urlTraits } from "./url.js";

/** `location`, or its `href`, if that is there without running any code. @returns {string | undefined} */
function base() {
  const location = dataProperty(global, "location");
  if (typeof location === "string") return location;
  if (!isObject(location)) return undefined;
  const href = urlTraits.brand(location) ? hrefOf(location) : dataProperty(location, "href");
  return typeof href === "string" ? href : undefined;
}

/**
 * Parse a URL that may be relative to where the program says it is.
 * @param {string} url
 * @returns {string[] | undefined} Its components; undefined when it is invalid.
 */
export function parseURL(url) {
  const at = base();
  return at === undefined || !urlCanParse(at) ? urlParse(url) : urlParse(url, at);
}

/** The origin of the program's own address. */
export function ownOrigin() {
  const at = base();
  const parts = at === undefined ? undefined : urlParse(at);
  return parts === undefined ? "null" : parts[part.origin];
}
