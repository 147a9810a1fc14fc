/**
 * Bodies of requests and responses (Fetch, section 5.3).
 *
 * A body made of bytes becomes a stream only when a program asks for one: reading it otherwise costs neither a stream
 * nor a copy, and clones share the bytes.
 */

import { utf8Encode } from "sandbox:native";
import { addPart, DataBuilder, dataOf, finishData, joinData, loadData } from "./blob_data.js";
import { blobData, blobType, decodeText, isBlob, isBufferSource, makeBlob } from "./blob.js";
import {
  cancelStream, createByteStream, errorStream, disturbStream, isReadableStream, isStreamDisturbed, isStreamLocked, passThrough,
  readStream, teeStream,
} from "./body_stream.js";
import { bytesOf } from "./encoding.js";
import { formEntries, isFormData, makeFormData } from "./form_data.js";
import { getHeader } from "./header_list.js";
import { extractMimeType, serializeMimeType } from "./mime_type.js";
import { encodeMultipart, parseMultipart } from "./multipart.js";
import {
  ArrayBufferPrototypeGetByteLength, isObject, JSONParse, MapPrototypeGet, ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor, Promise, ReflectOwnKeys, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypeError,
} from "./primordials.js";
import { paramsTraits, parseForm, serializeParams } from "./url.js";
import { execute, USVString } from "./webidl.js";

/**
 * @typedef {object} Body
 * @property {import("./blob_data.js").BlobData | null} source The bytes; null when a stream of the program gives them.
 * @property {ReadableStream | undefined} stream Undefined until it is asked for.
 * @property {boolean} used Whether it was read without a stream.
 * @property {{ error: any } | undefined} failure Why there are no bytes any more.
 */

/** Longer bodies cross to the host in chunks, which can be given once. */
export const wholeBytes = 4194304;

/** @param {import("./blob_data.js").BlobData} source @returns {Body} */
export const bodyOfData = (source) => ({
  __proto__: null, source, stream: undefined, used: false, failure: undefined,
});
/** @param {ReadableStream} stream @returns {Body} */
export const bodyOfStream = (stream) => ({
  __proto__: null, source: null, stream, used: false, failure: undefined,
});

/** Convert to BodyInit, but for null: one of its classes as it is, anything else as text. */
export function bodyInit(value, where) {
  if (isObject(value)) {
    if (isReadableStream(value) || isBlob(value) || isBufferSource(value) || isFormData(value)) return value;
    if (paramsTraits.brand(value)) return value;
  }
  return USVString(value, where);
}
/** @type {import("./webidl.js").Converter} */
export const nullableBodyInit = (value, where) => (
  value === null || value === undefined ? null : bodyInit(value, where)
);

/**
 * Make a body.
 * @param {any} value What `bodyInit` gave.
 * @param {string} where
 * @returns {{ body: Body, type: string | null }} `type`: for a header, if there is none.
 */
export function extractBody(value, where) {
  let type = null;
  let source;
  if (typeof value === "string") {
    source = dataOf(utf8Encode(value));
    type = "text/plain;charset=UTF-8";
  } else if (isReadableStream(value)) {
    if (isStreamDisturbed(value) || isStreamLocked(value)) {
      throw new TypeError(where + ": Response body object should not be disturbed or locked");
    }
    return { __proto__: null, body: bodyOfStream(value), type };
  } else if (isBlob(value)) {
    source = blobData(value);
    if (blobType(value) !== "") type = blobType(value);
  } else if (isFormData(value)) {
    const { data, boundary } = encodeMultipart(formEntries(value));
    source = data;
    type = "multipart/form-data; boundary=" + boundary;
  } else if (paramsTraits.brand(value)) {
    source = dataOf(utf8Encode(serializeParams(value)));
    type = "application/x-www-form-urlencoded;charset=UTF-8";
  } else {
    const builder = new DataBuilder();
    addPart(builder, bytesOf(value, where));
    source = finishData(builder);
  }
  return { __proto__: null, body: bodyOfData(source), type };
}

/** @param {Body} body @returns {ReadableStream} */
export function streamOf(body) {
  if (body.stream === undefined) {
    body.stream = createByteStream(body.source);
    if (body.used) disturbStream(body.stream);
  }
  return body.stream;
}

/** @param {Body} body Whether anything was read of it. */
export const isUsed = (body) => (body.stream === undefined ? body.used : isStreamDisturbed(body.stream));
/** @param {Body} body */
export const isUnusable = (body) => isUsed(body) || (body.stream !== undefined && isStreamLocked(body.stream));

/** @param {Body} body One that can be used. @returns {Body} */
export function cloneBody(body) {
  if (body.stream === undefined) return bodyOfData(body.source);
  const branches = teeStream(body.stream);
  body.stream = branches[0];
  return { __proto__: null, source: body.source, stream: branches[1], used: false, failure: body.failure };
}

