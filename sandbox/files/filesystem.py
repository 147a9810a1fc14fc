"""Files of any file system that the package `fsspec` knows: archives, object stores, servers."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from sandbox.files.contract import FileStat
from sandbox.files.failures import failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsspec import AbstractFileSystem

_TIMES: Final = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
_COPY_BYTES: Final = 1 << 20


class FsspecFiles:
    """The files below a path of an fsspec file system; they can only be read, unless `write` is true.

    A write is as atomic as that file system's own. Directories are what it makes of them: object stores forget empty
    ones. For a directory of this machine there is `DirectoryFiles`, which follows no links.

        Sandbox(files={"/data": FsspecFiles(fsspec.filesystem("s3"), "bucket/reports")})
    """

    def __init__(
        self,
        filesystem: AbstractFileSystem,
        root: str = "",
        write: bool = False,
        *,
        max_file_bytes: int = 256 << 20,
    ) -> None:
        """Make a store.

        Args:
            filesystem: An instance, such as `fsspec.filesystem("memory")`.
            root: The path of the top in it.
            write: Whether files may be made, changed and removed.
            max_file_bytes: The largest file that is written.

        Raises:
            TypeError: It is no file system of fsspec: a URL, for one.
            ValueError: It is the local file system, whose links would lead out of the root.
        """
        protocol = getattr(filesystem, "protocol", None)
        if protocol is None:
            given = type(filesystem).__name__
            raise TypeError(f'filesystem must be one of fsspec, such as fsspec.filesystem("memory"), not {given}')
        if {"file", "local"} & {protocol, *(() if isinstance(protocol, str) else protocol)}:
            raise ValueError("use DirectoryFiles for directories of this machine: it follows no links")
        self._files = filesystem
        self._root = root.rstrip("/")
        self._may_write = write
        self.max_file_bytes = max_file_bytes

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root or "/"

    def _info(self, path: str) -> dict[str, Any]:
        self._files.invalidate_cache()
        info: dict[str, Any] = self._files.info(self._at(path))
        return info

    # --- the contract ---

    def stat(self, path: str) -> FileStat:
        """See `FileStore`."""
        if not path:
            return FileStat(is_directory=True)
        self._check_above(path)
        info = self._info(path)
        if info["type"] == "directory":
            return FileStat(is_directory=True)
        return FileStat(False, int(info.get("size") or 0), _modified_ms(info), str(info.get("etag") or ""))

    def list(self, path: str) -> Iterable[tuple[str, bool]]:
        """See `FileStore`."""
        if not self.stat(path).is_directory:
            raise failure("ENOTDIR")
        self._files.invalidate_cache()
        found = self._files.ls(self._at(path), detail=True)
        return [(entry["name"].rstrip("/").rpartition("/")[2], entry["type"] == "directory") for entry in found]

    def read(self, path: str, start: int, size: int) -> bytes:
        """See `FileStore`."""
        found = self.stat(path)
        if found.is_directory:
            raise failure("EISDIR")
        end = min(start + size, found.size)
        return bytes(self._files.cat_file(self._at(path), start=start, end=end)) if start < end else b""

    def write(self, path: str, content: BinaryIO, *, exclusive: bool = False) -> None:
        """See `FileStore`."""
        self._check_place(path)
        before = self._found(path)
        if before is not None and before.is_directory:
            raise failure("EISDIR")
        if before is not None and exclusive:
            raise failure("EEXIST")
        with self._files.open(self._at(path), "wb") as target:
            shutil.copyfileobj(content, target, _COPY_BYTES)

    def make_directory(self, path: str) -> None:
        """See `FileStore`."""
        self._check_place(path)
        if self._found(path) is not None:
            raise failure("EEXIST")
        self._files.mkdir(self._at(path), create_parents=False)

    def remove(self, path: str) -> None:
        """See `FileStore`."""
        self._check_place(path)
        if not self.stat(path).is_directory:
            self._files.rm_file(self._at(path))
        elif self.list(path):
            raise failure("ENOTEMPTY")
        else:
            self._files.rmdir(self._at(path))

    def rename(self, source: str, target: str) -> None:
        """See `FileStore`. Files only: what is a directory stays where it is (`ENOTSUP`)."""
        self._check_place(source)
        self._check_place(target)
        if self.stat(source).is_directory:
            raise failure("ENOTSUP")
        there = self._found(target)
        if there is not None and there.is_directory:
            raise failure("EISDIR")
        if source != target:
            # The method `mv` would read stars in names as patterns.
            self._files.cp_file(self._at(source), self._at(target))
            self._files.rm_file(self._at(source))

    # --- what file systems without directories of their own do not check ---

    def _found(self, path: str) -> FileStat | None:
        try:
            return self.stat(path)
        except FileNotFoundError:
            return None

    def _check_above(self, path: str) -> None:
        above = path.rpartition("/")[0]
        if above and not self.stat(above).is_directory:
            raise failure("ENOTDIR")

    def _check_place(self, path: str) -> None:
        if not self._may_write:
            raise failure("EROFS")
        if not path:
            raise failure("EBUSY")
        self._check_above(path)


def _modified_ms(info: dict[str, Any]) -> float:
    for key in _TIMES:
        value = info.get(key)
        if isinstance(value, datetime):
            return value.timestamp() * 1000
        if isinstance(value, int | float):
            return value * 1000
    return 0.0
