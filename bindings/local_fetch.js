/** What fetch answers without a network (Fetch, section 4.2): URLs that carry or name their own contents. */

import { dataOf, sliceData } from "./blob_data.js";
import { blobData, blobType } from "./blob.js";
import { bodyOfData } from "./body.js";
import { processDataURL } from "./data_url.js";
import { appendHeader, getHeader } from "./header_list.js";
import {
  MathMax, MathMin, NumberPrototypeToString, parseInt, RegExpPrototypeExec, StringPrototypeSlice, TypeError,
} from "./primordials.js";
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

const singleRange = /^bytes[\t ]*=[\t ]*([0-9]*)[\t ]*-[\t ]*([0-9]*)$/;

/** A response with a blob, or a part of it (scheme fetch, "blob"). @param {string | null} range The header of that name. */
function respondBlob(url, blob, range) {
  const data = blobData(blob);
  const full = data.size;
  const state = newResponseState();
  state.type = "basic";
  state.url = url;
  state.statusText = "OK";
  let start = 0;
  let end = full; // exclusive
  if (range !== null) {
    const found = RegExpPrototypeExec(singleRange, range);
    if (found === null || (found[1] === "" && found[2] === "")) throw unsatisfiable();
    if (found[1] === "") {
      start = MathMax(full - parseInt(found[2], 10), 0);
    } else {
      start = parseInt(found[1], 10);
      if (found[2] !== "") end = MathMin(parseInt(found[2], 10) + 1, full);
    }
    if (start >= full || end <= start) throw unsatisfiable();
    state.status = 206;
    state.statusText = "Partial Content";
  }
  appendHeader(state.headers, "Content-Length", NumberPrototypeToString(end - start));
  appendHeader(state.headers, "Content-Type", blobType(blob));
  if (range !== null) {
    const last = NumberPrototypeToString(end - 1);
    const text = "bytes " + NumberPrototypeToString(start) + "-" + last + "/" + NumberPrototypeToString(full);
    appendHeader(state.headers, "Content-Range", text);
  }
  state.body = bodyOfData(range === null ? data : sliceData(data, start, end));
  return makeResponse(state, "immutable");
}
const unsatisfiable = () => new TypeError("fetch failed: the blob has no such range");

/**
 * Answer a request whose URL says all of the answer.
 * @param {import("./request.js").RequestState} request
 * @param {string} scheme Of its URL, with the colon.
 * @returns {Response}
 * @throws {TypeError} There is no answer.
 */
export function localResponse({ method, url: href, fragment, headers, blob }, scheme) {
  const url = StringPrototypeSlice(href, 0, href.length - fragment);
  if (scheme !== "data:" && scheme !== "blob:" && scheme !== "about:") {
    throw new TypeError("fetch failed: unknown scheme");
  }
  if (scheme === "data:") {
    const content = processDataURL(url);
    if (content === null) throw new TypeError("fetch failed: the data: URL is malformed");
    return respond(url, dataOf(content.bytes), content.type, method);
  }
  if (scheme === "blob:") {
    if (blob === undefined || method !== "GET") throw new TypeError("fetch failed: the blob: URL names no blob");
    return respondBlob(url, blob, getHeader(headers, "range"));
  }
  throw new TypeError("fetch failed: there is no such page");
}
