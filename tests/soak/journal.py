"""What each thread is doing, in a file that outlives the process: where a crash is looked for."""

from __future__ import annotations

import mmap
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY: Final = struct.Struct("<Qid")  # a life, its step, and when that began
_EMPTY: Final = -1


class Entry(NamedTuple):
    """One thread's work.

    Attributes:
        seed: Of the life.
        step: The number of its step; -1 before the first.
        began: When that began, on `time.monotonic()`, which all processes of a machine share.
    """

    seed: int
    step: int
    began: float


class Journal:
    """A file with one entry for each thread; each writes its own only.

    Args:
        path: The file; made when `threads` is given.
        threads: How many; None: as many as the file has.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        if threads is not None:
            path.write_bytes(_ENTRY.pack(0, _EMPTY, 0.0) * threads)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def write(self, thread: int, seed: int, step: int) -> None:
        """Note what a thread is about to do."""
        _ENTRY.pack_into(self._memory, thread * _ENTRY.size, seed, step, time.monotonic())

    def clear(self, thread: int) -> None:
        """Note that a thread does nothing."""
        _ENTRY.pack_into(self._memory, thread * _ENTRY.size, 0, _EMPTY, 0.0)

    def entries(self) -> list[Entry]:
        """What the threads are doing that do something."""
        entries = [Entry(*fields) for fields in _ENTRY.iter_unpack(self._memory[:])]
        return [entry for entry in entries if entry.began]

    def close(self) -> None:
        """Let go of the file."""
        self._memory.close()
