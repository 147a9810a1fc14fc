"""What is being written: kept aside, in memory while it is small, until all of it becomes the file at once."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from sandbox.files.failures import failure

if TYPE_CHECKING:
    from sandbox.files.mounts import Place

_IN_MEMORY_BYTES: Final = 256 << 10


class Staged:
    """The content of one file that is being written.

    Attributes:
        place: What it will be.
        size: Bytes.
        used: When the guest last asked for something, as a number that only grows.
        is_busy: Whether something is being done with it.
    """

    is_busy: bool
    size: int

    def __init__(self, place: Place, max_bytes: int) -> None:
        """Begin with nothing; `max_bytes` is the most it may hold."""
        self.place = place
        self.size = 0
        self.used = 0
        self.is_busy = False
        self._is_dropped = False
        self._max_bytes = max_bytes
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES))  # noqa: SIM115 - it outlives this

    def check(self, size: int) -> None:
        """Refuse what would make it larger than it may be.

        Raises:
            OSError: `ENOSPC`.
        """
        if size > self._max_bytes:
            raise failure("ENOSPC")

    def write(self, start: int, data: bytes) -> None:
        """Write bytes at a position; what lies between the end and that is zero."""
        end = start + len(data)
        self.check(end)
        if start > self.size:
            self.truncate(start)
        self._file.seek(start)
        self._file.write(data)
        self.size = max(self.size, end)

    def truncate(self, size: int) -> None:
        """Make it of a size; what is added is zero."""
        self.check(size)
        if size > self.size and size > _IN_MEMORY_BYTES:
            self._file.rollover()  # type: ignore[attr-defined] # a file system makes holes, memory does not
        elif size > self.size:
            self._file.seek(self.size)
            self._file.write(bytes(size - self.size))
        self._file.truncate(size)
        self.size = size

    def rewound(self) -> BinaryIO:
        """The file, to be read from its beginning."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def drop(self) -> None:
        """Let go of the content; at the end of what is being done with it. Idempotent, any thread."""
        self._is_dropped = True
        if not self.is_busy:
            self._file.close()

    def __del__(self) -> None:
        """What an interrupt has left is closed without a warning."""
        if (file := getattr(self, "_file", None)) is not None:
            file.close()

    def leave(self) -> None:
        """What was being done has ended."""
        self.is_busy = False
        if self._is_dropped:
            self._file.close()
