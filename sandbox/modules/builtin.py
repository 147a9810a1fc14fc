"""Modules that are part of the bindings: a program gets them only where what they are for was granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sandbox.modules.source import Importer, ModuleSource

if TYPE_CHECKING:
    from sandbox.modules.mapping import Finder, Offer


FILES: Final = {
    name: f"node:{name.removeprefix('node:')}" for name in ("node:fs/promises", "fs/promises", "node:fs", "fs")
}
"""Modules of guests with files, by what programs call them."""

TESTING: Final = dict.fromkeys(("sandbox:test", "vitest", "@jest/globals"), "sandbox:test")
"""Those of guests with the test environment: files that were written for other runners import it by their names."""

BROWSER: Final = {"sandbox:browser": "sandbox:browser"}
"""Those of guests with a browser."""


def builtin(names: Mapping[str, str]) -> Finder:
    """What finds the ones of these names."""

    def find(specifier: str, _importer: Importer, _conditions: tuple[str, ...]) -> Offer | None:
        name = names.get(specifier)
        if name is None:
            return None
        return name, lambda: ModuleSource(name, kind="builtin")

    return find
