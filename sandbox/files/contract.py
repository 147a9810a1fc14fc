"""The contract of file stores: whoever keeps files for guests fulfils it, and all adapters pass one suite of tests."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import BinaryIO, Protocol, TypeAlias, TypeVar, runtime_checkable

from sandbox._records import record

T = TypeVar("T")
MaybeAwaitable: TypeAlias = Awaitable[T] | T


@record(frozen=True, slots=True)
class FileStat:
    """What there is at a path.

    Attributes:
        is_directory: Whether it is a directory, or else a file.
        size: Bytes of a file.
        modified_ms: When a file was written last, in milliseconds since 1970.
        version: Unlike that of any other content this file has had; empty: size and time tell.
    """

    is_directory: bool
    size: int = 0
    modified_ms: float = 0.0
    version: str = ""


@runtime_checkable
class FileStore(Protocol):
    """Keeps files for guests. Methods are plain or `async def`; what they raise the guest gets.

    A path is relative to the store, such as `"reports/may.csv"`; empty: the top. Its components are not empty, not `.`
    nor `..`, well-formed text of at most 255 bytes without slashes and null characters. Otherwise they are the guest's.

    Failures are Python's own `OSError`s: `FileNotFoundError`, `FileExistsError`, `IsADirectoryError`,
    `NotADirectoryError`, `PermissionError`, or one with an `errno` such as `ENOTEMPTY`, `ENOSPC`, `EROFS`. The guest
    learns the code, never the text.

    Plain methods are called on worker threads, several at a time. Where a store has an attribute `is_prompt` that is
    true they are called on the thread that runs the guest, and never on an event loop: a guest then waits for each,
    which is quicker for what takes microseconds.
    """

    def stat(self, path: str) -> MaybeAwaitable[FileStat]:
        """What there is at a path."""

    def list(self, path: str) -> MaybeAwaitable[Iterable[tuple[str, bool]]]:
        """Names in a directory, each with whether it is a directory; at most `MOST_LISTED`."""

    def read(self, path: str, start: int, size: int) -> MaybeAwaitable[bytes]:
        """Up to `size` bytes of a file; fewer only at its end."""

    def write(self, path: str, content: BinaryIO, *, exclusive: bool = False) -> MaybeAwaitable[None]:
        """Make a file, or replace one, all at once: readers see the old content or the new one.

        Args:
            path: Its directory exists.
            content: Gives the bytes, from where it stands to its end. It is closed by whoever calls.
            exclusive: Whether there must not be such a file (`FileExistsError`).
        """

    def make_directory(self, path: str) -> MaybeAwaitable[None]:
        """Make a directory in one that exists."""

    def remove(self, path: str) -> MaybeAwaitable[None]:
        """Remove a file, or a directory that is empty."""

    def rename(self, source: str, target: str) -> MaybeAwaitable[None]:
        """Give a file or a directory another path; a file that is there is replaced, and an empty directory may be."""


MOST_LISTED = 100_000
"""Names in one directory; longer ones fail with `EOVERFLOW`."""
