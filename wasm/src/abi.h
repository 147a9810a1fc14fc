/* Generated from wasm/abi.toml by wasm/generate.py. DO NOT EDIT. */
#ifndef ABI_H
#define ABI_H

#include <stddef.h>
#include <stdint.h>

#define ABI_VERSION 1

typedef enum Status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_STOP = 2,
    STATUS_MALFORMED = 3,
    STATUS_ABORTED = 4,
    STATUS_FORGET = 5,
} Status;

typedef enum Reason {
    REASON_NONE = 0,
    REASON_INTERRUPTED = 1,
    REASON_CPU = 2,
    REASON_STOP = 3,
} Reason;

typedef enum Clock {
    CLOCK_REAL = 0,
    CLOCK_VIRTUAL = 1,
} Clock;

typedef enum Evaluation {
    EVALUATION_RETURN = 1,
    EVALUATION_YIELD = 2,
    EVALUATION_STRICT = 4,
    EVALUATION_NAMES = 8,
    EVALUATION_PLACES = 16,
    EVALUATION_LINES = 32,
    EVALUATION_COMMENTS = 64,
} Evaluation;

typedef enum Verb {
    VERB_GET = 0,
    VERB_SET = 1,
    VERB_DELETE = 2,
    VERB_HAS = 3,
    VERB_KEYS = 4,
    VERB_STEP = 5,
    VERB_WAIT = 6,
    VERB_CONSTRUCT = 7,
    VERB_OPEN = 8,
    VERB_FREEZE = 10,
    VERB_LOOK = 11,
    VERB_WHERE = 12,
    VERB_BINDINGS = 9,
} Verb;

typedef enum Mode {
    MODE_CALL = 0,
    MODE_QUEUE = 1,
} Mode;

typedef enum Flag {
    FLAG_REFERENCES = 1,
} Flag;

