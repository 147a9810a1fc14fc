"""An answer is given once, whoever else gives one."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    Outcome,
    Pause,
    Sandbox,
)
from sandbox.errors import (
    SandboxBusy,
    SandboxClosed,
    UsageError,
)
from tests.pause.runs import ASK, paused


def test_thesame_sandbox_takes_one_answer() -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute("await ask(1)")
        (call,) = box.pending
        assert box.resume(1).unwrap() == 1
        for again in (lambda: call.settle(2), lambda: call.reject(ValueError()), call.proceed, lambda: box.resume(2)):
            with pytest.raises(UsageError):
                again()
        with pytest.raises(UsageError, match="no such call"):
            box.resume(2, call=outcome.paused[0].token)


def test_a_sandbox_and_its_snapshot_share_the_answer() -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute("await ask(1)")
        assert outcome.snapshot is not None
        with Sandbox.restore(outcome.snapshot, functions=ASK) as life:
            assert life.resume(1).unwrap() == 1
        with Sandbox.restore(outcome.snapshot, functions=ASK) as life, pytest.raises(UsageError, match="answered"):
            life.resume(2)
        with pytest.raises(UsageError, match="answered"):
            box.resume(3)


def test_of_many_threads_one_answers() -> None:
    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    snapshot, barrier = outcome.snapshot, threading.Barrier(8)
    values: list[object] = []

    def answer(number: int) -> None:
        with Sandbox.restore(snapshot, functions=ASK) as life:
            barrier.wait()
            try:
                values.append(life.resume(number).unwrap())
            except UsageError:
                values.append(None)

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) == 8
    assert len([value for value in values if value is not None]) == 1


def test_a_run_goes_on_in_one_place_at_a_time() -> None:
    begun, release = threading.Event(), threading.Event()

    async def slow() -> None:
        begun.set()
        await anyio.to_thread.run_sync(release.wait)

    with Sandbox(functions={**ASK, "slow": slow}) as box:
        outcome = box.execute("await Promise.all([ask(1).then(() => slow()), ask(2)])")
        first, second = outcome.paused
        values: list[Outcome] = []
        thread = threading.Thread(target=lambda: values.append(box.resume(1, call=first.token)))
        thread.start()
        begun.wait()
        with pytest.raises(SandboxBusy, match="goes on already"):
            box.resume(2, call=second.token)
        release.set()
        thread.join()
        assert [call.token for call in values[0].paused] == [second.token]
        assert box.resume(2, call=second.token).unwrap() == [None, 2]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"value": 1, "error": ValueError()}, UsageError),
        ({"value": 1, "proceed": True}, UsageError),
        ({"error": "no"}, TypeError),
        ({"error": Pause("no")}, TypeError),
        ({"call": "0" * 32}, UsageError),
        ({"timeout": -1}, ValueError),
    ],
    ids=str,
)
def test_answers_that_are_none_change_nothing(how: dict[str, Any], error: type[Exception]) -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask(1)")
        with pytest.raises(error):
            box.resume(**how)
        assert box.resume(5).unwrap() == 5


def test_a_closed_sandbox_answers_nothing() -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask(1)")
    with pytest.raises(SandboxClosed):
        box.resume(1)
