"""Python's iterators as the guest asks for them: step by step, `(method, value)` in, `[done, value]` out.

`_streams` is the same for async iterators.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import GeneratorType
from typing import Any, Final

from sandbox.errors import JSError
from sandbox.values import undefined

_METHODS: Final = ("next", "return", "throw")


class IteratorSteps:
    """The steps of an iterator, taken in the middle of a turn.

    A generator gets what the guest gives to `next`, `return` and `throw`, as `send`, `close` and `throw`.
    """

    def __init__(self, iterator: Iterator[Any]) -> None:
        """Take an iterator over."""
        self._iterator: Any = iterator
        self._has_begun = self._is_done = False

    def __call__(self, method: str, value: object) -> list[Any]:
        """Take a step."""
        check_method(method)
        if self._is_done:
            return after_end(method, value)
        try:
            if method == "next":
                return [False, self._next(value)]
            if method == "throw" and hasattr(self._iterator, "throw"):
                return [False, self._iterator.throw(thrown(value))]
        except StopIteration as end:
            self._is_done = True
            return [True, undefined if end.value is None else end.value]
        except BaseException:
            self._is_done = True
            raise
        self._is_done = True
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        return after_end(method, value)

    def _next(self, value: object) -> Any:  # noqa: ANN401 - any value
        can_send = self._has_begun and value is not undefined and isinstance(self._iterator, GeneratorType)
        self._has_begun = True
        return self._iterator.send(value) if can_send else next(self._iterator)


def check_method(method: object) -> None:
    """Refuse what is no step; the guest sends it."""
    if method not in _METHODS:
        raise TypeError("an iterator has no such step")


def after_end(method: str, value: object) -> list[Any]:
    """What a generator that has ended answers."""
    if method == "throw":
        raise thrown(value)
    return [True, value if method == "return" else undefined]


def thrown(value: object) -> BaseException:
    """What the guest throws into an iterator, as an exception."""
    return value if isinstance(value, BaseException) else JSError.from_thrown(value)
