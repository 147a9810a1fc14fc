"""The one error of the build."""

from __future__ import annotations


class BuildError(Exception):
    """The guest cannot be built. The text is complete: it says what failed and what to do about it."""