/* Ops of the protocol and of the capabilities; embedders' own start at OP_FIRST_DYNAMIC. */
typedef enum Op {
    OP_FINISH = 1, /* id: run; message: its value */
    OP_FAIL = 2, /* id: run; message: what was thrown */
    OP_UNCAUGHT = 3, /* id: 0 for an exception in a task, 1 for an unhandled rejection; message: what was thrown */
    OP_CANCEL = 4, /* id: request the guest no longer waits for */
    OP_POLL = 5, /* sandbox.call: the host may drain frames and look at signals */
    OP_RELEASE = 6, /* id: dynamic op whose function object the guest has collected */
    OP_NAMES = 7, /* id: run; message: array of the names that its script declares */
    OP_PLACE = 8, /* id: line; message: array of the file and milliseconds since the Unix epoch; the next request is made there and then */
    OP_COMMENT = 9, /* id: run; message: offset, in bytes of its text, of where what stands between two words begins */
    OP_STACK = 10, /* id: run, 0: the one whose turn it is; message: where its program is, as the stack of an Error says it */
    OP_CONSOLE_WRITE = 16, /* one entry: an object with `type` and its fields */
    OP_TIMERS_SLEEP = 24, /* milliseconds since time origin; answered (undefined) when that time has come */
    OP_RANDOM_FILL = 32, /* byte count; answers that many random bytes */
    OP_MODULES_RESOLVE = 40, /* specifier, importer's path, its directory or nil, condition; answers a key, nil: none has it, false: there are no modules */
    OP_MODULES_LOAD = 41, /* the same, the type of the import attribute, whether the source may come later; answers key, source, path, directory or nil, kind; nil: none has it; a number: ask `fetch` for it, unless it is 0, which says that it would come later */
    OP_MODULES_FETCH = 42, /* what `load` answered; answers as `load` does */
    OP_FETCH_SEND = 48, /* method, URL, names and values of headers in turn, body (nil, a bin, a length or true: a stream, of which the first chunk is asked for), redirect mode; answers a number: the fetch, which wants a chunk of that body; code and text of a failure; or the response: the number by which more of its body is read, 0: there is none, status, its text, names and values of headers, URL, whether it was redirected, a bin: the beginning of the body */
    OP_FETCH_WRITE = 49, /* number, bin or nil at the end; answers as `send` */
    OP_FETCH_READ = 50, /* number; answers a bin and whether it was the last one, or code and text of a failure */
    OP_FETCH_DROP = 51, /* number of a fetch that nobody needs; answers nil */
    OP_FETCH_DIGEST = 52, /* sha256, sha384 or sha512, and a bin; answers its digest */
    OP_WEBSOCKET_OPEN = 72, /* URL, list of subprotocols; answers number, subprotocol, extensions and how much may be on the way; or a text: why there is no connection */
    OP_WEBSOCKET_RECEIVE = 73, /* number; answers when there is something: what has gone of the guest's messages, with 128 bytes for each of them, and how many, a list of messages (strings and bins), and nil or the end: whether it was clean, code, reason; or nil: there is no such socket */
    OP_WEBSOCKET_SEND = 74, /* number, string or bin */
    OP_WEBSOCKET_LEAVE = 77, /* number of a socket that is being closed, but for messages that wait in the guest */
    OP_WEBSOCKET_CLOSE = 75, /* number, code or nil, reason */
    OP_WEBSOCKET_DROP = 76, /* number of a socket that nobody needs */
    OP_SERVE_RESPOND = 56, /* number of a request, status (101: it becomes a WebSocket), its text, names and values of headers in turn, body: nil, a bin or true, for one that is given by `write`; answers nil */
    OP_SERVE_READ = 57, /* number; answers a bin of the request's body and whether it was the last one */
    OP_SERVE_WRITE = 58, /* number, bin or nil at the end; answers whether anybody wants more */
    OP_SERVE_CLOSED = 59, /* number; answered (nil) when nobody waits for the response any more */
    OP_SERVE_SEND = 60, /* number of a WebSocket, text or bin; answers its length, 0: it is closed, -1: it waits for those before, -2: there is no room */
    OP_SERVE_CLOSE = 61, /* number of a WebSocket, code, reason; it is closed */
    OP_SERVE_LOST = 62, /* answered (nil) when all WebSockets are lost, because the program goes on in another life of the sandbox */
    OP_INTL_DEFAULTS = 96, /* answers the sandbox's locale and time zone */
    OP_INTL_LOCALE = 97, /* a language tag; answers its canonical form, the locale there is data for or nil, the keywords of its Unicode extension, the numbering system and the hour cycle of that locale; nil: it is no tag */
    OP_INTL_LIKELY = 98, /* a canonical language tag, whether subtags are added; answers it with the likely subtags added or removed */
    OP_INTL_ZONE = 99, /* a name of a time zone; answers how it is written, nil: there is none */
    OP_INTL_DESCRIBE = 100, /* a formatter (its kind, its locale and its options, as JSON); answers what its options resolve to */
    OP_INTL_FORMAT = 101, /* a formatter, whether parts are asked for, its arguments; answers a text, or types and values in turn */
    OP_INTL_COMPARE = 102, /* a collator, two texts; answers a number below, at or above 0 */
    OP_INTL_SUPPORTED = 103, /* a key of Intl.supportedValuesOf; answers the list */
    OP_CRYPTO_AVAILABLE = 128, /* answers whether the host has cryptography */
    OP_CRYPTO_DIGEST = 129, /* algorithm, bytes; answers bytes */
    OP_CRYPTO_GENERATE = 130, /* algorithm, extractable, usages; answers one description, or those of a public and a private key */
    OP_CRYPTO_IMPORT = 131, /* format, bytes or a JSON Web Key, algorithm, extractable, usages; answers a description */
    OP_CRYPTO_EXPORT = 132, /* format, key; answers bytes or a JSON Web Key */
    OP_CRYPTO_ENCRYPT = 133, /* algorithm, key, bytes; answers bytes */
    OP_CRYPTO_DECRYPT = 134, /* algorithm, key, bytes; answers bytes */
    OP_CRYPTO_SIGN = 135, /* algorithm, key, bytes; answers bytes */
    OP_CRYPTO_VERIFY = 136, /* algorithm, key, signature, bytes; answers a boolean */
    OP_CRYPTO_DERIVEBITS = 137, /* algorithm, key, number of bits or nil; answers bytes */
    OP_CRYPTO_DERIVEKEY = 138, /* algorithm, key, algorithm of the new one, extractable, usages; answers a description */
    OP_CRYPTO_WRAP = 139, /* format, key, key to wrap it with, algorithm; answers bytes */
    OP_CRYPTO_UNWRAP = 140, /* format, bytes, key to unwrap with, algorithm, algorithm of the key, extractable, usages; answers a description */
    OP_FILES_GRANTED = 176, /* answers nil: there are no files; or whether the top is storage of the program's own */
    OP_FILES_STAT = 177, /* path; answers a description */
    OP_FILES_LIST = 178, /* path of a directory; answers names, and whether each is a directory, in turn */
    OP_FILES_OPEN = 179, /* path, whether a directory is meant, whether it is made where there is nothing; answers nil */
    OP_FILES_READ = 180, /* path, position, number of bytes, the text of the description that is meant or nil; answers a bin, shorter only at the end */
    OP_FILES_READNOW = 181, /* likewise, answered at once */
    OP_FILES_STORE = 182, /* path, bin, manner: write (replaces), create (there must be nothing) or append; answers nil */
    OP_FILES_BEGIN = 183, /* path, whether what there is is kept, whether the file may be new; answers the number of a writable, and its size */
    OP_FILES_WRITE = 184, /* number, position, bin; answers nil */
    OP_FILES_TRUNCATE = 185, /* number, size; answers nil */
    OP_FILES_COMMIT = 186, /* number, which is none any more; answers nil: what was written is the file */
    OP_FILES_DISCARD = 187, /* number; answers nil */
    OP_FILES_MAKE = 188, /* path, whether the directories above are made too; answers nil, or a list of the path of the first that was made */
    OP_FILES_REMOVE = 189, /* path, whether directories go with all that is in them; answers nil */
    OP_FILES_RENAME = 190, /* path, new path, whether what is there is replaced; answers nil */
    OP_FILES_COPY = 191, /* path, path of the copy, whether what is there is replaced; answers nil */
    OP_TESTING_MATCH = 240, /* id of the test, hint, text, the inline snapshot or nil, the line of the stack that says where it is inline or nil; answers whether it fits, what it should be or nil, and why it does not */
    OP_TESTING_ENDED = 241, /* id of a test that ran beside others, records of its errors, milliseconds; answers nil */
    OP_TESTING_POINTS = 242, /* path of a module whose coverage counts, the number of its first point, a bin: for each point its line and its offset in bytes, u32 each, with the highest bit of that: it is a function, and no statement */
    OP_TESTING_COUNTS = 243, /* a bin: numbers of points that were passed since the last time, and how often, u32 each */
    OP_BROWSER_ACT = 244, /* what it is about, name of the action, arguments, options or nil; answers what the action gives */
    OP_BROWSER_JUDGE = 245, /* what it is about, name of the matcher, whether it must not hold, arguments, options or nil; answers nil: it holds, or why it does not */
    OP_BROWSER_STATE = 246, /* number of a page, what is asked: url, isClosed, viewportSize or context; or of a context: pages; or contexts; answers it */
    OP_BROWSER_LISTEN = 247, /* names of the events that are wanted; answers nil */
    OP_BROWSER_NEXT = 248, /* answers a list of events, when there are some: name, number of the page or -1, number of its context, parts */
    OP_FIRST_DYNAMIC = 256, /* ids from here on are given out at run time */
} Op;

