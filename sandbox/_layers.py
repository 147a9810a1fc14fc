"""Memory that was left by one guest, made to begin others with: mapped, so that they share what they do not write.

A layer lies over the image as the image lies under a new instance: copy-on-write. It keeps stores as the image does,
restored page by page. Only Linux has files in memory; elsewhere there are no layers.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sandbox import _pages, _store
from sandbox._image import KINDS
from sandbox._pristine import wipe
from sandbox._store import Store

if TYPE_CHECKING:
    from sandbox._image import Image

_F_ADD_SEALS: Final = 1033
_SEALS: Final = 0x1 | 0x2 | 0x4 | 0x8  # SEAL, SHRINK, GROW, WRITE: what is mapped stays what it is


class Layer:
    """What a linear memory is when a guest begins. Thread-safe.

    Attributes:
        memory_bytes: Size of the memory.
        regions: The parts in which it differs from the image, as offsets.
    """

    def __init__(self, image: Image, memory_bytes: int, parts: Sequence[tuple[int, bytes]]) -> None:
        """Make one.

        Args:
            image: What it lies over, of whatever kind.
            memory_bytes: Size of the memory.
            parts: In which it differs from the image: offsets and contents.

        Raises:
            OSError: There is no room, or no such thing on this system.
        """
        self.memory_bytes = memory_bytes
        self.regions = [(start, start + len(data)) for start, data in parts]
        self._stores: dict[str, list[Store]] = {kind: [] for kind in KINDS}
        self._hot: list[_pages.Region] | None = None
        self._descriptor = _memory_file()
        try:
            os.ftruncate(self._descriptor, memory_bytes)
            pristine = _store.pristine(image, image.memory_bytes)
            for start, data in ((pristine.start, bytes(pristine.data)), *parts):
                _write(self._descriptor, data[: max(memory_bytes - start, 0)], start)
            fcntl.fcntl(self._descriptor, _F_ADD_SEALS, _SEALS)
            self._view = memoryview(mmap.mmap(self._descriptor, memory_bytes, mmap.MAP_PRIVATE))
        except BaseException:
            self._close()
            raise

    def acquire(self, image: Image, limit_bytes: int) -> Store | None:
        """A store of an image that begins with this memory; None: that is impossible here. Thread-safe.

        Raises:
            SandboxError: The process has no address space for another instance.
        """
        with suppress(IndexError):
            store = self._stores[image.kind].pop()
            store.limit(limit_bytes)
            store.lift()
            return store
        store = Store(image, limit_bytes)
        try:
            store.grow(self.memory_bytes)
            if not _pages.map_over(store.base, self._descriptor, self.memory_bytes):
                store.delete()
                return None
        except BaseException:
            store.delete()
            raise
        store.layer = self
        _pages.populate(store.base, self._hot or ())
        return store

    def changed(self, store: Store) -> list[_pages.Region]:
        """The parts of a memory that may differ from the image's, as offsets, in order."""
        size = store.memory_bytes()
        written = _pages.written(store.base, size)
        if written is None:
            return [(0, size)]
        merged: list[_pages.Region] = []
        for start, end in sorted([*self.regions, *written]):
            if merged and start <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged

    def release(self, store: Store) -> None:
        """Take a store back from a closed sandbox. Thread-safe."""
        stores = self._stores[store.image.kind]
        if len(stores) < _store.KEPT_STORES and not store.trapped and self._restore(store):
            store.was_used = True
            stores.append(store)
        else:
            store.delete()

    def _restore(self, store: Store) -> bool:
        if store.memory_bytes() != self.memory_bytes:
            return False
        if not wipe(store, self._view):
            return False
        if self._hot is None and store.wiped is not None:
            self._hot = _pages.regions(store.wiped.written, store.base)
        return True

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and _close is not None:  # at the interpreter's end modules are gone
            _close(descriptor)

    def __del__(self) -> None:
        for stores in getattr(self, "_stores", {}).values():
            for store in stores:
                store.delete()
        if hasattr(self, "_descriptor"):
            self._close()


_close: Callable[[int], None] | None = os.close


def _memory_file() -> int:
    if not hasattr(os, "memfd_create"):
        raise OSError("there are no files in memory")
    return os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
