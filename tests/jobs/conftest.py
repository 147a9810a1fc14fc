"""Executors that several tests share: starting their processes takes a second."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from sandbox import Workers


class Inline(Executor):
    """An executor as an embedder may write one: it calls the function and is done."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        return future


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with Workers(2) as made:
        yield made


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        made.submit(abs, 1).result()  # its thread is there before a test begins
        yield made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


@pytest.fixture(params=["inline", "threads", "pool", "workers"])
def executor(
    request: pytest.FixtureRequest, threads: ThreadPoolExecutor, pool: ProcessPoolExecutor, workers: Workers
) -> Executor:
    executors: dict[str, Executor] = {"inline": Inline(), "threads": threads, "pool": pool, "workers": workers}
    return executors[request.param]
