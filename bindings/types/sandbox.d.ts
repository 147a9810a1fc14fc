/**
 * What programs in the sandbox find beyond ECMAScript.
 *
 * Use it in place of the `dom` and `node` libraries: `"lib": ["esnext"]` and this file. `Intl` and what `toLocaleString`
 * takes are declared by the former. They are there where the host has the data of locales: otherwise there is no global
 * `Intl`, and locales are ignored. There is the Gregorian calendar only, and no `Intl.DurationFormat`.
 */

/** The global object under the name that scripts for browsers and workers use. */
declare var self: typeof globalThis;

interface Navigator {
  /** The name of this engine, without a version. Nothing else is told of the machine. */
  readonly userAgent: string;
  readonly storage: StorageManager;
}
declare var Navigator: { readonly prototype: Navigator };
declare var navigator: Navigator;

/** A failure named by the web platform's table of names; `code` is the legacy number, 0 for newer names. */
interface DOMException extends Error {
  readonly name: string;
  readonly message: string;
  readonly code: number;
  readonly INDEX_SIZE_ERR: 1; readonly DOMSTRING_SIZE_ERR: 2; readonly HIERARCHY_REQUEST_ERR: 3;
  readonly WRONG_DOCUMENT_ERR: 4; readonly INVALID_CHARACTER_ERR: 5; readonly NO_DATA_ALLOWED_ERR: 6;
  readonly NO_MODIFICATION_ALLOWED_ERR: 7; readonly NOT_FOUND_ERR: 8; readonly NOT_SUPPORTED_ERR: 9;
  readonly INUSE_ATTRIBUTE_ERR: 10; readonly INVALID_STATE_ERR: 11; readonly SYNTAX_ERR: 12;
  readonly INVALID_MODIFICATION_ERR: 13; readonly NAMESPACE_ERR: 14; readonly INVALID_ACCESS_ERR: 15;
  readonly VALIDATION_ERR: 16; readonly TYPE_MISMATCH_ERR: 17; readonly SECURITY_ERR: 18;
  readonly NETWORK_ERR: 19; readonly ABORT_ERR: 20; readonly URL_MISMATCH_ERR: 21;
  readonly QUOTA_EXCEEDED_ERR: 22; readonly TIMEOUT_ERR: 23; readonly INVALID_NODE_TYPE_ERR: 24;
  readonly DATA_CLONE_ERR: 25;
}
declare var DOMException: {
  readonly prototype: DOMException;
  new (message?: string, name?: string): DOMException;
  readonly INDEX_SIZE_ERR: 1; readonly DOMSTRING_SIZE_ERR: 2; readonly HIERARCHY_REQUEST_ERR: 3;
  readonly WRONG_DOCUMENT_ERR: 4; readonly INVALID_CHARACTER_ERR: 5; readonly NO_DATA_ALLOWED_ERR: 6;
  readonly NO_MODIFICATION_ALLOWED_ERR: 7; readonly NOT_FOUND_ERR: 8; readonly NOT_SUPPORTED_ERR: 9;
  readonly INUSE_ATTRIBUTE_ERR: 10; readonly INVALID_STATE_ERR: 11; readonly SYNTAX_ERR: 12;
  readonly INVALID_MODIFICATION_ERR: 13; readonly NAMESPACE_ERR: 14; readonly INVALID_ACCESS_ERR: 15;
  readonly VALIDATION_ERR: 16; readonly TYPE_MISMATCH_ERR: 17; readonly SECURITY_ERR: 18;
  readonly NETWORK_ERR: 19; readonly ABORT_ERR: 20; readonly URL_MISMATCH_ERR: 21;
  readonly QUOTA_EXCEEDED_ERR: 22; readonly TIMEOUT_ERR: 23; readonly INVALID_NODE_TYPE_ERR: 24;
  readonly DATA_CLONE_ERR: 25;
};

