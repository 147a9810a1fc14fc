"""The parent's end of a worker, against small scripts that behave in every way a worker can."""

from __future__ import annotations

import os
import sys

import pytest

from benchmarks.channel import Channel, WorkerError, environment

ANSWER = "import json, os, sys\nfor line in sys.stdin: print(json.dumps({answer}), flush=True)"


def start(script: str) -> Channel:
    return Channel([sys.executable, "-c", script], environment())


def test_requests_are_answered_in_turn() -> None:
    with start(ANSWER.format(answer="{'twice': json.loads(line)['number'] * 2}")) as channel:
        assert [channel.ask({"number": number}, 30)["twice"] for number in (1, 2, 3)] == [2, 4, 6]
        assert channel.alive
    assert not channel.alive


def test_an_error_answer_leaves_the_worker_usable() -> None:
    with start(ANSWER.format(answer="{'error': 'no such thing'}")) as channel:
        for _ in range(2):
            with pytest.raises(WorkerError, match="no such thing"):
                channel.ask({}, 30)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="the system cannot tell that a process is stopped")
def test_a_worker_is_stopped_between_requests() -> None:
    with start(ANSWER.format(answer="{'pid': os.getpid()}")) as channel:
        for _ in range(2):
            pid = channel.ask({}, 30)["pid"]
            state = os.waitid(os.P_PID, pid, os.WSTOPPED)
            assert state is not None
            assert state.si_code == os.CLD_STOPPED


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import sys; sys.stdin.readline(); sys.exit('bad\\nend of story')", "end of story"),
        ("import sys; sys.stdin.readline(); sys.exit(3)", "no message"),
        ("import sys; sys.stdin.readline()", "ended early"),
        ("import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"),
    ],
)
def test_a_worker_that_ends_is_told_with_its_reason(script: str, reason: str) -> None:
    with start(script) as channel:
        for _ in range(2):
            with pytest.raises(WorkerError, match=reason):
                channel.ask({}, 30)
        assert not channel.alive


def test_a_worker_that_hangs_is_killed() -> None:
    with start("import sys\nfor line in sys.stdin: pass") as channel:
        with pytest.raises(WorkerError, match="no answer within 0 s"):
            channel.ask({}, 0.05)
        assert not channel.alive
        with pytest.raises(WorkerError, match="SIGKILL"):
            channel.ask({}, 30)


def test_closing_twice_is_fine() -> None:
    channel = start("input()")
    channel.close()
    channel.close()
    assert not channel.alive
