"""Files below some folders of the host and no others, whatever a path says and whoever changes the disk meanwhile.

Where the platform can, a path is walked one component at a time, by descriptors that follow no link. A link is read,
its real place must be inside one of the folders, and the walk starts again from that folder. So what is opened was
reached from a folder without leaving it, even when a directory is exchanged for a link between two steps. Elsewhere
real paths are compared, which leaves a window for whoever can write to the folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import Final

from sandbox import _descent
from sandbox._records import record
from sandbox.modules.specifiers import below, is_well_formed

MAX_BYTES: Final = 8 << 20
_MAX_LINKS: Final = 40
_MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})


@record(frozen=True, slots=True)
class Entry:
    """A file or a directory: its path in the guest with all links followed."""

    path: str
    is_file: bool


@record(frozen=True, slots=True)
class _Root:
    path: str
    host: str


class ConfinedFiles:
    """Reads regular files below folders of the host, under paths of the guest.

    Args:
        roots: Folders of the host by the paths that they have in the guest. Folders may lie in one another.
        max_bytes: Size of the largest file that is read.

    Raises:
        NotADirectoryError: A folder is none.
    """

    def __init__(self, roots: Mapping[str, str | os.PathLike[str]], *, max_bytes: int = MAX_BYTES) -> None:
        found = [_Root(path, os.path.realpath(host)) for path, host in roots.items()]
        for root, host in zip(found, roots.values(), strict=True):
            if not os.path.isdir(root.host):  # noqa: PTH112 - the paths here are text throughout
                raise NotADirectoryError(errno.ENOTDIR, "not a folder of modules", os.fspath(host))
        # The most exact one answers, whether a path of the guest or of the host is looked up.
        self._by_path = sorted(found, key=lambda root: -len(root.path))
        self._by_host = sorted(found, key=lambda root: -len(root.host))
        self._max_bytes = max_bytes

    def find(self, path: str) -> Entry | None:
        """What stands at a normalized path; None: nothing, or neither a regular file nor a directory.

        Raises:
            PermissionError: A link leads outside.
            OSError: The host cannot look; the text names only the path in the guest.
        """
        found = self._open(path, read=False)
        return found[0] if found else None

    def read(self, path: str) -> bytes:
        """The content of the regular file at a normalized path.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: A link leads outside.
            OSError: The file is too large, or the host cannot read it.
        """
        found = self._open(path, read=True)
        if not found or found[1] is None:
            raise FileNotFoundError(f"cannot find the file {path!r}")
        with os.fdopen(found[1], "rb") as file:
            try:
                content = file.read(self._max_bytes + 1)
            except OSError as error:
                raise _unreadable(path, error) from error
        if len(content) > self._max_bytes:
            raise OSError(f"the file {path!r} is larger than {self._max_bytes:,} bytes")
        return content

    def _open(self, path: str, *, read: bool) -> tuple[Entry, int | None] | None:
        place = self._locate(path)
        if place is None:
            return None
        try:
            root, parts, is_file, file = (_walk if _descent.AVAILABLE else _look)(self, *place, read=read)
        except PermissionError as error:
            if error.errno is None:  # ours
                raise
            raise _unreadable(path, error) from error
        except OSError as error:
            if error.errno in _MISSING:
                return None
            raise _unreadable(path, error) from error
        if len(self._by_path) > 1:  # one file has one path, also where the folders lie in one another
            root, parts = self.locate_host(os.path.join(root.host, *parts))  # noqa: PTH118
        entry = Entry("/".join([root.path.rstrip("/"), *parts]) or "/", is_file)
        if is_well_formed(entry.path):
            return entry, file
        # Behind a link there may be names that are no text; no guest can say them.
        if file is not None:
            os.close(file)
        return None

    def _locate(self, path: str) -> tuple[_Root, list[str]] | None:
        if "\0" in path or not is_well_formed(path):
            return None
        for root in self._by_path:
            rest = below(path, root.path)
            if rest is not None:
                parts = rest.split("/") if rest else []
                return None if any(map(_is_unusual, parts)) else (root, parts)
        return None

    def locate_host(self, host: str) -> tuple[_Root, list[str]]:
        """The folder that a real path of the host lies in, and the components below it.

        Raises:
            PermissionError: It lies in none.
        """
        for root in self._by_host:
            if host == root.host:
                return root, []
            start = root.host.rstrip(os.sep) + os.sep
            if host.startswith(start):
                return root, host[len(start) :].split(os.sep)  # noqa: PTH206
        raise PermissionError("a symbolic link leads out of the folder of modules")


_Found = tuple[_Root, list[str], bool, int | None]


def _walk(files: ConfinedFiles, root: _Root, parts: list[str], *, read: bool) -> _Found:
    done: list[str] = []
    left = parts[::-1]
    links = 0
    directory = _descent.open_directory(root.host)
    try:
        while left:
            name = left.pop()
            mode = _descent.mode_of(name, inside=directory)
            if stat.S_ISLNK(mode) and links < _MAX_LINKS:
                links += 1
                # The answer is only a hint where to look: the walk there follows no link either.
                root, parts = files.locate_host(os.path.realpath(os.path.join(root.host, *done, name)))  # noqa: PTH118
                left += parts[::-1]
                done = []
                inner = _descent.open_directory(root.host)
            elif stat.S_ISDIR(mode):
                inner = _descent.open_directory(name, inside=directory)
                done.append(name)
            elif stat.S_ISREG(mode) and not left:
                file = _descent.open_file(name, inside=directory) if read else None
                return root, [*done, name], True, file
            else:
                raise _descent.nothing()
            os.close(directory)
            directory = inner
        return root, done, False, None
    finally:
        os.close(directory)


def _look(files: ConfinedFiles, root: _Root, parts: list[str], *, read: bool) -> _Found:
    host = os.path.realpath(os.path.join(root.host, *parts))  # noqa: PTH118
    root, parts = files.locate_host(host)
    mode = os.lstat(host).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise _descent.nothing()
    is_file = stat.S_ISREG(mode)
    return root, parts, is_file, _descent.open_file(host) if read and is_file else None


def _is_unusual(part: str) -> bool:
    """Whether a component means more to the host than a name."""
    return part in ("", ".", "..") or (os.sep != "/" and any(sign in part for sign in "\\:"))


def _unreadable(path: str, error: OSError) -> OSError:
    reason = os.strerror(error.errno) if error.errno else "input or output failed"
    return OSError(f"cannot read {path!r}: {reason}")