/** Each call makes one entry, which the host receives as data. */
interface Console {
  log(...data: unknown[]): void;
  info(...data: unknown[]): void;
  warn(...data: unknown[]): void;
  error(...data: unknown[]): void;
  debug(...data: unknown[]): void;
  /** Like `log`, with the stack of the caller. */
  trace(...data: unknown[]): void;
  /** Show one value; `depth` is the number of nested levels, 2 unless given, all of them when null. */
  dir(item?: unknown, options?: { depth?: number | null }): void;
  dirxml(...data: unknown[]): void;
  /** Show rows as a table; `properties` chooses and orders the columns. */
  table(tabularData?: unknown, properties?: Iterable<string>): void;
  group(...data: unknown[]): void;
  groupCollapsed(...data: unknown[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeLog(label?: string, ...data: unknown[]): void;
  timeEnd(label?: string): void;
  count(label?: string): void;
  countReset(label?: string): void;
  /** Report a failed assertion when the condition is falsy; the program goes on. */
  assert(condition?: unknown, ...data: unknown[]): void;
  clear(): void;
}
/**
 * The Console Standard. The first argument may hold `%s %d %i %f %j %o %O %c %%`. Formatting calls no getter, no Proxy
 * trap and no `toString` of the arguments. The text of one entry holds at most 64 KiB.
 */
declare var console: Console;

/**
 * Call a function once, after `delay` milliseconds. A delay that is negative or not a number counts as 0; it is a
 * 32-bit integer. Functions run in order of their time, and one after the other when that is the same.
 * @returns An id above 0, for `clearTimeout`.
 * @throws {TypeError} `callback` is not a function; source text is not accepted.
 */
declare function setTimeout<A extends unknown[]>(callback: (...args: A) => unknown, delay?: number, ...args: A): number;
/**
 * Call a function every `delay` milliseconds, 1 at least. The period counts from the due time, so it does not drift;
 * calls whose time has passed while the program was busy are left out.
 */
declare function setInterval<A extends unknown[]>(
  callback: (...args: A) => unknown, delay?: number, ...args: A
): number;
/** Forget a timer. An id that is not, or no longer, a timer's is ignored. */
declare function clearTimeout(id?: number): void;
declare function clearInterval(id?: number): void;
/** Call a function when the current one has returned, before the next task. */
declare function queueMicrotask(callback: () => void): void;
/**
 * Report an error as if it had been thrown and nobody had caught it: to `error` listeners, then to the host. The program
 * goes on.
 */
declare function reportError(error: unknown): void;

interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}
interface Event {
  readonly type: string;
  readonly target: EventTarget | null;
  /** The same as `target`. */
  readonly srcElement: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  /** While the event is dispatched, the target alone: there are no trees here. */
  composedPath(): EventTarget[];
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
  readonly eventPhase: number;
  stopPropagation(): void;
  /** True once `stopPropagation` was called; setting it to true calls it. */
  cancelBubble: boolean;
  stopImmediatePropagation(): void;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  /** False once the event was canceled; setting it to false cancels it. */
  returnValue: boolean;
  preventDefault(): void;
  readonly defaultPrevented: boolean;
  readonly composed: boolean;
  /** Whether the sandbox has made the event, not the program. */
  readonly isTrusted: boolean;
  /** Milliseconds since `performance.timeOrigin` at which the event was made. */
  readonly timeStamp: number;
  initEvent(type: string, bubbles?: boolean, cancelable?: boolean): void;
}
declare var Event: {
  readonly prototype: Event;
  new (type: string, eventInitDict?: EventInit): Event;
  readonly NONE: 0;
  readonly CAPTURING_PHASE: 1;
  readonly AT_TARGET: 2;
  readonly BUBBLING_PHASE: 3;
};

interface CustomEvent<T = any> extends Event {
  readonly detail: T;
  initCustomEvent(type: string, bubbles?: boolean, cancelable?: boolean, detail?: T): void;
}
declare var CustomEvent: {
  readonly prototype: CustomEvent;
  new <T>(type: string, eventInitDict?: EventInit & { detail?: T }): CustomEvent<T>;
};

/** An exception that nobody has caught, as `error` of the global object. */
interface ErrorEvent extends Event {
  readonly message: string;
  /** Where it was thrown, as far as that is known. */
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  /** What was thrown. */
  readonly error: any;
}
declare var ErrorEvent: {
  readonly prototype: ErrorEvent;
  new (
    type: string,
    eventInitDict?: EventInit & {
      message?: string; filename?: string; lineno?: number; colno?: number; error?: any;
    },
  ): ErrorEvent;
};

/** A rejection that nobody has handled, or that was handled late. */
interface PromiseRejectionEvent extends Event {
  readonly promise: Promise<any>;
  readonly reason: any;
}
declare var PromiseRejectionEvent: {
  readonly prototype: PromiseRejectionEvent;
  new (type: string, eventInitDict: EventInit & { promise: Promise<any>; reason?: any }): PromiseRejectionEvent;
};

type EventListenerOrObject = ((event: any) => void) | { handleEvent(event: any): void };
interface EventListenerOptions {
  capture?: boolean;
}
interface AddEventListenerOptions extends EventListenerOptions {
  /** Remove the listener when it is called. */
  once?: boolean;
  /** The listener cannot cancel the event. */
  passive?: boolean;
  /** Remove the listener when this signal is aborted. */
  signal?: AbortSignal;
}
interface EventTarget {
  /** An exception in a listener is reported; the other listeners are called all the same. */
  addEventListener(
    type: string, callback: EventListenerOrObject | null, options?: AddEventListenerOptions | boolean,
  ): void;
  removeEventListener(
    type: string, callback: EventListenerOrObject | null, options?: EventListenerOptions | boolean,
  ): void;
  /**
   * Call the listeners of an event's type.
   * @returns False when one of them has canceled it.
   * @throws {DOMException} InvalidStateError: the event is being dispatched.
   */
  dispatchEvent(event: Event): boolean;
}
declare var EventTarget: { readonly prototype: EventTarget; new (): EventTarget };
/** The methods of the global object, which is an event target. */
declare function addEventListener(
  type: string, callback: EventListenerOrObject | null, options?: AddEventListenerOptions | boolean,
): void;
declare function removeEventListener(
  type: string, callback: EventListenerOrObject | null, options?: EventListenerOptions | boolean,
): void;
declare function dispatchEvent(event: Event): boolean;
/**
 * Called with an exception that nobody has caught. Returning true says that it was dealt with; else the host is told, as
 * without a handler. The same is an ErrorEvent `error`, which can be canceled.
 */
declare var onerror: ((message: string, filename: string, lineno: number, colno: number, error: any) => any) | null;
/** Called for a rejection that nobody has handled. An event that is canceled keeps it from the host. */
declare var onunhandledrejection: ((event: PromiseRejectionEvent) => any) | null;
/** Called when a rejection that was told of before is handled after all. */
declare var onrejectionhandled: ((event: PromiseRejectionEvent) => any) | null;

interface AbortSignal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((this: AbortSignal, event: Event) => any) | null;
  throwIfAborted(): void;
}
declare var AbortSignal: {
  readonly prototype: AbortSignal;
  /** A signal that is aborted already; the reason is an AbortError unless given. */
  abort(reason?: any): AbortSignal;
  /** A signal that is aborted with a TimeoutError after so many milliseconds. */
  timeout(milliseconds: number): AbortSignal;
  /** A signal that is aborted when the first of others is. */
  any(signals: Iterable<AbortSignal>): AbortSignal;
};
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: any): void;
}
declare var AbortController: { readonly prototype: AbortController; new (): AbortController };

type Transferable = ArrayBuffer | MessagePort | ReadableStream | WritableStream | TransformStream;

interface MessageEvent<T = any> extends Event {
  /** A copy of what was posted. */
  readonly data: T;
  /** Empty, unless the program has made the event. */
  readonly origin: string;
  readonly lastEventId: string;
  readonly source: MessagePort | null;
  /** The ports that were transferred with the message. */
  readonly ports: readonly MessagePort[];
  initMessageEvent(
    type: string, bubbles?: boolean, cancelable?: boolean, data?: T, origin?: string, lastEventId?: string,
    source?: MessagePort | null, ports?: Iterable<MessagePort>,
  ): void;
}
declare var MessageEvent: {
  readonly prototype: MessageEvent;
  new <T>(
    type: string,
    eventInitDict?: EventInit & {
      data?: T; origin?: string; lastEventId?: string; source?: MessagePort | null; ports?: Iterable<MessagePort>;
    },
  ): MessageEvent<T>;
};

/** One end of a channel within this sandbox. Messages wait until `start` is called or `onmessage` is set. */
interface MessagePort extends EventTarget {
  /**
   * Send a copy of a value to the other end, where it is an event of a later task.
   * @throws {DOMException} DataCloneError: as for `structuredClone`, or the port itself is to be transferred.
   */
  postMessage(message: any, transfer: Iterable<Transferable>): void;
  postMessage(message: any, options?: { transfer?: Iterable<Transferable> }): void;
  start(): void;
  /** End the channel; what was posted before is still delivered. */
  close(): void;
  onmessage: ((this: MessagePort, event: MessageEvent) => any) | null;
  onmessageerror: ((this: MessagePort, event: MessageEvent) => any) | null;
  /** Called when the other end was closed. */
  onclose: ((this: MessagePort, event: Event) => any) | null;
}
declare var MessagePort: { readonly prototype: MessagePort };
interface MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}
declare var MessageChannel: { readonly prototype: MessageChannel; new (): MessageChannel };

