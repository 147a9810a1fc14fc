"""The boundary between guest and host. Generated from wasm/abi.toml by wasm/generate.py. DO NOT EDIT."""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Final

from sandbox._records import NamedTuple

VERSION: Final = 1


class Status(IntEnum):
    """What an export or `sandbox.call` returns."""

    OK = 0
    FAILED = 1
    STOP = 2
    MALFORMED = 3
    ABORTED = 4
    FORGET = 5


class Reason(IntEnum):
    """Why the guest was stopped."""

    NONE = 0
    INTERRUPTED = 1
    CPU = 2
    STOP = 3


class Clock(IntEnum):
    """Which clock the guest reads."""

    REAL = 0
    VIRTUAL = 1


class Evaluation:
    """Bits of what `eval` is to do."""

    RETURN: Final = 1
    YIELD: Final = 2
    STRICT: Final = 4
    NAMES: Final = 8
    PLACES: Final = 16
    LINES: Final = 32
    COMMENTS: Final = 64


class Verb(IntEnum):
    """What `access` does with a property."""

    GET = 0
    SET = 1
    DELETE = 2
    HAS = 3
    KEYS = 4
    STEP = 5
    WAIT = 6
    CONSTRUCT = 7
    OPEN = 8
    FREEZE = 10
    LOOK = 11
    WHERE = 12
    BINDINGS = 9


class Mode(IntEnum):
    """How a host function answers."""

    CALL = 0
    QUEUE = 1


class Flag:
    """Bits of the first byte of a message."""

    REFERENCES: Final = 1


