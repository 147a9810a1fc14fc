"""The two clocks a sandbox can have, and its alarms. Times are milliseconds since the sandbox's time origin."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from sandbox import _abi

_VIRTUAL_ORIGIN_MS: Final = 946_684_800_000.0  # 2000-01-01T00:00:00Z: no run depends on when it is run


_MAX_RESOLUTION_SECONDS: Final = 3600.0


class Clock(Protocol):
    """What the driver needs of a clock.

    Attributes:
        kind: What the guest is told to read.
        origin_ms: The time origin, in milliseconds since the Unix epoch.
        resolution_ms: Of what the guest reads: multiples of this since the Unix epoch; 0: as fine as it is.
    """

    kind: _abi.Clock
    origin_ms: float
    resolution_ms: int

    def now_ms(self) -> float:
        """The time now, as exactly as the host knows it."""

    def alarm_ms(self, at_ms: float) -> float:
        """When the guest may be told that a time has come, so as not to learn the time from it: not earlier."""

    def checkpoint(self) -> Callable[[], object]:
        """Note the time; returns what sets the clock back to it, if it can be set."""


class RealClock:
    """The machine's clock."""

    kind = _abi.Clock.REAL

    def __init__(self, resolution_ms: int = 0, now_ms: float = 0.0) -> None:
        """Start at a time now, or where the guest's clock has made its last step."""
        self.resolution_ms = resolution_ms
        now_ms = time.time() * 1000 - now_ms
        self.origin_ms = now_ms // resolution_ms * resolution_ms if resolution_ms else now_ms

    def now_ms(self) -> float:
        """See `Clock`."""
        return time.time() * 1000 - self.origin_ms

    def checkpoint(self) -> Callable[[], object]:
        """See `Clock`: time goes on."""
        return lambda: None

    def alarm_ms(self, at_ms: float) -> float:
        """See `Clock`."""
        step = self.resolution_ms
        return math.ceil(at_ms / step) * step if step and at_ms < math.inf else at_ms


class VirtualClock:
    """A clock that stands still until it is moved."""

    kind = _abi.Clock.VIRTUAL
    resolution_ms = 0

    def __init__(self, now_ms: float = 0.0) -> None:
        """Start at a time; 0 is the beginning of the year 2000 in UTC."""
        self.origin_ms = _VIRTUAL_ORIGIN_MS
        self._now_ms = now_ms

    def now_ms(self) -> float:
        """See `Clock`."""
        return self._now_ms

    def alarm_ms(self, at_ms: float) -> float:
        """See `Clock`."""
        return at_ms

    def move_to(self, milliseconds: float) -> None:
        """Move forward to a time; an earlier one changes nothing."""
        self._now_ms = max(self._now_ms, milliseconds)

    def checkpoint(self) -> Callable[[], object]:
        """See `Clock`."""
        now_ms = self._now_ms

        def restore() -> None:
            self._now_ms = now_ms

        return restore


def make_clock(kind: object, resolution_seconds: object, now_ms: float = 0.0) -> Clock:
    """The clock that the options of a sandbox ask for, at a time.

    Raises:
        ValueError: There is no such clock, or it cannot have this resolution.
        TypeError: The resolution is no number.
    """
    if kind not in ("real", "virtual"):
        raise ValueError(f'clock must be "real" or "virtual", not {kind!r}')
    if resolution_seconds is None:
        return RealClock(now_ms=now_ms) if kind == "real" else VirtualClock(now_ms)
    name = "clock_resolution_seconds"
    if isinstance(resolution_seconds, bool) or not isinstance(resolution_seconds, int | float):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(resolution_seconds).__name__}")
    if kind != "real":
        raise ValueError(f'{name} needs clock="real": a virtual clock tells nothing of the time')
    if not 0 < resolution_seconds <= _MAX_RESOLUTION_SECONDS:
        raise ValueError(f"{name} must be more than 0 and at most an hour, not {resolution_seconds!r}")
    milliseconds = round(resolution_seconds * 1000)
    if not math.isclose(milliseconds, resolution_seconds * 1000):
        raise ValueError(f"{name} must be a whole number of milliseconds, not {resolution_seconds!r}")
    return RealClock(milliseconds, now_ms)


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

    def times(self) -> dict[int, float]:
        """When each is due, by request."""
        return {request: at_ms for at_ms, request, _ in self._heap if request in self._live}

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