/** Sends to all other channels of the same name in this sandbox. */
interface BroadcastChannel extends EventTarget {
  readonly name: string;
  /** @throws {DOMException} InvalidStateError: the channel is closed. DataCloneError: as for `structuredClone`. */
  postMessage(message: any): void;
  close(): void;
  onmessage: ((this: BroadcastChannel, event: MessageEvent) => any) | null;
  onmessageerror: ((this: BroadcastChannel, event: MessageEvent) => any) | null;
}
declare var BroadcastChannel: { readonly prototype: BroadcastChannel; new (name: string): BroadcastChannel };

/**
 * Copy a value with everything it refers to; cycles and shared references are kept.
 * @param options `transfer`: objects to be moved instead of copied; the originals are detached.
 * @throws {DOMException} DataCloneError: there is a function, symbol, Proxy, promise, weak collection or platform
 *   object that is not transferred.
 */
declare function structuredClone<T>(value: T, options?: { transfer?: Iterable<Transferable> }): T;

/**
 * Decode base64 to a string of one character a byte.
 * @throws {DOMException} InvalidCharacterError: the text is not base64.
 */
declare function atob(data: string): string;
/**
 * Encode a string of one character a byte as base64.
 * @throws {DOMException} InvalidCharacterError: a character is above U+00FF.
 */
declare function btoa(data: string): string;

type BufferSource = ArrayBufferView | ArrayBuffer;

