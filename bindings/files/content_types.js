/** Types of files by the extensions of their names. */

import { StringPrototypeLastIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase } from "../primordials.js";

const types = {
  __proto__: null,
  avif: "image/avif", bmp: "image/bmp", css: "text/css", csv: "text/csv", gif: "image/gif", gz: "application/gzip",
  htm: "text/html", html: "text/html", ico: "image/x-icon", jpeg: "image/jpeg", jpg: "image/jpeg",
  js: "text/javascript", json: "application/json", map: "application/json", md: "text/markdown",
  mjs: "text/javascript", mp3: "audio/mpeg", mp4: "video/mp4", oga: "audio/ogg", ogv: "video/ogg", otf: "font/otf",
  pdf: "application/pdf", png: "image/png", svg: "image/svg+xml", tar: "application/x-tar", tif: "image/tiff",
  tiff: "image/tiff", toml: "application/toml", tsv: "text/tab-separated-values", ttf: "font/ttf", txt: "text/plain",
  wasm: "application/wasm", wav: "audio/wav", weba: "audio/webm", webm: "video/webm", webp: "image/webp",
  woff: "font/woff", woff2: "font/woff2", xhtml: "application/xhtml+xml", xml: "application/xml",
  yaml: "application/yaml", yml: "application/yaml", zip: "application/zip",
};

/** @param {string} name @returns {string} Empty where the name does not tell. */
export function contentType(name) {
  const dot = StringPrototypeLastIndexOf(name, ".");
  return dot < 0 ? "" : types[StringPrototypeToLowerCase(StringPrototypeSlice(name, dot + 1))] ?? "";
}
