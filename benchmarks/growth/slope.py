"""Measure a curve and say how fast it rises."""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass, field
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.growth.curves import Curve

# Cost rises with size to this power at most, over the last fourfold growth. Of a cost that is linear and quadratic in
# equal parts at the largest size the power is 1.34; of one that sorts, some 1.1.
MAX_POWER = 1.3
STEPS = 5  # sizes, each twice the one before
_SHORTEST_SECONDS = 0.02
_TRIES = 3


@dataclass(slots=True)
class Growth:
    """What a curve was found to be.

    Attributes:
        id: Of the curve.
        sizes: Each twice the one before.
        costs: Least cost seen at each size: seconds of processor time of the whole process, or bytes.
    """

    id: str
    sizes: list[int]
    costs: list[float] = field(default_factory=list)

    @property
    def power(self) -> float:
        """The power of the size with which the cost rises, at the upper end: 1 is linear, 2 quadratic."""
        return math.log(self.costs[-1] / self.costs[-3]) / math.log(self.sizes[-1] / self.sizes[-3])

    @property
    def good(self) -> bool:
        """Whether it does not rise faster than linearly, within what measuring can tell."""
        return self.power <= MAX_POWER


class WrongResultError(Exception):
    """What was measured has not given the result that it must; its cost would mean nothing."""


def measure(curve: Curve, rounds: int, on_step: Callable[[], None] = lambda: None) -> Growth:
    """Measure a curve at all its sizes, `rounds` times, the least cost counts; again where it rises too fast.

    Processor time is counted, not the clock's, so other programs on the machine matter little; what still disturbs
    makes a cost greater, never less, so that more rounds come nearer to the truth and never hide what is so.

    Raises:
        WrongResultError: A result was wrong.
    """
    growth = Growth(curve.id, [curve.first * 2**step for step in range(STEPS)])
    growth.costs = [math.inf] * STEPS
    for attempt in range(_TRIES):
        for _ in range(rounds):
            for place, size in enumerate(growth.sizes):
                growth.costs[place] = min(growth.costs[place], cost(curve, size))
                if attempt == 0:
                    on_step()
        if growth.good:
            break
    return growth


def cost(curve: Curve, size: int) -> float:
    """Cost of one operation at a size; short ones are repeated until they have taken long enough to be told.

    It was done once before: the first one touches memory, page by page, which is the kernel's work. Counted with
    those that are not repeated, and not with the others, it would be taken for growth.
    """
    with curve.prepare(size) as operation:
        gc.collect()
        if curve.unit == "bytes":
            return float(operation())  # type: ignore[arg-type] # the operation of such a curve gives its cost
        result = operation()
        repeats, spent = 0, 0.0
        while result == curve.expected(size) and spent < _SHORTEST_SECONDS and repeats < 1000:
            began = process_time()
            result = operation()
            spent += process_time() - began
            repeats += 1
        if result != curve.expected(size):
            raise WrongResultError(f"{curve.id} at {size}: {str(result)[:100]}")
        return max(spent / repeats, 1e-9)
