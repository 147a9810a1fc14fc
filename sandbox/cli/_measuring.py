"""Measured times: how long something takes on this machine, now."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

from sandbox import Sandbox
from sandbox._records import record

# A sample is long enough for the clock, and there are enough of them for a median.
_SAMPLE_SECONDS: Final = 0.002
_FEWEST: Final = 5


@record(frozen=True, slots=True)
class Times:
    """What was measured, in seconds for one time.

    Attributes:
        name: Of what.
        median: Half of the samples took less.
        best: The quickest sample.
        count: How many times it was done.
    """

    name: str
    median: float
    best: float
    count: int


@record(frozen=True, slots=True)
class Measure:
    """Something to measure.

    Attributes:
        name: What it is called.
        about: What is done, in a few words.
        prepare: A context that gives what does it once.
        times: How often one call of that does it.
    """

    name: str
    about: str
    prepare: Callable[[], AbstractContextManager[Callable[[], object]]]
    times: int = 1

    def take(self, seconds: float) -> Times:
        """Measure for about so long."""
        with ExitStack() as stack:
            once = stack.enter_context(self.prepare())
            once()
            began = time.perf_counter()
            once()
            batch = max(1, int(_SAMPLE_SECONDS / max(time.perf_counter() - began, 1e-7)))
            samples: list[float] = []
            deadline = time.perf_counter() + seconds
            while len(samples) < _FEWEST or time.perf_counter() < deadline:
                began = time.perf_counter()
                for _ in range(batch):
                    once()
                samples.append((time.perf_counter() - began) / (batch * self.times))
        count = len(samples) * batch * self.times
        return Times(self.name, statistics.median(samples), min(samples), count)


def show_time(seconds: float) -> str:
    """A time as people write it, with three digits."""
    for factor, unit in (1, "s"), (1e3, "ms"), (1e6, "us"):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


@contextmanager
def _spawn() -> Iterator[Callable[[], object]]:
    def once() -> None:
        with Sandbox() as box:
            box.eval("1")

    yield once


def _evaluating(code: str, setup: str = "0") -> Callable[[], AbstractContextManager[Callable[[], object]]]:
    @contextmanager
    def prepare() -> Iterator[Callable[[], object]]:
        with Sandbox() as box:
            box.eval(setup)
            yield lambda: box.eval(code)

    return prepare


_HOST_CALLS: Final = 1_000


@contextmanager
def _host_calls() -> Iterator[Callable[[], object]]:
    with Sandbox(functions={"add": lambda a, b: a + b}) as box:
        box.eval(f"function many() {{ let n = 0; for (let i = 0; i < {_HOST_CALLS}; i++) n = add(n, i); return n }}")
        yield lambda: box.call("many")


@contextmanager
def _records() -> Iterator[Callable[[], object]]:
    rows = [{"id": number, "name": f"row {number}", "price": number / 4, "tags": ["a", "b"]} for number in range(1_000)]
    with Sandbox() as box:
        box.eval("const same = rows => rows")
        yield lambda: box.call("same", rows)


_FIB: Final = "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }"

SPAWN: Final = Measure("spawn", "make a sandbox, evaluate `1`, close it", _spawn)
EVAL: Final = Measure("eval", "evaluate `1 + 1` in a sandbox that is there", _evaluating("1 + 1"))
HOST_CALL: Final = Measure("host call", "call a Python function from JavaScript", _host_calls, _HOST_CALLS)
MEASURES: Final[Sequence[Measure]] = (
    SPAWN,
    EVAL,
    HOST_CALL,
    Measure("records", "1,000 small objects to the guest and back", _records),
    Measure("compute", "fib(22): 57,313 calls of a function", _evaluating("fib(22)", _FIB)),
    Measure(
        "JSON",
        "parse and write 100 KB of JSON",
        _evaluating(
            "JSON.stringify(JSON.parse(text)).length",
            "const text = JSON.stringify(Array.from({length: 2000}, (_, i) => ({id: i, name: 'row ' + i, ok: true})))",
        ),
    ),
)