class Op:
    """Fixed ops: the protocol's own, then those of the capabilities."""

    # id: run; message: its value
    FINISH: Final = 1
    # id: run; message: what was thrown
    FAIL: Final = 2
    # id: 0 for an exception in a task, 1 for an unhandled rejection; message: what was thrown
    UNCAUGHT: Final = 3
    # id: request the guest no longer waits for
    CANCEL: Final = 4
    # sandbox.call: the host may drain frames and look at signals
    POLL: Final = 5
    # id: dynamic op whose function object the guest has collected
    RELEASE: Final = 6
    # id: run; message: array of the names that its script declares
    NAMES: Final = 7
    # id: line; message: array of the file and milliseconds since the Unix epoch; the next request is made there and
    # then
    PLACE: Final = 8
    # id: run; message: offset, in bytes of its text, of where what stands between two words begins
    COMMENT: Final = 9
    # id: run, 0: the one whose turn it is; message: where its program is, as the stack of an Error says it
    STACK: Final = 10
    # one entry: an object with `type` and its fields
    CONSOLE_WRITE: Final = 16
    # milliseconds since time origin; answered (undefined) when that time has come
    TIMERS_SLEEP: Final = 24
    # byte count; answers that many random bytes
    RANDOM_FILL: Final = 32
    # specifier, importer's path, its directory or nil, condition; answers a key, nil: none has it, false: there are no
    # modules
    MODULES_RESOLVE: Final = 40
    # the same, the type of the import attribute, whether the source may come later; answers key, source, path,
    # directory or nil, kind; nil: none has it; a number: ask `fetch` for it, unless it is 0, which says that it would
    # come later
    MODULES_LOAD: Final = 41
    # what `load` answered; answers as `load` does
    MODULES_FETCH: Final = 42
    # method, URL, names and values of headers in turn, body (nil, a bin, a length or true: a stream, of which the first
    # chunk is asked for), redirect mode; answers a number: the fetch, which wants a chunk of that body; code and text
    # of a failure; or the response: the number by which more of its body is read, 0: there is none, status, its text,
    # names and values of headers, URL, whether it was redirected, a bin: the beginning of the body
    FETCH_SEND: Final = 48
    # number, bin or nil at the end; answers as `send`
    FETCH_WRITE: Final = 49
    # number; answers a bin and whether it was the last one, or code and text of a failure
    FETCH_READ: Final = 50
    # number of a fetch that nobody needs; answers nil
    FETCH_DROP: Final = 51
    # sha256, sha384 or sha512, and a bin; answers its digest
    FETCH_DIGEST: Final = 52
    # URL, list of subprotocols; answers number, subprotocol, extensions and how much may be on the way; or a text: why
    # there is no connection
    WEBSOCKET_OPEN: Final = 72
    # number; answers when there is something: what has gone of the guest's messages, with 128 bytes for each of them,
    # and how many, a list of messages (strings and bins), and nil or the end: whether it was clean, code, reason; or
    # nil: there is no such socket
    WEBSOCKET_RECEIVE: Final = 73
    # number, string or bin
    WEBSOCKET_SEND: Final = 74
    # number of a socket that is being closed, but for messages that wait in the guest
    WEBSOCKET_LEAVE: Final = 77
    # number, code or nil, reason
    WEBSOCKET_CLOSE: Final = 75
    # number of a socket that nobody needs
    WEBSOCKET_DROP: Final = 76
    # number of a request, status (101: it becomes a WebSocket), its text, names and values of headers in turn, body:
    # nil, a bin or true, for one that is given by `write`; answers nil
    SERVE_RESPOND: Final = 56
    # number; answers a bin of the request's body and whether it was the last one
    SERVE_READ: Final = 57
    # number, bin or nil at the end; answers whether anybody wants more
    SERVE_WRITE: Final = 58
    # number; answered (nil) when nobody waits for the response any more
    SERVE_CLOSED: Final = 59
    # number of a WebSocket, text or bin; answers its length, 0: it is closed, -1: it waits for those before, -2: there
    # is no room
    SERVE_SEND: Final = 60
    # number of a WebSocket, code, reason; it is closed
    SERVE_CLOSE: Final = 61
    # answered (nil) when all WebSockets are lost, because the program goes on in another life of the sandbox
    SERVE_LOST: Final = 62
    # answers the sandbox's locale and time zone
    INTL_DEFAULTS: Final = 96
    # a language tag; answers its canonical form, the locale there is data for or nil, the keywords of its Unicode
    # extension, the numbering system and the hour cycle of that locale; nil: it is no tag
    INTL_LOCALE: Final = 97
    # a canonical language tag, whether subtags are added; answers it with the likely subtags added or removed
    INTL_LIKELY: Final = 98
    # a name of a time zone; answers how it is written, nil: there is none
    INTL_ZONE: Final = 99
    # a formatter (its kind, its locale and its options, as JSON); answers what its options resolve to
    INTL_DESCRIBE: Final = 100
    # a formatter, whether parts are asked for, its arguments; answers a text, or types and values in turn
    INTL_FORMAT: Final = 101
    # a collator, two texts; answers a number below, at or above 0
    INTL_COMPARE: Final = 102
    # a key of Intl.supportedValuesOf; answers the list
    INTL_SUPPORTED: Final = 103
    # answers whether the host has cryptography
    CRYPTO_AVAILABLE: Final = 128
    # algorithm, bytes; answers bytes
    CRYPTO_DIGEST: Final = 129
    # algorithm, extractable, usages; answers one description, or those of a public and a private key
    CRYPTO_GENERATE: Final = 130
    # format, bytes or a JSON Web Key, algorithm, extractable, usages; answers a description
    CRYPTO_IMPORT: Final = 131
    # format, key; answers bytes or a JSON Web Key
    CRYPTO_EXPORT: Final = 132
    # algorithm, key, bytes; answers bytes
    CRYPTO_ENCRYPT: Final = 133
    # algorithm, key, bytes; answers bytes
    CRYPTO_DECRYPT: Final = 134
    # algorithm, key, bytes; answers bytes
    CRYPTO_SIGN: Final = 135
    # algorithm, key, signature, bytes; answers a boolean
    CRYPTO_VERIFY: Final = 136
    # algorithm, key, number of bits or nil; answers bytes
    CRYPTO_DERIVEBITS: Final = 137
    # algorithm, key, algorithm of the new one, extractable, usages; answers a description
    CRYPTO_DERIVEKEY: Final = 138
    # format, key, key to wrap it with, algorithm; answers bytes
    CRYPTO_WRAP: Final = 139
    # format, bytes, key to unwrap with, algorithm, algorithm of the key, extractable, usages; answers a description
    CRYPTO_UNWRAP: Final = 140
    # answers nil: there are no files; or whether the top is storage of the program's own
    FILES_GRANTED: Final = 176
    # path; answers a description
    FILES_STAT: Final = 177
    # path of a directory; answers names, and whether each is a directory, in turn
    FILES_LIST: Final = 178
    # path, whether a directory is meant, whether it is made where there is nothing; answers nil
    FILES_OPEN: Final = 179
    # path, position, number of bytes, the text of the description that is meant or nil; answers a bin, shorter only at
    # the end
    FILES_READ: Final = 180
    # likewise, answered at once
    FILES_READNOW: Final = 181
    # path, bin, manner: write (replaces), create (there must be nothing) or append; answers nil
    FILES_STORE: Final = 182
    # path, whether what there is is kept, whether the file may be new; answers the number of a writable, and its size
    FILES_BEGIN: Final = 183
    # number, position, bin; answers nil
    FILES_WRITE: Final = 184
    # number, size; answers nil
    FILES_TRUNCATE: Final = 185
    # number, which is none any more; answers nil: what was written is the file
    FILES_COMMIT: Final = 186
    # number; answers nil
    FILES_DISCARD: Final = 187
    # path, whether the directories above are made too; answers nil, or a list of the path of the first that was made
    FILES_MAKE: Final = 188
    # path, whether directories go with all that is in them; answers nil
    FILES_REMOVE: Final = 189
    # path, new path, whether what is there is replaced; answers nil
    FILES_RENAME: Final = 190
    # path, path of the copy, whether what is there is replaced; answers nil
    FILES_COPY: Final = 191
    # id of the test, hint, text, the inline snapshot or nil, the line of the stack that says where it is inline or nil;
    # answers whether it fits, what it should be or nil, and why it does not
    TESTING_MATCH: Final = 240
    # id of a test that ran beside others, records of its errors, milliseconds; answers nil
    TESTING_ENDED: Final = 241
    # path of a module whose coverage counts, the number of its first point, a bin: for each point its line and its
    # offset in bytes, u32 each, with the highest bit of that: it is a function, and no statement
    TESTING_POINTS: Final = 242
    # a bin: numbers of points that were passed since the last time, and how often, u32 each
    TESTING_COUNTS: Final = 243
    # what it is about, name of the action, arguments, options or nil; answers what the action gives
    BROWSER_ACT: Final = 244
    # what it is about, name of the matcher, whether it must not hold, arguments, options or nil; answers nil: it holds,
    # or why it does not
    BROWSER_JUDGE: Final = 245
    # number of a page, what is asked: url, isClosed, viewportSize or context; or of a context: pages; or contexts;
    # answers it
    BROWSER_STATE: Final = 246
    # names of the events that are wanted; answers nil
    BROWSER_LISTEN: Final = 247
    # answers a list of events, when there are some: name, number of the page or -1, number of its context, parts
    BROWSER_NEXT: Final = 248


