/** Streams of bytes, as bodies and blobs need them. */

import { markHandled, whenSettled } from "sandbox:native";
import { chunksOf } from "./blob_data.js";
import { TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength } from "./primordials.js";
import {
  cancelStream as cancel, createReadableByteStream, pairOf, pipeTo, readAll, setUpTransform,
} from "./streams/internal.js";

export {
  isDisturbed as isStreamDisturbed, isLocked as isStreamLocked, isReadableStream, tee as teeStream,
} from "./streams/internal.js";

/**
 * A stream that copies the bytes chunk by chunk, as they are asked for.
 * @param {import("./blob_data.js").BlobData} data
 * @returns {ReadableStream}
 */
export function createByteStream(data) {
  const next = chunksOf(data);
  return createReadableByteStream({
    pull(controller) {
      const chunk = next();
      if (chunk !== undefined) {
        controller.enqueue(TypedArrayPrototypeGetBuffer(chunk), 0, TypedArrayPrototypeGetByteLength(chunk));
        return;
      }
      controller.close();
      if (controller.currentRequest() !== undefined) controller.respond(0); // who brought a buffer gets it back
    },
  });
}

/**
 * Read a stream to its end.
 * @param {ReadableStream} stream Not locked; it stays locked.
 * @param {(bytes: Uint8Array) => void} done
 * @param {(error: any) => void} failed
 */
export const readStream = (stream, done, failed) => { whenSettled(readAll(stream), done, failed); };

/** Have a stream that nobody needs be as after reading: locked and disturbed. @param {ReadableStream} stream */
export const disturbStream = (stream) => { markHandled(readAll(stream)); };

/** @param {ReadableStream} stream Not locked. @param {any} reason */
export const cancelStream = (stream, reason) => { markHandled(cancel(stream, reason)); };

/** A stream of what another one gives, which is locked by that. @param {ReadableStream} stream Not locked. */
export function passThrough(stream) {
  const pair = pairOf(setUpTransform({ transform(chunk, to) { to.enqueue(chunk); } }));
  markHandled(pipeTo(stream, pair.writable));
  return pair.readable;
}
