// Generated from wasm/abi.toml by wasm/generate.py. DO NOT EDIT.

const freeze = Object.freeze;

export const op = freeze({
  __proto__: null,
  console: freeze({
    __proto__: null,
    // send: one entry: an object with `type` and its fields
    write: 16,
  }),
  timers: freeze({
    __proto__: null,
    // queue: milliseconds since time origin; answered (undefined) when that time has come
    sleep: 24,
  }),
  random: freeze({
    __proto__: null,
    // call: byte count; answers that many random bytes
    fill: 32,
  }),
  modules: freeze({
    __proto__: null,
    // call: specifier, importer's path, its directory or nil, condition; answers a key, nil: none has it, false: there are no modules
    resolve: 40,
    // call: the same, the type of the import attribute, whether the source may come later; answers key, source, path, directory or nil, kind; nil: none has it; a number: ask `fetch` for it, unless it is 0, which says that it would come later
    load: 41,
    // queue: what `load` answered; answers as `load` does
    fetch: 42,
  }),
  fetch: freeze({
    __proto__: null,
    // queue: method, URL, names and values of headers in turn, body (nil, a bin, a length or true: a stream, of which the first chunk is asked for), redirect mode; answers a number: the fetch, which wants a chunk of that body; code and text of a failure; or the response: the number by which more of its body is read, 0: there is none, status, its text, names and values of headers, URL, whether it was redirected, a bin: the beginning of the body
    send: 48,
    // queue: number, bin or nil at the end; answers as `send`
    write: 49,
    // queue: number; answers a bin and whether it was the last one, or code and text of a failure
    read: 50,
    // queue: number of a fetch that nobody needs; answers nil
    drop: 51,
    // call: sha256, sha384 or sha512, and a bin; answers its digest
    digest: 52,
  }),
  websocket: freeze({
    __proto__: null,
    // queue: URL, list of subprotocols; answers number, subprotocol, extensions and how much may be on the way; or a text: why there is no connection
    open: 72,
    // queue: number; answers when there is something: what has gone of the guest's messages, with 128 bytes for each of them, and how many, a list of messages (strings and bins), and nil or the end: whether it was clean, code, reason; or nil: there is no such socket
    receive: 73,
    // send: number, string or bin
    send: 74,
    // send: number of a socket that is being closed, but for messages that wait in the guest
    leave: 77,
    // send: number, code or nil, reason
    close: 75,
    // send: number of a socket that nobody needs
    drop: 76,
  }),
  serve: freeze({
    __proto__: null,
    // call: number of a request, status (101: it becomes a WebSocket), its text, names and values of headers in turn, body: nil, a bin or true, for one that is given by `write`; answers nil
    respond: 56,
    // queue: number; answers a bin of the request's body and whether it was the last one
    read: 57,
    // queue: number, bin or nil at the end; answers whether anybody wants more
    write: 58,
    // queue: number; answered (nil) when nobody waits for the response any more
    closed: 59,
    // call: number of a WebSocket, text or bin; answers its length, 0: it is closed, -1: it waits for those before, -2: there is no room
    send: 60,
    // send: number of a WebSocket, code, reason; it is closed
    close: 61,
    // queue: answered (nil) when all WebSockets are lost, because the program goes on in another life of the sandbox
    lost: 62,
  }),
  intl: freeze({
    __proto__: null,
    // call: answers the sandbox's locale and time zone
    defaults: 96,
    // call: a language tag; answers its canonical form, the locale there is data for or nil, the keywords of its Unicode extension, the numbering system and the hour cycle of that locale; nil: it is no tag
    locale: 97,
    // call: a canonical language tag, whether subtags are added; answers it with the likely subtags added or removed
    likely: 98,
    // call: a name of a time zone; answers how it is written, nil: there is none
    zone: 99,
    // call: a formatter (its kind, its locale and its options, as JSON); answers what its options resolve to
    describe: 100,
    // call: a formatter, whether parts are asked for, its arguments; answers a text, or types and values in turn
    format: 101,
    // call: a collator, two texts; answers a number below, at or above 0
    compare: 102,
    // call: a key of Intl.supportedValuesOf; answers the list
    supported: 103,
  }),
  crypto: freeze({
    __proto__: null,
    // call: answers whether the host has cryptography
    available: 128,
    // call: algorithm, bytes; answers bytes
    digest: 129,
    // call: algorithm, extractable, usages; answers one description, or those of a public and a private key
    generate: 130,
    // call: format, bytes or a JSON Web Key, algorithm, extractable, usages; answers a description
    import: 131,
    // call: format, key; answers bytes or a JSON Web Key
    export: 132,
    // call: algorithm, key, bytes; answers bytes
    encrypt: 133,
    // call: algorithm, key, bytes; answers bytes
    decrypt: 134,
    // call: algorithm, key, bytes; answers bytes
    sign: 135,
    // call: algorithm, key, signature, bytes; answers a boolean
    verify: 136,
    // call: algorithm, key, number of bits or nil; answers bytes
    deriveBits: 137,
    // call: algorithm, key, algorithm of the new one, extractable, usages; answers a description
    deriveKey: 138,
    // call: format, key, key to wrap it with, algorithm; answers bytes
    wrap: 139,
    // call: format, bytes, key to unwrap with, algorithm, algorithm of the key, extractable, usages; answers a description
    unwrap: 140,
  }),
  files: freeze({
    __proto__: null,
    // call: answers nil: there are no files; or whether the top is storage of the program's own
    granted: 176,
    // queue: path; answers a description
    stat: 177,
    // queue: path of a directory; answers names, and whether each is a directory, in turn
    list: 178,
    // queue: path, whether a directory is meant, whether it is made where there is nothing; answers nil
    open: 179,
    // queue: path, position, number of bytes, the text of the description that is meant or nil; answers a bin, shorter only at the end
    read: 180,
    // call: likewise, answered at once
    readNow: 181,
    // queue: path, bin, manner: write (replaces), create (there must be nothing) or append; answers nil
    store: 182,
    // queue: path, whether what there is is kept, whether the file may be new; answers the number of a writable, and its size
    begin: 183,
    // queue: number, position, bin; answers nil
    write: 184,
    // queue: number, size; answers nil
    truncate: 185,
    // queue: number, which is none any more; answers nil: what was written is the file
    commit: 186,
    // queue: number; answers nil
    discard: 187,
    // queue: path, whether the directories above are made too; answers nil, or a list of the path of the first that was made
    make: 188,
    // queue: path, whether directories go with all that is in them; answers nil
    remove: 189,
    // queue: path, new path, whether what is there is replaced; answers nil
    rename: 190,
    // queue: path, path of the copy, whether what is there is replaced; answers nil
    copy: 191,
  }),
  testing: freeze({
    __proto__: null,
    // call: id of the test, hint, text, the inline snapshot or nil, the line of the stack that says where it is inline or nil; answers whether it fits, what it should be or nil, and why it does not
    match: 240,
    // call: id of a test that ran beside others, records of its errors, milliseconds; answers nil
    ended: 241,
    // send: path of a module whose coverage counts, the number of its first point, a bin: for each point its line and its offset in bytes, u32 each, with the highest bit of that: it is a function, and no statement
    points: 242,
    // send: a bin: numbers of points that were passed since the last time, and how often, u32 each
    counts: 243,
  }),
  browser: freeze({
    __proto__: null,
    // queue: what it is about, name of the action, arguments, options or nil; answers what the action gives
    act: 244,
    // queue: what it is about, name of the matcher, whether it must not hold, arguments, options or nil; answers nil: it holds, or why it does not
    judge: 245,
    // call: number of a page, what is asked: url, isClosed, viewportSize or context; or of a context: pages; or contexts; answers it
    state: 246,
    // call: names of the events that are wanted; answers nil
    listen: 247,
    // queue: answers a list of events, when there are some: name, number of the page or -1, number of its context, parts
    next: 248,
  }),
});

export const element = freeze({
  __proto__: null,
  uint8Clamped: 0,
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int32: 5,
  uint32: 6,
  bigint64: 7,
  biguint64: 8,
  float16: 9,
  float32: 10,
  float64: 11,
  dataView: 12,
});

export const hook = freeze({
  __proto__: null,
  step: 0,
  hostIterator: 1,
  hostStream: 2,
  dynamicImport: 3,
  importEntry: 4,
  parts: 5,
  make: 6,
  uncaught: 7,
  unhandled: 8,
  handled: 9,
  entry: 10,
});

export const tag = freeze({
  __proto__: null,
  undefined: 1,
  bigint: 2,
  reference: 3,
  date: 4,
  regexp: 5,
  map: 6,
  set: 7,
  error: 8,
  arrayBuffer: 9,
  typedArray: 10,
  function: 11,
  hostFunction: 12,
  promise: 13,
  iterator: 14,
  asyncIterator: 15,
  hostIterator: 16,
  hostStream: 17,
  hostPromise: 18,
  url: 19,
  headers: 20,
  request: 21,
  response: 22,
  blob: 23,
  file: 24,
  formData: 25,
  sparseArray: 26,
  handle: 27,
  hostObject: 28,
  cryptoKey: 29,
});
