/** The interfaces of this folder, as globals. */

import { exposeInterface } from "../webidl.js";
import { readableTraits, ReadableStream } from "./readable.js";
import {
  byobRequestTraits, byteControllerTraits, ReadableByteStreamController, ReadableStreamBYOBRequest,
} from "./readable_byte_classes.js";
import { defaultControllerTraits, ReadableStreamDefaultController } from "./readable_default.js";
import {
  byobReaderTraits, defaultReaderTraits, ReadableStreamBYOBReader, ReadableStreamDefaultReader,
} from "./readers.js";
import { byteLengthTraits, ByteLengthQueuingStrategy, CountQueuingStrategy, countTraits } from "./strategies.js";
import { TextDecoderStream, textDecoderStreamTraits, TextEncoderStream, textEncoderStreamTraits } from "./text.js";
import { readableTransfer, transformTransfer, writableTransfer } from "./transfer.js";
import {
  transformControllerTraits, TransformStream, TransformStreamDefaultController, transformTraits,
} from "./transform.js";
import {
  writableControllerTraits, WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
  writableTraits, writerTraits,
} from "./writable.js";

export function exposeStreams() {
  exposeInterface(ReadableStream, { ...readableTraits, ...readableTransfer });
  exposeInterface(ReadableStreamDefaultReader, defaultReaderTraits);
  exposeInterface(ReadableStreamBYOBReader, byobReaderTraits);
  exposeInterface(ReadableStreamDefaultController, defaultControllerTraits);
  exposeInterface(ReadableByteStreamController, byteControllerTraits);
  exposeInterface(ReadableStreamBYOBRequest, byobRequestTraits);
  exposeInterface(WritableStream, { ...writableTraits, ...writableTransfer });
  exposeInterface(WritableStreamDefaultWriter, writerTraits);
  exposeInterface(WritableStreamDefaultController, writableControllerTraits);
  exposeInterface(TransformStream, { ...transformTraits, ...transformTransfer });
  exposeInterface(TransformStreamDefaultController, transformControllerTraits);
  exposeInterface(ByteLengthQueuingStrategy, byteLengthTraits);
  exposeInterface(CountQueuingStrategy, countTraits);
  exposeInterface(TextEncoderStream, textEncoderStreamTraits);
  exposeInterface(TextDecoderStream, textDecoderStreamTraits);
}