/* Extension types of the value encoding. */
typedef enum Tag {
    TAG_UNDEFINED = 1, /* empty */
    TAG_BIGINT = 2, /* two's complement, little endian, raw bytes */
    TAG_REFERENCE = 3, /* the number of the object, msgpack uint */
    TAG_DATE = 4, /* milliseconds since the Unix epoch, float64; NaN for an invalid Date */
    TAG_REGEXP = 5, /* source, flags */
    TAG_MAP = 6, /* array of alternating keys and values */
    TAG_SET = 7, /* array of members */
    TAG_ERROR = 8, /* array: class, name, message, stack, host exception id or nil, own properties (map; `cause` and `errors` among them) */
    TAG_ARRAY_BUFFER = 9, /* raw bytes; a Uint8Array over a whole buffer is a plain bin */
    TAG_TYPED_ARRAY = 10, /* one byte [element], then the raw bytes */
    TAG_FUNCTION = 11, /* guest function: handle id, name */
    TAG_HOST_FUNCTION = 12, /* op, [mode], name, parameter count */
    TAG_PROMISE = 13, /* guest promise: handle id */
    TAG_ITERATOR = 14, /* guest iterator: handle id */
    TAG_ASYNC_ITERATOR = 15, /* guest async iterator or ReadableStream: handle id */
    TAG_HOST_ITERATOR = 16, /* host iterator: the parts of a host_function that takes its steps */
    TAG_HOST_STREAM = 17, /* host async iterator: likewise */
    TAG_HOST_PROMISE = 18, /* host awaitable: id of the request it answers, from `first_host_request` on */
    TAG_URL = 19, /* href */
    TAG_HEADERS = 20, /* nil: the host has no such type */
    TAG_REQUEST = 21, /* likewise */
    TAG_RESPONSE = 22, /* likewise */
    TAG_BLOB = 23, /* array: bytes, type */
    TAG_FILE = 24, /* array: bytes, type, name, milliseconds since the Unix epoch */
    TAG_FORM_DATA = 25, /* likewise */
    TAG_SPARSE_ARRAY = 26, /* length, then a map of index to value */
    TAG_HANDLE = 27, /* host to guest: the object behind a handle the host holds, handle id */
    TAG_HOST_OBJECT = 28, /* to the guest: values, getters, setters, each a map by name, and a host_function that stands for the object; to the host: the op of that */
    TAG_CRYPTO_KEY = 29, /* nil: the host has no such type */
} Tag;

