"""setTimeout and setInterval: the guest keeps its timers itself and asks only to be woken for the earliest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from sandbox.capabilities.base import Capability, Due, Handler
from sandbox.values import undefined


class Timers(Capability):
    """Wakes the guest on the sandbox's clock, real or virtual."""

    stem: ClassVar[str] = "timers"
    titles: ClassVar[Mapping[str, str]] = {"sleep": "setTimeout"}
    quiet: ClassVar[frozenset[str]] = frozenset({"sleep"})

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"sleep": self._sleep}

    def _sleep(self, due_ms: object) -> Due:
        if isinstance(due_ms, bool) or not isinstance(due_ms, int | float) or not math.isfinite(due_ms):
            raise TypeError("a due time must be a finite number")
        return Due(float(due_ms), undefined)
