"""Linear memory on its way between a client and a worker: what `MemoryCopy` holds, as bytes. All numbers big endian.

u64 size of the memory, u32 number of parts, then for each part u64 offset and u64 length, then zlib of all parts.
"""

from __future__ import annotations

import struct
import zlib
from itertools import count, pairwise
from typing import TYPE_CHECKING, Final

from sandbox._memory_copy import MemoryCopy
from sandbox.errors import SnapshotCorrupt
from sandbox.limits import PAGE_BYTES

if TYPE_CHECKING:
    from sandbox.remote.link import Link

_HEADER: Final = struct.Struct(">QI")
_PART: Final = struct.Struct(">QQ")
_LEVEL: Final = 1
_MOST_PARTS: Final = 1 << 20


def pack(copy: MemoryCopy) -> bytes:
    """The bytes of a copy."""
    parts = [(start, memoryview(data)) for start, data in copy.parts if len(data)]
    squeezer = zlib.compressobj(_LEVEL)
    head = [_HEADER.pack(copy.memory_bytes, len(parts))]
    head += [_PART.pack(start, len(data)) for start, data in parts]
    pages = [squeezer.compress(data) for _, data in parts]
    return b"".join((*head, *pages, squeezer.flush()))


def unpack(data: bytes, limit_bytes: int) -> MemoryCopy:
    """The copy that bytes hold; whoever sent them is not believed.

    Args:
        data: The bytes.
        limit_bytes: The most memory that it may have; no more is allocated.

    Raises:
        SnapshotCorrupt: They hold none.
    """
    try:
        memory_bytes, count = _HEADER.unpack_from(data)
        if memory_bytes > limit_bytes or memory_bytes % PAGE_BYTES or count > _MOST_PARTS:
            raise SnapshotCorrupt("it has an impossible memory")
        ranges = [_PART.unpack_from(data, _HEADER.size + index * _PART.size) for index in range(count)]
    except struct.error:
        raise SnapshotCorrupt("its memory was cut off") from None
    ends = [(0, 0), *((start, start + length) for start, length in ranges), (memory_bytes, memory_bytes)]
    if any(before[1] > after[0] for before, after in pairwise(ends)):
        raise SnapshotCorrupt("its memory has parts that overlap")
    total = sum(length for _, length in ranges)
    stream = zlib.decompressobj()
    try:
        pages = stream.decompress(memoryview(data)[_HEADER.size + count * _PART.size :], total + 1)
    except zlib.error:
        raise SnapshotCorrupt("its pages cannot be decompressed") from None
    if len(pages) != total:
        raise SnapshotCorrupt("its pages cannot be decompressed")
    view, parts, at = memoryview(pages), [], 0
    for start, length in ranges:
        parts.append((start, bytes(view[at : at + length])))
        at += length
    return MemoryCopy(memory_bytes, parts)


class RemoteCopy(MemoryCopy):
    """A copy that stays in the worker."""

    __slots__ = ("_link", "_sandbox", "number")

    _numbers = count(1)

    def __init__(self, link: Link, sandbox: int, memory_bytes: int) -> None:
        """Name a copy of a sandbox that is to be made."""
        super().__init__(memory_bytes, ())
        self.number: int = next(RemoteCopy._numbers)
        self._link, self._sandbox = link, sandbox

    def __del__(self) -> None:
        self._link.tell("forget", {"sandbox": self._sandbox, "copy": self.number})
