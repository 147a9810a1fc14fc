"""An error of the guest and its causes, as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from sandbox import _stack
from sandbox._brief import brief
from sandbox._scalars import undefined

_MAX_CAUSES: Final = 8


class Shown(Protocol):
    """What is shown of an error; see `JSError`."""

    @property
    def frames(self) -> Sequence[_stack.Frame]:
        """Its stack, parsed."""

    @property
    def sources(self) -> Mapping[str, str]:
        """Programs by file name."""

    @property
    def cause(self) -> Any:  # noqa: ANN401 - a cause may be anything
        """What it says it came of."""


def render(error: Shown, source: str | None, *, color: bool, columns: int | None = None) -> str:
    """Show an error, and below it its causes.

    Args:
        error: The error.
        source: The program, where the error's own sources do not have it.
        color: Use ANSI colors.
        columns: Of the terminal, which code is cut to; None: that of no terminal is known.
    """
    parts = [_stack.render(str(error), error.frames, error.sources, source, color=color, columns=columns)]
    seen: set[int] = {id(error)}
    cause = error.cause
    while cause is not undefined and id(cause) not in seen and len(seen) <= _MAX_CAUSES:
        seen.add(id(cause))
        is_error = isinstance(cause, Exception)  # of values, only an error of the guest is one
        text = str(cause) if is_error else brief(cause)
        frames = cause.frames if is_error else ()
        sources = {**error.sources, **cause.sources} if is_error else {}
        parts.append("Caused by: " + _stack.render(text, frames, sources, None, color=color, columns=columns))
        cause = cause.cause if is_error else undefined
    return "\n".join(parts)
