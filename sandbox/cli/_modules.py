"""The flags about modules: what a program may import, and where it stands itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sandbox._languages import language_of
from sandbox.cli._flags import UsageError
from sandbox.cli._launch import read_source
from sandbox.modules import ModuleResolver, ModuleSource, SourceTree
from sandbox.modules.mapping import MappedModules

if TYPE_CHECKING:
    from sandbox.modules.source import Kind

_KINDS: Final[dict[str, Kind]] = {".cjs": "commonjs", ".cts": "commonjs", ".json": "json"}

_MODULES: Final = "Modules"
EsModule = Annotated[
    bool,
    typer.Option(
        "--esm",
        metavar="",
        rich_help_panel=_MODULES,
        help="The file is an ECMAScript module. [dim]Default: when its name ends in .mjs[/dim]",
    ),
]
Module = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        metavar="NAME=PATH",
        rich_help_panel=_MODULES,
        help="Let the program import the file PATH as NAME. May be given several times.",
    ),
]
ModuleDirectory = Annotated[
    str | None,
    typer.Option(
        "--modules",
        metavar="DIR",
        rich_help_panel=_MODULES,
        help="Let the program import the JavaScript, TypeScript and JSON files in a directory.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ModuleFlags:
    """What a program may import: `NAME=PATH`, each, and the sources of a directory."""

    module: Module = None
    modules: ModuleDirectory = None

    def find(self) -> list[ModuleResolver]:
        """What finds these modules.

        Raises:
            UsageError: A flag makes no sense, or a file or the directory cannot be read.
        """
        sources: dict[str, ModuleSource] = {}
        for flag in self.module or ():
            name, separator, path = flag.partition("=")
            if not (name and separator and path):
                raise UsageError(f"--module: {flag!r} is not NAME=PATH")
            kind = _KINDS.get(PurePath(path).suffix, "module")
            sources[name] = ModuleSource(read_source(path), kind=kind, language=language_of(path))
        found: list[ModuleResolver] = []
        try:
            if sources:
                found.append(MappedModules(sources))
            if self.modules is not None:
                found.append(SourceTree(self.modules))
        except OSError as error:
            raise UsageError(f"--modules: {self.modules}: {error.strerror or error}") from None
        except ValueError as error:
            raise UsageError(f"--module: {error}") from None
        return found

    def guest_path(self, file: str) -> str:
        """What a file is called in the guest: its path in the directory of modules, where it finds its neighbours.

        Args:
            file: The program. Without a directory it keeps its name.
        """
        if self.modules is None:
            return file
        try:
            return "/" + Path(file).resolve().relative_to(Path(self.modules).resolve()).as_posix()
        except ValueError:
            return file
