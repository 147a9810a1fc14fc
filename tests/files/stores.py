"""File stores of every kind, for the tests that all of them must pass."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import anyio.lowlevel
import fsspec

from sandbox import CallbackFiles, DirectoryFiles, FileStat, FileStore, FsspecFiles, MemoryFiles


class AsyncFiles:
    """A store of the embedder's own, all of whose methods are asynchronous."""

    def __init__(self) -> None:
        self._files = MemoryFiles()

    async def stat(self, path: str) -> FileStat:
        await anyio.lowlevel.checkpoint()
        return self._files.stat(path)

    async def list(self, path: str) -> Any:
        await anyio.lowlevel.checkpoint()
        return self._files.list(path)

    async def read(self, path: str, start: int, size: int) -> bytes:
        await anyio.lowlevel.checkpoint()
        return self._files.read(path, start, size)

    async def write(self, path: str, content: BinaryIO, *, exclusive: bool = False) -> None:
        await anyio.lowlevel.checkpoint()
        self._files.write(path, content, exclusive=exclusive)

    async def make_directory(self, path: str) -> None:
        self._files.make_directory(path)

    async def remove(self, path: str) -> None:
        self._files.remove(path)

    async def rename(self, source: str, target: str) -> None:
        self._files.rename(source, target)


def _callbacks(_folder: Path) -> FileStore:
    kept = MemoryFiles()
    return CallbackFiles(
        stat=kept.stat,
        list=kept.list,
        read=kept.read,
        write=kept.write,
        make_directory=kept.make_directory,
        remove=kept.remove,
        rename=kept.rename,
    )


def _fsspec(_folder: Path) -> FileStore:
    filesystem = fsspec.filesystem("memory")
    root = f"/{uuid.uuid4()}"
    filesystem.mkdir(root)
    return FsspecFiles(filesystem, root, write=True)


STORES: dict[str, Callable[[Path], FileStore]] = {
    "memory": lambda _folder: MemoryFiles(),
    "directory": lambda folder: DirectoryFiles(folder, write=True),
    "fsspec": _fsspec,
    "callbacks": _callbacks,
    "asynchronous": lambda _folder: AsyncFiles(),
}
