/** ReadableByteStreamController and ReadableStreamBYOBRequest: the faces of readable_byte.js. */

import {
  ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached, ObjectCreate, TypedArrayPrototypeGetBuffer,
  TypeError,
} from "../primordials.js";
import { execute, integer, requireArguments } from "../webidl.js";
import { Brand } from "./records.js";
import { viewParts } from "./views.js";

/** @type {Brand<import("./readable_byte.js").ByteController>} */
const controllers = new Brand();
const requests = new Brand();
const byteCount = integer(64, false, "enforceRange");

export class ReadableByteStreamController {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  get byobRequest() {
    const request = controllers.require(this).currentRequest();
    return request === undefined ? null : requestObject(request);
  }

  get desiredSize() {
    return controllers.require(this).desiredSize();
  }

  close() {
    const controller = controllers.require(this);
    if (!controller.canEnqueue()) throw new TypeError(execute("close", name) + ": The stream takes no more chunks.");
    controller.close();
  }

  enqueue(chunk) {
    const controller = controllers.require(this);
    const where = execute("enqueue", name);
    requireArguments(arguments.length, 1, where);
    const { buffer, offset, byteLength } = viewParts(chunk, where);
    if (byteLength === 0) throw new TypeError(where + ": The chunk is empty.");
    if (ArrayBufferPrototypeGetByteLength(buffer) === 0) throw new TypeError(where + ": The chunk's buffer is empty.");
    if (!controller.canEnqueue()) throw new TypeError(where + ": The stream takes no more chunks.");
    controller.enqueue(buffer, offset, byteLength);
  }

  error(error = undefined) {
    controllers.require(this).error(error);
  }
}
const { name, prototype } = ReadableByteStreamController;

/** The controller as guest code knows it. @param {import("./readable_byte.js").ByteController} controller */
export const byteControllerObject = (controller) => {
  controller.object ??= controllers.stamp(ObjectCreate(prototype), controller);
  return controller.object;
};

/** @param {{ controller: object | undefined, view: Uint8Array | null }} request */
function requireValid(request, where) {
  if (request.controller === undefined) throw new TypeError(where + ": The request is no longer valid.");
  if (ArrayBufferPrototypeGetDetached(TypedArrayPrototypeGetBuffer(request.view))) {
    throw new TypeError(where + ": The buffer of the request's view is detached.");
  }
}

export class ReadableStreamBYOBRequest {
  constructor() {
    throw new TypeError("Illegal constructor");
  }

  get view() {
    return requests.require(this).view;
  }

  respond(bytesWritten) {
    const request = requests.require(this);
    const where = execute("respond", requestName);
    requireArguments(arguments.length, 1, where);
    const bytes = byteCount(bytesWritten, where);
    requireValid(request, where);
    request.controller.respond(bytes);
  }

  respondWithNewView(view) {
    const request = requests.require(this);
    const where = execute("respondWithNewView", requestName);
    requireArguments(arguments.length, 1, where);
    const { buffer, offset, byteLength } = viewParts(view, where);
    if (request.controller === undefined) throw new TypeError(where + ": The request is no longer valid.");
    if (ArrayBufferPrototypeGetDetached(buffer)) throw new TypeError(where + ": The view's buffer is detached.");
    request.controller.respondWithView(buffer, offset, byteLength);
  }
}
const { name: requestName, prototype: requestPrototype } = ReadableStreamBYOBRequest;

function requestObject(request) {
  request.object ??= requests.stamp(ObjectCreate(requestPrototype), request);
  return request.object;
}

export const byteControllerTraits = { brand: (value) => controllers.of(value) !== undefined };
export const byobRequestTraits = { brand: (value) => requests.of(value) !== undefined };
