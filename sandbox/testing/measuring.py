"""Measures the coverage of a run: which files count, and what could be executed of those that no test has loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from sandbox._dispatch import enter
from sandbox.errors import JSError, SandboxError
from sandbox.testing.coverage import Coverage
from sandbox.testing.patterns import PATTERNS
from sandbox.testing.points import MOST_FILES, Points
from sandbox.testing.snapshots import Snapshots

if TYPE_CHECKING:
    from sandbox._sandbox import Sandbox

CoverageMode = Literal["loaded", "all"]
"""Which files are measured: those that tests have loaded, or all sources below the root."""

SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__", "__snapshots__"})
_SOURCES: Final = frozenset({".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"})
_MAX_SOURCE_BYTES: Final = 16 << 20


def start_telling(box: Sandbox) -> None:
    """Have a sandbox that was granted the test environment tell which statements of its modules are executed."""
    box._perform(enter(box._driver, "testing.cover"))


def is_tested(name: str) -> bool:
    """Whether a file is one whose coverage is of interest: neither a test nor part of a package."""
    path = PurePosixPath(name)
    return "node_modules" not in path.parts and not any(fnmatch(path.name, pattern) for pattern in PATTERNS)


class Texts(Mapping[str, str]):
    """Programs by file name: as the guest has them, or else as they are on disk."""

    def __init__(self, known: Mapping[str, str], root: Path) -> None:
        """Of a guest's sources, and the folder that its names begin in."""
        self._known, self._root = known, root

    def __getitem__(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        path = (self._root / name.lstrip("/")).resolve()
        try:
            if path.is_relative_to(self._root) and path.stat().st_size <= _MAX_SOURCE_BYTES:
                return path.read_text("utf-8")
        except (OSError, ValueError):
            pass
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def measured(points: Points, sources: Mapping[str, str], root: Path, tests: Collection[str] = ()) -> Coverage:
    """What a sandbox has told, of the files that are tested.

    Args:
        points: What it has told.
        sources: Programs by file name.
        root: The folder of the sources.
        tests: Names of files that are tests, whatever they are called.
    """
    found = points.coverage(Texts(sources, root))
    return found.without({name for name in (*found.files, *found.unknown) if name in tests or not is_tested(name)})


def unloaded(root: Path, loaded: Collection[str], sandbox: Callable[[Snapshots], Sandbox]) -> Coverage:
    """The sources below a folder that no test has loaded, none of whose statements was executed.

    Args:
        root: The folder.
        loaded: Names of files that need no look.
        sandbox: Makes one that tells, with a listener. Nothing of the files is run in it.
    """
    names = [name for name in source_names(root) if name not in loaded and is_tested(name)][:MOST_FILES]
    points = Points()
    unknown: dict[str, str] = {}
    while names:
        with sandbox(Snapshots(executed=points)) as box:
            while names:
                name = names.pop()
                try:
                    box._perform(enter(box._driver, "testing.coverModule", name))
                except JSError as error:
                    unknown[name] = str(error).partition("\n")[0]
                except SandboxError as error:
                    unknown[name] = str(error).partition("\n")[0]
                    break  # it may be of no more use
    found = points.coverage(Texts({}, root))
    return Coverage(found.files, unknown) | Coverage()


def source_names(root: Path) -> Iterator[str]:
    """Names of the sources below a folder, but for packages and hidden folders."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in SKIPPED_FOLDERS and not each.startswith("."))
        for file in sorted(files):
            path = Path(folder, file)
            if path.suffix in _SOURCES and not file.endswith((".d.ts", ".d.mts", ".d.cts")):
                yield "/" + path.relative_to(root).as_posix()
