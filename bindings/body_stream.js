/** Streams of bytes, as bodies and blobs need them. */

import { classOf, markHandled, whenSettled } from "sandbox:native";
import { chunksLater, chunksOf, dataOf } from "./blob_data.js";
import {
  Promise, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength, TypeError,
} from "./primordials.js";
import {
  cancelStream as cancel, createReadableByteStream, createWritableStream, pairOf, pipeTo, readAll, setUpTransform,
} from "./streams/internal.js";

export {
  errorStream, isDisturbed as isStreamDisturbed, isLocked as isStreamLocked, isReadableStream, tee as teeStream,
} from "./streams/internal.js";

/**
 * A stream that copies the bytes chunk by chunk, as they are asked for.
 * @param {import("./blob_data.js").BlobData} data
 * @returns {ReadableStream}
 */
export function createByteStream(data) {
  if (data.isRemote) return createIncomingStream(chunksLater(data), () => {}).stream;
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

/**
 * A stream of bytes that come from elsewhere.
 * @param {(done: (bytes: Uint8Array | undefined, isLast: boolean) => void, failed: (error: any) => void) => void} next
 *   Asked once for each chunk, when somebody reads.
 * @param {() => void} cancelled Nobody will read on.
 * @returns {{ stream: ReadableStream, fail: (error: any) => void }}
 */
export function createIncomingStream(next, cancelled) {
  let source;
  const stream = createReadableByteStream({
    start(controller) { source = controller; },
    pull: (controller) => new Promise((resolve, reject) => {
      next((bytes, isLast) => {
        const length = bytes === undefined ? 0 : TypedArrayPrototypeGetByteLength(bytes);
        if (length > 0) controller.enqueue(TypedArrayPrototypeGetBuffer(bytes), 0, length);
        if (isLast) {
          controller.close();
          if (controller.currentRequest() !== undefined) controller.respond(0); // who brought a buffer gets it back
        }
        resolve();
      }, reject);
    }),
    cancel: cancelled,
  });
  return { __proto__: null, stream, fail: (error) => source.error(error) };
}

/**
 * Give the bytes of a stream away, chunk by chunk.
 * @param {ReadableStream} stream Not locked; it stays locked.
 * @param {(bytes: Uint8Array | null, done: () => void, failed: (error: any) => void) => void} give Gets each chunk, of a
 *   bounded size and nobody else's, when the one before is done; null at the end.
 * @param {(error: any) => void} failed The stream has failed, or a chunk is not of bytes.
 * @returns {(reason: any) => void} Stops it: the stream is cancelled.
 */
export function giveAway(stream, give, failed) {
  let sink;
  const target = createWritableStream({
    start(controller) { sink = controller; },
    write: (chunk) => new Promise((resolve, reject) => {
      if (classOf(chunk) !== "Uint8Array") throw new TypeError("Received non-Uint8Array chunk");
      const next = chunksOf(dataOf(chunk));
      const step = () => {
        try {
          const bytes = next();
          if (bytes === undefined) resolve();
          else give(bytes, step, reject);
        } catch (error) {
          reject(error);
        }
      };
      step();
    }),
    close: () => new Promise((resolve, reject) => give(null, resolve, reject)),
  });
  whenSettled(pipeTo(stream, target), () => {}, failed);
  return (reason) => sink.error(reason);
}