class Tag(IntEnum):
    """Extension types of the value encoding."""

    # empty
    UNDEFINED = 1
    # two's complement, little endian, raw bytes
    BIGINT = 2
    # the number of the object, msgpack uint
    REFERENCE = 3
    # milliseconds since the Unix epoch, float64; NaN for an invalid Date
    DATE = 4
    # source, flags
    REGEXP = 5
    # array of alternating keys and values
    MAP = 6
    # array of members
    SET = 7
    # array: class, name, message, stack, host exception id or nil, own properties (map; `cause` and `errors` among
    # them)
    ERROR = 8
    # raw bytes; a Uint8Array over a whole buffer is a plain bin
    ARRAY_BUFFER = 9
    # one byte [element], then the raw bytes
    TYPED_ARRAY = 10
    # guest function: handle id, name
    FUNCTION = 11
    # op, [mode], name, parameter count
    HOST_FUNCTION = 12
    # guest promise: handle id
    PROMISE = 13
    # guest iterator: handle id
    ITERATOR = 14
    # guest async iterator or ReadableStream: handle id
    ASYNC_ITERATOR = 15
    # host iterator: the parts of a host_function that takes its steps
    HOST_ITERATOR = 16
    # host async iterator: likewise
    HOST_STREAM = 17
    # host awaitable: id of the request it answers, from `first_host_request` on
    HOST_PROMISE = 18
    # href
    URL = 19
    # nil: the host has no such type
    HEADERS = 20
    # likewise
    REQUEST = 21
    # likewise
    RESPONSE = 22
    # array: bytes, type
    BLOB = 23
    # array: bytes, type, name, milliseconds since the Unix epoch
    FILE = 24
    # likewise
    FORM_DATA = 25
    # length, then a map of index to value
    SPARSE_ARRAY = 26
    # host to guest: the object behind a handle the host holds, handle id
    HANDLE = 27
    # to the guest: values, getters, setters, each a map by name, and a host_function that stands for the object; to the
    # host: the op of that
    HOST_OBJECT = 28
    # nil: the host has no such type
    CRYPTO_KEY = 29