/** Give the contents to another body; this one counts as read. @param {Body} body Can be used. @returns {Body} */
export function takeBody(body) {
  if (body.source === null) return bodyOfStream(passThrough(body.stream));
  body.used = true;
  if (body.stream !== undefined) disturbStream(body.stream);
  return bodyOfData(body.source);
}

/** Have a body of bytes fail, if nobody has read it. @param {Body} body @param {any} error */
export function failBody(body, error) {
  if (body.used || body.source.size === 0) return;
  body.failure = { __proto__: null, error };
  errorStream(streamOf(body), error);
}

/** Tell the program's stream that nobody will read it. @param {Body} body @param {any} reason */
export function cancelBody(body, reason) {
  body.used = true;
  if (body.stream !== undefined && !isStreamLocked(body.stream)) cancelStream(body.stream, reason);
}

/**
 * Read all of a body.
 * @param {Body} body One that can be used.
 * @param {(data: import("./blob_data.js").BlobData, fresh: boolean) => void} done `fresh`: nobody else has the bytes.
 * @param {(error: any) => void} failed
 */
export function readBody(body, done, failed) {
  if (body.stream === undefined) {
    body.used = true;
    loadData(body.source, (data) => done(data, false), failed);
  } else {
    readStream(body.stream, (bytes) => done(dataOf(bytes), true), failed);
  }
}

/** All bytes in a buffer that nobody else has. */
function ownBytes(data, fresh) {
  if (!fresh || data.pieces.length !== 1) return joinData(data);
  const bytes = data.pieces[0];
  const isWhole = ArrayBufferPrototypeGetByteLength(TypedArrayPrototypeGetBuffer(bytes))
    === TypedArrayPrototypeGetByteLength(bytes);
  return isWhole ? bytes : joinData(data);
}

/** @param {import("./mime_type.js").MimeType | null} type @param {Uint8Array} bytes Theirs from now on. */
function readForm(type, bytes, where) {
  if (type?.essence === "multipart/form-data") {
    const boundary = MapPrototypeGet(type.parameters, "boundary");
    const entries = boundary === undefined ? undefined : parseMultipart(bytes, boundary);
    if (entries === undefined) throw new TypeError(where + ": The body is not multipart/form-data of its boundary.");
    return makeFormData(entries);
  }
  if (type?.essence === "application/x-www-form-urlencoded") return makeFormData(parseForm(bytes));
  const known = "multipart/form-data nor application/x-www-form-urlencoded";
  throw new TypeError(where + ": The Content-Type is neither " + known + ".");
}

const typeOf = (headers) => extractMimeType(getHeader(headers, "content-type"));

const readers = {
  __proto__: null,
  arrayBuffer: (data, fresh) => TypedArrayPrototypeGetBuffer(ownBytes(data, fresh)),
  blob: (data, fresh, headers) => {
    const type = typeOf(headers);
    return makeBlob(data, type === null ? "" : serializeMimeType(type));
  },
  bytes: ownBytes,
  formData: (data, fresh, headers, where) => readForm(typeOf(headers), ownBytes(data, fresh), where),
  json: (data) => JSONParse(decodeText(joinData(data))),
  text: (data) => decodeText(joinData(data)),
};

/**
 * Give an interface the members of the mixin Body.
 * @param {Function} constructor
 * @param {(self: any) => { body: Body | null, headers: import("./header_list.js").HeaderList }} stateOf Throws when
 *   `self` has not the brand.
 */
export function includeBody(constructor, stateOf) {
  const { name, prototype } = constructor;
  const consume = (self, how) => new Promise((resolve, reject) => {
    const { body, headers } = stateOf(self);
    const where = execute(how, name);
    const done = (data, fresh) => {
      try {
        resolve(readers[how](data, fresh, headers, where));
      } catch (error) {
        reject(error);
      }
    };
    if (body === null) done(noBytes, false);
    else if (body.failure !== undefined) reject(body.failure.error);
    else if (isUnusable(body)) reject(new TypeError(where + ": Body is unusable: Body has already been read"));
    else readBody(body, done, reject);
  });
  const members = {
    get body() {
      const { body } = stateOf(this);
      return body === null ? null : streamOf(body);
    },
    get bodyUsed() {
      const { body } = stateOf(this);
      return body !== null && isUsed(body);
    },
    arrayBuffer() { return consume(this, "arrayBuffer"); },
    blob() { return consume(this, "blob"); },
    bytes() { return consume(this, "bytes"); },
    formData() { return consume(this, "formData"); },
    json() { return consume(this, "json"); },
    text() { return consume(this, "text"); },
  };
  for (const key of ReflectOwnKeys(members)) {
    ObjectDefineProperty(prototype, key, ObjectGetOwnPropertyDescriptor(members, key));
  }
}
const noBytes = finishData(new DataBuilder());
