"""The words of the protocol: kinds of messages, codes, methods and bounds. `docs/protocol.md` says what they mean.

This is their one source: the state machine, the daemon, its workers and the client all read these tables.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import msgpack

from sandbox._records import NamedTuple
from sandbox.remote.errors import ConnectionLost, DaemonFull, NamespaceLost, ProtocolError, RemoteError, SandboxLost

if TYPE_CHECKING:
    from sandbox.errors import SandboxError

VERSION: Final = 1
LENGTH: Final = struct.Struct(">I")

MAX_FRAME_BYTES: Final = 1 << 17
"""Of one frame, its length not counted."""
MAX_GREETING_BYTES: Final = 1 << 13
"""Likewise, before the other side has said who it is."""
INLINE_BYTES: Final = 1 << 16
"""Up to here a body is part of its message; a longer one is a stream of pieces that are as long at most."""
WINDOW_BYTES: Final = 1 << 18
"""What may be sent of a stream before the receiver has asked for more."""
MAX_REQUESTS: Final = 4096
"""Requests of one side that have no answer yet."""
MAX_STREAMS: Final = 256
"""Streams of one side that have not ended."""
MAX_BODY_BYTES: Final = 1 << 30
"""A body, by default; each side says in its greeting what it takes."""
OPEN_BODIES: Final = 4
"""So many of the longest bodies a client may have under way at one time."""
MAX_OUTGOING_BYTES: Final = 64 << 20
"""What waits to be sent; whoever does not read more than that is not worth waiting for."""
MAX_NONCE_BYTES: Final = 32
MAX_NUMBER: Final = (1 << 53) - 1
MAX_TEXT: Final = 1000
"""Characters of the text of an error."""


class Kind(IntEnum):
    """Kinds of messages: the first item of each."""

    HELLO = 1
    WELCOME = 2
    REQUEST = 3
    RESULT = 4
    ERROR = 5
    CANCEL = 6
    DATA = 7
    CREDIT = 8
    RESET = 9
    PING = 10
    PONG = 11
    NOTICE = 12
    CLOSE = 13


class Code(IntEnum):
    """Reasons: those below 2000 end a connection, the others are the answer of one request."""

    MALFORMED = 1001
    TOO_LARGE = 1002
    UNEXPECTED = 1003
    VERSION = 1004
    UNAUTHORIZED = 1005
    OVERRUN = 1006
    TOO_MANY = 1007
    TIMEOUT = 1008
    DRAINING = 1009
    TOO_SLOW = 1010
    GONE = 1011
    UNKNOWN_METHOD = 2001
    BAD_PARAMETERS = 2002
    NO_SANDBOX = 2003
    FULL = 2004
    LIMIT = 2005
    WORKER_LOST = 2006
    TRAP = 2007
    BROKEN = 2008
    NO_ROOM = 2009
    CANCELLED = 2010
    NAMESPACE_IN_USE = 2011
    NAMESPACE_LOST = 2012
    NO_NAMESPACE = 2013
    FAILED = 2014


class Reason(NamedTuple):
    """What a code says, and what a client raises for it."""

    text: str
    error: type[RemoteError]


REASONS: Final[dict[Code, Reason]] = {
    Code.MALFORMED: Reason("these bytes are no message", ProtocolError),
    Code.TOO_LARGE: Reason("a frame or a body is longer than it may be", ProtocolError),
    Code.UNEXPECTED: Reason("a message that makes no sense here", ProtocolError),
    Code.VERSION: Reason("the other side speaks another version, or has another build of the guest", ProtocolError),
    Code.UNAUTHORIZED: Reason("the token is not one of the daemon's", RemoteError),
    Code.OVERRUN: Reason("more of a stream was sent than was asked for", ProtocolError),
    Code.TOO_MANY: Reason("too many connections, requests or streams at one time", RemoteError),
    Code.TIMEOUT: Reason("nothing was heard of the other side for too long", ConnectionLost),
    Code.DRAINING: Reason("the daemon is about to stop", ConnectionLost),
    Code.TOO_SLOW: Reason("the other side does not read what it is sent", ConnectionLost),
    Code.GONE: Reason("the connection has ended", ConnectionLost),
    Code.UNKNOWN_METHOD: Reason("there is no such method", RemoteError),
    Code.BAD_PARAMETERS: Reason("the parameters are not those of the method", RemoteError),
    Code.NO_SANDBOX: Reason("there is no such sandbox", SandboxLost),
    Code.FULL: Reason("the daemon runs as many sandboxes as it may", DaemonFull),
    Code.LIMIT: Reason("the daemon does not allow so much", RemoteError),
    Code.WORKER_LOST: Reason("the process that ran the sandbox has ended", SandboxLost),
    Code.TRAP: Reason("the guest trapped", RemoteError),
    Code.BROKEN: Reason("the guest broke the ABI", RemoteError),
    Code.NO_ROOM: Reason("the guest or the host has no room for it", RemoteError),
    Code.CANCELLED: Reason("the request was cancelled", RemoteError),
    Code.NAMESPACE_IN_USE: Reason("somebody else uses the namespace", RemoteError),
    Code.NAMESPACE_LOST: Reason("the last use of the namespace was lost", NamespaceLost),
    Code.NO_NAMESPACE: Reason("the connection does not use that namespace", RemoteError),
    Code.FAILED: Reason("it failed for a reason that is the daemon's own", RemoteError),
}


def error_of(code: int, text: str) -> SandboxError:
    """What a client raises for a code and the text that came with it; codes it does not know are RemoteErrors."""
    try:
        known = Code(code)
    except ValueError:
        return RemoteError(text or f"the daemon answered with the code {code}", str(code))
    return REASONS[known].error(text or REASONS[known].text, known.name)


class Refusal(Exception):
    """What a request is answered with when it cannot be done. Never leaves the package.

    Attributes:
        code: Why.
        detail: Plain data that goes along.
    """

    def __init__(self, code: Code, text: str = "", **detail: object) -> None:
        super().__init__(text or REASONS[code].text)
        self.code: Code
        self.detail: dict[str, object]
        self.code, self.detail = code, detail


_NUMBER: Final = (int,)
_OPTIONAL_NUMBER: Final = (int, type(None))
_TEXT: Final = (str,)
_BYTES: Final = (bytes,)
_MAP: Final = (dict,)
_LIST: Final = (list,)
_BOOL: Final = (bool,)
_REAL: Final = (int, float, type(None))

# Method -> parameter -> types. All parameters are given in every request.
METHODS: Final[dict[str, dict[str, tuple[type, ...]]]] = {
    # of a client
    "open": {"sandbox": _NUMBER, "memory_bytes": _NUMBER, "metering": _TEXT, "control": _MAP, "of": _LIST},
    "call": {
        "sandbox": _NUMBER,
        "export": _TEXT,
        "numbers": _LIST,
        "control": _MAP,
        "fuel": _OPTIONAL_NUMBER,
        "seconds": _LIST,
    },
    "checkpoint": {"sandbox": _NUMBER, "copy": _NUMBER},
    "restore": {"sandbox": _NUMBER, "copy": _NUMBER},
    "forget": {"sandbox": _NUMBER, "copy": _NUMBER},
    "memory": {"sandbox": _NUMBER},
    "close": {"sandbox": _NUMBER, "sound": _BOOL},
    "line": {"sandbox": _NUMBER},
    "namespace.take": {"name": _TEXT, "restore": _BOOL},
    "namespace.keep": {"name": _TEXT},
    "namespace.leave": {"name": _TEXT},
    "namespace.drop": {"name": _TEXT},
    "namespace.names": {},
    "statistics": {},
    # of a worker, by way of the daemon
    "ask": {
        "sandbox": _NUMBER,
        "op": _NUMBER,
        "control": _BYTES,
        "memory_bytes": _NUMBER,
        "fuel": _NUMBER,
        "outbox": _NUMBER,
    },
    # of the daemon to a worker
    "abandon": {"sandbox": _NUMBER},
    "grant": {"line": _NUMBER, "sandbox": _NUMBER},
    "cut": {"line": _NUMBER},
}


def check_parameters(method: str, parameters: dict[str, Any]) -> None:
    """Refuse a request whose parameters are not those of its method.

    Raises:
        Refusal: They are not, or there is no such method.
    """
    types = METHODS.get(method)
    if types is None:
        raise Refusal(Code.UNKNOWN_METHOD, f"there is no method {method[:50]!r}")
    for name, allowed in types.items():
        value = parameters.get(name, parameters)
        if value is parameters:
            raise Refusal(Code.BAD_PARAMETERS, f"{method}: {name} is missing")
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise Refusal(Code.BAD_PARAMETERS, f"{method}: {name} has the wrong type")
        if isinstance(value, int) and not 0 <= value < 1 << 64:
            raise Refusal(Code.BAD_PARAMETERS, f"{method}: {name} is out of range")
    if extra := sorted(set(map(str, parameters)) - set(types)):
        raise Refusal(Code.BAD_PARAMETERS, f"{method}: there is no parameter {extra[0][:50]!r}")


def _no_extension(_code: int, _data: bytes) -> Any:  # noqa: ANN401 - it returns nothing
    raise ValueError("extension types are no part of the protocol")


def unpack(frame: bytes) -> Any:  # noqa: ANN401 - any plain data
    """Read the msgpack of a frame.

    Raises:
        ValueError: It is none, or not plain data.
    """
    try:
        return msgpack.unpackb(frame, raw=False, ext_hook=_no_extension, strict_map_key=True, timestamp=0)
    except Exception as error:  # noqa: BLE001 - whatever the library raises: it has no base class of its own
        raise ValueError(str(error)) from None


def pack(message: list[Any]) -> bytes:
    """A frame: its length, and the msgpack.

    Raises:
        ValueError: It is longer than a frame may be.
    """
    data: bytes = msgpack.packb(message, use_bin_type=True)
    if len(data) > MAX_FRAME_BYTES:
        raise ValueError("a message is longer than a frame may be")
    return LENGTH.pack(len(data)) + data
