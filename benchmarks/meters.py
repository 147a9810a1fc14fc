"""Both ways of metering side by side: what they cost, and how long after a limit they stop what never looks at it."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, get_args
from unittest.mock import patch

from benchmarks import measure
from benchmarks.engines import load
from sandbox import Limits, Sandbox, _face
from sandbox._guest import Guest
from sandbox.errors import LimitExceeded
from sandbox.limits import Metering

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.rows import Row

METERINGS: Final[tuple[Metering, ...]] = get_args(Metering)
LIMIT_SECONDS: Final = 0.2
# Code of every kind: fuel burns at another rate in each.
LOOPS: Final = {
    "an empty loop": "for (;;);",
    "a loop in the engine": "[].reverse.call({length: 2 ** 53 - 1})",
    "a search in a string": "'a'.repeat(1e6).indexOf('a'.repeat(5e5) + 'b')",
    "a regular expression": "/(a+)+b/.test('a'.repeat(60))",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row under both ways.

    Attributes:
        row: Its id.
        seconds: One unit of its work, the median of the samples.
        ratio: Of the clock's time to fuel's, the median over rounds; each round takes both, one after the other.
    """

    row: str
    seconds: dict[Metering, float]
    ratio: float


@dataclass(frozen=True, slots=True)
class Stops:
    """How late one kind of code was stopped.

    Attributes:
        loop: Which of `LOOPS`.
        late_seconds: After the limit, of each try, sorted.
    """

    loop: str
    metering: Metering
    late_seconds: list[float]


@contextmanager
def _metered_by(metering: Metering) -> Iterator[None]:
    """Sandboxes that are made without limits have this one."""
    with patch.object(_face, "_DEFAULT_LIMITS", Limits(metering=metering)):
        yield


def compare(row: Row, rounds: int) -> Comparison:
    """Do a row's work under both ways, in turns."""
    prepared: dict[Metering, measure.Prepared] = {}
    samples: dict[Metering, list[float]] = {metering: [] for metering in METERINGS}
    try:
        for metering in METERINGS:
            with _metered_by(metering):
                prepared[metering] = measure.prepare(load("portable"), row)
                measure.calibrate(prepared[metering])
        for _ in range(rounds):
            for metering in METERINGS:
                with _metered_by(metering):
                    samples[metering].append(measure.sample(prepared[metering]))
    finally:
        for one in prepared.values():
            measure.finish(one)
    ratio = median(clock / fuel for fuel, clock in zip(samples["fuel"], samples["clock"], strict=True))
    return Comparison(row.id, {metering: median(samples[metering]) for metering in METERINGS}, ratio)


def mean_ratio(comparisons: Sequence[Comparison]) -> float:
    """The geometric mean of their ratios."""
    return math.exp(sum(math.log(one.ratio) for one in comparisons) / len(comparisons))


@contextmanager
def _deaf() -> Iterator[None]:
    """The engine is told of no limit, so its polls find nothing, wherever they are: only the hard stop is left."""
    arm = Guest.arm

    def without_budget(guest: Guest, *budget: Any) -> None:  # noqa: ANN401 - whatever it takes
        arm(guest, *budget)
        guest.instance.control.cpu_budget_ns = guest.instance.control.poll_interval = 0

    with patch.object(Guest, "arm", without_budget):
        yield


def stop(loop: str, metering: Metering, tries: int) -> Stops:
    """Run a loop that never looks at its limit, again and again."""
    late = []
    for _ in range(tries):
        with _deaf(), Sandbox(limits=Limits(metering=metering, cpu_seconds=LIMIT_SECONDS)) as box:
            box.eval("1")
            began = perf_counter()
            try:
                box.eval(LOOPS[loop])
            except LimitExceeded:
                late.append(perf_counter() - began - LIMIT_SECONDS)
            else:
                raise AssertionError(f"{loop} came to an end")
    return Stops(loop, metering, sorted(late))
