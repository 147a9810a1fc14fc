"""Jobs on a cluster of Dask: real worker processes on this machine, of which some are killed."""

from __future__ import annotations

import copyreg
import importlib.util
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import Job, JobResult
from sandbox.errors import UsageError, WorkerLost
from tests.jobs.programs import calling, die, double, hang_once, pid_in
from tests.jobs.test_map import DETERMINISTIC, facts, without_addresses

if importlib.util.find_spec("distributed") is None:
    pytest.skip("Dask is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def reducers() -> Iterator[None]:
    """Dask changes how exceptions are pickled; for no other test."""
    before = dict(copyreg.dispatch_table)
    yield
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(before)


@pytest.fixture(scope="module")
def client(reducers: None) -> Iterator[Any]:
    dask: Any = importlib.import_module("dask")
    distributed: Any = importlib.import_module("distributed")
    config = {"distributed.scheduler.allowed-failures": 1}
    options = {"processes": True, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with (
        dask.config.set(config),
        distributed.LocalCluster(n_workers=3, silence_logs=50, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_the_same_as_here(client: Any) -> None:
    here = [without_addresses(facts(job.run())) for job in DETERMINISTIC]

    results = list(sandbox.map(DETERMINISTIC, executor=client))

    assert [without_addresses(facts(result)) for result in results] == here
    assert {result.worker for result in results} <= {f"{os.uname().nodename}:{pid}" for pid in pids(client)}


def pids(client: Any) -> set[int]:
    return set(client.run(os.getpid).values())


def test_a_worker_that_is_killed_in_the_midst(client: Any, tmp_path: Path) -> None:
    """No result is lost, and none comes twice, though Dask begins again what the worker had and had not done."""
    mark = tmp_path / "pid"
    before = pids(client)
    killed: list[int] = []

    def kill() -> None:
        killed.append(pid_in(mark))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    jobs = [*map(double, range(40)), calling(hang_once, str(mark)), *map(double, range(60))]
    results = list(sandbox.map(jobs, executor=client, in_flight=30))
    killer.join()

    indexes = [result.index for result in results]
    assert indexes == list(range(101))
    assert [result.unwrap() for result in results] == [
        *(2 * n for n in range(40)),
        "lived",
        *(2 * n for n in range(60)),
    ]
    assert killed[0] in before
    assert killed[0] not in pids(client)


def test_a_job_that_kills_every_worker(client: Any) -> None:
    """Dask itself tries several times before it says so, which are attempts as well."""
    (lost,) = sandbox.map([calling(die)], executor=client, retries=1)

    assert isinstance(lost.error, WorkerLost)
    assert lost.attempts == lost.error.attempts == 2
    assert [result.value for result in sandbox.map([double(1)], executor=client)] == [2]


def test_closures_travel(client: Any) -> None:
    """Dask pickles what is in no module."""
    number = 5

    (result,) = sandbox.map([calling(lambda n: n + number, 2)], executor=client)

    assert result.unwrap() == 7


def test_what_cannot_travel(client: Any) -> None:
    lock = threading.Lock()

    def hold() -> None:
        lock.acquire()

    results = list(sandbox.map([double(1), calling(hold)], executor=client, chunk_size=2))

    assert (results[0].value, type(results[1].error)) == (2, UsageError)


def test_leaving_early(client: Any) -> None:
    results: Any = sandbox.map(map(double, range(1000)), executor=client, in_flight=50)
    assert next(results).unwrap() == 0
    results.close()

    assert [result.value for result in sandbox.map([double(3)], executor=client)] == [6]


@pytest.mark.anyio
async def test_on_an_event_loop(client: Any) -> None:
    results: list[JobResult] = [
        result async for result in sandbox.map_async([double(4), Job("null.x")], executor=client)
    ]

    assert [(result.value, result.ok) for result in results] == [(8, True), (None, False)]
