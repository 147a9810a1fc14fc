"""A copy of one instance's linear memory, which another instance can be made to continue from.

Between turns no wasm frame exists and the stack pointer stands where it stands in a new instance, so that linear memory
is the whole state of the guest. Only the pages that differ from those of a new instance are copied, where the kernel
tells which these are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import _store

if TYPE_CHECKING:
    from sandbox._store import Store


class MemoryCopy:
    """What a linear memory held. It needs as much memory of the host as the guest has written, `memory_bytes` at most.

    Attributes:
        memory_bytes: Size of the memory.
    """

    __slots__ = ("_parts", "memory_bytes")

    def __init__(self, store: Store) -> None:
        """Copy the memory of an instance in which nothing runs.

        Raises:
            MemoryError: The host has no room for it.
        """
        self.memory_bytes = store.memory_bytes()
        self._parts = [(start, bytes(store.memory[start:end])) for start, end in _store.changed(store)]

    def write(self, store: Store) -> None:
        """Make the memory of a new instance equal to the copy.

        Raises:
            SandboxError: It cannot be made large enough.
        """
        store.grow(self.memory_bytes)
        for start, data in self._parts:
            store.memory[start : start + len(data)] = data
