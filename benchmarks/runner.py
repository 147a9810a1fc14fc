"""The order of a run: for every row all engines are prepared, then take turns round by round, then let go."""

from __future__ import annotations

import datetime
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.channel import WorkerError
from benchmarks.environments import UnavailableError
from benchmarks.results import Cell, EngineInfo, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.catalog import Engine
    from benchmarks.rows import Row


@dataclass(frozen=True, slots=True)
class Settings:
    """How thoroughly to measure.

    Attributes:
        rounds: Samples of each engine in each row.
        row_seconds: Measured time after which an engine takes no further samples in a row.
        request_seconds: Time after which a worker that does not answer is given up.
        live_sandboxes: How many sandboxes live at once when their memory is measured.
    """

    rounds: int = 15
    row_seconds: float = 6.0
    request_seconds: float = 180.0
    live_sandboxes: int = 1000


QUICK = Settings(rounds=5, row_seconds=1.0, request_seconds=120.0, live_sandboxes=100)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What preparing a row told.

    Attributes:
        loops: Operations in one sample.
        rounds: Samples worth taking, at most; None leaves it to the settings.
        sample: A first sample, where preparing took one.
    """

    loops: int = 1
    rounds: int | None = None
    sample: float | None = None


class Sampler(Protocol):
    """One engine in one row. Every method may raise `WorkerError`."""

    def prepare(self) -> Readiness:
        """Set up, check the answer, choose the size of a sample."""

    def sample(self) -> float:
        """Take one sample, in the row's unit."""

    def finish(self) -> None:
        """Let go of what the row used."""


class Fleet(Protocol):
    """Where samplers come from: the real one is `fleet.ProcessFleet`."""

    def info(self, engine: Engine) -> EngineInfo:
        """Make the engine's environment and ask it for its version.

        Raises:
            UnavailableError, WorkerError: It cannot run here.
        """

    def sampler(self, engine: Engine, row: Row) -> Sampler:
        """A sampler for a row that is not among the engine's `lacks`."""


@dataclass(slots=True)
class _Turn:
    """One engine's state within one row."""

    engine: Engine
    sampler: Sampler
    readiness: Readiness
    rounds: int
    samples: list[float] = field(default_factory=list)
    spent_seconds: float = 0.0
    failure: str = ""

    def cell(self) -> Cell:
        if self.failure:
            return Cell("failed", reason=self.failure)
        return Cell("measured", tuple(self.samples), loops=self.readiness.loops)


class Runner:
    """Measures rows on engines.

    Args:
        fleet: Makes the samplers.
        engines: In the order they take turns.
        settings: How thoroughly to measure.
        on_step: Called with (engine, row, steps done); each engine has `rounds` + 1 steps in each row.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        fleet: Fleet,
        engines: Sequence[Engine],
        settings: Settings,
        on_step: Callable[[Engine, Row, int], None] = lambda engine, row, steps: None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._fleet = fleet
        self._engines = engines
        self._settings = settings
        self._on_step = on_step
        self._clock = clock

    def run(self, rows: Sequence[Row], on_install: Callable[[Engine], None] = lambda engine: None) -> Report:
        """Measure every row and return the report. Blocks for minutes.

        An engine that cannot be installed, or fails in a row, has a cell with the reason; nothing of that raises.
        """
        report = Report([], machine=describe_machine(), settings=asdict(self._settings))
        unavailable: dict[str, str] = {}
        for engine in self._engines:
            on_install(engine)
            try:
                info = self._fleet.info(engine)
            except (UnavailableError, WorkerError) as error:
                unavailable[engine.name] = str(error)
                info = EngineInfo(engine.name, engine.title, engine.note, reason=str(error))
            report.engines.append(info)
        for row in rows:
            report.cells[row.id] = self._run_row(row, unavailable)
        report.add_compute_mean()
        return report

    def _run_row(self, row: Row, unavailable: dict[str, str]) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        turns: list[_Turn] = []
        for engine in self._engines:
            reason = unavailable.get(engine.name) or engine.lacks.get(row.id)
            if reason:
                cells[engine.name] = Cell("not available", reason=reason)
                self._on_step(engine, row, self._settings.rounds + 1)
                continue
            self._on_step(engine, row, 0)
            turns.append(self._prepare(engine, row))
            self._on_step(engine, row, 1)
        for _ in range(self._settings.rounds):
            for turn in turns:
                self._on_step(turn.engine, row, 0)
                self._take_sample(turn)
                self._on_step(turn.engine, row, 1)
        for turn in turns:
            try:
                turn.sampler.finish()
            except WorkerError as error:
                turn.failure = turn.failure or str(error)
            cells[turn.engine.name] = turn.cell()
        return {engine.name: cells[engine.name] for engine in self._engines}

    def _prepare(self, engine: Engine, row: Row) -> _Turn:
        sampler = self._fleet.sampler(engine, row)
        turn = _Turn(engine, sampler, Readiness(), 0)
        try:
            turn.readiness = sampler.prepare()
        except WorkerError as error:
            turn.failure = str(error)
            return turn
        turn.rounds = self._settings.rounds if turn.readiness.rounds is None else turn.readiness.rounds
        if turn.readiness.sample is not None:
            turn.samples.append(turn.readiness.sample)
        return turn

    def _take_sample(self, turn: _Turn) -> None:
        enough = turn.spent_seconds >= self._settings.row_seconds or len(turn.samples) >= turn.rounds
        if turn.failure or enough:
            return
        start = self._clock()
        try:
            turn.samples.append(turn.sampler.sample())
        except WorkerError as error:
            turn.failure = str(error)
        turn.spent_seconds += self._clock() - start


def describe_machine() -> dict[str, Any]:
    """Processor, cores, system, load average and the time of day (UTC), for the head of the report."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = (line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line)
        processor = next(models, processor)
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "began": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
