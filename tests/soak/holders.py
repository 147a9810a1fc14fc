"""Who holds an object: what a leak is looked for with."""

from __future__ import annotations

import gc
import sys
from types import FrameType, ModuleType
from typing import Final

_MOST: Final = 40
_DEPTH: Final = 8


def holders(target: object) -> str:
    """The objects that refer to one, and those that refer to these, a line each, indented by their distance."""
    gc.collect()
    own = {id(frame) for frame in _frames()}
    seen = {id(target)} | own
    lines: list[str] = []

    def look(of: object, depth: int) -> None:
        referrers = gc.get_referrers(of)
        seen.add(id(referrers))
        for each in referrers:
            if id(each) in seen or len(lines) >= _MOST or each is lines:
                continue
            seen.add(id(each))
            lines.append("  " * depth + _said(each, of))
            if depth < _DEPTH and not isinstance(each, ModuleType | FrameType):
                look(each, depth + 1)

    look(target, 0)
    return "\n".join(lines)


def _frames() -> list[FrameType]:
    frame: FrameType | None = sys._getframe()
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def _said(each: object, of: object) -> str:
    kind = f"{type(each).__module__}.{type(each).__qualname__}"
    if isinstance(each, dict):
        keys = [key for key, value in list(each.items()) if value is of]
        return f"{kind} under {keys!r:.80}"
    if isinstance(each, FrameType):
        return f"{kind} {each.f_code.co_qualname} {each.f_code.co_filename}:{each.f_lineno}"
    try:
        return f"{kind} {each!r:.120}"
    except Exception as error:  # noqa: BLE001 - any object
        return f"{kind} ({type(error).__name__})"
