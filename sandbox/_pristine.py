"""What the memory of a new instance is: stores are wiped to be so again, and copies keep only what differs from it."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Protocol

from sandbox import _pages
from sandbox._records import NamedTuple

# A store that was written all over is not worth wiping, nor its memory worth keeping.
MAX_WRITTEN_BYTES: Final = 2 << 20
_PAGE_BYTES: Final = mmap.PAGESIZE
_ZEROS: Final = bytes(_PAGE_BYTES)


class Wiping(NamedTuple):
    """How a memory was wiped.

    Attributes:
        written: Where it had been written, as `_pages.scan` tells.
        before: What it was to be again.
        parts: What of that was copied where.
    """

    written: bytes
    before: memoryview[int]
    parts: Sequence[tuple[slice, memoryview[int]]]


class Memory(Protocol):
    """The linear memory of an instance.

    Attributes:
        base: Its address, at which it stays.
        memory: A view of it, and of what it may grow into.
        wiped: How it was wiped last; None: it was not.
    """

    base: int
    memory: memoryview[int]
    wiped: Wiping | None

    def memory_bytes(self) -> int:
        """Its size now."""


def wipe(memory: Memory, before: memoryview[int]) -> bool:
    """Make a memory what it was before, where it was written; False: that cannot be told, or is not worth it.

    What programs write is nearly the same pages each time, so the memory keeps what was copied where.

    Args:
        memory: Which is as large.
        before: What it was.
    """
    written = _pages.scan(memory.base, len(before))
    if written is None:
        return False
    last = memory.wiped
    if last is None or written != last.written or before is not last.before:
        regions = _pages.regions(written, memory.base)
        if sum([end - start for start, end in regions]) > MAX_WRITTEN_BYTES:
            return False
        parts = [(slice(start, end), before[start:end]) for start, end in regions]
        last = memory.wiped = Wiping(written, before, parts)
    view = memory.memory
    for part, data in last.parts:
        view[part] = data
    return True


class Pristine:
    """What the memory of an instance is before any guest code has run, and how to make it so again.

    Attributes:
        size: Of the memory.
        start: Where it begins to be anything but zeros.
        data: What it is from there on; after that it is zeros again.
    """

    def __init__(self, memory: bytes, hot: Sequence[_pages.Region]) -> None:
        """Take down what was seen.

        Args:
            memory: Of an instance in which nothing has run.
            hot: The pages that every program writes, as offsets.
        """
        self.size = len(memory)
        self._hot = hot
        self.start = (len(memory) - len(memory.lstrip(b"\0"))) & -_PAGE_BYTES
        end = len(memory.rstrip(b"\0")) + _PAGE_BYTES - 1 & -_PAGE_BYTES
        # Where nothing is written, a private mapping is zeros that take no memory.
        self._whole = memoryview(mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        self.data = self._whole[self.start : end]
        self.data[:] = memory[self.start : end]
        self._proven = False
        self._refuted = False

    def populate(self, memory: Memory) -> None:
        """Make the pages present in a new memory that every program writes."""
        _pages.populate(memory.base, self._hot)

    def restore(self, store: Memory) -> bool:
        """Make a memory pristine; False: that is not certain to have succeeded, or it has served to make certain."""
        if self._refuted or store.memory_bytes() != self.size or not wipe(store, self._whole):
            return False
        if self._proven:
            return True
        with suppress(MemoryError):  # there is no room to look
            self._refuted = not self._is_pristine(store)
            self._proven = not self._refuted
        return False  # to look at a memory makes all of its pages present, as if they had been written

    def trimmed(self, parts: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Parts of a memory without those pages that are as in a pristine one."""
        for start, data in parts:
            yield from _runs(start, data, _PAGE_BYTES, lambda at, page: page != self._page(at))

    def _page(self, start: int) -> bytes:
        return bytes(self._whole[start : start + _PAGE_BYTES]) or _ZEROS  # it may have grown

    def changed(self, store: Memory) -> list[_pages.Region]:
        """The parts of a memory that may differ from a pristine one, as offsets; all of it where nobody can tell."""
        size = store.memory_bytes()
        regions = None if self._refuted else _pages.written(store.base, size)
        return [(0, size)] if regions is None else regions

    def xored(self, start: int, data: bytes) -> bytes:
        """Bytes at an address, each XORed with what a pristine memory has there. Doing it twice undoes it."""
        low = max(start, self.start)
        high = min(start + len(data), self.start + len(self.data))
        if low >= high:
            return data
        ours = int.from_bytes(data[low - start : high - start], "little")
        theirs = int.from_bytes(self.data[low - self.start : high - self.start], "little")
        return b"".join((data[: low - start], (ours ^ theirs).to_bytes(high - low, "little"), data[high - start :]))

    def differences(self, parts: Iterable[tuple[int, bytes]], page_bytes: int) -> Iterator[tuple[int, bytes]]:
        """The pages of a memory that differ from a pristine one, XORed with it; runs of them, with their addresses.

        Args:
            parts: Of the memory: addresses of pages, and what they hold.
            page_bytes: What is compared at once.
        """
        zeros = bytes(page_bytes)
        for start, data in parts:
            yield from _runs(start, self.xored(start, data), page_bytes, lambda _, page: page != zeros)

    def _is_pristine(self, store: Memory) -> bool:
        return ctypes.string_at(store.base, self.size) == bytes(self._whole)


def _runs(
    start: int, data: bytes, page_bytes: int, is_wanted: Callable[[int, bytes], bool]
) -> Iterator[tuple[int, bytes]]:
    """The pages that are wanted of those at an address; such as lie side by side in one piece, with its address."""
    begin = None
    for at in range(0, len(data) + page_bytes, page_bytes):
        page = data[at : at + page_bytes]
        if page and is_wanted(start + at, page):
            begin = at if begin is None else begin
        elif begin is not None:
            yield start + begin, data[begin:at]
            begin = None
