"""A copy of one instance's linear memory, which other instances can be made to continue from.

Between turns no wasm frame exists and the stack pointer stands where it stands in a new instance, so that linear memory
is the whole state of the guest. Only the pages that differ from those of a new instance are copied, where the kernel
tells which these are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Self

from sandbox import _pages, _store
from sandbox._layers import Layer
from sandbox._pristine import MAX_WRITTEN_BYTES

if TYPE_CHECKING:
    from sandbox._image import Image
    from sandbox._store import Store

Origin = Callable[["Image", int], "MemoryCopy"]
"""Gives the memory that a guest continues from, for an image and as many bytes at most."""

# From here on it pays to ask for large pages: zeroing and mapping small ones takes longer than the copy does.
_LARGE_BYTES: Final = 4 << 20
# Up to here most pages are present in any store, and written by any program.
_SMALL_BYTES: Final = 384 << 10


class MemoryCopy:
    """What a linear memory held. It needs as much memory of the host as the guest has written, `memory_bytes` at most.

    Attributes:
        memory_bytes: Size of the memory.
        parts: Offsets and contents of what may differ from a new instance, in order; whole pages of the machine.
    """

    memory_bytes: int
    parts: Sequence[tuple[int, bytes]]

    __slots__ = ("_is_view", "_layer", "_lock", "_uses", "memory_bytes", "parts")

    def __init__(self, memory_bytes: int, parts: Sequence[tuple[int, bytes]], *, is_view: bool = False) -> None:
        """Put one together; `is_view`: the parts are another instance's memory, good only while nothing runs there."""
        self.memory_bytes = memory_bytes
        self.parts = parts
        self._is_view = is_view
        self._layer: Layer | None = None
        self._uses = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, store: Store, *, is_kept: bool = True) -> Self:
        """Copy the memory of an instance in which nothing runs.

        Args:
            store: Of the instance.
            is_kept: Whether it is worth the time to leave out pages that are as in a new instance.

        Raises:
            MemoryError: The host has no room for it.
        """
        parts = [(start, bytes(store.memory[start:end])) for start, end in _store.changed(store)]
        if is_kept and store.was_used and _SMALL_BYTES < sum(len(data) for _, data in parts) < 2 * MAX_WRITTEN_BYTES:
            parts = list(_store.pristine(store.image, store.image.memory_bytes).trimmed(parts))
        return cls(store.memory_bytes(), parts)

    @classmethod
    def view(cls, store: Store) -> Self:
        """The memory itself, to be copied once while nothing runs in it."""
        parts = [(start, store.memory[start:end]) for start, end in _store.changed(store)]
        return cls(store.memory_bytes(), parts, is_view=True)  # type: ignore[arg-type] # read like bytes

    def acquire(self, image: Image, limit_bytes: int) -> Store:
        """A store whose instance continues from here. Thread-safe.

        From the second time on the memory is mapped where that is possible, and shared.

        Raises:
            SandboxError: The process has no room for it.
        """
        layer = self._shared(image)
        if layer is not None and (mapped := layer.acquire(image, limit_bytes)) is not None:
            return mapped
        store = _store.acquire(image, limit_bytes)
        try:
            self._write(store)
        except BaseException:
            store.delete()
            raise
        return store

    def _shared(self, image: Image) -> Layer | None:
        self._uses += 1
        if self._layer is None and self._uses == 2 and not self._is_view:
            with self._lock:
                try:
                    self._layer = Layer(image, self.memory_bytes, self.parts)
                except OSError:
                    return None
        return self._layer

    def _write(self, store: Store) -> None:
        before = store.memory_bytes()
        store.grow(self.memory_bytes)
        for start, data in self.parts:
            if len(data) >= _LARGE_BYTES:
                _pages.prefer_huge(store.base + max(start, before), store.base + start + len(data))
        if not store.was_used and sum(len(data) for _, data in self.parts) > _SMALL_BYTES:
            _pages.populate(store.base, [(at, at + len(data)) for at, data in self.parts if len(data) < _LARGE_BYTES])
        for start, data in self.parts:
            store.memory[start : start + len(data)] = data
