/**
 * fetch: what needs no network (Fetch, section 4.2).
 *
 * The network is a capability that this sandbox was not given; URLs that carry or name their own contents need none.
 */

import { abortReason, isAborted } from "./abort.js";
import { dataOf, noData } from "./blob_data.js";
import { blobData, blobType } from "./blob.js";
import { bodyOfData, cancelBody } from "./body.js";
import { processDataURL } from "./data_url.js";
import { appendHeader } from "./header_list.js";
import { Promise, StringPrototypeIndexOf, StringPrototypeSlice, TypeError } from "./primordials.js";
import { Request, requestSignal, requestState } from "./request.js";
import { makeResponse, newResponseState } from "./response.js";
import { execute, requireArguments } from "./webidl.js";

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
 * @returns {Response}
 * @throws {TypeError} There is no answer, or it needs a network.
 */
function answer({ method, url: href, fragment, integrity, blob }) {
  const url = StringPrototypeSlice(href, 0, href.length - fragment);
  const scheme = StringPrototypeSlice(url, 0, StringPrototypeIndexOf(url, ":"));
  if (scheme !== "data" && scheme !== "blob" && scheme !== "about") {
    throw new TypeError("fetch is not available: this sandbox was given no network");
  }
  if (integrity !== "") throw new TypeError("fetch failed: integrity cannot be checked here");
  if (scheme === "data") {
    const content = processDataURL(url);
    if (content === null) throw new TypeError("fetch failed: the data: URL is malformed");
    return respond(url, dataOf(content.bytes), content.type, method);
  }
  if (scheme === "blob") {
    if (blob === undefined || method !== "GET") throw new TypeError("fetch failed: the blob: URL names no blob");
    return respond(url, blobData(blob), blobType(blob), method);
  }
  if (url !== "about:blank") throw new TypeError("fetch failed: there is no such page");
  return respond(url, noData, "text/html;charset=utf-8", method);
}

export const operations = {
  fetch(input, init = undefined) {
    return new Promise((resolve, reject) => {
      requireArguments(arguments.length, 1, execute("fetch", "Window"));
      const request = new Request(input, init);
      const state = requestState(request);
      const signal = requestSignal(request);
      try {
        if (isAborted(signal)) throw abortReason(signal);
        resolve(answer(state));
      } catch (error) {
        if (state.body !== null) cancelBody(state.body, error);
        reject(error);
      }
    });
  },
};