interface TextEncoder {
  /** Always "utf-8". */
  readonly encoding: "utf-8";
  /** The text as UTF-8; lone surrogates become U+FFFD. */
  encode(input?: string): Uint8Array;
  /** Write as many whole characters as fit. `read` counts UTF-16 code units, `written` bytes. */
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
declare var TextEncoder: { readonly prototype: TextEncoder; new (): TextEncoder };

interface TextDecoder {
  /** The encoding's own name, in lower case. */
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /**
   * Decode bytes. With `stream`, a character cut off at the end waits for the next call.
   * @throws {TypeError} The decoder is fatal, and the bytes are no text in its encoding.
   */
  decode(input?: BufferSource, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  readonly prototype: TextDecoder;
  /**
   * @param label A label of the Encoding Standard: `"utf-8"`, `"utf-16le"`, `"latin1"`, `"gb18030"`, `"shift_jis"`, ...
   * @throws {RangeError} There is no such label.
   */
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

interface QueuingStrategy<T = any> {
  /** How much the queue holds before there is backpressure: a sum of sizes. */
  highWaterMark?: number;
  /** What a chunk counts; 1 unless given. */
  size?: (chunk: T) => number;
}
interface CountQueuingStrategy extends QueuingStrategy {
  readonly highWaterMark: number;
  readonly size: (chunk: any) => 1;
}
declare var CountQueuingStrategy: {
  readonly prototype: CountQueuingStrategy;
  new (init: { highWaterMark: number }): CountQueuingStrategy;
};
interface ByteLengthQueuingStrategy extends QueuingStrategy<ArrayBufferView | ArrayBuffer> {
  readonly highWaterMark: number;
  readonly size: (chunk: any) => number;
}
declare var ByteLengthQueuingStrategy: {
  readonly prototype: ByteLengthQueuingStrategy;
  new (init: { highWaterMark: number }): ByteLengthQueuingStrategy;
};

/** What a stream reads from. `pull` is called when there is room for a chunk; a promise it returns is waited for. */
interface UnderlyingDefaultSource<R = any> {
  start?: (controller: ReadableStreamDefaultController<R>) => any;
  pull?: (controller: ReadableStreamDefaultController<R>) => void | PromiseLike<void>;
  cancel?: (reason?: any) => void | PromiseLike<void>;
  type?: undefined;
}
interface UnderlyingByteSource {
  start?: (controller: ReadableByteStreamController) => any;
  pull?: (controller: ReadableByteStreamController) => void | PromiseLike<void>;
  cancel?: (reason?: any) => void | PromiseLike<void>;
  type: "bytes";
  /** Size in bytes of the buffers that `byobRequest` has when a reader brings none. */
  autoAllocateChunkSize?: number;
}
type ReadableStreamReadResult<T> = { done: false; value: T } | { done: true; value: T | undefined };

interface StreamPipeOptions {
  /** Leave the destination open when the source fails. */
  preventAbort?: boolean;
  /** Leave the source open when the destination fails. */
  preventCancel?: boolean;
  /** Leave the destination open when the source ends. */
  preventClose?: boolean;
  /** Ends the pipe when it is aborted. */
  signal?: AbortSignal;
}
interface ReadableStream<R = any> extends AsyncIterable<R> {
  readonly locked: boolean;
  /** @throws {TypeError} As a rejection: the stream is locked. */
  cancel(reason?: any): Promise<void>;
  getReader(options?: { mode?: undefined }): ReadableStreamDefaultReader<R>;
  /** A reader that brings its own buffers; of byte streams only. */
  getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
  pipeThrough<T>(
    transform: { readable: ReadableStream<T>; writable: WritableStream<R> }, options?: StreamPipeOptions,
  ): ReadableStream<T>;
  pipeTo(destination: WritableStream<R>, options?: StreamPipeOptions): Promise<void>;
  /** Two streams of the same chunks; what one of them has not read yet waits in memory. */
  tee(): [ReadableStream<R>, ReadableStream<R>];
  /** Without `preventCancel`, leaving the loop cancels the stream. */
  values(options?: { preventCancel?: boolean }): AsyncIterableIterator<R>;
}
declare var ReadableStream: {
  readonly prototype: ReadableStream;
  new (underlyingSource: UnderlyingByteSource, strategy?: { highWaterMark?: number }): ReadableStream<Uint8Array>;
  new <R = any>(underlyingSource?: UnderlyingDefaultSource<R>, strategy?: QueuingStrategy<R>): ReadableStream<R>;
  /** A stream of what an iterable or async iterable gives. */
  from<R>(asyncIterable: AsyncIterable<R> | Iterable<R | PromiseLike<R>>): ReadableStream<R>;
};
interface ReadableStreamDefaultReader<R = any> {
  readonly closed: Promise<void>;
  cancel(reason?: any): Promise<void>;
  read(): Promise<ReadableStreamReadResult<R>>;
  /** Requests that are pending are rejected. */
  releaseLock(): void;
}
declare var ReadableStreamDefaultReader: {
  readonly prototype: ReadableStreamDefaultReader;
  new <R>(stream: ReadableStream<R>): ReadableStreamDefaultReader<R>;
};
interface ReadableStreamBYOBReader {
  readonly closed: Promise<void>;
  cancel(reason?: any): Promise<void>;
  /**
   * Read into a view. Its buffer is detached; the result is a view of the same memory.
   * @param options `min`: how many elements to wait for, 1 unless given.
   */
  read<T extends ArrayBufferView>(view: T, options?: { min?: number }): Promise<ReadableStreamReadResult<T>>;
  releaseLock(): void;
}
declare var ReadableStreamBYOBReader: {
  readonly prototype: ReadableStreamBYOBReader;
  new (stream: ReadableStream): ReadableStreamBYOBReader;
};
interface ReadableStreamDefaultController<R = any> {
  /** Room left in the queue; null when the stream has failed. */
  readonly desiredSize: number | null;
  close(): void;
  enqueue(chunk?: R): void;
  error(error?: any): void;
}
declare var ReadableStreamDefaultController: { readonly prototype: ReadableStreamDefaultController };
interface ReadableByteStreamController {
  /** The buffer that a reader has brought to be filled. */
  readonly byobRequest: ReadableStreamBYOBRequest | null;
  readonly desiredSize: number | null;
  close(): void;
  /** The chunk's buffer is detached. */
  enqueue(chunk: ArrayBufferView): void;
  error(error?: any): void;
}
declare var ReadableByteStreamController: { readonly prototype: ReadableByteStreamController };
interface ReadableStreamBYOBRequest {
  readonly view: Uint8Array | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}
declare var ReadableStreamBYOBRequest: { readonly prototype: ReadableStreamBYOBRequest };

/** What a stream writes to. One method is called at a time; a promise it returns is waited for. */
interface UnderlyingSink<W = any> {
  start?: (controller: WritableStreamDefaultController) => any;
  write?: (chunk: W, controller: WritableStreamDefaultController) => void | PromiseLike<void>;
  close?: () => void | PromiseLike<void>;
  abort?: (reason?: any) => void | PromiseLike<void>;
  type?: undefined;
}
interface WritableStream<W = any> {
  readonly locked: boolean;
  /** Give up what waits to be written. */
  abort(reason?: any): Promise<void>;
  close(): Promise<void>;
  getWriter(): WritableStreamDefaultWriter<W>;
}
declare var WritableStream: {
  readonly prototype: WritableStream;
  new <W = any>(underlyingSink?: UnderlyingSink<W>, strategy?: QueuingStrategy<W>): WritableStream<W>;
};
interface WritableStreamDefaultWriter<W = any> {
  readonly closed: Promise<void>;
  /** Room left in the queue; null when the stream has failed or is about to. */
  readonly desiredSize: number | null;
  /** Settles when there is room. */
  readonly ready: Promise<void>;
  abort(reason?: any): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
  /** Settles when the sink has written the chunk. */
  write(chunk?: W): Promise<void>;
}
declare var WritableStreamDefaultWriter: {
  readonly prototype: WritableStreamDefaultWriter;
  new <W>(stream: WritableStream<W>): WritableStreamDefaultWriter<W>;
};
interface WritableStreamDefaultController {
  /** Aborted when the stream is. */
  readonly signal: AbortSignal;
  error(error?: any): void;
}
declare var WritableStreamDefaultController: { readonly prototype: WritableStreamDefaultController };

/** What becomes of chunks; without `transform` they stay as they are. */
interface Transformer<I = any, O = any> {
  start?: (controller: TransformStreamDefaultController<O>) => any;
  transform?: (chunk: I, controller: TransformStreamDefaultController<O>) => void | PromiseLike<void>;
  /** Called after the last chunk. */
  flush?: (controller: TransformStreamDefaultController<O>) => void | PromiseLike<void>;
  /** Called when either side is given up. */
  cancel?: (reason: any) => void | PromiseLike<void>;
  readableType?: undefined;
  writableType?: undefined;
}
interface TransformStream<I = any, O = any> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
}
declare var TransformStream: {
  readonly prototype: TransformStream;
  new <I = any, O = any>(
    transformer?: Transformer<I, O>, writableStrategy?: QueuingStrategy<I>, readableStrategy?: QueuingStrategy<O>,
  ): TransformStream<I, O>;
};
interface TransformStreamDefaultController<O = any> {
  readonly desiredSize: number | null;
  enqueue(chunk?: O): void;
  error(reason?: any): void;
  /** End the readable side, and have the writable side fail. */
  terminate(): void;
}
declare var TransformStreamDefaultController: { readonly prototype: TransformStreamDefaultController };

/** Text to UTF-8, across chunks. */
interface TextEncoderStream {
  readonly encoding: "utf-8";
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<string>;
}
declare var TextEncoderStream: { readonly prototype: TextEncoderStream; new (): TextEncoderStream };
/** Bytes to text, across chunks, as a `TextDecoder` does it. */
interface TextDecoderStream {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<BufferSource>;
}
declare var TextDecoderStream: {
  readonly prototype: TextDecoderStream;
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoderStream;
};

type CompressionFormat = "deflate" | "deflate-raw" | "gzip";
/** Bytes to compressed bytes, in chunks of up to 64 KiB. */
interface CompressionStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<BufferSource>;
}
declare var CompressionStream: {
  readonly prototype: CompressionStream;
  /** @throws {TypeError} The format is unknown. */
  new (format: CompressionFormat): CompressionStream;
};
/**
 * Compressed bytes to bytes, in chunks of up to 64 KiB. The stream fails with a `TypeError` where they are not valid,
 * end too early, or go on after their end.
 */
interface DecompressionStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<BufferSource>;
}
declare var DecompressionStream: {
  readonly prototype: DecompressionStream;
  /** @throws {TypeError} The format is unknown. */
  new (format: CompressionFormat): DecompressionStream;
};

interface URL {
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  /** The query as a list; changes go both ways. */
  readonly searchParams: URLSearchParams;
  hash: string;
  toString(): string;
  toJSON(): string;
}
declare var URL: {
  readonly prototype: URL;
  /** @throws {TypeError} The text is not a valid URL. */
  new (url: string | URL, base?: string | URL): URL;
  /** Null where the constructor would throw. */
  parse(url: string | URL, base?: string | URL): URL | null;
  canParse(url: string | URL, base?: string | URL): boolean;
  /** A URL by which `fetch` finds the blob, until it is revoked or the sandbox ends. */
  createObjectURL(obj: Blob): string;
  revokeObjectURL(url: string): void;
};

interface URLSearchParams extends Iterable<[string, string]> {
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  /** Sort by name, in the order of UTF-16 code units; equal names keep their order. */
  sort(): void;
  toString(): string;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  forEach(callback: (value: string, name: string, parent: URLSearchParams) => void, thisArg?: unknown): void;
}
declare var URLSearchParams: {
  readonly prototype: URLSearchParams;
  new (init?: Iterable<readonly [string, string]> | Record<string, string> | string): URLSearchParams;
};

