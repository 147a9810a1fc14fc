"""What a sandbox has used in all its runs. `usage` may be asked for on any thread, while the guest runs on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.limits import Usage

if TYPE_CHECKING:
    from sandbox._instance import Instance


class Books:
    """Counts, as of the end of the last turn.

    Attributes:
        fuel: Burnt.
        cpu_seconds: Guest time.
        turns: How many were taken.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.fuel = self.turns = 0
        self.cpu_seconds: float = 0.0
        self._memory_bytes = self._peak_memory_bytes = self._heap_bytes = self._live_handles = 0

    def look(self, instance: Instance, live_handles: int) -> None:
        """Note what `usage` tells: it must not look at a guest that may run on another thread, or be gone."""
        size, heap_bytes = instance.memory_bytes(), instance.control.heap_bytes
        self._memory_bytes = size
        if size > self._peak_memory_bytes:
            self._peak_memory_bytes = size
        self._heap_bytes = heap_bytes if heap_bytes < size else size
        self._live_handles = live_handles

    def usage(
        self, runs: int, wall_seconds: float, host_calls: int, pending_requests: int, *, is_closed: bool
    ) -> Usage:
        """What was used; of a guest that is closed, nothing is left. Any thread."""
        return Usage(
            fuel=self.fuel,
            cpu_seconds=self.cpu_seconds,
            wall_seconds=wall_seconds,
            memory_bytes=0 if is_closed else self._memory_bytes,
            peak_memory_bytes=self._peak_memory_bytes,
            heap_bytes=0 if is_closed else self._heap_bytes,
            host_calls=host_calls,
            turns=self.turns,
            runs=runs,
            live_handles=0 if is_closed else self._live_handles,
            pending_requests=pending_requests,
        )
