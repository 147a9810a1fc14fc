"""Modules that are part of the bindings: a program gets them only where what they are for was granted."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sandbox.modules.source import Importer, ModuleSource

if TYPE_CHECKING:
    from sandbox.modules.mapping import Finder, Offer


def builtin(names: Collection[str]) -> Finder:
    """What finds the ones of these names."""

    def find(specifier: str, _importer: Importer, _conditions: tuple[str, ...]) -> Offer | None:
        if specifier not in names:
            return None
        name = specifier if specifier.startswith("node:") else f"node:{specifier}"
        return name, lambda: ModuleSource(name, kind="builtin")

    return find
