/** TextEncoderStream and TextDecoderStream. */

import { utf8Encode } from "sandbox:native";
import { TextDecoder } from "../encoding.js";
import {
  ObjectGetOwnPropertyDescriptor, ReflectApply, StringPrototypeCharCodeAt, StringPrototypeSlice, TypeError,
} from "../primordials.js";
import { DOMString } from "../webidl.js";
import { pairOf, setUpTransform } from "./internal.js";
import { Brand } from "./records.js";

/** @type {Brand<import("./transform_state.js").TransformState>} */
const encoders = new Brand();
/** @type {Brand<{ pair: import("./transform_state.js").TransformState, decoder: TextDecoder }>} */
const decoders = new Brand();

const isHighSurrogate = (unit) => (unit & 0xfc00) === 0xd800;

export class TextEncoderStream {
  constructor() {
    /** The first half of a pair of surrogates, whose second half the next chunk may begin with. */
    let high = "";
    encoders.stamp(this, setUpTransform({
      transform(chunk, stream) {
        let text = DOMString(chunk, "TextEncoderStream");
        if (high !== "") text = high + text;
        high = "";
        const { length } = text;
        if (length > 0 && isHighSurrogate(StringPrototypeCharCodeAt(text, length - 1))) {
          high = StringPrototypeSlice(text, length - 1);
          text = StringPrototypeSlice(text, 0, length - 1);
        }
        if (text !== "") stream.enqueue(utf8Encode(text));
      },
      flush(stream) {
        if (high !== "") stream.enqueue(utf8Encode(high));
      },
    }));
  }
  get encoding() {
    encoders.require(this);
    return "utf-8";
  }
  get readable() {
    return pairOf(encoders.require(this)).readable;
  }
  get writable() {
    return pairOf(encoders.require(this)).writable;
  }
}

const { prototype } = TextDecoder;
const { decode } = prototype;
const getter = (key) => ObjectGetOwnPropertyDescriptor(prototype, key).get;
const getEncoding = getter("encoding");
const getFatal = getter("fatal");
const getIgnoreBOM = getter("ignoreBOM");
const more = { __proto__: null, stream: true };

export class TextDecoderStream {
  constructor(label = "utf-8", options = undefined) {
    const decoder = new TextDecoder(label, options);
    const pair = setUpTransform({
      transform(chunk, stream) {
        if (chunk === undefined) throw new TypeError("TextDecoderStream: The chunk is not of type 'BufferSource'.");
        const text = ReflectApply(decode, decoder, [chunk, more]);
        if (text !== "") stream.enqueue(text);
      },
      flush(stream) {
        const text = ReflectApply(decode, decoder, []);
        if (text !== "") stream.enqueue(text);
      },
    });
    decoders.stamp(this, { pair, decoder });
  }
  get encoding() {
    return ReflectApply(getEncoding, decoders.require(this).decoder, []);
  }
  get fatal() {
    return ReflectApply(getFatal, decoders.require(this).decoder, []);
  }
  get ignoreBOM() {
    return ReflectApply(getIgnoreBOM, decoders.require(this).decoder, []);
  }
  get readable() {
    return pairOf(decoders.require(this).pair).readable;
  }
  get writable() {
    return pairOf(decoders.require(this).pair).writable;
  }
}

export const textEncoderStreamTraits = { brand: (value) => encoders.of(value) !== undefined };
export const textDecoderStreamTraits = { brand: (value) => decoders.of(value) !== undefined };
