"""Copies of values that can be pickled. What belongs to a live sandbox becomes text, all else stays what it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sandbox._collections import JSMap, JSSet
from sandbox._scalars import Blob, RegExp, Undefined
from sandbox._stack import Frame

DEPTH: Final = 100
"""Pickling recurses: what is nested more deeply is cut."""


class Whole:
    """A value that is pickled as it is: whoever makes one has seen to what is in it."""

    __slots__ = ()


_AS_THEY_ARE: Final = (type(None), bool, int, float, str, bytes, datetime, RegExp, Blob, Undefined, Frame, Whole)


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
    if depth <= isinstance(value, Portable):  # there is always room for an error's attributes
        return StandIn("…")
    if isinstance(value, Portable):
        copy = value.copy_inside(done, depth)
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


class Portable:
    """What makes an exception one that can be pickled, with what it holds."""

    args: tuple[Any, ...]
    __cause__: BaseException | None

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args), self._portable_state({id(self): self}, DEPTH)

    def __setstate__(self, state: Any) -> None:  # noqa: ANN401 - the pair that `_portable_state` makes
        attributes, self.__cause__ = state
        self.__dict__.update(attributes)

    def copy_inside(self, done: dict[int, Any], depth: int) -> object:
        """What is pickled in place of this error inside another one; see `portable`."""
        copy = done[id(self)] = _Inner(type(self), self.args)
        copy.state = self._portable_state(done, depth)
        return copy

    def _portable_state(self, done: dict[int, Any], depth: int) -> tuple[Any, Any]:
        return portable(self.__dict__, done, depth - 1), portable_cause(self.__cause__, done, depth - 1)


def _restore(cls: type[Portable], args: tuple[Any, ...]) -> Portable:
    """Make an error again, without its constructor."""
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class _Inner:
    """An error inside another one, on its way. What it holds is copied already, together with all that it shares."""

    state: tuple[Any, Any]

    def __init__(self, kind: type[Portable], args: tuple[Any, ...]) -> None:
        self._parts = kind, args

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, self._parts, self.state


class _Original:
    """An exception of the host on its way, which may be of a class that cannot be made again where it arrives."""

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled

    def __reduce__(self) -> tuple[Any, ...]:
        return _original, (self._pickled,)


def _original(pickled: bytes) -> BaseException | None:
    import pickle  # whoever reads a pickle has it

    try:
        error = pickle.loads(pickled)  # noqa: S301 - part of a pickle that is being read
    except Exception:  # noqa: BLE001 - of whatever class it is
        return None
    return error if isinstance(error, BaseException) else None


def portable_error(error: Exception) -> Any:  # noqa: ANN401 - see below
    """What to pickle in place of an error; None when an exception of the host cannot be pickled.

    It is read as the error, or as None where its class cannot be read. No reducer that another package has registered
    for exceptions is asked: those add tracebacks and whatever the causes hold.
    """
    return portable_cause(error, {}, DEPTH)


def portable_cause(cause: BaseException | None, done: dict[int, Any], depth: int) -> Any:  # noqa: ANN401 - see above
    """The cause of an error as it travels; None when it cannot."""
    if cause is None or isinstance(cause, Portable):
        copy = portable(cause, done, depth)
        return None if isinstance(copy, str) else copy  # a mark
    import pickle

    try:
        pickled = pickle.dumps(cause)
    except Exception:  # noqa: BLE001 - exceptions may hold anything
        return None
    return None if _original(pickled) is None else _Original(pickled)
