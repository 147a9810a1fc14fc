"""Programs compiled and interpreted, in turns, in two sandboxes of one process."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from benchmarks import workloads
from benchmarks.compiling.session import Compiled, Session
from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

# What the study began with: nothing but calls, a loop, properties.
SMALL: Final = {
    "fib": ("function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); } function run() { return fib(20); }", 6765),
    "loop": (
        "function run() { let sum = 0; for (let i = 0; i < 200000; i++) sum += i & 7; return sum; }",
        700000,
    ),
    "fields": (
        "class Point { constructor(x) { this.x = x; this.y = 1; } step() { this.x += this.y; return this.x; } }\n"
        "function run() { const p = new Point(0); let s = 0;\n"
        "for (let i = 0; i < 30000; i++) s = p.step() + p.y; return s; }",
        30001,
    ),
}


@dataclass(frozen=True)
class Row:
    """One program.

    Attributes:
        program: Its name.
        seconds: Processor time of a run, interpreted: the median.
        compiled_seconds: The same, compiled.
        ratio: How many times faster it is compiled: the median over rounds, each of which takes both.
        spread: The middle half of the ratios.
        fuel_ratio: How many times less fuel it burns.
        compiled: What was compiled, and what that cost.
    """

    program: str
    seconds: float
    compiled_seconds: float
    ratio: float
    spread: tuple[float, float]
    fuel_ratio: float
    compiled: Compiled

    @property
    def runs_to_break_even(self) -> float:
        """After how many runs the time is back that compiling took."""
        saved = self.seconds - self.compiled_seconds
        cost = self.compiled.translate_seconds + self.compiled.compile_seconds + self.compiled.link_seconds
        return cost / saved if saved > 0 else math.inf


class WrongResultError(Exception):
    """A program gave another answer when it was compiled."""


def programs() -> dict[str, tuple[str, int]]:
    """Name -> source that defines `run`, and what that returns."""
    return SMALL | {name: (workloads.program(name), answer) for name, answer in workloads.CHECKSUMS.items()}


def measure(name: str, rounds: int) -> Row:
    """Measure one program; sandboxes are of the prototype's guest (see `prototype`).

    Raises:
        WrongResultError: The answers differ.
    """
    source, answer = programs()[name]
    with Sandbox() as interpreted, Sandbox() as compiled:
        for box in (interpreted, compiled):
            box.eval(source)
            _run(box, name, answer)
        result = Session(compiled).compile()
        for box in (interpreted, compiled):
            _run(box, name, answer)  # caches fill
        pairs = []
        fuels: list[int] = []
        for number in range(rounds):
            times = []
            for box in (interpreted, compiled) if number % 2 else (compiled, interpreted):
                fuel, begun = box.usage.fuel, time.thread_time()
                _run(box, name, answer)
                times.append(time.thread_time() - begun)
                if number < 2:
                    fuels.append(box.usage.fuel - fuel)
            pairs.append(tuple(times) if number % 2 else (times[1], times[0]))
    ratios = [before / after for before, after in pairs]
    quarters = quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return Row(
        name,
        median(before for before, _ in pairs),
        median(after for _, after in pairs),
        median(ratios),
        (quarters[0], quarters[2]),
        fuels[1] / fuels[0],
        result,
    )


def _run(box: Sandbox, name: str, answer: int) -> None:
    if (found := box.eval("run()")) != answer:
        raise WrongResultError(f"{name}: {found!r} in the place of {answer}")


def mean(ratios: Iterable[float]) -> float:
    """The geometric mean."""
    return math.exp(math.fsum(map(math.log, found := list(ratios))) / len(found))
