"""The control block and the deadline of an instance elsewhere."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from typing import Any, Final

from sandbox._abi import Control

_CONTROL_BYTES: Final = ctypes.sizeof(Control)


class RemoteControl:
    """The control block of an instance elsewhere: what the guest said last, and what it is to be told next."""

    __slots__ = ("_block", "_interrupt", "writes")

    writes: dict[str, int | float]

    def __init__(self, interrupt: Callable[[], object]) -> None:
        """Begin with nothing; `interrupt` sets the flag where the guest runs."""
        object.__setattr__(self, "_block", Control())
        object.__setattr__(self, "_interrupt", interrupt)
        object.__setattr__(self, "writes", {})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any field
        return getattr(self._block, name)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - any field
        setattr(self._block, name, value)
        self.writes[name] = getattr(self._block, name)  # as a block holds it
        if name == "interrupt" and value:
            self._interrupt()

    def take(self) -> dict[str, int | float]:
        """What was written since the last time."""
        writes = self.writes.copy()
        self.writes.clear()
        return writes

    def learn(self, data: bytes) -> None:
        """Take what the guest's block holds; what was written meanwhile stands."""
        if len(data) == _CONTROL_BYTES:
            ctypes.memmove(ctypes.addressof(self._block), data, _CONTROL_BYTES)
            for name, value in self.writes.copy().items():
                setattr(self._block, name, value)


class RemoteDeadline:
    """The deadline of an instance elsewhere, which has a clock of its own: see `Deadline`."""

    __slots__ = ("_armed", "has_expired")

    def __init__(self) -> None:
        """No deadline yet."""
        self._armed: tuple[float | None, float] | None = None
        self.has_expired: bool = False

    def arm(self, cpu_seconds: float | None, wall: float) -> None:
        """See `Deadline`."""
        self._armed = cpu_seconds, wall
        self.has_expired = False

    def expire(self) -> None:
        """See `Deadline`."""
        self.has_expired = True

    def take(self) -> list[float | None]:
        """What to tell: CPU and wall time that are left, None for no end; nothing, if it was told before."""
        armed, self._armed = self._armed, None
        if armed is None:
            return []
        cpu_seconds, wall = armed
        return [cpu_seconds, None if wall == math.inf else max(wall - time.monotonic(), 0.0)]
