"""The named characters of JSX text (`&nbsp;`), which are those of XHTML, from the standard library's table."""

from __future__ import annotations

from html.entities import name2codepoint
from pathlib import Path
from typing import Final

from wasm.cache import digest, write_atomically

HEADER: Final = "entity_table.h"


def header(cache: Path) -> Path:
    """A directory that holds the table as `entity_table.h`.

    Args:
        cache: The build cache.

    Raises:
        BuildError: It cannot be written.
    """
    text = render()
    directory = cache / "sources" / f"entities-{digest(text)[:32]}"
    if not (directory / HEADER).is_file():
        write_atomically(directory / HEADER, text.encode())
    return directory


def render() -> str:
    """The table in C, sorted by name as bytes are."""
    rows = sorted((name2codepoint | {"apos": 0x27}).items())
    lines = [f'    {{"{name}", {code:#x}}},' for name, code in rows]
    return "\n".join(
        [
            "/* Made by wasm/entities.py from Python's html.entities. */",
            "static const struct { const char *name; uint32_t code; } entities[] = {",
            *lines,
            "};",
            "",
        ]
    )