interface URLPatternInit {
  protocol?: string;
  username?: string;
  password?: string;
  hostname?: string;
  port?: string;
  pathname?: string;
  search?: string;
  hash?: string;
  /** A URL, which gives the components that are less specific than those above. */
  baseURL?: string;
}
type URLPatternInput = string | URLPatternInit;
type URLPatternComponent = "protocol" | "username" | "password" | "hostname" | "port" | "pathname" | "search" | "hash";
interface URLPatternComponentResult {
  input: string;
  /** By name, or by number where a group has none; undefined when it is optional and was not there. */
  groups: Record<string, string | undefined>;
}
type URLPatternResult = { inputs: URLPatternInput[] } & Record<URLPatternComponent, URLPatternComponentResult>;

/** A pattern of URLs, with one pattern for each of their components. */
interface URLPattern {
  /** @throws {TypeError} There is a base URL, and `input` is no string. */
  test(input?: URLPatternInput, baseURL?: string): boolean;
  /** What the groups have matched; null when the URL does not match, or is none. */
  exec(input?: URLPatternInput, baseURL?: string): URLPatternResult | null;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
  /** Whether it has groups that were given as regular expressions. */
  readonly hasRegExpGroups: boolean;
}
declare var URLPattern: {
  readonly prototype: URLPattern;
  /** @throws {TypeError} The pattern is invalid, or relative without a base URL. */
  new (input: URLPatternInput, baseURL: string, options?: { ignoreCase?: boolean }): URLPattern;
  new (input?: URLPatternInput, options?: { ignoreCase?: boolean }): URLPattern;
  /** Below zero when the left one is less specific, above zero when it is more so. */
  compareComponent(component: URLPatternComponent, left: URLPattern, right: URLPattern): number;
};

type BlobPart = BufferSource | Blob | string;
interface BlobPropertyBag {
  /** A MIME type; it is kept in its normal form, such as "text/plain;charset=UTF-8". */
  type?: string;
  /** "native": every line ending of texts becomes a line feed. */
  endings?: "transparent" | "native";
}

/** Bytes that do not change. Blobs made of blobs, and slices, share them. */
interface Blob {
  readonly size: number;
  readonly type: string;
  slice(start?: number, end?: number, contentType?: string): Blob;
  stream(): ReadableStream<Uint8Array>;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
}
declare var Blob: { readonly prototype: Blob; new (blobParts?: Iterable<BlobPart>, options?: BlobPropertyBag): Blob };

interface File extends Blob {
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly lastModified: number;
}
declare var File: {
  readonly prototype: File;
  new (fileBits: Iterable<BlobPart>, fileName: string, options?: BlobPropertyBag & { lastModified?: number }): File;
};

/** For `instanceof` alone: there are no forms here that could have files. */
interface FileList {
  readonly length: number;
  item(index: number): File | null;
}
declare var FileList: { readonly prototype: FileList };

/** How much of a transfer is done, in bytes. */
interface ProgressEvent extends Event {
  readonly lengthComputable: boolean;
  readonly loaded: number;
  readonly total: number;
}
declare var ProgressEvent: {
  readonly prototype: ProgressEvent;
  new (
    type: string, eventInitDict?: EventInit & { lengthComputable?: boolean; loaded?: number; total?: number },
  ): ProgressEvent;
};

/** Reads blobs in the manner of events; the methods of Blob are simpler. */
interface FileReader extends EventTarget {
  readonly EMPTY: 0;
  readonly LOADING: 1;
  readonly DONE: 2;
  readonly readyState: 0 | 1 | 2;
  readonly result: string | ArrayBuffer | null;
  readonly error: DOMException | null;
  readAsArrayBuffer(blob: Blob): void;
  readAsBinaryString(blob: Blob): void;
  /** A mark at the beginning tells the encoding, else `encoding`, else the type's charset; UTF-8 when none does. */
  readAsText(blob: Blob, encoding?: string): void;
  readAsDataURL(blob: Blob): void;
  abort(): void;
  onloadstart: ((event: ProgressEvent) => void) | null;
  onprogress: ((event: ProgressEvent) => void) | null;
  onload: ((event: ProgressEvent) => void) | null;
  onabort: ((event: ProgressEvent) => void) | null;
  onerror: ((event: ProgressEvent) => void) | null;
  onloadend: ((event: ProgressEvent) => void) | null;
}
declare var FileReader: {
  readonly prototype: FileReader;
  new (): FileReader;
  readonly EMPTY: 0;
  readonly LOADING: 1;
  readonly DONE: 2;
};

/** Names and values, each of which is a text or a file, in order. */
interface FormData extends Iterable<[string, string | File]> {
  append(name: string, value: string | Blob): void;
  /** A third argument is the file's name, which is "blob" for blobs without one. */
  append(name: string, value: Blob, filename?: string): void;
  delete(name: string): void;
  get(name: string): string | File | null;
  getAll(name: string): (string | File)[];
  has(name: string): boolean;
  set(name: string, value: string | Blob): void;
  set(name: string, value: Blob, filename?: string): void;
  entries(): IterableIterator<[string, string | File]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string | File>;
  forEach(callback: (value: string | File, key: string, parent: FormData) => void, thisArg?: any): void;
}
declare var FormData: { readonly prototype: FormData; new (): FormData };

type HeadersInit = Iterable<Iterable<string>> | Record<string, string>;

/**
 * Headers by name, whatever its case. Those of a request leave out silently what only its sender may say, such as Host,
 * Cookie and Content-Length; a response may set cookies.
 */
interface Headers extends Iterable<[string, string]> {
  /** @throws {TypeError} Name or value cannot be in a header, or these headers cannot be changed. */
  append(name: string, value: string): void;
  delete(name: string): void;
  /** The values of a name, joined by ", ". */
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  /** Sorted, names in lower case; each cookie by itself. */
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: any): void;
}
declare var Headers: { readonly prototype: Headers; new (init?: HeadersInit): Headers };

type BodyInit = ReadableStream | Blob | BufferSource | FormData | URLSearchParams | string;

