"""Messages and frames of a record as texts for people. Only for looking: values are decoded by the codec."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgpack

from sandbox import _abi
from sandbox._abi import Tag
from sandbox._records import NamedTuple

_FRAME: Final = struct.Struct("<III")
_LONGEST_CHARS: Final = 160
_MOST_ITEMS: Final = 24
_MOST_DEPTH: Final = 6
_CUT: Final = "…"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_MESSAGE_BYTES: Final = 1 << 16  # a longer one is not looked into
_PLAIN_KEY: Final = str.isidentifier
_MALFORMED: Final = (ValueError, TypeError, OverflowError, RecursionError, LookupError, msgpack.UnpackException)


class Frame(NamedTuple):
    """What a guest had to say; see `[frame]` of the ABI table."""

    op: int
    number: int
    message: bytes


class _Extension(NamedTuple):
    tag: int
    payload: bytes


def frames(data: bytes) -> Iterator[Frame]:
    """The frames of an outbox; what is no frame ends them."""
    position = 0
    while position + _abi.FRAME_HEADER_BYTES <= len(data):
        op, number, length = _FRAME.unpack_from(data, position)
        position += _abi.FRAME_HEADER_BYTES
        if length > len(data) - position:
            return
        yield Frame(op, number, data[position : position + length])
        position += length + (-length & 3)


def values(message: bytes) -> list[Any]:
    """The values of a message, with extensions as they are; none where it is too long, or no message."""
    if len(message) > _MOST_MESSAGE_BYTES:
        return []
    unpacker = msgpack.Unpacker(ext_hook=_Extension, unicode_errors="surrogatepass", strict_map_key=False)
    unpacker.feed(message[1:])
    try:
        return list(unpacker)
    except _MALFORMED:
        return []


def show_message(message: bytes) -> str:
    """All values of a message, as JavaScript would write them, more or less; cut where that is long."""
    found = values(message)
    if not found and len(message) > 1:
        return f"[{len(message):,} bytes]"
    return cut(", ".join(show(value) for value in found[:_MOST_ITEMS]))


def cut(text: str) -> str:
    """The beginning of a text, on one line."""
    text = " ".join(text[: 4 * _LONGEST_CHARS].split())
    return text if len(text) <= _LONGEST_CHARS else text[: _LONGEST_CHARS - 1] + _CUT


def show(value: Any, depth: int = 0) -> str:  # noqa: ANN401 - what msgpack gives
    """One value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
        case str():
            return json.dumps(value[:_LONGEST_CHARS], ensure_ascii=False)
        case _Extension(tag, payload):
            return _show_extension(tag, payload, depth)
        case bytes():
            return f"Uint8Array({len(value)})"
        case list():
            return f"[{_list(value, depth)}]"
        case dict():
            if depth >= _MOST_DEPTH:
                return _CUT
            items = [f"{_key(key)}: {show(item, depth + 1)}" for key, item in list(value.items())[:_MOST_ITEMS]]
            return "{" + ", ".join(items + [_CUT] * (len(value) > _MOST_ITEMS)) + "}"
    return _CUT


def _key(key: object) -> str:
    return key if isinstance(key, str) and _PLAIN_KEY(key) else show(key)


def _list(items: list[Any], depth: int) -> str:
    if depth >= _MOST_DEPTH:
        return _CUT
    return ", ".join([show(item, depth + 1) for item in items[:_MOST_ITEMS]] + [_CUT] * (len(items) > _MOST_ITEMS))


def _pairs(items: list[Any], depth: int) -> str:
    if depth >= _MOST_DEPTH:
        return _CUT
    shown = [show(item, depth + 1) for item in items[: 2 * _MOST_ITEMS]]
    return ", ".join(f"{key} => {value}" for key, value in zip(shown[::2], shown[1::2], strict=False))


def _show_extension(number: int, payload: bytes, depth: int) -> str:
    try:
        tag = Tag(number)
        if tag is Tag.UNDEFINED:
            return "undefined"
        if tag is Tag.BIGINT:
            return f"{int.from_bytes(payload, 'little', signed=True)}n" if len(payload) < _LONGEST_CHARS else "[bigint]"
        parts = values(b"\0" + payload) if tag not in (Tag.ARRAY_BUFFER, Tag.TYPED_ARRAY) else []
        match tag, parts:
            case Tag.DATE, [float() | int() as milliseconds]:
                return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
            case Tag.REGEXP, [[source, flags]] | [source, flags]:
                return f"/{source}/{flags}"
            case Tag.ERROR, [[_, name, text, *_]]:
                return f"{name}: {text}" if text else str(name)
            case Tag.FUNCTION, [[_, name]]:
                return f"[function {name}]" if name else "[function]"
            case Tag.HOST_FUNCTION | Tag.HOST_ITERATOR | Tag.HOST_STREAM, [[_, _, name, _]]:
                return f"[host function {name}]" if name else "[host function]"
            case Tag.MAP, [list() as items]:
                return f"Map({len(items) // 2}) {{{_pairs(items, depth)}}}"
            case Tag.SET, [list() as items]:
                return f"Set({len(items)}) {{{_list(items, depth)}}}"
            case Tag.URL, [str() as href]:
                return f"[URL {href}]"
    except _MALFORMED:
        return "[?]"
    return f"[{tag.name.lower().replace('_', ' ')}]"


def host_functions(message: bytes) -> Iterator[tuple[int, str]]:
    """Op and name of the functions of the host that a message gives to the guest."""
    pending = values(message)
    while pending:
        value = pending.pop()
        match value:
            case list():
                pending += value
            case dict():
                pending += value.values()
            case _Extension(tag, payload):
                inner = values(b"\0" + payload)
                if tag == Tag.HOST_FUNCTION and inner and isinstance(inner[0], list) and len(inner[0]) == 4:
                    op, _, name, _ = inner[0]
                    if isinstance(op, int) and isinstance(name, str):
                        yield op, name
                elif tag in (Tag.HOST_OBJECT, Tag.MAP, Tag.SET, Tag.ERROR):
                    pending += inner
