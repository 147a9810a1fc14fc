"""`map` and `map_async` on every kind of executor: order, laziness, failures, retries, and the end."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing, closing
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

import sandbox
from sandbox import Job, JobProgress, JobResult, JSError, Limits, Workers
from sandbox.errors import UsageError, WorkerLost
from tests.jobs.programs import DOUBLE, Unreadable, calling, die, die_once, double, hang_once, interrupt, pid_in, refuse

FOREVER = Job("for (;;) {}", limits=Limits(cpu_seconds=50, wall_seconds=50))

DETERMINISTIC = [
    Job("[Math.random(), crypto.randomUUID()]", options={"seed": 7}),
    Job("[Date.now(), performance.now()]; console.log(new Date())", options={"clock": "virtual"}),
    Job(
        "const seen = []; for (const ms of [30, 10, 20]) setTimeout(() => seen.push(ms, Date.now()), ms);"
        "await new Promise(done => setTimeout(done, 3600_000)); seen",
        options={"clock": "virtual", "seed": 1},
    ),
    Job(
        "function f(v) { return [v, new Float64Array([Math.random()]), 2n ** 70n] }",
        function="f",
        args=[{"a": [None]}],
        options={"seed": 2},
    ),
    Job("let n = 0; for (;;) n++", limits=Limits(fuel=5_000_000)),
    Job("null.x", filename="a.js"),
    calling(refuse),
]  # fmt: skip


def facts(result: JobResult) -> object:
    """What is the same wherever a job runs."""
    return repr(result.unwrap()) if result.ok else repr(result.error), result.console, result.usage.fuel


def without_addresses(fact: Any) -> object:
    return fact[0].partition("<memory")[0], *fact[1:]


def test_the_same_everywhere(executor: Executor) -> None:
    here = [without_addresses(facts(job.run())) for job in DETERMINISTIC]
    there = [without_addresses(facts(result)) for result in sandbox.map(DETERMINISTIC * 3, executor=executor)]

    assert there == here * 3


@pytest.mark.parametrize("chunk_size", [1, 7])
def test_results_in_order(executor: Executor, chunk_size: int) -> None:
    results = list(sandbox.map(map(double, range(100)), executor=executor, chunk_size=chunk_size))

    assert [(result.index, result.unwrap()) for result in results] == [(n, 2 * n) for n in range(100)]
    assert [result.job for result in results] == [double(n) for n in range(100)]
    assert {result.attempts for result in results} == {1}


def test_results_as_they_come(threads: ThreadPoolExecutor) -> None:
    first = threading.Event()
    jobs = [calling(lambda: first.wait(30)), *map(double, range(5))]

    indexes = []
    for result in sandbox.map(jobs, executor=threads, ordered=False):
        indexes.append(result.index)
        if len(indexes) == 5:
            first.set()

    assert (indexes[-1], sorted(indexes)) == (0, list(range(6)))


def test_an_endless_input(executor: Executor) -> None:
    drawn: list[int] = []

    def jobs() -> Iterator[Job]:
        for number in count():
            drawn.append(number)
            yield double(number)

    with closing(sandbox.map(jobs(), executor=executor, in_flight=5)) as results:
        for number in range(20):
            assert next(results).unwrap() == 2 * number
            assert len(drawn) <= number + 1 + 5


def test_failures_are_results(executor: Executor) -> None:
    jobs = [double(1), Job("null.x"), calling(refuse), double(2)]

    results = list(sandbox.map(jobs, executor=executor))

    assert [result.ok for result in results] == [True, False, False, True]
    cause = getattr(results[2].error, "__cause__", None)
    assert str(cause) == "('the card was refused', 402)"


def test_a_failure_can_end_it(executor: Executor) -> None:
    results = sandbox.map([double(1), Job("null.x"), double(2)], executor=executor, raise_errors=True)

    assert next(results).unwrap() == 2
    with pytest.raises(JSError, match="cannot read"):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("lazy", [False, True])
def test_progress_is_told(threads: ThreadPoolExecutor, lazy: bool) -> None:
    told: list[JobProgress] = []
    jobs = [double(1), Job("null.x"), double(2)]

    list(sandbox.map(iter(jobs) if lazy else jobs, executor=threads, progress=told.append))

    assert told[-1] == JobProgress(done=3, failed=1, retried=0, sent=3, total=None if lazy else 3)
    assert [step.done for step in told] == sorted(step.done for step in told)


def test_what_is_no_exception_ends_it(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(sandbox.map([calling(interrupt), double(1)], executor=threads))


def test_an_input_that_fails() -> None:
    def jobs() -> Iterator[Job]:
        yield double(1)
        raise LookupError("no more")

    with ThreadPoolExecutor(1) as threads:
        results = sandbox.map(jobs(), executor=threads)
        assert next(results).unwrap() == 2
        with pytest.raises(LookupError, match="no more"):
            next(results)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"executor": 4}, TypeError, "executor must be"),
        ({"executor": Workers}, TypeError, "executor must be"),
        ({"executor": ThreadPoolExecutor(1), "workers": 2}, ValueError, "where no executor is given"),
        ({"workers": 0}, ValueError, "must be positive"),
        ({"workers": 1.5}, TypeError, "must be an int"),
        ({"retries": -1}, ValueError, "retries must be at least 0"),
        ({"retries": True}, TypeError, "retries must be an int"),
        ({"chunk_size": 0}, ValueError, "chunk_size must be at least 1"),
        ({"in_flight": 0}, ValueError, "in_flight must be at least 1"),
        ({"ordered": 1}, TypeError, "ordered must be a bool"),
        ({"raise_errors": None}, TypeError, "raise_errors must be a bool"),
        ({"progress": 1}, TypeError, "progress must be"),
        ({"jobs": 1}, TypeError, "jobs must be an iterable"),
        ({"jobs": double(1)}, TypeError, "jobs must be an iterable"),
    ],
)
@pytest.mark.parametrize("face", [sandbox.map, sandbox.map_async])
def test_wrong_arguments(face: Callable[..., Any], options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        face(**{"jobs": [], **options})


# --- jobs that cannot be sent, and workers that are lost --------------------------------------------------------------


def test_functions_of_the_process_run_on_its_threads(threads: ThreadPoolExecutor) -> None:
    seen: list[int] = []

    assert all(result.ok for result in sandbox.map([calling(seen.append, n) for n in range(4)], executor=threads))
    assert sorted(seen) == [0, 1, 2, 3]


@pytest.mark.parametrize("where", ["workers", "pool"])
def test_a_job_that_cannot_be_sent_is_a_failure_of_its_own(
    where: str, workers: Workers, pool: ProcessPoolExecutor
) -> None:
    jobs = [double(1), calling(lambda: 1), double(2), calling(Unreadable()), double(3)]

    for chunk_size in (1, 5):
        results = list(sandbox.map(jobs, executor=pool if where == "pool" else workers, chunk_size=chunk_size))

        assert [result.value for result in results] == [2, None, 4, None, 6]
        assert [type(results[index].error) for index in (1, 3)] == [UsageError, UsageError]
        assert "lambda" in str(results[1].error)
        assert "not here" in str(results[3].error)


@pytest.mark.parametrize("chunk_size", [1, 4])
def test_a_worker_that_dies_is_replaced(workers: Workers, tmp_path: Path, chunk_size: int) -> None:
    jobs = [*map(double, range(6)), calling(die_once, str(tmp_path / "mark")), *map(double, range(6))]

    results = list(sandbox.map(jobs, executor=workers, chunk_size=chunk_size))

    assert [result.unwrap() for result in results] == [0, 2, 4, 6, 8, 10, "lived", 0, 2, 4, 6, 8, 10]
    assert results[6].attempts == 2
    assert sum(result.attempts > 1 for result in results) <= chunk_size


def test_a_job_that_kills_every_worker(workers: Workers) -> None:
    results = list(sandbox.map([double(1), calling(die), double(2)], executor=workers, retries=1))

    assert [(result.value, result.attempts) for result in results] == [(2, 1), (None, 2), (4, 1)]
    assert isinstance(results[1].error, WorkerLost)


def test_a_worker_that_is_killed(workers: Workers, tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    def kill() -> None:
        os.kill(pid_in(mark), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    results = list(sandbox.map([calling(hang_once, str(mark)), *map(double, range(50))], executor=workers))
    killer.join()

    assert [result.unwrap() for result in results] == ["lived", *(2 * n for n in range(50))]
    assert [result.attempts for result in results] == [2] + [1] * 50


def test_a_pool_of_the_embedder_that_breaks() -> None:
    """It cannot be made again here: what was in it is lost, and then its own error is raised."""
    with ProcessPoolExecutor(1) as broken:
        results = sandbox.map([double(0), calling(die), double(2), double(3)], executor=broken, in_flight=1)
        assert next(results).unwrap() == 0
        lost = next(results)
        assert (type(lost.error), lost.attempts) == (WorkerLost, 1)
        with pytest.raises(BrokenProcessPool):
            next(results)


def test_an_executor_that_was_shut_down() -> None:
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    results = sandbox.map([double(0)], executor=threads)

    assert isinstance(next(results).error, RuntimeError)
    with pytest.raises(RuntimeError, match="after shutdown"):
        next(results)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_closing_it_stops_what_runs_on_threads() -> None:
    begun = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        job = Job("begun(); for (;;) {}", options={"functions": {"begun": begun.set}}, limits=FOREVER.limits)
        results: Any = sandbox.map([job, double(1), job, job], executor=threads, ordered=False)
        next(results)
        begun.wait(30)
        start = time.monotonic()
        results.close()
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("how", ["close", "drop"])
def test_its_own_processes_end_with_it(how: str, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    results: Any = sandbox.map([calling(hang_once, str(mark)), double(1), FOREVER], workers=2, ordered=False)
    assert next(results).unwrap() == 2
    pid = pid_in(mark)
    start = time.monotonic()
    if how == "close":
        results.close()
    else:
        del results
        gc.collect()
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# --- event loops ------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_on_an_event_loop(executor: Executor) -> None:
    results = [result async for result in sandbox.map_async(map(double, range(50)), executor=executor)]

    assert [result.unwrap() for result in results] == [2 * n for n in range(50)]


@pytest.mark.anyio
async def test_the_loop_stays_free(threads: ThreadPoolExecutor) -> None:
    go = threading.Event()

    async def consume() -> None:
        assert [result.ok async for result in sandbox.map_async([calling(lambda: go.wait(30))], executor=threads)]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await anyio.lowlevel.checkpoint()
        go.set()


@pytest.mark.anyio
async def test_failures_on_an_event_loop(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(JSError):
        async for _ in sandbox.map_async([Job("null.x")], executor=threads, raise_errors=True):
            pytest.fail("it is raised")
    with pytest.raises(TypeError, match="no Job"):
        async for _ in sandbox.map_async([1], executor=threads):  # type: ignore[list-item] # what it shows
            pytest.fail("there is none")


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["threads", "processes"])
async def test_cancelling_the_task(where: str, tmp_path: Path) -> None:
    begun = threading.Event()
    mark = tmp_path / "pid"
    if where == "threads":
        executor: Any = ThreadPoolExecutor(2)
        job = Job("begun(); for (;;) {}", options={"functions": {"begun": begun.set}}, limits=FOREVER.limits)
    else:
        executor, job = None, calling(hang_once, str(mark))

    async def consume() -> None:
        async for _ in sandbox.map_async([job, FOREVER, FOREVER], executor=executor, workers=None if executor else 2):
            pytest.fail("none of them ends")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await anyio.to_thread.run_sync(begun.wait if executor else lambda: pid_in(mark))
        start = time.monotonic()
        tasks.cancel_scope.cancel()
    if executor:
        await anyio.to_thread.run_sync(executor.shutdown)
    assert time.monotonic() - start < 10


@pytest.mark.anyio
async def test_leaving_the_loop_early(threads: ThreadPoolExecutor) -> None:
    results = sandbox.map_async(map(double, count()), executor=threads, in_flight=3)
    async with aclosing(results) as stream:
        async for result in stream:
            if result.index == 10:
                break
    assert result.unwrap() == 20


def test_the_same_arguments_on_both_faces() -> None:
    import inspect

    assert inspect.signature(sandbox.map).parameters == inspect.signature(sandbox.map_async).parameters
    assert DOUBLE in double(1).code  # type: ignore[operator] # it has code
