"""The `browser` map of packages: files and packages that stand in for others outside of Node."""

from __future__ import annotations

from typing import Final, Literal

from sandbox.modules.manifest import Manifest
from sandbox.modules.specifiers import below

Replacement = tuple[Manifest, str | Literal[False]]
"""The package that says it, and what to use: a path from its directory, a bare specifier, or nothing at all."""

_ENDINGS: Final = (".js", ".cjs", ".mjs", ".json", "/index.js")


def package_replacement(manifests: list[Manifest], specifier: str) -> Replacement | None:
    """What the package of an importer uses for a bare specifier; None: it does not say.

    Args:
        manifests: Those above the importer, the nearest first.
        specifier: As it stands in the program.
    """
    manifest = _with_map(manifests)
    for key in (specifier, specifier.removeprefix("node:")) if manifest else ():
        if manifest and key in manifest.replacements:
            return manifest, manifest.replacements[key]
    return None


def file_replacement(manifests: list[Manifest], path: str) -> Replacement | None:
    """What its package uses for a file; None: it does not say.

    Args:
        manifests: Those above the file, the nearest first.
        path: The file, or a path that no file has.
    """
    manifest = _with_map(manifests)
    inside = manifest and below(path, manifest.directory)
    if not manifest or not inside:
        return None
    for name in (inside, *(inside.removesuffix(ending) for ending in _ENDINGS if inside.endswith(ending))):
        for key in (f"./{name}", name):
            if key in manifest.replacements:
                return manifest, manifest.replacements[key]
    return None


def _with_map(manifests: list[Manifest]) -> Manifest | None:
    """A package may hold inner `package.json` files that only say a type, so the nearest one with a map counts."""
    return next((manifest for manifest in manifests if manifest.replacements), None)
