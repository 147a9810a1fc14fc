/** What fetch answers without a network (Fetch, section 4.2): URLs that carry or name their own contents. */

import { dataOf, noData } from "./blob_data.js";
import { blobData, blobType } from "./blob.js";
import { bodyOfData } from "./body.js";
import { processDataURL } from "./data_url.js";
import { appendHeader } from "./header_list.js";
import { StringPrototypeSlice, TypeError } from "./primordials.js";
import { makeResponse, newResponseState } from "./response.js";

/** @param {string} url Without a fragment. @param {string} type Empty: there is no such header. */
function respond(url, data, type, method) {
  const state = newResponseState();
  state.type = "basic";
  state.url = url;
  state.statusText = "OK";
  if (type !== "") appendHeader(state.headers, "Content-Type", type);
  state.body = method === "HEAD" ? null : bodyOfData(data);
  return makeResponse(state, "immutable");
}

/**
 * Answer a request whose URL says all of the answer.
 * @param {import("./request.js").RequestState} request
 * @param {string} scheme Of its URL, with the colon.
 * @returns {Response}
 * @throws {TypeError} There is no answer.
 */
export function localResponse({ method, url: href, fragment, integrity, blob }, scheme) {
  const url = StringPrototypeSlice(href, 0, href.length - fragment);
  if (scheme !== "data:" && scheme !== "blob:" && scheme !== "about:") {
    throw new TypeError("fetch failed: unknown scheme");
  }
  if (integrity !== "") throw new TypeError("fetch failed: integrity cannot be checked here");
  if (scheme === "data:") {
    const content = processDataURL(url);
    if (content === null) throw new TypeError("fetch failed: the data: URL is malformed");
    return respond(url, dataOf(content.bytes), content.type, method);
  }
  if (scheme === "blob:") {
    if (blob === undefined || method !== "GET") throw new TypeError("fetch failed: the blob: URL names no blob");
    return respond(url, blobData(blob), blobType(blob), method);
  }
  if (url !== "about:blank") throw new TypeError("fetch failed: there is no such page");
  return respond(url, noData, "text/html;charset=utf-8", method);
}
