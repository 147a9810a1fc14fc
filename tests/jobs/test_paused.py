"""Jobs that are paused, and jobs that go on with them, in this process and in others."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from sandbox import Job, JobResult, Pause, Sandbox, Workers, map
from sandbox.errors import Paused, UsageError


async def ask(number: int) -> None:
    raise Pause("how much?", number=number)


CODE = "const answers = [await ask(1), await ask(2)]; console.log(answers.length); answers.join()"
OPTIONS: dict[str, Any] = {"functions": {"ask": ask}}
JOB = Job(CODE, options=OPTIONS)


def travelled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("travel", [lambda value: value, travelled], ids=["here", "pickled"])
def test_one_job_is_paused_and_others_go_on(travel: Any) -> None:
    result: JobResult = travel(travel(JOB).run())
    for number in (1, 2):
        assert not result.ok
        assert isinstance(result.error, Paused)
        assert result.paused[0].details == {"number": number}
        assert result.snapshot is not None
        job = Job(snapshot=result.snapshot, answer={"value": number * 10}, options=OPTIONS)
        result = travel(travel(job).run())
    assert (result.unwrap(), result.paused, result.snapshot) == ("10,20", (), None)
    assert [entry.text for entry in result.console] == ["2"]


def test_on_processes() -> None:
    with Workers(1) as workers:
        (result,) = map([JOB], executor=workers)
        for answer in ({"value": 1}, {"error": ValueError("no")}):
            assert result.snapshot is not None
            (result,) = map([Job(snapshot=result.snapshot, answer=answer, options=OPTIONS)], executor=workers)
    assert str(result.error) == "RangeError: no"


def test_a_pause_is_answered_once() -> None:
    snapshot = JOB.run().snapshot
    assert snapshot is not None
    job = Job(snapshot=snapshot, answer={"value": 1}, options=OPTIONS)
    assert job.run().paused
    assert isinstance(job.run().error, UsageError)


def _not_paused() -> Any:
    with Sandbox() as box:
        return box.snapshot()


PAUSED = JOB.run().snapshot


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"snapshot": b""}, TypeError),
        ({"snapshot": PAUSED, "code": "1"}, ValueError),
        ({"snapshot": PAUSED, "function": "f"}, ValueError),
        ({"snapshot": PAUSED, "answer": {"reply": 1}}, TypeError),
        ({"snapshot": PAUSED, "answer": 1}, TypeError),
        ({"snapshot": PAUSED, "answer": {"value": object()}}, TypeError),
        ({"code": "1", "answer": {"value": 1}}, ValueError),
        ({"snapshot": _not_paused()}, ValueError),
    ],
    ids=["bytes", "code", "function", "unknown answer", "no mapping", "what cannot cross", "no snapshot", "not paused"],
)
def test_what_is_no_job(fields: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Job(**fields)