/* Bit n is set when the extension with id n counts as an object for TAG_REFERENCE. */
#define TAG_OBJECTS UINT64_C(0x37fffff0)

typedef enum Element {
    ELEMENT_UINT8_CLAMPED = 0,
    ELEMENT_INT8 = 1,
    ELEMENT_UINT8 = 2,
    ELEMENT_INT16 = 3,
    ELEMENT_UINT16 = 4,
    ELEMENT_INT32 = 5,
    ELEMENT_UINT32 = 6,
    ELEMENT_BIGINT64 = 7,
    ELEMENT_BIGUINT64 = 8,
    ELEMENT_FLOAT16 = 9,
    ELEMENT_FLOAT32 = 10,
    ELEMENT_FLOAT64 = 11,
    ELEMENT_DATA_VIEW = 12,
} Element;

typedef enum Hook {
    HOOK_STEP = 0,
    HOOK_HOST_ITERATOR = 1,
    HOOK_HOST_STREAM = 2,
    HOOK_DYNAMIC_IMPORT = 3,
    HOOK_IMPORT_ENTRY = 4,
    HOOK_PARTS = 5,
    HOOK_MAKE = 6,
    HOOK_UNCAUGHT = 7,
    HOOK_UNHANDLED = 8,
    HOOK_HANDLED = 9,
    HOOK_ENTRY = 10,
} Hook;

#define HOOK_COUNT 11

/* Hard bounds, whatever the limits say. */
#define CAP_MESSAGE_BYTES 1073741824
#define CAP_DEPTH 500
#define CAP_NODES 67108864
#define CAP_ERROR_TEXT_BYTES 65536
#define CAP_FIRST_HOST_REQUEST 2147483648
#define CAP_STACK_BYTES 1458176
#define CAP_REENTRY 16
#define CAP_TRACED_LINES 65536
#define CAP_TRACED_COMMENTS 10000
#define CAP_COVERED_POINTS 262144

#define FRAME_HEADER_BYTES 12

