"""The flags about modules: what a program may import, and where it stands itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from sandbox.cli._flags import UsageError
from sandbox.modules import ModuleResolver, ModuleSource, SourceTree
from sandbox.modules.mapping import MappedModules

if TYPE_CHECKING:
    from sandbox.modules.source import Kind

_KINDS: Final[dict[str, Kind]] = {".cjs": "commonjs", ".json": "json"}


def find_modules(named: Sequence[str], directory: str | None, read: Callable[[str], str]) -> list[ModuleResolver]:
    """What a program may import.

    Args:
        named: `NAME=PATH`, each.
        directory: Of sources.
        read: Reads a file.

    Raises:
        UsageError: A flag makes no sense, or a file or the directory cannot be read.
    """
    sources: dict[str, ModuleSource] = {}
    for flag in named:
        name, separator, path = flag.partition("=")
        if not (name and separator and path):
            raise UsageError(f"--module: {flag!r} is not NAME=PATH")
        sources[name] = ModuleSource(read(path), kind=_KINDS.get(PurePath(path).suffix, "module"))
    found: list[ModuleResolver] = []
    try:
        if sources:
            found.append(MappedModules(sources))
        if directory is not None:
            found.append(SourceTree(directory))
    except OSError as error:
        raise UsageError(f"--modules: {directory}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"--module: {error}") from None
    return found


def guest_path(file: str, directory: str | None) -> str:
    """What a file is called in the guest: its path in the directory of modules, so that it finds its neighbours there.

    Args:
        file: The program.
        directory: The directory; None: there is none, and the file keeps its name.
    """
    if directory is None:
        return file
    try:
        return "/" + Path(file).resolve().relative_to(Path(directory).resolve()).as_posix()
    except ValueError:
        return file
