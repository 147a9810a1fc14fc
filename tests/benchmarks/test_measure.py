"""What a worker does, on an engine made of Python."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import measure, workloads
from benchmarks.crowds import Crew
from benchmarks.rows import BY_ID, ROWS, Row
from benchmarks.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.engines.base import HostFunctions, Session


class AnsweringSession:
    """Knows the right answer to every row, and counts what is open."""

    def __init__(self, owner: AnsweringEngine, functions: HostFunctions) -> None:
        self.owner = owner
        self.functions = functions
        self.program = ""
        self.incoming: object = None
        owner.live += 1

    def eval(self, code: str) -> object:
        self.owner.evals += 1
        if self.owner.failure:
            raise self.owner.failure
        if code == "1+1":
            return 2 + self.owner.offset
        if code.startswith("globalThis.heap"):
            self.owner.heap = next(count for name, count in workloads.HEAPS.items() if code == workloads.heap(name))
        if code == "heap.length":
            return self.owner.heap + self.owner.offset
        if code == workloads.LIBRARY_CHECK:
            return workloads.LIBRARY_ANSWER + self.owner.offset
        if code == workloads.TYPESCRIPT_CHECK:
            return workloads.TYPESCRIPT_ANSWER + self.owner.offset
        if code == "run()":
            return workloads.CHECKSUMS[self.program] + self.owner.offset
        for name in workloads.CHECKSUMS:
            if code.startswith(workloads.program(name)):
                self.program = name
        if code.endswith("return total; })()"):
            count = int(code.partition("i < ")[2].partition(";")[0])
            answers = [
                self.functions["host"]({"id": i, "name": "", "active": True} if "id" in code else i)
                for i in range(count)
            ]
            return sum(answer["id"] if isinstance(answer, dict) else answer for answer in answers) + self.owner.offset
        for name in self.owner.values:
            value = workloads.value(name)
            if value.outgoing in code:
                self.owner.outgoing = value.python
            if code == value.check:
                return bool(self.incoming == value.python) and not self.owner.offset
        return 0

    def take(self, expression: str, kind: type) -> object:
        assert expression == "outgoing"
        assert isinstance(self.owner.outgoing, kind)
        return None if self.owner.offset else self.owner.outgoing

    def put(self, name: str, value: object) -> None:
        assert name == "incoming"
        self.incoming = value

    def function(self, expression: str) -> Callable[[Any], object]:
        return lambda record: {**record, "id": record["id"] + 1 + self.owner.offset}

    def close(self) -> None:
        self.owner.live -= 1


class AnsweringEngine:
    def __init__(self, offset: int = 0, failure: Exception | None = None) -> None:
        self.offset = offset
        self.failure = failure
        self.values = ("records", "string", "nested")
        self.outgoing: Any = None
        self.live = 0
        self.evals = 0
        self.heap = 0

    def version(self) -> str:
        return "1.2.3"

    def open_session(self, functions: HostFunctions) -> AnsweringSession:
        return AnsweringSession(self, functions)

    def snapshot(self, session: Session) -> bytes:
        return b"snapshot"

    def restore(self, data: bytes, functions: HostFunctions) -> Session:
        assert data == b"snapshot"
        return AnsweringSession(self, functions)

    def spawner(self, session: Session) -> Callable[[], Session]:
        return lambda: AnsweringSession(self, {})

    def template(self, source: str) -> Callable[[], Session]:
        assert "loaded = 42" in source
        return lambda: AnsweringSession(self, {})

    def transform(self, source: str) -> str:
        return source

    def fork(self, session: Session) -> Session:
        return AnsweringSession(self, {})

    def fan_out(self, codes: Sequence[str]) -> list[object]:
        assert all("await host(i)" in code for code in codes)
        return [number + 6 + self.offset for number in range(len(codes))]


SLOW = ("ints", "bytes", "many_records", "large_bytes", "large_string")
WORKER_ROWS = [
    row for row in ROWS if row.kind not in ("first_eval", "memory", "command", "derived") and row.subject not in SLOW
]


@pytest.mark.parametrize("row", WORKER_ROWS, ids=lambda row: row.id)
def test_right_answers_pass_and_wrong_ones_do_not(row: Row) -> None:
    right = AnsweringEngine()
    prepared = measure.prepare(right, row)
    prepared.verify()
    prepared.close()
    assert right.live == 0
    with pytest.raises(measure.WrongAnswerError):
        measure.prepare(AnsweringEngine(offset=1), row).verify()


@pytest.mark.parametrize("count", [1, 2])
def test_threads_work_at_the_same_time_and_close_what_they_opened(count: int) -> None:
    meeting = threading.Barrier(count)
    places: set[int] = set()

    class Meeting(AnsweringSession):
        def eval(self, code: str) -> object:
            meeting.wait(10)
            places.add(threading.get_ident())
            return code

    engine = AnsweringEngine()
    crew = Crew(count, lambda: Meeting(engine, {}), lambda session: session.eval("x"))
    assert engine.live == count
    assert [*crew.work(), *crew.work()] == ["x"] * count * 2
    assert len(places) == count
    assert threading.get_ident() not in places
    crew.close()
    assert engine.live == 0


def test_a_thread_that_fails_is_heard_and_nobody_waits_for_it() -> None:
    engine = AnsweringEngine()
    crew = Crew(2, lambda: AnsweringSession(engine, {}), lambda session: session.eval("1+1"))
    assert list(crew.work()) == [2, 2]
    engine.failure = OSError("out of rope")
    with pytest.raises(OSError, match="out of rope"):
        crew.work()
    assert engine.live == 0


def test_a_thread_that_cannot_open_a_sandbox_is_heard() -> None:
    def refuse() -> Session:
        raise OSError("out of rope")

    with pytest.raises(OSError, match="out of rope"):
        Crew(2, refuse, lambda session: None)


@pytest.mark.parametrize("row_id", ["first_eval", "idle_rss", "command_eval", "compute_mean"])
def test_rows_of_fresh_processes_are_refused(row_id: str) -> None:
    with pytest.raises(ValueError, match=row_id):
        measure.prepare(AnsweringEngine(), BY_ID[row_id])


@pytest.mark.parametrize(
    ("operation_seconds", "loops"), [(1.0, 1), (0.02, 1), (0.001, 24), (0.000_01, 2400), (0.0, 10_000_000)]
)
def test_a_sample_lasts_as_long_as_asked(monkeypatch: pytest.MonkeyPatch, operation_seconds: float, loops: int) -> None:
    monkeypatch.setattr(measure, "_time", lambda prepared: prepared.loops * operation_seconds)
    prepared = measure.Prepared(lambda: None, lambda: None, 1, lambda: None)
    assert measure.calibrate(prepared, 0.02) == pytest.approx(operation_seconds)
    assert prepared.loops == pytest.approx(loops, rel=0.01)


def test_what_is_made_at_the_second_use_is_no_reason_to_take_it_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = iter([0.03])  # the first one makes something
    prepared = measure.Prepared(lambda: None, lambda: None, 1, lambda: None)
    monkeypatch.setattr(measure, "_time", lambda prepared: next(trials, prepared.loops * 0.0002))
    assert measure.calibrate(prepared, 0.02) == pytest.approx(0.0002)
    assert prepared.loops >= 100


def test_what_is_long_is_not_measured_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = iter([5.0])
    prepared = measure.Prepared(lambda: None, lambda: None, 1, lambda: None)
    monkeypatch.setattr(measure, "_time", lambda prepared: next(trials))
    assert measure.calibrate(prepared, 0.02) == 5.0
    assert prepared.loops == 1


def test_a_sample_is_time_for_one_unit_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_time", lambda prepared: 6.0)
    prepared = measure.Prepared(lambda: None, lambda: None, per_operation=1000, close=lambda: None, loops=3)
    assert measure.sample(prepared) == 6.0 / 3 / 1000


def test_an_operation_runs_as_often_as_its_loops_say() -> None:
    calls: list[int] = []
    prepared = measure.Prepared(lambda: calls.append(1), lambda: None, 1, lambda: None, loops=5)
    assert measure.sample(prepared) > 0
    assert len(calls) == 5


def test_the_worker_answers_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_time", lambda prepared: 0.5)
    engine = AnsweringEngine()
    worker = Worker(engine)
    assert worker.answer({"do": "hello"})["version"] == "1.2.3"
    ready = worker.answer({"do": "prepare", "row": "host_call"})
    assert ready == {"loops": 1, "operation_seconds": 0.5, "unit_seconds": 0.0005}
    assert worker.answer({"do": "sample"}) == {"seconds": 0.0005}
    assert engine.live == 1
    assert worker.answer({"do": "finish"}) == {}
    assert engine.live == 0
    assert json.dumps(ready)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "sample"}, "RuntimeError: no row is prepared"),
        ({"do": "dance"}, "ValueError: unknown request 'dance'"),
        ({"do": "prepare", "row": "spawn"}, "OSError: out of rope"),
    ],
)
def test_failures_are_answers(request_: dict[str, str], error: str) -> None:
    worker = Worker(AnsweringEngine(failure=OSError("out of rope\nat length")))
    assert worker.answer(request_) == {"error": error}
