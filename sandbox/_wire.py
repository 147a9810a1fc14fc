"""Pieces of the wire format that both directions share: scalars, extension heads, dates, element types, paths."""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgpack

from sandbox._abi import Element, Tag

SCALARS: Final = frozenset({type(None), bool, int, float, str})
UNDEFINED: Final = bytes((0xC7, 0, Tag.UNDEFINED))

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_IDENTIFIER: Final = r"[A-Za-z_$][A-Za-z0-9_$]{0,63}"
_KEY_CHARS: Final = 64
_MAX_BIGINT_BITS: Final = 1 << 20  # of the engine, sign included
MAX_BIGINT_BYTES: Final = _MAX_BIGINT_BITS // 8 + 1

# Element -> format of one item in a memoryview, little endian being every supported host's own order. Float16 is
# missing: a memoryview cannot be made of it.
FORMATS: Final[dict[int, Literal["b", "B", "h", "H", "i", "I", "q", "Q", "f", "d"]]] = {
    Element.UINT8_CLAMPED: "B",
    Element.INT8: "b",
    Element.UINT8: "B",
    Element.INT16: "h",
    Element.UINT16: "H",
    Element.INT32: "i",
    Element.UINT32: "I",
    Element.BIGINT64: "q",
    Element.BIGUINT64: "Q",
    Element.FLOAT32: "f",
    Element.FLOAT64: "d",
    Element.DATA_VIEW: "B",
}
# Format of one item -> element; `l` is as wide as the platform says. Plain bytes travel as a bin.
ELEMENTS: Final[dict[str, Element]] = {
    "b": Element.INT8,
    "h": Element.INT16,
    "H": Element.UINT16,
    "i": Element.INT32,
    "I": Element.UINT32,
    "q": Element.BIGINT64,
    "Q": Element.BIGUINT64,
    "l": Element.BIGINT64 if struct.calcsize("l") == 8 else Element.INT32,
    "L": Element.BIGUINT64 if struct.calcsize("L") == 8 else Element.UINT32,
    "e": Element.FLOAT16,
    "f": Element.FLOAT32,
    "d": Element.FLOAT64,
}
# Prefixes of a format that do not change what an item is on a little-endian host.
NATIVE_ORDER: Final = "@=<"
BYTE_FORMATS: Final = frozenset({"B", "c", "?"})


def new_packer() -> msgpack.Packer:
    """A packer for scalars; it is neither re-entrant nor thread-safe."""
    return msgpack.Packer(strict_types=True, use_bin_type=True, unicode_errors="surrogatepass")


def head(count: int, fixed: int, wide: int) -> bytes:
    """The head of a msgpack array or map.

    Args:
        count: Elements, or pairs.
        fixed: First byte of the form for fewer than 16.
        wide: First byte of the 16-bit form; the 32-bit form follows it.
    """
    if count < 16:
        return bytes((fixed | count,))
    if count < 1 << 16:
        return bytes((wide,)) + count.to_bytes(2, "big")
    return bytes((wide + 1,)) + count.to_bytes(4, "big")


def array_head(count: int) -> bytes:
    """The head of an array."""
    return head(count, 0x90, 0xDC)


def map_head(count: int) -> bytes:
    """The head of a map."""
    return head(count, 0x80, 0xDE)


def extension(tag: Tag, payload: bytes) -> bytes:
    """One extension value."""
    size = len(payload)
    if size < 1 << 8:
        return bytes((0xC7, size, tag)) + payload
    return b"\xc9" + size.to_bytes(4, "big") + bytes((tag,)) + payload


def bigint_payload(value: int) -> bytes:
    """Two's complement, little endian.

    Raises:
        ValueError: The engine has no bigint of this size.
    """
    if value.bit_length() >= _MAX_BIGINT_BITS:
        raise ValueError(f"an int of {value.bit_length():,} bits; a bigint has less than {_MAX_BIGINT_BITS:,}")
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def date_payload(moment: datetime) -> bytes:
    """Milliseconds since the Unix epoch, rounded down as `datetime.isoformat(timespec="milliseconds")` does.

    Raises:
        ValueError: The datetime is naive.
    """
    if moment.utcoffset() is None:
        raise ValueError("a datetime without a time zone; attach one, such as datetime.UTC")
    return b"\xcb" + struct.pack(">d", (moment - _EPOCH) // _MILLISECOND)


def date_from(milliseconds: float) -> datetime:
    """The moment a Date stands for.

    Raises:
        ValueError: An invalid Date.
        OverflowError: A Date outside the years 1 to 9999.
    """
    return _EPOCH + timedelta(milliseconds=milliseconds)


def typed_array_from(payload: bytes | memoryview) -> memoryview[Any]:
    """A read-only view of the elements; float16 widens to float32, which holds each of its values.

    Raises:
        ValueError: No element type, an unknown one, or a length that is no multiple of its width.
    """
    if not payload:
        raise ValueError("a typed array without an element type")
    data = bytes(payload[1:])
    if payload[0] == Element.FLOAT16:
        if len(data) % 2:
            raise ValueError("half an element")
        from array import array  # seldom wanted

        return memoryview(array("f", struct.unpack(f"<{len(data) // 2}e", data)).tobytes()).cast("f")
    if payload[0] not in FORMATS:
        raise ValueError("an unknown element type")
    try:
        return memoryview(data).cast(FORMATS[payload[0]])
    except TypeError as error:
        raise ValueError("part of an element") from error


def path_step(key: object) -> str:
    """One step of a path: `[3]`, `.name`, or `["odd name"]`."""
    if isinstance(key, int):
        return f"[{key}]"
    text = key if isinstance(key, str) else str(key)
    if re.fullmatch(_IDENTIFIER, text):
        return "." + text
    return f"[{(text if len(text) <= _KEY_CHARS else text[:_KEY_CHARS] + '…')!r}]"


def path_of(steps: list[str]) -> str:
    """A whole path; the middle of a very long one is left out."""
    return "$" + "".join(steps if len(steps) <= 40 else [*steps[:20], "…", *steps[-20:]])
