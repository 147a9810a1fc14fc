"""Turns, budgets and failures, on engines that exist only here and a clock that only they move."""

from __future__ import annotations

from benchmarks.catalog import Engine
from benchmarks.channel import WorkerError
from benchmarks.environments import UnavailableError
from benchmarks.results import Cell, EngineInfo
from benchmarks.rows import BY_ID, Row
from benchmarks.runner import Readiness, Runner, Settings

SPAWN, EVAL = BY_ID["spawn"], BY_ID["eval"]


class ScriptedFleet:
    """Engines whose samples cost what `costs` says; a WorkerError in its place is raised."""

    def __init__(self, costs: dict[str, float | WorkerError], readiness: Readiness | WorkerError = Readiness()) -> None:  # noqa: B008
        self.costs = costs
        self.readiness = readiness
        self.now = 0.0
        self.log: list[str] = []

    def info(self, engine: Engine) -> EngineInfo:
        if engine.name not in self.costs:
            raise UnavailableError("no compiler")
        return EngineInfo(engine.name, engine.title, engine.note, "1.0", "3.11")

    def sampler(self, engine: Engine, row: Row) -> ScriptedSampler:
        return ScriptedSampler(self, engine.name)


class ScriptedSampler:
    def __init__(self, fleet: ScriptedFleet, name: str) -> None:
        self.fleet = fleet
        self.name = name

    def prepare(self) -> Readiness:
        self.fleet.log.append(f"prepare {self.name}")
        if isinstance(self.fleet.readiness, WorkerError):
            raise self.fleet.readiness
        return self.fleet.readiness

    def sample(self) -> float:
        self.fleet.log.append(self.name)
        cost = self.fleet.costs[self.name]
        if isinstance(cost, WorkerError):
            raise cost
        self.fleet.now += cost
        return cost

    def finish(self) -> None:
        self.fleet.log.append(f"finish {self.name}")


def engine(name: str, **lacks: str) -> Engine:
    return Engine(name, name, name, "", "", lacks=lacks)


def run(fleet: ScriptedFleet, *engines: Engine, rounds: int = 3, row_seconds: float = 10.0) -> dict[str, Cell]:
    settings = Settings(rounds=rounds, row_seconds=row_seconds)
    return Runner(fleet, engines, settings, clock=lambda: fleet.now).run([SPAWN]).cells["spawn"]


def test_engines_take_turns() -> None:
    fleet = ScriptedFleet({"a": 1.0, "b": 2.0})
    cells = run(fleet, engine("a"), engine("b"))
    assert fleet.log == ["prepare a", "prepare b", "a", "b", "a", "b", "a", "b", "finish a", "finish b"]
    assert cells == {"a": Cell("measured", (1.0, 1.0, 1.0)), "b": Cell("measured", (2.0, 2.0, 2.0))}


def test_a_slow_engine_stops_when_its_budget_is_used() -> None:
    fleet = ScriptedFleet({"slow": 6.0, "quick": 0.5})
    cells = run(fleet, engine("slow"), engine("quick"), rounds=4)
    assert len(cells["slow"].samples) == 2
    assert len(cells["quick"].samples) == 4


def test_a_first_sample_may_be_the_only_one() -> None:
    fleet = ScriptedFleet({"a": 1.0}, Readiness(loops=1, rounds=1, sample=25.0))
    assert run(fleet, engine("a"))["a"].samples == (25.0,)
    assert "a" not in fleet.log


def test_a_failing_engine_does_not_hold_the_others_up() -> None:
    fleet = ScriptedFleet({"broken": WorkerError("ended by SIGSEGV"), "fine": 1.0})
    cells = run(fleet, engine("broken"), engine("fine"))
    assert cells["broken"] == Cell("failed", reason="ended by SIGSEGV")
    assert len(cells["fine"].samples) == 3
    assert fleet.log.count("broken") == 1


def test_failing_preparation_is_a_failed_cell() -> None:
    fleet = ScriptedFleet({"a": 1.0}, WorkerError("WrongAnswerError: expected 2, got 3"))
    assert run(fleet, engine("a"))["a"] == Cell("failed", reason="WrongAnswerError: expected 2, got 3")


def test_missing_engines_and_abilities_are_told() -> None:
    fleet = ScriptedFleet({"lacking": 1.0})
    cells = run(fleet, engine("lacking", spawn="cannot close"), engine("absent"))
    assert cells["lacking"] == Cell("not available", reason="cannot close")
    assert cells["absent"] == Cell("not available", reason="no compiler")
    assert fleet.log == []


def test_every_step_is_counted() -> None:
    fleet = ScriptedFleet({"a": 1.0, "lacking": 1.0, "broken": WorkerError("gone")})
    steps = 0

    def on_step(engine: Engine, row: Row, done: int) -> None:
        nonlocal steps
        steps += done

    engines = [engine("a"), engine("lacking", spawn="no"), engine("broken"), engine("absent")]
    Runner(fleet, engines, Settings(rounds=3), on_step, clock=lambda: fleet.now).run([SPAWN, EVAL])
    assert steps == 2 * len(engines) * (3 + 1)