interface RequestInit {
  /** Not with GET and HEAD. */
  body?: BodyInit | null;
  cache?: "default" | "no-store" | "reload" | "no-cache" | "force-cache" | "only-if-cached";
  credentials?: "omit" | "same-origin" | "include";
  /** Must be given when the body is a stream. */
  duplex?: "half";
  headers?: HeadersInit;
  integrity?: string;
  keepalive?: boolean;
  method?: string;
  mode?: "same-origin" | "no-cors" | "cors";
  priority?: "high" | "low" | "auto";
  redirect?: "follow" | "error" | "manual";
  referrer?: string;
  referrerPolicy?: string;
  signal?: AbortSignal | null;
  window?: null;
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly destination: string;
  readonly referrer: string;
  readonly referrerPolicy: string;
  readonly mode: "same-origin" | "no-cors" | "cors";
  readonly credentials: "omit" | "same-origin" | "include";
  readonly cache: string;
  readonly redirect: "follow" | "error" | "manual";
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly isReloadNavigation: boolean;
  readonly isHistoryNavigation: boolean;
  readonly signal: AbortSignal;
  readonly duplex: "half";
  /** @throws {TypeError} The body was used. */
  clone(): Request;
  /** The body as a stream, always the same one; null when there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether something has begun to read the body, which can be done once. */
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Its type is the one of the header Content-Type. */
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  /** @throws {TypeError} The Content-Type or the body are not of form data, in either encoding. */
  formData(): Promise<FormData>;
  json(): Promise<any>;
  /** The body as UTF-8; what is malformed in it becomes U+FFFD. */
  text(): Promise<string>;
}
declare var Request: {
  readonly prototype: Request;
  /**
   * @param input A URL, relative only where the program has a global `location` with an `href`; or a request, whose body
   *   this one takes over.
   */
  new (input: string | URL | Request, init?: RequestInit): Request;
};

