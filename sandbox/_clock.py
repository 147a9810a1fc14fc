"""The two clocks a sandbox can have. Times are milliseconds since the sandbox's time origin."""

from __future__ import annotations

import time
from typing import Final, Protocol

from sandbox import _abi

_VIRTUAL_ORIGIN_MS: Final = 946_684_800_000.0  # 2000-01-01T00:00:00Z: no run depends on when it is run


class Clock(Protocol):
    """What the driver needs of a clock."""

    kind: _abi.Clock
    origin_ms: float

    def now_ms(self) -> float:
        """The time now."""


class RealClock:
    """The machine's clock."""

    kind = _abi.Clock.REAL

    def __init__(self) -> None:
        """Start at 0 now."""
        self.origin_ms = time.time() * 1000

    def now_ms(self) -> float:
        """See `Clock`."""
        return time.time() * 1000 - self.origin_ms


class VirtualClock:
    """A clock that stands still until it is moved."""

    kind = _abi.Clock.VIRTUAL

    def __init__(self) -> None:
        """Start at 0, which is the beginning of the year 2000 in UTC."""
        self.origin_ms = _VIRTUAL_ORIGIN_MS
        self._now_ms = 0.0

    def now_ms(self) -> float:
        """See `Clock`."""
        return self._now_ms

    def move_to(self, milliseconds: float) -> None:
        """Move forward to a time; an earlier one changes nothing."""
        self._now_ms = max(self._now_ms, milliseconds)
