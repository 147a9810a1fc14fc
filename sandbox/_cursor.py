"""Scalars of a message, read byte by byte. Every length is checked against the bytes that are there."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from sandbox.errors import GuestProtocolError

_FIXED: Final[Mapping[int, struct.Struct]] = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}


class Cursor:
    """Where a message is being read.

    Args:
        data: The message.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = len(data)

    def _take(self, size: int) -> bytes:
        at = self._at
        if size > self._end - at:
            raise malformed("the message ends too early")
        self._at = at + size
        return self._data[at : at + size]

    def _byte(self) -> int:
        at = self._at
        if at >= self._end:
            raise malformed("the message ends too early")
        self._at = at + 1
        return self._data[at]

    def _length(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _count(self, head: int, fixed: int, wide: int) -> int:
        """The member count of an array or map."""
        if head & 0xF0 == fixed:
            count = head & 0x0F
        elif head in (wide, wide + 1):
            count = self._length(2 if head == wide else 4)
        else:
            raise malformed("an array or map was expected")
        if count > self._end - self._at:
            raise malformed("more members than bytes")
        return count

    def _text(self, head: int) -> str:
        if 0xA0 <= head < 0xC0:
            size = head - 0xA0
        elif 0xD9 <= head <= 0xDB:
            size = self._length(1 << (head - 0xD9))
        else:
            raise malformed("a string was expected")
        try:
            return str(self._take(size), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise malformed("a string that is not UTF-8") from None

    def _key(self) -> str:
        return self._text(self._byte())

    def _index_key(self) -> int:
        key = self._scalar(self._byte())
        if type(key) is not int:
            raise malformed("an index was expected")
        return key

    def _scalar(self, head: int) -> object:
        if head < 0x80:
            return head
        if head >= 0xE0:
            return head - 0x100
        if head == 0xC0:
            return None
        if head in (0xC2, 0xC3):
            return head == 0xC3
        if head in _FIXED:
            fixed = _FIXED[head]
            return fixed.unpack(self._take(fixed.size))[0]
        if 0xC4 <= head <= 0xC6:
            return self._take(self._length(1 << (head - 0xC4)))
        return self._text(head)


def malformed(what: str) -> GuestProtocolError:
    """The error for a message that breaks the ABI."""
    return GuestProtocolError(f"malformed message from the guest: {what}")
