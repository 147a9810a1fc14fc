"""How chunks of jobs get to an executor and back: what differs between threads, processes and clusters."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from sandbox.errors import WorkerLost
from sandbox.jobs.crossing import unsendable
from sandbox.jobs.job import JobResult, Stop, perform
from sandbox.jobs.processes import Workers, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.jobs.job import Job

_TAKES: Final = "a concurrent.futures.Executor, a Client of Dask, or None"


class Carrier:
    """Takes chunks to an executor of the embedder's, as they are: the executor knows how they travel.

    Attributes:
        workers: How many jobs it runs at one time, as far as that can be told.
    """

    def __init__(self, executor: Executor, workers: int | None = None) -> None:
        self._executor = executor
        self.workers: int = workers or getattr(executor, "_max_workers", None) or processors()

    def submit(self, jobs: Sequence[Job]) -> Future[list[JobResult]]:
        """Have jobs run.

        Raises:
            RuntimeError: The executor is broken or shut down.
        """
        return self._executor.submit(perform, jobs)

    def attempts_lost(self, error: BaseException) -> int:
        """How many attempts were over when a chunk failed so; 0: no worker was lost."""
        return int(isinstance(error, WorkerLost | BrokenExecutor))

    def close(self, *, at_once: bool) -> None:
        """Nothing more is wanted; what was submitted is cancelled. `at_once`: what runs is given up as well."""


class _Threads(Carrier):
    """Threads can be told to stop."""

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor)
        self._stop = Stop()

    def submit(self, jobs: Sequence[Job]) -> Future[list[JobResult]]:
        return self._executor.submit(perform, jobs, self._stop)

    def close(self, *, at_once: bool) -> None:
        if at_once:
            self._stop.set()


class _Pickled(Carrier):
    """A job that a process cannot read would break its pool for good, unless it is read where that is an answer."""

    _dumps: Callable[[object], bytes] = staticmethod(pickle.dumps)

    def submit(self, jobs: Sequence[Job]) -> Future[list[JobResult]]:
        try:
            data = self._dumps(jobs)
        except Exception as error:  # noqa: BLE001 - objects are pickled by code of their own
            future: Future[list[JobResult]] = Future()
            future.set_exception(unsendable("the job cannot be sent to another process", error))
            return future
        return self._executor.submit(perform, data)


class _Workers(Carrier):
    """Processes that are replaced. When they cannot be started, nothing has begun."""

    def __init__(self, workers: Workers) -> None:
        super().__init__(workers, workers.count)
        self._workers = workers

    def attempts_lost(self, error: BaseException) -> int:
        return int(isinstance(error, WorkerLost))


class _Own(_Workers):
    """Processes of this `map` alone."""

    def close(self, *, at_once: bool) -> None:
        if at_once:
            self._workers.kill()
        else:
            self._workers.shutdown()


class _Dask(_Pickled):
    """A cluster, which begins a job again by itself where a worker is lost, some times, before it says so."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - distributed.Client; the package is an extra
        from distributed import KilledWorker
        from distributed.protocol import pickle as pickles

        if client.asynchronous:
            raise TypeError("the Client of Dask is an asynchronous one; give one that is not, to `map_async` as well")
        super().__init__(client.get_executor(pure=False), sum(client.nthreads().values()))
        self._killed = KilledWorker
        self._dumps = pickles.dumps  # they carry functions of `__main__` and closures whole

    def attempts_lost(self, error: BaseException) -> int:
        if isinstance(error, self._killed):
            return int(error.allowed_failures) + 1
        return int(isinstance(error, CancelledError)) or super().attempts_lost(error)


def carrier_to(executor: object, workers: int | None) -> Carrier:
    """The way to an executor.

    Args:
        executor: An executor, a client of Dask, or None for processes that are started for the purpose.
        workers: How many of these.

    Raises:
        TypeError: It is nothing of the kind.
        ValueError: A number of workers was given for an executor that has its own.
    """
    if executor is None:
        return _Own(Workers(workers))
    if workers is not None:
        raise ValueError("workers is the number of processes where no executor is given")
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(executor, distributed.Client):
        return _Dask(executor)
    if isinstance(executor, Workers):
        return _Workers(executor)
    if isinstance(executor, ProcessPoolExecutor):
        return _Pickled(executor)
    if type(executor) is ThreadPoolExecutor:  # an interpreter pool derives from it, and shares no objects
        return _Threads(executor)
    if isinstance(executor, Executor):
        return Carrier(executor)
    raise TypeError(f"executor must be {_TAKES}, not {type(executor).__name__}")