class Element(IntEnum):
    """Element type of a typed array."""

    UINT8_CLAMPED = 0
    INT8 = 1
    UINT8 = 2
    INT16 = 3
    UINT16 = 4
    INT32 = 5
    UINT32 = 6
    BIGINT64 = 7
    BIGUINT64 = 8
    FLOAT16 = 9
    FLOAT32 = 10
    FLOAT64 = 11
    DATA_VIEW = 12


# Extensions that are numbered as objects, so that `Tag.REFERENCE` can name them.
OBJECT_TAGS: Final = frozenset(
    {
        Tag.DATE,
        Tag.REGEXP,
        Tag.MAP,
        Tag.SET,
        Tag.ERROR,
        Tag.ARRAY_BUFFER,
        Tag.TYPED_ARRAY,
        Tag.FUNCTION,
        Tag.HOST_FUNCTION,
        Tag.PROMISE,
        Tag.ITERATOR,
        Tag.ASYNC_ITERATOR,
        Tag.HOST_ITERATOR,
        Tag.HOST_STREAM,
        Tag.HOST_PROMISE,
        Tag.URL,
        Tag.HEADERS,
        Tag.REQUEST,
        Tag.RESPONSE,
        Tag.BLOB,
        Tag.FILE,
        Tag.FORM_DATA,
        Tag.SPARSE_ARRAY,
        Tag.HOST_OBJECT,
        Tag.CRYPTO_KEY,
    }
)

# Ids from here on are given out at run time, to embedders' functions and capabilities.
FIRST_DYNAMIC_OP: Final = 256

