"""The files of one sandbox that are being written, until they are committed or given up."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sandbox.files.failures import failure
from sandbox.files.paths import Parts, is_below
from sandbox.files.staging import Staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.files.mounts import Place

MOST_OPEN: Final = 64
"""The one that was left alone for longest goes first."""
MOST_STAGED_BYTES: Final = 1 << 30
"""What all of them hold together, on the disk but for the first 256 KiB of each."""
_LARGEST: Final = (1 << 53) - 1


class Writables:
    """The book of them. The locks of the File System Standard are what it says: a file that is written stays."""

    def __init__(self, numbers: Iterator[int]) -> None:
        """Begin with none; `numbers` says what they are called, none of them twice in a sandbox's life."""
        self._numbers = numbers
        self._uses = itertools.count(1)
        self._open: dict[int, Staged] = {}

    def begin(self, place: Place, most_bytes: int) -> tuple[int, Staged]:
        """Begin one, empty and busy.

        Raises:
            OSError: `EMFILE`: there are too many, all of them at work.
        """
        self._make_room()
        number = next(self._numbers)
        staged = self._open[number] = Staged(place, most_bytes)
        staged.used = next(self._uses)
        staged.is_busy = True
        return number, staged

    @contextmanager
    def one_go(self, place: Place, most_bytes: int) -> Iterator[Staged]:
        """What is begun and written by one operation."""
        number, staged = self.begin(place, most_bytes)
        try:
            yield staged
        finally:
            staged.leave()
            self.end(number)

    def use(self, number: object, size: int = 0) -> Staged:
        """One that the guest does something with, which makes it at most so large.

        Raises:
            OSError: `EBADF`: there is none. `EBUSY`: something is done with it. `ENOSPC`: all together are too large.
            TypeError: It is no number.
        """
        staged = self._open.get(checked(number))
        if staged is None:
            raise failure("EBADF")
        if staged.is_busy:
            raise failure("EBUSY")
        self.check_room(size - staged.size)
        staged.used = next(self._uses)
        return staged

    def check_room(self, growth: int) -> None:
        """See that so many bytes more may be held.

        Raises:
            OSError: `ENOSPC`.
        """
        if growth > 0 and sum(staged.size for staged in self._open.copy().values()) + growth > MOST_STAGED_BYTES:
            raise failure("ENOSPC")

    def end(self, number: object) -> None:
        """Let go of one, if there is one of that number."""
        staged = self._open.pop(checked(number), None)
        if staged is not None:
            staged.drop()

    def check_free(self, parts: Parts) -> None:
        """See that nothing at a path or below is being written.

        Raises:
            OSError: `EBUSY`.
        """
        if any(is_below(staged.place.parts, parts) for staged in self._open.copy().values()):
            raise failure("EBUSY")

    def close(self) -> None:
        """Let go of all."""
        for number in self._open.copy():
            self.end(number)

    # --- going back; while no turn runs ---

    def note(self) -> dict[int, int]:
        """What there is, and how far the guest has asked of each."""
        return {number: staged.used for number, staged in self._open.copy().items()}

    def undo(self, noted: dict[int, int]) -> None:
        """Go back to that: what was begun or changed since is not what the guest believes it to be."""
        for number, staged in self._open.copy().items():
            if noted.get(number) != staged.used:
                self.end(number)

    def _make_room(self) -> None:
        while len(self._open) >= MOST_OPEN:
            idle = [(staged.used, number) for number, staged in self._open.copy().items() if not staged.is_busy]
            if not idle:
                raise failure("EMFILE")
            self.end(min(idle)[1])


def checked(number: object) -> int:
    """A number that the guest gives: a size, a position, or what something is known by.

    Raises:
        OSError: `EINVAL`: none is as large.
        TypeError: It is none.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise TypeError("that is no size, position or number of a writable")
    if number > _LARGEST:
        raise failure("EINVAL")
    return number
