"""What a guest may do with its files: the operations, over whatever stores there are."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sandbox.files.contract import MOST_LISTED, FileStat
from sandbox.files.failures import failure
from sandbox.files.mounts import Mounts, Place
from sandbox.files.paths import Parts, check_name
from sandbox.files.writables import MOST_STAGED_BYTES, Writables, checked

if TYPE_CHECKING:
    from sandbox.files.staging import Staged

Ask: TypeAlias = Callable[..., Awaitable[Any]]
"""`(place, method, *arguments, **options)`: has the store of a place do something with its path."""

MOST_READ_BYTES: Final = 4 << 20
"""Bytes of one read."""
_COPY_BYTES: Final = 1 << 20


class FileService:
    """The operations, each a coroutine. How stores are asked is up to whoever makes it."""

    def __init__(self, mounts: Mounts, writables: Writables, ask: Ask) -> None:
        self._mounts = mounts
        self._writables = writables
        self._ask = ask

    # --- what is there ---

    async def stat(self, path: object) -> list[Any]:
        """Describe an entry."""
        found = await self._stat(self._mounts.find(path))
        return [found.is_directory, found.size, found.modified_ms, _version(found)]

    async def list(self, path: object) -> builtins.list[Any]:
        """Names in a directory."""
        place = self._mounts.find(path)
        inner = self._mounts.names_below(place.parts)
        listed: builtins.list[Any] = []
        for name, is_directory in await self._names(place):
            if name not in inner:
                listed += (name, is_directory)
        for name in sorted(inner):
            listed += (name, True)
        return listed

    async def open(self, path: object, is_directory: object, create: object) -> None:
        """See that an entry is there, or make it."""
        place = self._mounts.find(path)
        found = await self._found(place)
        if found is not None:
            if found.is_directory is not is_directory:
                raise failure("EISDIR" if found.is_directory else "ENOTDIR")
        elif not create:
            raise failure("ENOENT")
        elif is_directory:
            await self._ask(place, "make_directory")
        else:
            await self._ask(place, "write", BytesIO(), exclusive=True)

    async def read(self, path: object, start: object, size: object, version: object) -> bytes:
        """Bytes of a file, if it still is the one that is meant."""
        place = self._mounts.find(path)
        most = min(checked(size), MOST_READ_BYTES)
        if version is not None:
            found = await self._stat(place)
            if found.is_directory or _version(found) != version:
                raise failure("ESTALE")
        return await self._read(place, checked(start), most)

    # --- writing ---

    async def store(self, path: object, data: object, manner: object) -> None:
        """Write a file in one go."""
        place = self._mounts.find(path)
        content = _bytes(data)
        with self._writables.one_go(place, _most_bytes(place)) as staged:
            if manner == "append":
                found = await self._found(place)
                if found is not None:
                    await self._copy_into(staged, place, found)
            self._writables.check_room(len(content))
            staged.write(staged.size, content)
            await self._write(place, staged, exclusive=manner == "create")

    async def begin(self, path: object, keep: object, create: object) -> builtins.list[int]:
        """Begin to write a file."""
        place = self._mounts.find(path)
        found = await self._found(place)
        if found is None and not create:
            raise failure("ENOENT")
        if found is not None and found.is_directory:
            raise failure("EISDIR")
        number, staged = self._writables.begin(place, _most_bytes(place))
        try:
            if keep and found is not None:
                await self._copy_into(staged, place, found)
            staged.leave()
        except BaseException:
            staged.leave()
            self._writables.end(number)
            raise
        return [number, staged.size]

    async def write(self, number: object, start: object, data: object) -> None:
        """Write a part of it."""
        at = checked(start)
        content = _bytes(data)
        self._writables.use(number, at + len(content)).write(at, content)

    async def truncate(self, number: object, size: object) -> None:
        """Make it of a size."""
        self._writables.use(number, checked(size)).truncate(checked(size))

    async def commit(self, number: object) -> None:
        """Make what was written the file."""
        staged = self._writables.use(number)
        staged.is_busy = True
        try:
            await self._write(staged.place, staged)
        finally:
            staged.leave()
            self._writables.end(number)

    async def discard(self, number: object) -> None:
        """Forget what was written."""
        self._writables.end(number)

    # --- the tree ---

    async def make(self, path: object, recursive: object) -> builtins.list[str] | None:
        """Make a directory."""
        parts = self._mounts.find(path).parts
        first: str | None = None
        for length in range(1 if recursive else len(parts), len(parts) + 1):
            place = self._mounts.find("/" + "/".join(parts[:length]))
            found = await self._found(place)
            if found is None:
                await self._ask(place, "make_directory")
                first = first or "/" + "/".join(place.parts)
            elif not recursive:
                raise failure("EEXIST")
            elif not found.is_directory:
                raise failure("EEXIST" if length == len(parts) else "ENOTDIR")
        return None if first is None else [first]

    async def remove(self, path: object, recursive: object) -> None:
        """Remove an entry; of the top, all that is in it."""
        place = self._mounts.find(path)
        found = await self._stat(place)
        self._writables.check_free(place.parts)
        if not found.is_directory or not recursive:
            self._check_movable(place.parts)
            await self._ask(place, "remove")
            return
        if self._mounts.names_below(place.parts):
            raise failure("EBUSY")
        left = [(place, True)]
        while left:
            at, is_full = left.pop()
            if not is_full:
                if at.path:
                    await self._ask(at, "remove")
                continue
            left.append((at, False))
            for name, is_directory in await self._names(at):
                inner = Place((*at.parts, name), at.store, f"{at.path}/{name}" if at.path else name)
                if is_directory:
                    left.append((inner, True))
                else:
                    await self._ask(inner, "remove")

    async def rename(self, path: object, to: object, replaces: object) -> None:
        """Give an entry another path."""
        source, target = self._mounts.find(path), self._mounts.find(to)
        await self._stat(source)
        for place in (source, target):
            self._check_movable(place.parts)
            self._writables.check_free(place.parts)
        if source.store is not target.store:
            raise failure("EXDEV")
        if not replaces and source.parts != target.parts and await self._found(target) is not None:
            raise failure("EEXIST")
        await self._ask(source, "rename", target.path)

    async def copy(self, path: object, to: object, replaces: object) -> None:
        """Copy a file."""
        source, target = self._mounts.find(path), self._mounts.find(to)
        found = await self._stat(source)
        if found.is_directory:
            raise failure("EISDIR")
        with self._writables.one_go(target, _most_bytes(target)) as staged:
            await self._copy_into(staged, source, found)
            await self._write(target, staged, exclusive=not replaces)

    # --- what they share ---

    async def _stat(self, place: Place) -> FileStat:
        if place.store is None or place.is_top:
            return FileStat(is_directory=True)
        found = await self._ask(place, "stat")
        if not isinstance(found, FileStat):
            raise TypeError(f"stat must give a FileStat, not {type(found).__name__}")
        return found

    async def _found(self, place: Place) -> FileStat | None:
        try:
            return await self._stat(place)
        except FileNotFoundError:
            return None

    async def _names(self, place: Place) -> Iterable[tuple[str, bool]]:
        """What a directory holds, but for names that no guest can say."""
        if place.store is None:
            return []
        names = builtins.list(itertools.islice(await self._ask(place, "list"), MOST_LISTED + 1))
        if len(names) > MOST_LISTED:
            raise failure("EOVERFLOW")
        return [(name, bool(is_directory)) for name, is_directory in names if _can_be_named(name)]

    async def _read(self, place: Place, start: int, size: int) -> bytes:
        content = await self._ask(place, "read", start, size)
        return bytes(memoryview(content)[:size])

    async def _copy_into(self, staged: Staged, place: Place, found: FileStat) -> None:
        staged.check(found.size)
        while chunk := await self._read(place, staged.size, _COPY_BYTES):
            self._writables.check_room(len(chunk))
            staged.write(staged.size, chunk)

    async def _write(self, place: Place, staged: Staged, *, exclusive: bool = False) -> None:
        await self._ask(place, "write", staged.rewound(), exclusive=exclusive)

    def _check_movable(self, parts: Parts) -> None:
        """See that no store is at a path or below it: these stay where they are."""
        if not parts or self._mounts.names_below(parts[:-1]) & {parts[-1]}:
            raise failure("EBUSY")


def _version(found: FileStat) -> str:
    return found.version or f"{found.size}-{found.modified_ms}"


def _most_bytes(place: Place) -> int:
    most = getattr(place.store, "max_file_bytes", MOST_STAGED_BYTES)
    return min(most, MOST_STAGED_BYTES)


def _bytes(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError("a file is written as bytes")
    return data


def _can_be_named(name: str) -> bool:
    try:
        check_name(name)
    except OSError:
        return False
    return True
