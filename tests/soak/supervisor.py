"""Runs the worker process, hears what it says, and knows what it did when it crashed or hung."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tests.soak.journal import Entry, Journal
from tests.soak.resident import Sample, growth, rss_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECKOUT: Final = Path(__file__).parents[2]
# Python's own allocator keeps arenas that one small object is left in, and so do those that the C library has for each
# thread. Without them resident memory is what is held.
_VARIABLES: Final = {
    "PYTHONPATH": str(_CHECKOUT),
    "PYTHONHASHSEED": "0",
    "PYTHONMALLOC": "malloc",
    "MALLOC_ARENA_MAX": "2",
}
_HANG_SECONDS: Final = 120.0
_LAST_WORDS_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.5
_MOST_ERROR_CHARS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Order:
    """What to do; see `worker.Soak`."""

    seed: int
    threads: int
    seconds: float
    lives: int | None
    slack_seconds: float


@dataclass(slots=True)
class Result:
    """What a soak has shown.

    Attributes:
        order: What was asked for.
        samples: What the process held whenever all threads rested.
        busy: Resident memory meanwhile: pairs of seconds and bytes.
        tallies: The counts, at each sample.
        failures: What must not happen and did, each with its seed, a title and a traceback.
        is_complete: Whether the worker came to its end.
        took_seconds: All in all.
    """

    order: Order
    samples: list[Sample] = field(default_factory=list)
    busy: list[tuple[float, int]] = field(default_factory=list)
    tallies: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    is_complete: bool = False
    took_seconds: float = 0.0

    @property
    def tally(self) -> dict[str, Any]:
        """The counts at the end."""
        return self.tallies[-1] if self.tallies else {"outcomes": {}, "programs": 0, "sandboxes": 0, "latest": []}

    @property
    def grown(self) -> list[str]:
        """What has grown."""
        return growth(self.samples)

    @property
    def is_good(self) -> bool:
        """Whether everything held."""
        return self.is_complete and not self.failures and not self.grown

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {**asdict(self), "grown": self.grown, "is_good": self.is_good}


def supervise(
    order: Order,
    directory: Path,
    on_look: Callable[[Result, int, list[Entry]], object] = lambda result, resident, entries: None,
    worker: str = "tests.soak.worker",
) -> Result:
    """Run a worker to its end. Blocks.

    Args:
        order: What it does.
        directory: Where its journal goes.
        on_look: Called twice a second with what is known, its resident memory and what it is doing.
        worker: The module that it runs.
    """
    result, began = Result(order), time.monotonic()
    directory.mkdir(parents=True, exist_ok=True)
    journal = Journal(directory / "journal", order.threads)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = _start(worker, order, directory / "journal", errors)
        try:
            _watch(process, result, journal, began, on_look)
        finally:
            process.kill()
            code = process.wait()
        errors.seek(0)
        text = errors.read()[-_MOST_ERROR_CHARS:]
    if not result.is_complete:
        doing = ", ".join(f"life {entry.seed} at step {entry.step}" for entry in journal.entries())
        result.failures.append(
            {"seed": None, "title": f"the process ended ({_name(code)}) in {doing}", "traceback": text}
        )
    elif text:
        result.failures.append({"seed": None, "title": "something was written to standard error", "traceback": text})
    journal.close()
    result.took_seconds = round(time.monotonic() - began, 1)
    return result


def _start(worker: str, order: Order, journal: Path, errors: IO[str]) -> subprocess.Popen[str]:
    options = {
        "seed": order.seed,
        "threads": order.threads,
        "seconds": order.seconds,
        "slack": order.slack_seconds,
        "journal": journal,
        **({} if order.lives is None else {"lives": order.lives}),
    }
    return subprocess.Popen(
        [sys.executable, "-m", worker, *(f"--{name}={value}" for name, value in options.items())],
        cwd=_CHECKOUT,
        env={**os.environ, **_VARIABLES},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,  # Ctrl-C reaches the parent only, which then ends the worker
    )


def _watch(
    process: subprocess.Popen[str],
    result: Result,
    journal: Journal,
    began: float,
    on_look: Callable[[Result, int, list[Entry]], object],
) -> None:
    messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, messages), daemon=True)
    reader.start()
    look_at = 0.0
    while True:
        try:
            message = messages.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            message = {}
        if message is None:
            return
        _hear(message, result)
        now = time.monotonic()
        if now >= look_at and process.poll() is None:
            look_at = now + _LOOK_SECONDS
            resident, entries = _resident(process), journal.entries()
            result.busy.append((round(now - began, 2), resident))
            on_look(result, resident, entries)
            if any(now - entry.began > _HANG_SECONDS for entry in entries):
                os.kill(process.pid, signal.SIGUSR1)  # it writes where its threads are
                time.sleep(_LAST_WORDS_SECONDS)
                return


def _read(process: subprocess.Popen[str], messages: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            messages.put(json.loads(line))
    messages.put(None)


def _hear(message: dict[str, Any], result: Result) -> None:
    match message:
        case {"sample": sample}:
            result.samples.append(Sample(**sample))
        case {"tally": tally}:
            result.tallies.append(tally)
        case {"failure": failure}:
            result.failures.append(failure)
        case {"end": True}:
            result.is_complete = True


def _resident(process: subprocess.Popen[str]) -> int:
    try:
        return rss_bytes(process.pid)
    except (OSError, IndexError):  # it has just ended
        return 0


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"status {code}"