interface ResponseInit {
  /** 200 to 599. */
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

interface Response {
  readonly type: "basic" | "cors" | "default" | "error" | "opaque" | "opaqueredirect";
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly ok: boolean;
  readonly statusText: string;
  readonly headers: Headers;
  /** @throws {TypeError} The body was used. */
  clone(): Response;
  /** The body as a stream, always the same one; null when there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether something has begun to read the body, which can be done once. */
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  /** Its type is the one of the header Content-Type. */
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array>;
  /** @throws {TypeError} The Content-Type or the body are not of form data, in either encoding. */
  formData(): Promise<FormData>;
  json(): Promise<any>;
  /** The body as UTF-8; what is malformed in it becomes U+FFFD. */
  text(): Promise<string>;
}
declare var Response: {
  readonly prototype: Response;
  new (body?: BodyInit | null, init?: ResponseInit): Response;
  error(): Response;
  redirect(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): Response;
  json(data: any, init?: ResponseInit): Response;
};

/**
 * Fetch a URL. Those of the schemes data and blob hold their own contents; of http and https, what the host grants.
 * @throws {TypeError} There is no answer. Where the host was asked, `cause` is an Error whose `code` says why: "denied",
 *   "address", "connect", "tls", "timeout", "closed", "protocol", "redirect", "too-large", "encoding", "request", "dropped".
 */
declare function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

/** How a connection has ended. */
interface CloseEvent extends Event {
  /** Whether there was a closing handshake. */
  readonly wasClean: boolean;
  /** As the other end has said; 1005: it has said none, 1006: the connection was lost, or there never was one. */
  readonly code: number;
  readonly reason: string;
}
declare var CloseEvent: {
  readonly prototype: CloseEvent;
  new (type: string, eventInitDict?: EventInit & { wasClean?: boolean; code?: number; reason?: string }): CloseEvent;
};

/**
 * A connection to a server that the host grants; of any other, `error` and `close` are told, with the code 1006. An open
 * socket lives until it is closed.
 */
interface WebSocket extends EventTarget {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly url: string;
  readonly readyState: 0 | 1 | 2 | 3;
  /** Bytes given to `send` that have not gone to the network. */
  readonly bufferedAmount: number;
  /** Of the protocol, as the server has chosen them. */
  readonly extensions: string;
  /** The subprotocol that the server has chosen. */
  readonly protocol: string;
  /** What binary messages are given as. */
  binaryType: "blob" | "arraybuffer";
  /**
   * @param code 1000, or 3000 to 4999.
   * @param reason At most 123 bytes in UTF-8.
   * @throws {DOMException} InvalidAccessError: another code. SyntaxError: a longer reason.
   */
  close(code?: number, reason?: string): void;
  /** @throws {DOMException} InvalidStateError: there is no connection yet. */
  send(data: string | BufferSource | Blob): void;
  onopen: ((this: WebSocket, event: Event) => any) | null;
  onerror: ((this: WebSocket, event: Event) => any) | null;
  onclose: ((this: WebSocket, event: CloseEvent) => any) | null;
  onmessage: ((this: WebSocket, event: MessageEvent) => any) | null;
}
declare var WebSocket: {
  readonly prototype: WebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  /**
   * @param url Of ws or wss; http and https are taken for these.
   * @param protocols Subprotocols, of which the server may choose one.
   * @throws {DOMException} SyntaxError: the URL is none of a WebSocket, or has a fragment; or a subprotocol is malformed, or
   *   there twice.
   */
  new (url: string | URL, protocols?: string | string[]): WebSocket;
};

interface FileSystemRemoveOptions {
  /** Whether a directory goes with all that is in it. */
  recursive?: boolean;
}

/** A file or a directory that the host has granted, by its path. */
interface FileSystemHandle {
  readonly kind: "file" | "directory";
  /** The last component of its path; "" at the top. */
  readonly name: string;
  isSameEntry(other: FileSystemHandle): Promise<boolean>;
  /** Gives it a new name, or a place in another directory; a file that is there is replaced. */
  move(parent: FileSystemDirectoryHandle | string, name?: string): Promise<void>;
  remove(options?: FileSystemRemoveOptions): Promise<void>;
}
declare var FileSystemHandle: { readonly prototype: FileSystemHandle };

interface FileSystemFileHandle extends FileSystemHandle {
  /** What is in the file: its bytes are read when they are wanted, as long as nobody writes it. */
  getFile(): Promise<File>;
  /** What is written to the stream is the file when it is closed, all at once. */
  createWritable(options?: {
    /** Whether it begins with what is in the file. */
    keepExistingData?: boolean;
  }): Promise<FileSystemWritableFileStream>;
}
declare var FileSystemFileHandle: { readonly prototype: FileSystemFileHandle };

interface FileSystemDirectoryHandle extends FileSystemHandle, AsyncIterable<[string, FileSystemHandle]> {
  getFileHandle(name: string, options?: { create?: boolean }): Promise<FileSystemFileHandle>;
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<FileSystemDirectoryHandle>;
  removeEntry(name: string, options?: FileSystemRemoveOptions): Promise<void>;
  /** The names that lead from here to there; null: it is not in here. */
  resolve(possibleDescendant: FileSystemHandle): Promise<string[] | null>;
  entries(): AsyncIterator<[string, FileSystemHandle]>;
  keys(): AsyncIterator<string>;
  values(): AsyncIterator<FileSystemHandle>;
}
declare var FileSystemDirectoryHandle: { readonly prototype: FileSystemDirectoryHandle };

type FileSystemWriteChunkType = string | Blob | ArrayBuffer | ArrayBufferView | {
  type: "write" | "seek" | "truncate";
  data?: string | Blob | ArrayBuffer | ArrayBufferView | null;
  position?: number | null;
  size?: number | null;
};

/** Writes a file aside; closing it is what changes the file. */
interface FileSystemWritableFileStream extends WritableStream<FileSystemWriteChunkType> {
  write(data: FileSystemWriteChunkType): Promise<void>;
  seek(position: number): Promise<void>;
  truncate(size: number): Promise<void>;
}
declare var FileSystemWritableFileStream: { readonly prototype: FileSystemWritableFileStream };

interface StorageManager {
  /** The program's own storage, where the host has granted some: a rejection otherwise. */
  getDirectory(): Promise<FileSystemDirectoryHandle>;
}
declare var StorageManager: { readonly prototype: StorageManager };

/** A directory that the host has granted, by its path; the top by default. */
declare function getDirectory(path?: string): Promise<FileSystemDirectoryHandle>;
/** What `serve` gives to its handlers. */
interface Server {
  /**
   * Have a request become a WebSocket; the handler then need not return anything.
   * @returns Whether that is possible: the client has asked for it, and was not answered.
   */
  upgrade<T = undefined>(request: Request, options?: { data?: T; headers?: HeadersInit }): boolean;
}

/** The server's side of a WebSocket. */
interface ServerWebSocket<T = any> {
  /** What `upgrade` was given: the program's own, and lasts as long as the socket. */
  data: T;
  /** 1: open, 2: closing, 3: closed. */
  readonly readyState: 1 | 2 | 3;
  /**
   * Send text, or bytes.
   * @returns The length, at least 1; -1: it waits for what was sent before, and `drain` is called when all of that is on
   *   its way; 0: it is closed; -2: far too much waits, and it is not sent.
   */
  send(data: string | BufferSource | Blob): number;
  /** @throws {DOMException} InvalidAccessError: no such code can be sent; SyntaxError: the reason is over 123 bytes. */
  close(code?: number, reason?: string): void;
}

/** What happens to WebSockets. What a handler throws goes to `error`; without that, the socket is closed with 1011. */
interface ServeWebSocketHandlers {
  open?(socket: ServerWebSocket): void | Promise<void>;
  message?(socket: ServerWebSocket, message: string | Uint8Array): void | Promise<void>;
  close?(socket: ServerWebSocket, code: number, reason: string): void | Promise<void>;
  error?(socket: ServerWebSocket, error: Error): void | Promise<void>;
  drain?(socket: ServerWebSocket): void | Promise<void>;
}

interface ServeOptions {
  /** Answers a request. Its `signal` is aborted when nobody waits for the response any more. */
  fetch(request: Request, server: Server): Response | Promise<Response> | undefined | Promise<undefined>;
  websocket?: ServeWebSocketHandlers;
}

/**
 * Answer the requests that the host hands in. Each call replaces what the one before has set. A module that the host
 * evaluates does the same by `export default {fetch}`, unless the program calls `serve` itself.
 */
declare function serve(options: ServeOptions): void;

interface PerformanceEntry {
  readonly name: string;
  readonly entryType: string;
  /** Milliseconds since `performance.timeOrigin`. */
  readonly startTime: number;
  readonly duration: number;
  toJSON(): any;
}
declare var PerformanceEntry: { readonly prototype: PerformanceEntry };
interface PerformanceMarkOptions {
  /** Of which the entry has a copy. */
  detail?: any;
  startTime?: number;
}
interface PerformanceMark extends PerformanceEntry {
  readonly detail: any;
}
declare var PerformanceMark: {
  readonly prototype: PerformanceMark;
  new (markName: string, markOptions?: PerformanceMarkOptions): PerformanceMark;
};
/** Times are given as such, or by the name of a mark. */
interface PerformanceMeasureOptions {
  detail?: any;
  start?: string | number;
  duration?: number;
  end?: string | number;
}
interface PerformanceMeasure extends PerformanceEntry {
  readonly detail: any;
}
declare var PerformanceMeasure: { readonly prototype: PerformanceMeasure };

interface PerformanceObserverEntryList {
  getEntries(): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
}
declare var PerformanceObserverEntryList: { readonly prototype: PerformanceObserverEntryList };
/** Told of new marks and measures in a later task. */
interface PerformanceObserver {
  observe(options?: { entryTypes?: Iterable<string>; type?: string; buffered?: boolean }): void;
  disconnect(): void;
  takeRecords(): PerformanceEntry[];
}
declare var PerformanceObserver: {
  readonly prototype: PerformanceObserver;
  new (
    callback: (
      entries: PerformanceObserverEntryList, observer: PerformanceObserver, options: { droppedEntriesCount?: number },
    ) => void,
  ): PerformanceObserver;
  readonly supportedEntryTypes: readonly string[];
};

interface Performance extends EventTarget {
  /** Milliseconds since the Unix epoch at which the clock of this sandbox began. */
  readonly timeOrigin: number;
  /** Milliseconds since `timeOrigin`; a virtual clock stands still while the program runs. */
  now(): number;
  toJSON(): { timeOrigin: number };
  /** Remember a moment. The newest 10,000 marks and measures are kept, and perhaps more. */
  mark(markName: string, markOptions?: PerformanceMarkOptions): PerformanceMark;
  clearMarks(markName?: string): void;
  /**
   * Remember a span of time, from a mark, or the time origin, to another or to now.
   * @throws {DOMException} SyntaxError: there is no mark of that name.
   */
  measure(
    measureName: string, startOrMeasureOptions?: string | PerformanceMeasureOptions, endMark?: string,
  ): PerformanceMeasure;
  clearMeasures(measureName?: string): void;
  getEntries(): PerformanceEntry[];
  getEntriesByType(type: string): PerformanceEntry[];
  getEntriesByName(name: string, type?: string): PerformanceEntry[];
}
declare var Performance: { readonly prototype: Performance };
declare var performance: Performance;

interface Crypto {
  /** Cryptography by keys; undefined where the host has no package `cryptography`. */
  readonly subtle: SubtleCrypto;
  /**
   * Fill an array with random integers, and return it. A sandbox made with a seed draws the same ones each time.
   * @throws {DOMException} QuotaExceededError: the array holds more than 65,536 bytes.
   * @throws {DOMException} TypeMismatchError: the elements are not integers.
   */
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  /** A random UUID, version 4. */
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
}
declare var Crypto: { readonly prototype: Crypto };
declare var crypto: Crypto;

type KeyType = "public" | "private" | "secret";
type KeyFormat = "raw" | "spki" | "pkcs8" | "jwk";
type KeyUsage =
  | "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";
type NamedCurve = "P-256" | "P-384" | "P-521" | (string & {});

interface Algorithm { name: string }
type AlgorithmIdentifier = Algorithm | string;
/** SHA-1, SHA-256, SHA-384 or SHA-512. */
type HashAlgorithmIdentifier = AlgorithmIdentifier;

/** The initialization vector is 16 bytes long. */
interface AesCbcParams extends Algorithm { iv: BufferSource }
/** The counter is 16 bytes long; `length` says how many of its last bits count. */
interface AesCtrParams extends Algorithm { counter: BufferSource; length: number }
/** The initialization vector is 8 to 128 bytes long, and best 12; the tag 128 bits, or as many as `tagLength` says. */
interface AesGcmParams extends Algorithm { iv: BufferSource; additionalData?: BufferSource; tagLength?: number }
interface AesKeyGenParams extends Algorithm { length: number }
interface AesDerivedKeyParams extends Algorithm { length: number }
interface HmacKeyGenParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
interface HmacImportParams extends Algorithm { hash: HashAlgorithmIdentifier; length?: number }
/** The length of the modulus is 1024 to 4096 bits, the public exponent 65537 or 3. */
interface RsaHashedKeyGenParams extends Algorithm {
  modulusLength: number; publicExponent: Uint8Array; hash: HashAlgorithmIdentifier;
}
interface RsaHashedImportParams extends Algorithm { hash: HashAlgorithmIdentifier }
interface RsaOaepParams extends Algorithm { label?: BufferSource }
interface RsaPssParams extends Algorithm { saltLength: number }
interface EcKeyGenParams extends Algorithm { namedCurve: NamedCurve }
interface EcKeyImportParams extends Algorithm { namedCurve: NamedCurve }
interface EcdsaParams extends Algorithm { hash: HashAlgorithmIdentifier }
/** Also of X25519 and X448. */
interface EcdhKeyDeriveParams extends Algorithm { public: CryptoKey }
interface HkdfParams extends Algorithm { hash: HashAlgorithmIdentifier; info: BufferSource; salt: BufferSource }
/** 4,000,000 iterations at most, for each block of the hash function that is derived. */
interface Pbkdf2Params extends Algorithm { hash: HashAlgorithmIdentifier; iterations: number; salt: BufferSource }

interface KeyAlgorithm { name: string }
interface JsonWebKey {
  alg?: string; crv?: string; d?: string; dp?: string; dq?: string; e?: string; ext?: boolean; k?: string;
  key_ops?: string[]; kty?: string; n?: string; oth?: { d?: string; r?: string; t?: string }[]; p?: string; q?: string;
  qi?: string; use?: string; x?: string; y?: string;
}

/** A key. What it is made of never is in the program's memory, unless it is exported. */
interface CryptoKey {
  readonly type: KeyType;
  /** Whether it can be exported or wrapped. */
  readonly extractable: boolean;
  readonly algorithm: KeyAlgorithm;
  readonly usages: KeyUsage[];
}
declare var CryptoKey: { readonly prototype: CryptoKey };
interface CryptoKeyPair { privateKey: CryptoKey; publicKey: CryptoKey }

/**
 * Every promise may be rejected with a DOMException: NotSupportedError (no such algorithm), InvalidAccessError (the key
 * may not be used so), SyntaxError (usages that the algorithm has not), DataError (no such key), OperationError.
 */
interface SubtleCrypto {
  /** The hash of bytes. */
  digest(algorithm: HashAlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
  /** Encrypt with RSA-OAEP, AES-CTR, AES-CBC or AES-GCM. */
  encrypt(
    algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey,
    data: BufferSource,
  ): Promise<ArrayBuffer>;
  decrypt(
    algorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams, key: CryptoKey,
    data: BufferSource,
  ): Promise<ArrayBuffer>;
  /** Sign with RSASSA-PKCS1-v1_5, RSA-PSS, ECDSA, HMAC, Ed25519 or Ed448. */
  sign(
    algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, data: BufferSource,
  ): Promise<ArrayBuffer>;
  verify(
    algorithm: AlgorithmIdentifier | RsaPssParams | EcdsaParams, key: CryptoKey, signature: BufferSource,
    data: BufferSource,
  ): Promise<boolean>;
  /** Make a key, or a pair of keys. A seed of the sandbox makes none of them repeat. */
  generateKey(
    algorithm: RsaHashedKeyGenParams | EcKeyGenParams, extractable: boolean, keyUsages: KeyUsage[],
  ): Promise<CryptoKeyPair>;
  generateKey(
    algorithm: AesKeyGenParams | HmacKeyGenParams, extractable: boolean, keyUsages: KeyUsage[],
  ): Promise<CryptoKey>;
  generateKey(
    algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: KeyUsage[],
  ): Promise<CryptoKeyPair | CryptoKey>;
  /** Derive bits by ECDH, X25519, X448, HKDF or PBKDF2; all there are where `length` is null. */
  deriveBits(
    algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey,
    length?: number | null,
  ): Promise<ArrayBuffer>;
  deriveKey(
    algorithm: AlgorithmIdentifier | EcdhKeyDeriveParams | HkdfParams | Pbkdf2Params, baseKey: CryptoKey,
    derivedKeyType: AlgorithmIdentifier | AesDerivedKeyParams | HmacImportParams, extractable: boolean,
    keyUsages: KeyUsage[],
  ): Promise<CryptoKey>;
  importKey(
    format: "jwk", keyData: JsonWebKey,
    algorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams, extractable: boolean,
    keyUsages: KeyUsage[],
  ): Promise<CryptoKey>;
  importKey(
    format: Exclude<KeyFormat, "jwk">, keyData: BufferSource,
    algorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams, extractable: boolean,
    keyUsages: KeyUsage[],
  ): Promise<CryptoKey>;
  exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: Exclude<KeyFormat, "jwk">, key: CryptoKey): Promise<ArrayBuffer>;
  /** Export a key and encrypt it, with AES-KW or what `encrypt` has. */
  wrapKey(
    format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey,
    wrapAlgorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams,
  ): Promise<ArrayBuffer>;
  /** Decrypt a key and import it. */
  unwrapKey(
    format: KeyFormat, wrappedKey: BufferSource, unwrappingKey: CryptoKey,
    unwrapAlgorithm: AlgorithmIdentifier | RsaOaepParams | AesCtrParams | AesCbcParams | AesGcmParams,
    unwrappedKeyAlgorithm: AlgorithmIdentifier | RsaHashedImportParams | EcKeyImportParams | HmacImportParams,
    extractable: boolean, keyUsages: KeyUsage[],
  ): Promise<CryptoKey>;
}
declare var SubtleCrypto: { readonly prototype: SubtleCrypto };
