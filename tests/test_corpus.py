"""This project's sandbox withstands the whole corpus: every promise is kept in every case.

Each case runs in a process of its own, or in one that has only seen cases which left it alive. What a busy machine may
be to blame for is tried again before it counts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import channel
from benchmarks.channel import Channel, WorkerEnded, WorkerLate
from benchmarks.hostile.judge import KILLED_SECONDS, SURVIVED, Verdict, judge
from tests.corpus import BY_ID, CASES, ROWS
from tests.corpus.case import NOT_OFFERED, Case

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[1]
_WORKERS = 2
_ATTEMPTS = 3


class Workers:
    """Processes that take cases, as many as there are threads that ask; one that has ended is replaced."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._all: list[Channel] = []

    def verdict(self, case: Case) -> Verdict:
        """Put our sandbox to a case and judge what became of it."""
        verdict = Verdict("late")
        for _ in range(_ATTEMPTS):
            worker = self._worker()
            try:
                verdict = judge(case, worker.ask({"case": case.id}, KILLED_SECONDS), strictly=True)
            except WorkerEnded as end:
                return Verdict("crash", str(end))
            except WorkerLate as end:
                return Verdict("late", str(end))
            if not _may_be_the_machine(verdict):
                break
        return verdict

    def _worker(self) -> Channel:
        worker: Channel | None = getattr(self._local, "worker", None)
        if worker is None or not worker.alive:
            command = channel.command(Path(sys.executable), "benchmarks.hostile.worker", "portable")
            worker = self._local.worker = Channel(command, channel.environment())
            self._all.append(worker)
        return worker

    def close(self) -> None:
        """End them all."""
        for worker in self._all:
            worker.close()


def _may_be_the_machine(verdict: Verdict) -> bool:
    """Whether a busy machine may be to blame: time went by, and a limit on time came before the one that was due."""
    came_first = verdict.name == "wrong error" and verdict.text.startswith(("cpu:", "wall:"))
    return verdict.name in {"late", "memory"} or came_first


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Verdict]]]:
    """The verdict of every case that was selected, worked out by several processes while the tests wait."""
    chosen = [item.callspec.params["case"] for item in request.session.items if _is_of_the_corpus(item)]  # type: ignore[attr-defined] # a function with parameters
    workers = Workers()
    with ThreadPoolExecutor(_WORKERS) as threads:
        try:
            yield {case.id: threads.submit(workers.verdict, case) for case in chosen}
        finally:
            threads.shutdown(cancel_futures=True)
            workers.close()


def _is_of_the_corpus(item: pytest.Item) -> bool:
    return getattr(item, "originalname", "") == "test_a_case"


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux tells it")
def test_a_case(case: Case, verdicts: dict[str, Future[Verdict]]) -> None:
    verdict = verdicts[case.id].result()
    assert verdict.name == SURVIVED, f"row {case.row}, {case.name}: {verdict.name}: {verdict.text}"


def test_every_row_is_there_and_says_what_it_waits_for() -> None:
    assert [row.number for row in ROWS] == list(range(1, 41))
    assert len(BY_ID) == len(CASES)
    tried = {case.row for case in CASES}
    assert [row.number for row in ROWS if row.number not in tried and not row.waits] == []
    missing = [path for row in ROWS for path in row.beside.split(", ") if path and not (ROOT / path).exists()]
    assert missing in ([], ["tests/owned"])


def _found(**changes: object) -> dict[str, object]:
    calm = {
        "kind": "cpu",
        "text": "",
        "right": True,
        "seconds": 0.2,
        "bytes": 0,
        "after": "usable",
        "other": "usable",
    } | {"closing": "value"}
    return calm | changes


_LOOP = Case(6, "a loop", "for (;;);", frozenset({"cpu"}))


@pytest.mark.parametrize(
    ("case", "changes", "strictly", "name"),
    [
        (_LOOP, {}, True, SURVIVED),
        (_LOOP, {"kind": NOT_OFFERED}, True, NOT_OFFERED),
        (_LOOP, {"kind": "wall"}, True, "wrong error"),
        (_LOOP, {"kind": "wall"}, False, SURVIVED),
        (_LOOP, {"kind": "value"}, True, "wrong error"),
        (_LOOP, {"kind": "foreign"}, False, "wrong error"),
        (_LOOP, {"seconds": 0.31}, True, "late"),
        (_LOOP, {"seconds": 0.31}, False, SURVIVED),
        (_LOOP, {"seconds": 0.6}, False, "late"),
        (_LOOP, {"bytes": 65 << 20}, False, "memory"),
        (_LOOP, {"after": "dead"}, True, "broken"),
        (_LOOP, {"after": "dead"}, False, SURVIVED),
        (_LOOP, {"after": "js: gone"}, False, "broken"),
        (_LOOP, {"other": "js: gone"}, False, "other hurt"),
        (_LOOP, {"closing": "foreign"}, False, "broken"),
        (Case(7, "deadly", ends=frozenset({"fuel"}), fuel=True), {"kind": "fuel", "after": "dead"}, True, SURVIVED),
        (Case(27, "forged", ends=frozenset({"js"})), {"kind": "js"}, False, SURVIVED),
        (Case(27, "forged", ends=frozenset({"js"})), {"kind": "memory"}, False, "wrong error"),
        (
            Case(23, "a value", ends=frozenset({"value"}), values=(1,)),
            {"kind": "value", "right": False},
            False,
            "wrong value",
        ),
        (Case(28, "a signal", ends=frozenset({"host"})), {"kind": "js"}, False, "wrong error"),
        (Case(28, "a signal", ends=frozenset({"host"})), {"kind": "value"}, False, "wrong error"),
    ],
)
def test_what_a_verdict_is(case: Case, changes: dict[str, object], strictly: bool, name: str) -> None:
    assert judge(case, _found(**changes), strictly=strictly).name == name
