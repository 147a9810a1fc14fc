"""Files of a directory of the host, and of no other."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from sandbox import _descent
from sandbox.files.contract import MOST_LISTED, FileStat
from sandbox.files.failures import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What is being written is called so for an instant. No guest can name it.
_PREFIX: Final = ".sandbox-"
_SUFFIX: Final = ".tmp"
_COPY_BYTES: Final = 1 << 20


class DirectoryFiles:
    """The files below a directory of the host; they can only be read, unless `write` is true.

    Nothing leaves the directory: every path is walked by descriptors, one component at a time, and symbolic links are
    never followed. Links, devices, sockets and FIFOs are not listed, and their names can be neither opened nor
    replaced. Hard links are ordinary files: to write one replaces the name, and leaves the other file as it is.

        Sandbox(files={"/data": DirectoryFiles("data"), "/out": DirectoryFiles("out", write=True)})
    """

    is_prompt = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        write: bool = False,
        *,
        quota_bytes: int = 1 << 30,
        max_entries: int = 100_000,
        max_file_bytes: int = 1 << 30,
        fsync: bool = False,
    ) -> None:
        """Make a store.

        Args:
            path: An existing directory. It may be a link itself, which is resolved now.
            write: Whether files may be made, changed and removed.
            quota_bytes: By how much the files may grow together, through this object.
            max_entries: By how many files and directories.
            max_file_bytes: The largest file that is written.
            fsync: Whether a file and its directory are on the disk when a write has ended.

        Raises:
            NotADirectoryError: It is none.
            ValueError: It is the empty text, which says nothing, and would be the current directory.
            NotImplementedError: The platform cannot walk by descriptors, as Windows.
        """
        if not _descent.AVAILABLE:
            raise NotImplementedError("DirectoryFiles needs a platform with openat()")
        if not os.fspath(path):
            raise ValueError("a directory has a name; that of the current one is '.'")
        self._host = os.path.realpath(path)
        if not os.path.isdir(self._host):  # noqa: PTH112 - the paths here are text throughout
            raise NotADirectoryError(f"not a directory: {os.fspath(path)!r}")
        self._may_write = write
        self._fsync = fsync
        self.max_file_bytes = max_file_bytes
        self._left_bytes = quota_bytes
        self._left_entries = max_entries
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"DirectoryFiles({self._host!r}, write={self._may_write})"

    # --- the contract ---

    def stat(self, path: str) -> FileStat:
        """See `FileStore`."""
        if not path:
            return FileStat(is_directory=True)
        with self._place(path) as (directory, name):
            return _stat(name, directory)

    def list(self, path: str) -> Iterable[tuple[str, bool]]:
        """See `FileStore`."""
        found: list[tuple[str, bool]] = []
        with self._directory(path) as directory, os.scandir(directory) as entries:
            for entry in entries:
                if len(found) >= MOST_LISTED:
                    raise failure("EOVERFLOW")
                is_directory = entry.is_dir(follow_symlinks=False)
                if (is_directory or entry.is_file(follow_symlinks=False)) and not _is_ours(entry.name):
                    found.append((entry.name, is_directory))
        return found

    def read(self, path: str, start: int, size: int) -> bytes:
        """See `FileStore`."""
        with self._place(path) as (directory, name):
            if _stat(name, directory).is_directory:
                raise failure("EISDIR")
            file = _descent.open_file(name, inside=directory)
            try:
                return _read(file, start, size)
            finally:
                os.close(file)

    def write(self, path: str, content: BinaryIO, *, exclusive: bool = False) -> None:
        """See `FileStore`."""
        self._check_write()
        with self._place(path) as (directory, name):
            before = _found(name, directory)
            if before is not None and before.is_directory:
                raise failure("EISDIR")
            if before is not None and exclusive:
                raise failure("EEXIST")
            temporary = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
            file = _descent.create_file(temporary, _mode(name, directory), inside=directory)
            try:
                with os.fdopen(file, "wb") as target:
                    size = self._copy(content, target)
                self._book(size - (before.size if before else 0), 0 if before else 1)
                self._publish(temporary, name, directory, exclusive=exclusive)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=directory)
                raise

    def make_directory(self, path: str) -> None:
        """See `FileStore`."""
        self._check_write()
        with self._place(path) as (directory, name):
            self._booked(0, 1, lambda: os.mkdir(name, dir_fd=directory))

    def remove(self, path: str) -> None:
        """See `FileStore`."""
        self._check_write()
        with self._place(path) as (directory, name):
            found = _stat(name, directory)
            if found.is_directory:
                os.rmdir(name, dir_fd=directory)
            else:
                os.unlink(name, dir_fd=directory)
            self._book(-found.size, -1)

    def rename(self, source: str, target: str) -> None:
        """See `FileStore`."""
        self._check_write()
        with self._place(source) as (origin, old), self._place(target) as (place, new):
            _stat(old, origin)
            replaced = _found(new, place)
            os.rename(old, new, src_dir_fd=origin, dst_dir_fd=place)
            if replaced is not None and source != target:
                self._book(-replaced.size, -1)

    # --- descriptors ---

    @contextmanager
    def _directory(self, path: str) -> Iterator[int]:
        """A descriptor of the directory at a path."""
        directory = _descent.open_directory(self._host)
        try:
            for name in path.split("/") if path else ():
                _check(name)
                inner = _descent.open_directory(name, inside=directory)
                os.close(directory)
                directory = inner
            yield directory
        finally:
            os.close(directory)

    @contextmanager
    def _place(self, path: str) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory that holds a path, and the last name of it."""
        above, _, name = path.rpartition("/")
        if not name:
            raise failure("EBUSY")
        _check(name)
        with self._directory(above) as directory:
            yield directory, name

    def _copy(self, content: BinaryIO, target: BinaryIO) -> int:
        shutil.copyfileobj(content, target, _COPY_BYTES)
        target.flush()
        size = target.tell()
        if size > self.max_file_bytes:
            raise failure("EFBIG")
        if self._fsync:
            os.fsync(target.fileno())
        return size

    def _publish(self, temporary: str, name: str, directory: int, *, exclusive: bool) -> None:
        """Give what was written its name, in one step."""
        if exclusive:
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            os.unlink(temporary, dir_fd=directory)
        else:
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        if self._fsync:
            os.fsync(directory)

    # --- the books ---

    def _check_write(self) -> None:
        if not self._may_write:
            raise failure("EROFS")

    def _booked(self, size: int, entries: int, action: Callable[[], object]) -> None:
        self._book(size, entries)
        try:
            action()
        except BaseException:
            self._book(-size, -entries)
            raise

    def _book(self, size: int, entries: int) -> None:
        with self._lock:
            if (size > 0 and size > self._left_bytes) or (entries > 0 and entries > self._left_entries):
                raise failure("ENOSPC")
            self._left_bytes -= size
            self._left_entries -= entries


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def _check(name: str) -> None:
    """The store is confined by itself, whoever calls it."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise failure("EINVAL")
    if _is_ours(name):
        raise failure("EACCES")


def _stat(name: str, directory: int) -> FileStat:
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode):
        return FileStat(is_directory=True)
    if not stat.S_ISREG(found.st_mode):
        raise failure("EACCES")
    return FileStat(False, found.st_size, found.st_mtime_ns / 1e6, f"{found.st_size}-{found.st_mtime_ns}")


def _found(name: str, directory: int) -> FileStat | None:
    try:
        return _stat(name, directory)
    except FileNotFoundError:
        return None


def _mode(name: str, directory: int) -> int:
    """The permissions of a file that is replaced, or those of a new one."""
    try:
        return stat.S_IMODE(_descent.mode_of(name, inside=directory)) & 0o777
    except FileNotFoundError:
        return 0o666


def _read(file: int, start: int, size: int) -> bytes:
    first = os.pread(file, size, start)
    if len(first) == size or not first:
        return first
    chunks = [first]
    at = start + len(first)
    while at < start + size and (chunk := os.pread(file, start + size - at, at)):
        chunks.append(chunk)
        at += len(chunk)
    return b"".join(chunks)
