/** URLs that stand for blobs, for as long as the program wants (File API, section 8). */

import { isBlob } from "./blob.js";
import { ownOrigin } from "./location.js";
import {
  isObject, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, Object, StringPrototypeIndexOf,
  StringPrototypeSlice, TypeError,
} from "./primordials.js";
import { randomUUID } from "./random.js";
import { URL } from "./url.js";
import { DOMString, execute, requireArguments } from "./webidl.js";

/** @type {Map<string, Blob>} */
const blobs = new Map();

/** @param {string} url Its fragment does not count. @returns {Blob | undefined} */
export function blobOfURL(url) {
  const hash = StringPrototypeIndexOf(url, "#");
  return MapPrototypeGet(blobs, hash < 0 ? url : StringPrototypeSlice(url, 0, hash));
}

Object.assign(URL, {
  createObjectURL(obj) {
    const where = execute("createObjectURL", "URL");
    requireArguments(arguments.length, 1, where);
    if (!isObject(obj) || !isBlob(obj)) throw new TypeError(where + ": parameter 1 is not of type 'Blob'.");
    const url = "blob:" + ownOrigin() + "/" + randomUUID();
    MapPrototypeSet(blobs, url, obj);
    return url;
  },
  revokeObjectURL(url) {
    const where = execute("revokeObjectURL", "URL");
    requireArguments(arguments.length, 1, where);
    MapPrototypeDelete(blobs, DOMString(url, where));
  },
});
