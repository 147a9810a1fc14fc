"""A sandbox that lives beside the hostile ones, and must not notice anything of them."""

from __future__ import annotations

from typing import Any, Final

from sandbox import Limits, Sandbox
from sandbox._operations import _MAX_KEPT_TRACEBACKS
from sandbox.errors import ConversionError
from tests.shapes import shape

_SECRET: Final = "a secret of the canary"
_LIMITS: Final = Limits(memory_bytes=16 << 20, cpu_seconds=None, wall_seconds=60)


class Canary:
    """One sandbox with a state that is known. One thread.

    Attributes:
        box: The sandbox.
    """

    def __init__(self) -> None:
        self.box = Sandbox(limits=_LIMITS, functions={"twice": lambda value: [value, value]}, clock="virtual")
        self._count = 0
        self._step = self.box.eval(f"let secret = {_SECRET!r}, count = 0; () => [secret, ++count, twice(count)]")
        self._carry = self.box.eval("value => value")

    def check(self) -> None:
        """See that it is as it was."""
        self._count += 1
        answer = self._step()
        assert answer == [_SECRET, self._count, [self._count, self._count]], answer

    def carry(self, value: Any) -> None:
        """Send a value that another guest made there and back: the same must come back, or a refusal."""
        try:
            back = self._carry(value)
        except ConversionError:
            return
        assert shape(back, handles=False) == shape(value, handles=False), (value, back)

    def rest(self) -> None:
        """Let go of what came by: a sandbox keeps the tracebacks of the last exceptions that went into it."""
        self._carry([ValueError() for _ in range(_MAX_KEPT_TRACEBACKS)])

    def close(self) -> None:
        """Free it."""
        self.box.close()
