"""Copies of values that can be pickled. What belongs to a live sandbox becomes text, all else stays what it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sandbox._collections import JSMap, JSSet
from sandbox._scalars import Blob, RegExp, Undefined
from sandbox._stack import Frame

DEPTH: Final = 100
"""Pickling recurses: what is nested more deeply is cut."""

_AS_THEY_ARE: Final = (type(None), bool, int, float, str, bytes, datetime, RegExp, Blob, Undefined, Frame)


class StandIn(str):
    """A text in place of what cannot be pickled. As the key of a Map it is like no other text."""

    __slots__ = ()


class _View:
    """A memoryview on its way."""

    def __init__(self, view: memoryview[Any]) -> None:
        self._parts = view.tobytes(), view.format

    def __reduce__(self) -> tuple[Any, ...]:
        return _view, self._parts


def _view(data: bytes, layout: Any) -> memoryview[Any]:  # noqa: ANN401 - a format that a view had
    return memoryview(data).cast(layout)


def portable(value: object, done: dict[int, Any], depth: int = DEPTH) -> Any:  # noqa: ANN401 - any value
    """Copy a value for pickling.

    Args:
        value: Any value of a guest.
        done: Copies by the ids of what they were made of. Values with one `done` share what they shared.
        depth: How many levels to follow; what is nested more deeply becomes a mark.

    Returns:
        The copy. Once pickled and read again, it has the shape of the value.
    """
    if isinstance(value, _AS_THEY_ARE):
        return value
    if id(value) in done:
        return done[id(value)]
    copy: Any
    is_error = hasattr(type(value), "_portable_copy")  # of a module above this one
    if depth <= is_error:  # there is always room for an error's attributes
        return StandIn("…")
    if is_error:
        copy = value._portable_copy(done, depth)  # type: ignore[attr-defined]
    elif isinstance(value, dict):
        copy = done[id(value)] = {}
        copy.update((key, portable(item, done, depth - 1)) for key, item in value.items())
    elif isinstance(value, list):
        copy = done[id(value)] = []
        copy.extend(portable(item, done, depth - 1) for item in value)
    elif isinstance(value, tuple):
        copy = done[id(value)] = tuple([portable(item, done, depth - 1) for item in value])
    elif isinstance(value, JSMap):
        copy = done[id(value)] = JSMap()
        for key, item in value.items():
            copy.add_distinct(portable(key, done, depth - 1), portable(item, done, depth - 1))
    elif isinstance(value, JSSet):
        copy = done[id(value)] = JSSet()
        for item in value:
            copy.add_distinct(portable(item, done, depth - 1))
    elif isinstance(value, memoryview):
        copy = done[id(value)] = _View(value)
    else:
        copy = done[id(value)] = StandIn(repr(value))
    return copy
