"""`Workers`: what they do as an executor, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import Workers
from sandbox.errors import SandboxError, UsageError, WorkerLost
from tests.jobs.programs import Unreadable, die, double, hang_once, interrupt, pid_in, refuse

ROOT = Path(__file__).parents[2]


def gone(pid: int) -> bool:
    """Whether a process has ended, or is about to."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_calls_are_answered_by_other_processes(workers: Workers) -> None:
    assert workers.submit(divmod, 7, 4).result() == (1, 3)
    assert workers.submit(int, "ff", base=16).result() == 255
    assert list(workers.map(abs, range(-3, 0))) == [3, 2, 1]
    asked = {workers.submit(os.getpid).result() for _ in range(4)}
    assert asked <= set(workers.pids)
    assert os.getpid() not in workers.pids
    assert workers.count == 2


@pytest.mark.parametrize(
    ("function", "error"),
    [(refuse, ValueError), (die, WorkerLost), (interrupt, KeyboardInterrupt), (sys.exit, SystemExit)],
)
def test_what_a_call_raises(workers: Workers, function: Any, error: type[BaseException]) -> None:
    assert type(workers.submit(function).exception()) is error
    assert workers.submit(abs, -1).result() == 1


@pytest.mark.parametrize(
    ("function", "argument", "text"),
    [
        (lambda _: None, 1, "the call cannot be sent to a worker process: .*lambda"),
        (abs, Unreadable(), "the call cannot be read in a worker process: RuntimeError: not here"),
        (memoryview, b"x", "the answer cannot be sent by a worker process: TypeError"),
        (Unreadable.__new__, Unreadable, "the answer of a worker process cannot be read: RuntimeError: not here"),
    ],
    ids=["call out", "call in", "answer out", "answer in"],
)
def test_what_cannot_be_pickled(workers: Workers, function: Any, argument: object, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        workers.submit(function, argument).result()


@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_how_many(count: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Workers(count)


def test_by_default_one_for_each_processor() -> None:
    assert Workers().count == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def test_after_shutdown() -> None:
    workers = Workers(1)
    future = workers.submit(abs, -1)
    (pid,) = [workers.submit(os.getpid).result()]
    workers.shutdown()
    workers.shutdown()
    assert future.result() == 1
    assert gone(pid)
    with pytest.raises(RuntimeError, match="after shutdown"):
        workers.submit(abs, -1)


def test_what_waits_can_be_cancelled(tmp_path: Path) -> None:
    workers = Workers(1)
    first = workers.submit(hang_once, str(tmp_path / "pid"))
    waiting = [workers.submit(abs, -1) for _ in range(3)]
    assert waiting[0].cancel()
    pid = pid_in(tmp_path / "pid")
    assert not first.cancel()
    workers.kill()
    assert gone(pid)
    assert isinstance(first.exception(), WorkerLost)
    for future in waiting:
        with pytest.raises(CancelledError):
            future.result()


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="processes have no mask of signals")
def test_ctrl_c_while_they_start(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    start = SpawnProcess.start

    def start_and_interrupt(process: SpawnProcess) -> None:
        start(process)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGINT)  # its interpreter has not begun

    monkeypatch.setattr(SpawnProcess, "start", start_and_interrupt)
    with Workers(1) as workers:
        assert workers.submit(abs, -1).result() == 1
    assert capfd.readouterr() == ("", "")


def test_killed_while_they_start() -> None:
    workers = Workers(2)
    futures: list[Future[int]] = [workers.submit(abs, -1) for _ in range(4)]
    workers.kill()
    for future in futures:
        with contextlib.suppress(CancelledError, WorkerLost):
            assert future.result() == 1
    assert workers.pids == []


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.jobs.interrupted", *request.param]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("program", [()], indirect=True)
def test_ctrl_c(program: subprocess.Popen[str]) -> None:
    """A terminal sends it to all processes of the program; the workers leave it to the one that made them."""
    assert program.stdout is not None
    value, *pids = map(int, program.stdout.readline().split())
    assert (value, len(pids)) == (2, 2)
    os.killpg(program.pid, signal.SIGINT)
    out, err = program.communicate(timeout=30)
    assert (out, err, program.returncode) == ("interrupted\n", "", 0)
    assert all(map(gone, pids))


@pytest.mark.parametrize("program", [()], indirect=True)
def test_they_do_not_outlive_who_made_them(program: subprocess.Popen[str]) -> None:
    """Neither the idle one, nor the one whose guest runs."""
    assert program.stdout is not None
    _, *pids = map(int, program.stdout.readline().split())
    program.kill()
    program.wait()
    assert all(map(gone, pids))


@pytest.mark.parametrize("program", [("unguarded",)], indirect=True)
def test_a_main_module_without_a_guard(program: subprocess.Popen[str]) -> None:
    """Each process would start others when it begins, which Python refuses."""
    out, err = program.communicate(timeout=50)
    assert (out, program.returncode) == ("", 1)
    assert "bootstrapping phase" in err
    assert err.splitlines()[-1].startswith(
        "concurrent.futures._base.BrokenExecutor: the worker processes end before they are ready (exit status 1)."
    )
    assert '`if __name__ == "__main__":`' in err.splitlines()[-1]


def test_broken_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_to_start(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr("sandbox.jobs.processes._Worker", refuse_to_start)
    with Workers(1) as workers:
        for _ in range(3):
            with pytest.raises(BrokenExecutor, match="no more processes"):
                workers.submit(abs, -1).result()
        with pytest.raises(BrokenExecutor):
            workers.submit(abs, -1)

    results = sandbox.map([double(1)], workers=1)
    first = next(results)
    assert (type(first.error), first.attempts) == (BrokenExecutor, 0)
    with pytest.raises(BrokenExecutor):
        next(results)


def test_lost_workers_are_errors_of_this_package() -> None:
    assert issubclass(WorkerLost, SandboxError)
    assert str(WorkerLost(3)).endswith("3 times in a row")
