"""What our own time is spent on, by clocks around a few functions of the package, in this process."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from time import perf_counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks import measure
from benchmarks.engines import load
from sandbox._codec import Codec
from sandbox._guest import Guest
from sandbox._instance import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.rows import Row

SAMPLE_SECONDS = 0.05
_ROUNDS = 7
_CLOCKED: tuple[tuple[type, str, str], ...] = (
    (Instance, "call", "guest"),
    (Instance, "read", "copies"),
    (Instance, "write", "copies"),
    (Codec, "encode", "codec"),
    (Codec, "encode_many", "codec"),
    (Codec, "decode", "codec"),
    (Guest, "_host_call", "rest"),
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one row's time is made of.

    Attributes:
        row: Its id.
        seconds: One unit of the row's work, clocks included.
        guest: The part, between 0 and 1, in which wasm runs, with the crossing.
        codec: The part of encoding and decoding on the host.
        copies: The part of copying messages into and out of the guest's memory.
    """

    row: str
    seconds: float
    guest: float
    codec: float
    copies: float

    @property
    def rest(self) -> float:
        """The part of everything else: the driver, and the host's own functions."""
        return max(0.0, 1 - self.guest - self.codec - self.copies)


class Clock:
    """Adds up what functions take, without what other clocked functions take inside them.

    Attributes:
        seconds: By part.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside = [0.0]

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a clock around it."""

        @wraps(function)
        def clocked(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            start = perf_counter()
            self._inside.append(0.0)
            try:
                return function(*args, **options)
            finally:
                elapsed = perf_counter() - start
                self.seconds[part] += elapsed - self._inside.pop()
                self._inside[-1] += elapsed

        return clocked


@contextmanager
def _clocks() -> Iterator[Clock]:
    clock = Clock()
    with ExitStack() as stack:
        for owner, name, part in _CLOCKED:
            stack.enter_context(patch.object(owner, name, clock.around(part, getattr(owner, name))))
        yield clock


def measure_shares(row: Row) -> Share:
    """Do a row's work on our own engine and see where the time goes; the median round counts."""
    with _clocks() as clock:
        prepared = measure.prepare(load("portable"), row)
        try:
            measure.calibrate(prepared, SAMPLE_SECONDS)
            rounds = []
            for _ in range(_ROUNDS):
                clock.seconds.clear()
                rounds.append((measure.sample(prepared), dict(clock.seconds)))
        finally:
            measure.finish(prepared)
    seconds, parts = sorted(rounds, key=lambda each: each[0])[_ROUNDS // 2]
    total = seconds * prepared.loops * prepared.per_operation
    guest, codec, copies = (parts.get(part, 0.0) / total for part in ("guest", "codec", "copies"))
    return Share(row.id, seconds, guest, codec, copies)