# (stem of the capability, name) -> (id, mode)
OPS: Final[dict[tuple[str, str], tuple[int, str]]] = {
    ("console", "write"): (16, "send"),
    ("timers", "sleep"): (24, "queue"),
    ("random", "fill"): (32, "call"),
    ("modules", "resolve"): (40, "call"),
    ("modules", "load"): (41, "call"),
    ("modules", "fetch"): (42, "queue"),
    ("fetch", "send"): (48, "queue"),
    ("fetch", "write"): (49, "queue"),
    ("fetch", "read"): (50, "queue"),
    ("fetch", "drop"): (51, "queue"),
    ("fetch", "digest"): (52, "call"),
    ("websocket", "open"): (72, "queue"),
    ("websocket", "receive"): (73, "queue"),
    ("websocket", "send"): (74, "send"),
    ("websocket", "leave"): (77, "send"),
    ("websocket", "close"): (75, "send"),
    ("websocket", "drop"): (76, "send"),
    ("serve", "respond"): (56, "call"),
    ("serve", "read"): (57, "queue"),
    ("serve", "write"): (58, "queue"),
    ("serve", "closed"): (59, "queue"),
    ("serve", "send"): (60, "call"),
    ("serve", "close"): (61, "send"),
    ("serve", "lost"): (62, "queue"),
    ("intl", "defaults"): (96, "call"),
    ("intl", "locale"): (97, "call"),
    ("intl", "likely"): (98, "call"),
    ("intl", "zone"): (99, "call"),
    ("intl", "describe"): (100, "call"),
    ("intl", "format"): (101, "call"),
    ("intl", "compare"): (102, "call"),
    ("intl", "supported"): (103, "call"),
    ("crypto", "available"): (128, "call"),
    ("crypto", "digest"): (129, "call"),
    ("crypto", "generate"): (130, "call"),
    ("crypto", "import"): (131, "call"),
    ("crypto", "export"): (132, "call"),
    ("crypto", "encrypt"): (133, "call"),
    ("crypto", "decrypt"): (134, "call"),
    ("crypto", "sign"): (135, "call"),
    ("crypto", "verify"): (136, "call"),
    ("crypto", "deriveBits"): (137, "call"),
    ("crypto", "deriveKey"): (138, "call"),
    ("crypto", "wrap"): (139, "call"),
    ("crypto", "unwrap"): (140, "call"),
    ("files", "granted"): (176, "call"),
    ("files", "stat"): (177, "queue"),
    ("files", "list"): (178, "queue"),
    ("files", "open"): (179, "queue"),
    ("files", "read"): (180, "queue"),
    ("files", "readNow"): (181, "call"),
    ("files", "store"): (182, "queue"),
    ("files", "begin"): (183, "queue"),
    ("files", "write"): (184, "queue"),
    ("files", "truncate"): (185, "queue"),
    ("files", "commit"): (186, "queue"),
    ("files", "discard"): (187, "queue"),
    ("files", "make"): (188, "queue"),
    ("files", "remove"): (189, "queue"),
    ("files", "rename"): (190, "queue"),
    ("files", "copy"): (191, "queue"),
    ("testing", "match"): (240, "call"),
    ("testing", "ended"): (241, "call"),
    ("testing", "points"): (242, "send"),
    ("testing", "counts"): (243, "send"),
    ("browser", "act"): (244, "queue"),
    ("browser", "judge"): (245, "queue"),
    ("browser", "state"): (246, "call"),
    ("browser", "listen"): (247, "call"),
    ("browser", "next"): (248, "queue"),
}

# Export -> number of i32 parameters; every export returns one i32.
EXPORTS: Final[dict[str, int]] = {
    "boot": 0,
    "define_module": 1,
    "compile": 1,
    "install": 1,
    "start": 0,
    "zone": 1,
    "control": 0,
    "reserve": 1,
    "eval": 2,
    "module": 2,
    "call": 2,
    "access": 2,
    "settle": 3,
    "abandon": 2,
    "release": 1,
    "resume": 1,
    "collect": 0,
}

# (module, name) -> (parameter types, result types)
IMPORTS: Final[dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]] = {
    ("sandbox", "call"): (("i32", "i32", "i32"), ("i32",)),
    ("wasi_snapshot_preview1", "clock_time_get"): (("i32", "i64", "i32"), ("i32",)),
}

# Hard bounds, whatever the limits say.
CAP_MESSAGE_BYTES: Final = 1073741824
CAP_DEPTH: Final = 500
CAP_NODES: Final = 67108864
CAP_ERROR_TEXT_BYTES: Final = 65536
CAP_FIRST_HOST_REQUEST: Final = 2147483648
CAP_STACK_BYTES: Final = 1458176
CAP_REENTRY: Final = 16
CAP_TRACED_LINES: Final = 65536
CAP_TRACED_COMMENTS: Final = 10000
CAP_COVERED_POINTS: Final = 262144

FRAME_HEADER_BYTES: Final = 12