/* Shared with the host: fields marked `in` are written by it, those marked `out` by the guest. */
typedef struct Control {
    uint32_t interrupt; /* in: non-zero stops the guest at its next poll; any thread may set it */
    uint32_t reason; /* out: why the last turn was stopped, see [reason] */
    uint64_t cpu_budget_ns; /* in: guest time this turn may use; 0: no limit */
    uint64_t cpu_used_ns; /* out: guest time used so far, host calls excluded */
    uint64_t poll_interval; /* in: interrupt checks of the engine between two `poll` calls, so that fuel does not depend on time; 0: never */
    uint64_t random_seed; /* in: seed of Math.random */
    double time_origin_ms; /* in: performance.timeOrigin, milliseconds since the Unix epoch */
    double virtual_now_ms; /* in: virtual clock: milliseconds since time_origin_ms */
    uint32_t clock_mode; /* in: see [clock] */
    uint32_t clock_resolution_ms; /* in: steps of the real clock, as multiples of which programs see every time; 0: as fine as it is */
    uint32_t has_locales; /* in: whether the host has data of locales; without, there is no Intl */
    uint32_t heap_limit_bytes; /* in: the engine's own allocation limit; 0: none */
    uint32_t stack_limit_bytes; /* in: shadow stack the engine may use; 0: the default of the image */
    uint32_t max_nodes; /* in: values one outgoing message may hold */
    uint32_t max_depth; /* in: nesting of one message, both ways */
    uint32_t max_message_bytes; /* in: size of one outgoing message */
    uint32_t max_outbox_bytes; /* in: frames kept before the guest asks the host to drain them */
    uint32_t outbox; /* out: address of the frames */
    uint32_t outbox_bytes; /* out: length of the frames; the host sets it to 0 when it has read them */
    uint32_t inbox; /* out: address where the host writes its next message */
    uint32_t inbox_bytes; /* out: room at `inbox` */
    uint32_t reply_bytes; /* in: length of the reply to the `sandbox.call` that is returning */
    uint32_t heap_bytes; /* out: bytes the engine has allocated, as of the end of the last turn */
    uint32_t failed_allocations; /* out: allocations refused since start */
    uint32_t live_handles; /* out: guest values the host holds by handle */
    uint32_t pending_requests; /* out: queued requests not answered yet */
    uint32_t executed; /* out: address of what traced runs have executed: run, line and count, u32 each, in the order of the first time */
    uint32_t executed_bytes; /* out: length of that */
} Control;

_Static_assert(offsetof(Control, interrupt) == 0, "interrupt");
_Static_assert(offsetof(Control, reason) == 4, "reason");
_Static_assert(offsetof(Control, cpu_budget_ns) == 8, "cpu_budget_ns");
_Static_assert(offsetof(Control, cpu_used_ns) == 16, "cpu_used_ns");
_Static_assert(offsetof(Control, poll_interval) == 24, "poll_interval");
_Static_assert(offsetof(Control, random_seed) == 32, "random_seed");
_Static_assert(offsetof(Control, time_origin_ms) == 40, "time_origin_ms");
_Static_assert(offsetof(Control, virtual_now_ms) == 48, "virtual_now_ms");
_Static_assert(offsetof(Control, clock_mode) == 56, "clock_mode");
_Static_assert(offsetof(Control, clock_resolution_ms) == 60, "clock_resolution_ms");
_Static_assert(offsetof(Control, has_locales) == 64, "has_locales");
_Static_assert(offsetof(Control, heap_limit_bytes) == 68, "heap_limit_bytes");
_Static_assert(offsetof(Control, stack_limit_bytes) == 72, "stack_limit_bytes");
_Static_assert(offsetof(Control, max_nodes) == 76, "max_nodes");
_Static_assert(offsetof(Control, max_depth) == 80, "max_depth");
_Static_assert(offsetof(Control, max_message_bytes) == 84, "max_message_bytes");
_Static_assert(offsetof(Control, max_outbox_bytes) == 88, "max_outbox_bytes");
_Static_assert(offsetof(Control, outbox) == 92, "outbox");
_Static_assert(offsetof(Control, outbox_bytes) == 96, "outbox_bytes");
_Static_assert(offsetof(Control, inbox) == 100, "inbox");
_Static_assert(offsetof(Control, inbox_bytes) == 104, "inbox_bytes");
_Static_assert(offsetof(Control, reply_bytes) == 108, "reply_bytes");
_Static_assert(offsetof(Control, heap_bytes) == 112, "heap_bytes");
_Static_assert(offsetof(Control, failed_allocations) == 116, "failed_allocations");
_Static_assert(offsetof(Control, live_handles) == 120, "live_handles");
_Static_assert(offsetof(Control, pending_requests) == 124, "pending_requests");
_Static_assert(offsetof(Control, executed) == 128, "executed");
_Static_assert(offsetof(Control, executed_bytes) == 132, "executed_bytes");
_Static_assert(sizeof(Control) == 136, "Control");

/* Marks the definition of an export of the table, for example `EXPORT(start) int32_t start(void)`. */
#define EXPORT(name) __attribute__((export_name(#name), visibility("default")))

__attribute__((import_module("sandbox"), import_name("call")))
int32_t host_call(int32_t, int32_t, int32_t);

#endif
