"""Folders for tests, written from a table, and questions to those who serve them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.modules import Importer, ModuleResolver

OUTSIDE = "the text of a file that no guest may see"


def plant(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files below a folder; of a dict as JSON, of a `Path` as a link to it, of None as an empty directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, Path):
            path.symlink_to(content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return root


def at(directory: str) -> Importer:
    """Someone who asks from a directory."""
    return Importer(f"{directory.rstrip('/')}/importer.js", directory)


ESM, CJS = ("import",), ("require",)


def key(
    resolver: ModuleResolver, specifier: str, directory: str = "/", conditions: tuple[str, ...] = ESM
) -> str | None:
    """What a resolver finds for someone in a directory."""
    return resolver.resolve(specifier, at(directory), conditions=conditions)


def short(path: str | None) -> str | None:
    """A path without the mount."""
    return path and path.removeprefix("/node_modules/")