class Control(ctypes.LittleEndianStructure):
    """The control block in linear memory; `in` is written by the host, `out` by the guest."""

    # in: non-zero stops the guest at its next poll; any thread may set it
    interrupt: int
    # out: why the last turn was stopped, see [reason]
    reason: int
    # in: guest time this turn may use; 0: no limit
    cpu_budget_ns: int
    # out: guest time used so far, host calls excluded
    cpu_used_ns: int
    # in: interrupt checks of the engine between two `poll` calls, so that fuel does not depend on time; 0: never
    poll_interval: int
    # in: seed of Math.random
    random_seed: int
    # in: performance.timeOrigin, milliseconds since the Unix epoch
    time_origin_ms: float
    # in: virtual clock: milliseconds since time_origin_ms
    virtual_now_ms: float
    # in: see [clock]
    clock_mode: int
    # in: steps of the real clock, as multiples of which programs see every time; 0: as fine as it is
    clock_resolution_ms: int
    # in: whether the host has data of locales; without, there is no Intl
    has_locales: int
    # in: the engine's own allocation limit; 0: none
    heap_limit_bytes: int
    # in: shadow stack the engine may use; 0: the default of the image
    stack_limit_bytes: int
    # in: values one outgoing message may hold
    max_nodes: int
    # in: nesting of one message, both ways
    max_depth: int
    # in: size of one outgoing message
    max_message_bytes: int
    # in: frames kept before the guest asks the host to drain them
    max_outbox_bytes: int
    # out: address of the frames
    outbox: int
    # out: length of the frames; the host sets it to 0 when it has read them
    outbox_bytes: int
    # out: address where the host writes its next message
    inbox: int
    # out: room at `inbox`
    inbox_bytes: int
    # in: length of the reply to the `sandbox.call` that is returning
    reply_bytes: int
    # out: bytes the engine has allocated, as of the end of the last turn
    heap_bytes: int
    # out: allocations refused since start
    failed_allocations: int
    # out: guest values the host holds by handle
    live_handles: int
    # out: queued requests not answered yet
    pending_requests: int
    # out: address of what traced runs have executed: run, line and count, u32 each, in the order of the first time
    executed: int
    # out: length of that
    executed_bytes: int

    _fields_ = (
        ("interrupt", ctypes.c_uint32),
        ("reason", ctypes.c_uint32),
        ("cpu_budget_ns", ctypes.c_uint64),
        ("cpu_used_ns", ctypes.c_uint64),
        ("poll_interval", ctypes.c_uint64),
        ("random_seed", ctypes.c_uint64),
        ("time_origin_ms", ctypes.c_double),
        ("virtual_now_ms", ctypes.c_double),
        ("clock_mode", ctypes.c_uint32),
        ("clock_resolution_ms", ctypes.c_uint32),
        ("has_locales", ctypes.c_uint32),
        ("heap_limit_bytes", ctypes.c_uint32),
        ("stack_limit_bytes", ctypes.c_uint32),
        ("max_nodes", ctypes.c_uint32),
        ("max_depth", ctypes.c_uint32),
        ("max_message_bytes", ctypes.c_uint32),
        ("max_outbox_bytes", ctypes.c_uint32),
        ("outbox", ctypes.c_uint32),
        ("outbox_bytes", ctypes.c_uint32),
        ("inbox", ctypes.c_uint32),
        ("inbox_bytes", ctypes.c_uint32),
        ("reply_bytes", ctypes.c_uint32),
        ("heap_bytes", ctypes.c_uint32),
        ("failed_allocations", ctypes.c_uint32),
        ("live_handles", ctypes.c_uint32),
        ("pending_requests", ctypes.c_uint32),
        ("executed", ctypes.c_uint32),
        ("executed_bytes", ctypes.c_uint32),
    )


class Failure(NamedTuple):
    """What the guest throws for a failure of the host."""

    js_class: str
    name: str | None
    text: str | None


FAILURES: Final[dict[str, Failure]] = {
    "error": Failure("Error", None, None),
    "type": Failure("TypeError", None, None),
    "range": Failure("RangeError", None, None),
    "syntax": Failure("SyntaxError", None, None),
    "reference": Failure("ReferenceError", None, None),
    "not_allowed": Failure("DOMException", "NotAllowedError", None),
    "not_found": Failure("DOMException", "NotFoundError", None),
    "timeout": Failure("DOMException", "TimeoutError", None),
    "abort": Failure("DOMException", "AbortError", None),
    "quota": Failure("DOMException", "QuotaExceededError", None),
}
