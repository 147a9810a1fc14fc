"""The two clocks a sandbox can have, and its alarms. Times are milliseconds since the sandbox's time origin."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from sandbox import _abi

_VIRTUAL_ORIGIN_MS: Final = 946_684_800_000.0  # 2000-01-01T00:00:00Z: no run depends on when it is run


class Clock(Protocol):
    """What the driver needs of a clock."""

    kind: _abi.Clock
    origin_ms: float

    def now_ms(self) -> float:
        """The time now."""

    def checkpoint(self) -> Callable[[], object]:
        """Note the time; returns what sets the clock back to it, if it can be set."""


class RealClock:
    """The machine's clock."""

    kind = _abi.Clock.REAL

    def __init__(self) -> None:
        """Start at 0 now."""
        self.origin_ms = time.time() * 1000

    def now_ms(self) -> float:
        """See `Clock`."""
        return time.time() * 1000 - self.origin_ms

    def checkpoint(self) -> Callable[[], object]:
        """See `Clock`: time goes on."""
        return lambda: None


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

    def checkpoint(self) -> Callable[[], object]:
        """See `Clock`."""
        now_ms = self._now_ms

        def restore() -> None:
            self._now_ms = now_ms

        return restore


class Alarms:
    """Requests that are answered when a time has come, earliest first; of two at one time, the one asked for first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._heap: list[tuple[float, int, Any]] = []
        self._live: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._live)

    def __contains__(self, request: int) -> bool:
        return request in self._live

    def copy(self) -> Alarms:
        """The same alarms, by themselves."""
        other = Alarms()
        other._heap, other._live = self._heap.copy(), self._live.copy()
        return other

    def add(self, at_ms: float, request: int, value: object) -> None:
        """Answer a request with a value at a time."""
        self._live.add(request)
        heapq.heappush(self._heap, (at_ms, request, value))

    def discard(self, request: int) -> None:
        """Forget a request."""
        self._live.discard(request)
        if len(self._heap) > 2 * len(self._live) + 16:
            self._heap = [entry for entry in self._heap if entry[1] in self._live]
            heapq.heapify(self._heap)

    def next(self) -> tuple[float, int]:
        """Time and request of the earliest one; infinity and 0 when there is none."""
        heap = self._heap
        while heap and heap[0][1] not in self._live:
            heapq.heappop(heap)
        return heap[0][:2] if heap else (math.inf, 0)

    def pop_due(self, now_ms: float) -> list[tuple[int, Any]]:
        """Take out what is due, as request and value."""
        due = []
        while self._live and self.next()[0] <= now_ms:
            _, request, value = heapq.heappop(self._heap)
            self._live.discard(request)
            due.append((request, value))
        return due
