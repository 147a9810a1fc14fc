"""What files of tests are called."""

from typing import Final

PATTERNS: Final = tuple(
    f"*.{kind}.{suffix}" for kind in ("test", "spec") for suffix in ("js", "mjs", "ts", "mts", "tsx", "jsx")
)
"""Patterns of their names."""
