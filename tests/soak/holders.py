"""Who holds an object: what a leak is looked for with."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
import weakref
from types import FrameType, ModuleType
from typing import Final

_MOST_PATHS: Final = 5
_MOST_STEPS: Final = 40


class _Cycle:
    """What only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


def threads() -> str:
    """What all threads are doing, and whether the collector is at work on one of them, and so for nobody else.

    A function that runs holds what nothing else may be seen to hold: Python does not tell of its frame as a holder.
    """
    probe = weakref.ref(_Cycle())
    gc.collect()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    said = ["the collector is at work on another thread"] if probe() is not None else []
    for ident, frame in sys._current_frames().items():
        said += [f"thread {names.get(ident, ident)}:", "".join(traceback.format_stack(frame))]
    return "\n".join(said)


def holders(target: object) -> str:
    """The shortest ways to an object from what is alive by itself.

    That is a module, a frame that some thread runs, or what nothing refers to that the collector knows: then the
    interpreter itself, or C code. A line for each object on the way, the holder first.
    """
    gc.collect()
    running = {id(frame) for frame in _frames()}
    ways: dict[int, tuple[object, int | None]] = {id(target): (target, None)}  # what was met, and what it refers to
    layer: list[object] = [target]
    ends: list[int] = []
    for _ in range(_MOST_STEPS):
        if not layer or len(ends) >= _MOST_PATHS:
            break
        inner, layer = layer, []
        held = {id(each) for each in inner}
        known = {id(each) for each in (ways, layer, inner, held, ends, running)} | {id(each) for each in ways.values()}
        refers = set[int]()
        for each in gc.get_referrers(*inner):
            if id(each) in known or (id(each) in running and each.f_code is holders.__code__):
                continue
            to = [id(other) for other in gc.get_referents(each) if id(other) in held]
            refers.update(to)
            if id(each) in ways or not to:
                continue
            ways[id(each)] = (each, to[0])
            if isinstance(each, ModuleType) or id(each) in running:
                ends.append(id(each))
            else:
                layer.append(each)
        ends += [id(each) for each in inner if id(each) not in refers]
        del each, inner
    return "\n\n".join(_way(ways, end) for end in ends[:_MOST_PATHS])


def _way(ways: dict[int, tuple[object, int | None]], end: int) -> str:
    lines, at = list[str](), end
    while (to := ways[at][1]) is not None:
        lines.append(_said(ways[at][0], ways[to][0]))
        at = to
    return "\n".join([*lines, _said(ways[at][0], None)])


def _frames() -> list[FrameType]:
    frames = []
    for frame in sys._current_frames().values():
        at: FrameType | None = frame
        while at is not None:
            frames.append(at)
            at = at.f_back
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
