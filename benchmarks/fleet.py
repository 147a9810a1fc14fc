"""Samplers on real processes: one long-lived worker an engine, and fresh processes where a row needs them."""

from __future__ import annotations

import tempfile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from benchmarks import channel
from benchmarks.channel import Channel, WorkerError
from benchmarks.environments import interpreter
from benchmarks.results import EngineInfo
from benchmarks.runner import Readiness, Sampler, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.catalog import Engine
    from benchmarks.rows import Row

_NOTHING: Mapping[str, str] = MappingProxyType({})
# Where engines keep what they have compiled: ours, and whatever follows the XDG convention.
_CACHE_VARIABLES = ("SANDBOX_CACHE", "XDG_CACHE_HOME")
_COLD_ROUNDS = 3


class ProcessFleet:
    """Owns every worker process of a run. Use as a context manager; leaving it ends them all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channels: dict[str, Channel] = {}
        self._memory: dict[tuple[str, int], dict[str, Any] | WorkerError] = {}

    def __enter__(self) -> ProcessFleet:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for open_channel in self._channels.values():
            open_channel.close()
        self._channels.clear()

    def info(self, engine: Engine) -> EngineInfo:
        """Make the engine's environment, start its worker and ask for its version."""
        interpreter(engine)
        answer = self.ask(engine, {"do": "hello"})
        return EngineInfo(engine.name, engine.title, engine.note, answer["version"], answer["python"])

    def sampler(self, engine: Engine, row: Row) -> Sampler:
        """A sampler of the kind that the row needs."""
        match row.kind:
            case "first_eval" if row.subject == "cold":
                return ColdSampler(self, engine, "first_eval")
            case "first_eval":
                return FreshSampler(self, engine, "first_eval" if row.subject == "seconds" else row.subject)
            case "command":
                return FreshSampler(self, engine, "command", row.subject)
            case "memory":
                return MemorySampler(self, engine, row)
        return WorkerSampler(self, engine, row, self._settings.row_seconds)

    def ask(self, engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the engine's worker, starting one where none runs.

        Raises:
            WorkerError: See `Channel.ask`.
        """
        worker = self._channels.get(engine.name)
        if worker is None or not worker.alive:
            if worker is not None:
                worker.close()
            arguments = channel.command(interpreter(engine), "benchmarks.worker", engine.module)
            worker = self._channels[engine.name] = Channel(arguments, channel.environment())
        return worker.ask(request, self._settings.request_seconds)

    def run_fresh(self, engine: Engine, *arguments: str, variables: Mapping[str, str] = _NOTHING) -> dict[str, Any]:
        """Run a fresh process of the engine to its end, with more environment variables."""
        arguments = (engine.module, *arguments)
        return channel.run_fresh(interpreter(engine), arguments, self._settings.request_seconds, variables)

    def memory(self, engine: Engine, count: int) -> dict[str, Any]:
        """Memory of so many idle sandboxes, 0 for the usual number; one process answers for all rows of a number."""
        count = count or engine.live_count or self._settings.live_sandboxes
        key = (engine.name, count)
        if key not in self._memory:
            try:
                self._memory[key] = self.run_fresh(engine, "memory", str(count))
            except WorkerError as error:
                self._memory[key] = error
        answer = self._memory[key]
        if isinstance(answer, WorkerError):
            raise answer
        return answer


class WorkerSampler:
    """A row measured in the engine's long-lived worker."""

    def __init__(self, fleet: ProcessFleet, engine: Engine, row: Row, row_seconds: float) -> None:
        self._fleet = fleet
        self._engine = engine
        self._row = row
        self._row_seconds = row_seconds

    def prepare(self) -> Readiness:
        """Prepare and calibrate; an operation longer than the row's whole budget is its own only sample."""
        answer = self._fleet.ask(self._engine, {"do": "prepare", "row": self._row.id})
        if answer["operation_seconds"] > self._row_seconds:
            return Readiness(answer["loops"], rounds=1, sample=answer["unit_seconds"])
        return Readiness(answer["loops"])

    def sample(self) -> float:
        """Seconds for one unit of work."""
        return float(self._fleet.ask(self._engine, {"do": "sample"})["seconds"])

    def finish(self) -> None:
        """Close what the row used, in the worker."""
        self._fleet.ask(self._engine, {"do": "finish"})


class FreshSampler:
    """What `benchmarks.fresh` times in a process of its own, one each time."""

    def __init__(self, fleet: ProcessFleet, engine: Engine, *arguments: str) -> None:
        self._fleet = fleet
        self._engine = engine
        self._arguments = arguments

    def prepare(self) -> Readiness:
        """One run that does not count, so that every cache is warm."""
        self.sample()
        return Readiness()

    def sample(self) -> float:
        """Seconds that the process tells."""
        return self._seconds({})

    def finish(self) -> None:
        """Nothing to let go of."""

    def _seconds(self, variables: Mapping[str, str]) -> float:
        return float(self._fleet.run_fresh(self._engine, *self._arguments, variables=variables)["seconds"])


class ColdSampler(FreshSampler):
    """The same with an empty cache directory each time; it takes seconds where an engine is compiled on first use."""

    def prepare(self) -> Readiness:
        """Nothing has to be warm."""
        return Readiness(rounds=_COLD_ROUNDS)

    def sample(self) -> float:
        """See `FreshSampler`."""
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as empty:
            return self._seconds(dict.fromkeys(_CACHE_VARIABLES, empty))


class MemorySampler:
    """Memory of one idle sandbox, measured once."""

    def __init__(self, fleet: ProcessFleet, engine: Engine, row: Row) -> None:
        self._fleet = fleet
        self._engine = engine
        self._row = row

    def prepare(self) -> Readiness:
        """Nothing to prepare; one sample is enough, since nothing in it depends on time."""
        return Readiness(rounds=1)

    def sample(self) -> float:
        """Bytes for one sandbox."""
        return float(self._fleet.memory(self._engine, self._row.crowd)[self._row.subject])

    def finish(self) -> None:
        """Nothing to let go of."""
