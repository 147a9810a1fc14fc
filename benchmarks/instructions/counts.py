"""What can be counted in this process: instructions of the guest by their fuel, of Python by a trace function."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from benchmarks import measure
from benchmarks.engines import load
from sandbox import Sandbox

if TYPE_CHECKING:
    from types import FrameType

    from benchmarks.rows import Row

KINDS: Final = ("spawn", "eval", "host_call", "guest_call", "out", "in", "compute")
# The work is done so often before it is counted: by then what is made only once is there.
_WARM: Final = {"compute": 2}
_WARM_OTHERS: Final = 20


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions of one unit of a row's work.

    Attributes:
        row: Its id.
        guest: Of WebAssembly, which fuel counts.
        python: Of CPython's bytecode: the host's half.
        machine: Of the processor, for both; None: not counted.
    """

    row: str
    guest: float
    python: float
    machine: float | None = None


@contextmanager
def prepared(row: Row) -> Iterator[measure.Prepared]:
    """A row's work, which was checked and is warm; Python's collector does not run in its midst."""
    ready = measure.prepare(load("portable"), row)
    try:
        ready.verify()
        for _ in range(_WARM.get(row.kind, _WARM_OTHERS)):
            ready.operation()
        gc.collect()
        gc.disable()
        yield ready
    finally:
        gc.enable()
        measure.finish(ready)


@contextmanager
def _made() -> Iterator[list[Sandbox]]:
    """The sandboxes that are made meanwhile."""
    boxes: list[Sandbox] = []
    make = Sandbox.__init__

    def noted(self: Sandbox, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - whatever it takes
        make(self, *arguments, **options)
        boxes.append(self)

    with patch.object(Sandbox, "__init__", noted):
        yield boxes


def count_python(work: Callable[[], object]) -> int:
    """How many instructions of bytecode a call executes, its own function's included."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - a trace function
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def count(row: Row) -> Count:
    """Do a row's work twice, once for each count."""
    with _made() as boxes, prepared(row) as ready:
        before = sum(box.usage.fuel for box in boxes)
        ready.operation()
        fuel = sum(box.usage.fuel for box in boxes) - before
    with prepared(row) as ready:
        python = count_python(ready.operation)
    return Count(row.id, fuel / ready.per_operation, python / ready.per_operation)
