"""Files in memory."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from sandbox._records import field, record
from sandbox.files.contract import FileStat
from sandbox.files.failures import failure
from sandbox.files.paths import check_name, is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@record(slots=True)
class _File:
    content: bytes
    modified_ms: float
    version: int


@record(slots=True)
class _Directory:
    entries: dict[str, _Entry] = field(default_factory=dict)


_Entry: TypeAlias = _File | _Directory


class MemoryFiles:
    r"""Files that exist in memory, as long as this object does. Several sandboxes may share them; any thread.

    files = MemoryFiles({"input.csv": b"a,b\\n"}, quota_bytes=8 << 20)
    Sandbox(files=files)
    """

    is_prompt = True

    def __init__(
        self,
        contents: Mapping[str, bytes | str] | None = None,
        *,
        quota_bytes: int = 64 << 20,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a store.

        Args:
            contents: What is in it, by path, such as `"reports/may.csv"`; text is written as UTF-8.
            quota_bytes: The most that all files may hold together.
            max_entries: The most files and directories.
            clock: Says the time when a file is written, in seconds since 1970.

        Raises:
            ValueError: A path is none, or the contents are more than there may be.
        """
        self._top = _Directory()
        self._used = self._entries = self._versions = 0
        self._clock = clock
        self.quota_bytes = quota_bytes
        self.max_entries = max_entries
        self.max_file_bytes = quota_bytes
        self._lock = threading.Lock()
        for path, content in (contents or {}).items():
            self._fill(path, content.encode("utf-8") if isinstance(content, str) else bytes(content))

    def _fill(self, path: str, content: bytes) -> None:
        try:
            above = ""
            for name in path.split("/")[:-1]:
                check_name(name)
                above = f"{above}/{name}" if above else name
                with suppress(FileExistsError):
                    self.make_directory(above)
            check_name(path.rpartition("/")[2])
            self.write(path, BytesIO(content))
        except OSError as error:
            raise ValueError(f"contents cannot have {path!r}: {error.strerror}") from None

    @property
    def used_bytes(self) -> int:
        """What all files hold together."""
        return self._used

    def files(self) -> dict[str, bytes]:
        """What every file holds, by path."""
        found: dict[str, bytes] = {}
        with self._lock:
            left: list[tuple[str, _Entry]] = [("", self._top)]
            while left:
                path, entry = left.pop()
                if isinstance(entry, _File):
                    found[path] = entry.content
                else:
                    left += [(f"{path}/{name}" if path else name, inner) for name, inner in entry.entries.items()]
        return dict(sorted(found.items()))

    # --- the contract ---

    def stat(self, path: str) -> FileStat:
        """See `FileStore`."""
        with self._lock:
            entry = self._find(path)
            if isinstance(entry, _Directory):
                return FileStat(is_directory=True)
            return FileStat(False, len(entry.content), entry.modified_ms, str(entry.version))

    def list(self, path: str) -> Iterable[tuple[str, bool]]:
        """See `FileStore`."""
        with self._lock:
            return [(name, isinstance(entry, _Directory)) for name, entry in self._directory(path).entries.items()]

    def read(self, path: str, start: int, size: int) -> bytes:
        """See `FileStore`."""
        with self._lock:
            entry = self._find(path)
            if isinstance(entry, _Directory):
                raise failure("EISDIR")
            return entry.content[start : start + size]

    def write(self, path: str, content: BinaryIO, *, exclusive: bool = False) -> None:
        """See `FileStore`."""
        data = content.read(self.quota_bytes + 1)
        with self._lock:
            directory, name = self._place(path)
            before = directory.entries.get(name)
            if isinstance(before, _Directory):
                raise failure("EISDIR")
            if before is not None and exclusive:
                raise failure("EEXIST")
            growth = len(data) - (0 if before is None else len(before.content))
            if growth > 0 and self._used + growth > self.quota_bytes:
                raise failure("ENOSPC")
            if before is None:
                self._count()
            self._used += growth
            self._versions += 1
            directory.entries[name] = _File(data, self._clock() * 1000, self._versions)

    def make_directory(self, path: str) -> None:
        """See `FileStore`."""
        with self._lock:
            directory, name = self._place(path)
            if name in directory.entries:
                raise failure("EEXIST")
            self._count()
            directory.entries[name] = _Directory()

    def remove(self, path: str) -> None:
        """See `FileStore`."""
        with self._lock:
            directory, name = self._place(path)
            entry = directory.entries.get(name)
            if entry is None:
                raise failure("ENOENT")
            if isinstance(entry, _Directory) and entry.entries:
                raise failure("ENOTEMPTY")
            self._drop(directory, name)

    def rename(self, source: str, target: str) -> None:
        """See `FileStore`."""
        with self._lock:
            origin, old = self._place(source)
            entry = origin.entries.get(old)
            if entry is None:
                raise failure("ENOENT")
            is_inner = source != target and is_below(tuple(target.split("/")), tuple(source.split("/")))
            if is_inner and isinstance(entry, _Directory):
                raise failure("EINVAL")
            place, new = self._place(target)
            there = place.entries.get(new)
            if there is entry:
                return
            if there is not None:
                if isinstance(there, _Directory) and not isinstance(entry, _Directory):
                    raise failure("EISDIR")
                if isinstance(entry, _Directory) and not isinstance(there, _Directory):
                    raise failure("ENOTDIR")
                if isinstance(there, _Directory) and there.entries:
                    raise failure("ENOTEMPTY")
                self._drop(place, new)
            place.entries[new] = origin.entries.pop(old)

    # --- the tree; the lock is held ---

    def _find(self, path: str) -> _Entry:
        entry: _Entry = self._top
        for name in path.split("/") if path else ():
            if not isinstance(entry, _Directory):
                raise failure("ENOTDIR")
            inner = entry.entries.get(name)
            if inner is None:
                raise failure("ENOENT")
            entry = inner
        return entry

    def _directory(self, path: str) -> _Directory:
        entry = self._find(path)
        if not isinstance(entry, _Directory):
            raise failure("ENOTDIR")
        return entry

    def _place(self, path: str) -> tuple[_Directory, str]:
        """The directory that holds, or would hold, what is at a path."""
        above, _, name = path.rpartition("/")
        if not name:
            raise failure("EBUSY")
        return self._directory(above), name

    def _count(self) -> None:
        if self._entries >= self.max_entries:
            raise failure("ENOSPC")
        self._entries += 1

    def _drop(self, directory: _Directory, name: str) -> None:
        entry = directory.entries.pop(name)
        self._entries -= 1
        if isinstance(entry, _File):
            self._used -= len(entry.content)
