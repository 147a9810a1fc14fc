/**
 * What programs in the sandbox find beyond ECMAScript.
 *
 * Use it in place of the `dom` and `node` libraries: `"lib": ["esnext"]` and this file.
 */

/** The global object under the name that scripts for browsers and workers use. */
declare var self: typeof globalThis;

/** A failure named by the web platform's table of names; `code` is the legacy number, 0 for newer names. */
interface DOMException extends Error {
  readonly name: string;
  readonly message: string;
  readonly code: number;
}
declare var DOMException: {
  readonly prototype: DOMException;
  new (message?: string, name?: string): DOMException;
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
/** Report an error to the host, as if it had been thrown and nobody had caught it; the program goes on. */
declare function reportError(error: unknown): void;

/**
 * Copy a value with everything it refers to; cycles and shared references are kept.
 * @param options `transfer`: ArrayBuffers to be moved instead of copied; they are detached.
 * @throws {DOMException} DataCloneError: there is a function, symbol, Proxy, promise, weak collection or platform
 *   object.
 */
declare function structuredClone<T>(value: T, options?: { transfer?: Iterable<ArrayBuffer> }): T;

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
  readonly encoding: "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /**
   * Decode bytes. With `stream`, a character cut off at the end waits for the next call.
   * @throws {TypeError} The decoder is fatal, and the bytes are not UTF-8.
   */
  decode(input?: BufferSource, options?: { stream?: boolean }): string;
}
declare var TextDecoder: {
  readonly prototype: TextDecoder;
  /**
   * @param label A label of UTF-8, the only encoding there is.
   * @throws {RangeError} The label is of another encoding, or of none.
   */
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
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

interface Performance {
  /** Milliseconds since the Unix epoch at which the clock of this sandbox began. */
  readonly timeOrigin: number;
  /** Milliseconds since `timeOrigin`; a virtual clock stands still while the program runs. */
  now(): number;
  toJSON(): { timeOrigin: number };
}
declare var Performance: { readonly prototype: Performance };
declare var performance: Performance;

interface Crypto {
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
