"""How messages get on: whoever converts values says so now and then, and is told when there is no time left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_STEPS: Final = 2048  # values from one look to the next: 1 to 10 ms


class Pace:
    """Counts the values that are converted one by one.

    Attributes:
        on_begin: Called before each message that may be long; None: nobody looks.
        on_steps: Called every so many values of such a message; what it raises ends its conversion.
    """

    __slots__ = ("_left", "on_begin", "on_steps")

    def __init__(self) -> None:
        """Begin without anybody who looks."""
        self.on_begin: Callable[[], object] | None = None
        self.on_steps: Callable[[], object] | None = None
        self._left = _STEPS

    def begin(self) -> None:
        """A message that may be long. Any thread: what several confuse is only when there is a look."""
        self._left = _STEPS
        if self.on_begin is not None:
            self.on_begin()

    def step(self) -> None:
        """One value more."""
        self._left -= 1
        if self._left <= 0:
            self._left = _STEPS
            if self.on_steps is not None:
                self.on_steps()
