"""Long strings and buffers of the guest, copied once: from the message into the value.

msgpack copies what it reads more than once, which matters when it is megabytes. So a message that is one such value, or
a short array of them and of scalars (the arguments of a host function), is read here.
"""

from __future__ import annotations

from typing import Any, Final

from sandbox._abi import Tag
from sandbox._cursor import malformed
from sandbox._wire import typed_array_from

MAX_NODES: Final = 16  # what a message read here can hold at most

_CONSTANTS: Final[dict[int, object]] = {0xC0: None, 0xC2: False, 0xC3: True}
_BUFFERS: Final = (0xC4, 0xC5, 0xC6)
_EXTENSIONS: Final = (0xC7, 0xC8, 0xC9)
_TEXTS: Final = (0xD9, 0xDA, 0xDB)
# Head -> width of the length that follows it.
_WIDTHS: Final = {head: 1 << index for heads in (_BUFFERS, _EXTENSIONS, _TEXTS) for index, head in enumerate(heads)}


class Other(Exception):
    """The message holds something else as well."""


def read(body: memoryview) -> Any:  # noqa: ANN401 - one of several types
    """The value of a message.

    Args:
        body: The message without its flag byte. It is not referred to afterwards.

    Raises:
        Other: It is no such message, or malformed.
        GuestProtocolError: It is malformed.
    """
    head = body[0] if body else 0
    if not 0x91 <= head <= 0x9F:
        value, end = _item(body, 0)
    else:
        value, end = [], 1
        for _ in range(head & 0x0F):
            item, end = _item(body, end)
            value.append(item)
    if end != len(body):
        raise Other
    return value


def _item(body: memoryview, at: int) -> tuple[Any, int]:
    """A value and where the next one begins."""
    if at >= len(body):
        raise Other
    head = body[at]
    if head < 0x80:
        return head, at + 1
    if head in _CONSTANTS:
        return _CONSTANTS[head], at + 1
    if 0xA0 <= head < 0xC0:
        start, size = at + 1, head & 0x1F
    elif head in _WIDTHS:
        start = at + 1 + _WIDTHS[head]
        size = int.from_bytes(body[at + 1 : start], "big")
    else:
        raise Other
    if head in _EXTENSIONS:
        start += 1
    end = start + size
    if end > len(body):
        raise Other
    if head in _EXTENSIONS:
        return _buffer(body[start - 1], body[start:end]), end
    return (bytes if head in _BUFFERS else _text)(body[start:end]), end


def _text(data: memoryview) -> str:
    try:
        return str(data, "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise malformed("a string that is not UTF-8") from None


def _buffer(tag: int, payload: memoryview) -> bytes | memoryview:
    if tag == Tag.ARRAY_BUFFER:
        return bytes(payload)
    if tag != Tag.TYPED_ARRAY:
        raise Other
    try:
        return typed_array_from(payload)
    except ValueError as error:
        raise malformed(str(error)) from None
