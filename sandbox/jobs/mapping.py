"""`map`: many jobs on an executor, with their results as they come. What waiting needs is left to each face."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Iterable, Sized
from concurrent.futures import BrokenExecutor, CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sandbox.jobs.executors import Carrier, carrier_to
from sandbox.jobs.schedule import Chunk, JobProgress, Schedule

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sandbox.jobs.job import Job, JobResult

_MIN_IN_FLIGHT: Final = 64
_IN_FLIGHT_OF_A_WORKER: Final = 4
# Results that are due do not wait any longer for jobs to be drawn.
_SENDING_SECONDS: Final = 0.05


def map(
    jobs: Iterable[Job],
    *,
    executor: Executor | Any = None,  # noqa: ANN401 - or a Client of Dask, which is an extra
    workers: int | None = None,
    ordered: bool = True,
    retries: int = 2,
    raise_errors: bool = False,
    chunk_size: int = 1,
    in_flight: int | None = None,
    progress: bool | Callable[[JobProgress], object] = False,
) -> Generator[JobResult, None, None]:
    """Run jobs on the workers of an executor, and give their results as they come.

    A job that fails is a result like any other. The jobs are drawn from the input as results are taken, so there may be
    any number of them. Leaving the loop early and then closing the iterator (or dropping it), Ctrl-C, and an exception
    cancel what is left: processes of its own are ended at once, jobs on threads are interrupted, and what runs on
    another executor runs on there, within its limits.

    Args:
        jobs: The jobs; drawn on the thread that takes the results.
        executor: Where they run: any `concurrent.futures.Executor`, such as `Workers`, or a `Client` of Dask; it stays
            open. None: processes that are started for the purpose.
        workers: How many of these; None: one for each processor.
        ordered: Give the results in the order of the jobs; else as they come, each with its `index`.
        retries: How often a job is begun again when the process that ran it was lost. Then its result is `WorkerLost`.
        raise_errors: Raise the error of the first result that has one; nothing comes after it.
        chunk_size: Jobs that are sent together. For small jobs more than one saves time; they come back together too.
        in_flight: How many jobs may be drawn whose results were not taken yet; None: four for each worker and each of a
            chunk, and at least 64.
        progress: True: show a progress bar on standard error, if that is a terminal. A function is called with a
            `JobProgress` when something has come.

    Returns:
        A generator of the results, one for each job. It is used on one thread at a time.

    Raises:
        TypeError: An argument has the wrong type; or, later, an item of the input is no `Job`.
        ValueError: An argument has no such value.
        BaseException: While it is iterated: what the input raises, and what the executor raises when it takes no more
            jobs, after the results of those that were drawn; what a host function raises that is no `Exception`; the
            error of a job with `raise_errors`.
    """
    return _results(
        Mapping(jobs, executor, workers, ordered, retries, raise_errors, chunk_size, in_flight, progress),
    )


def _results(mapping: Mapping) -> Generator[JobResult, None, None]:
    with mapping:
        while not mapping.is_over:
            has_moved = mapping.send()
            mapping.receive()
            while (result := mapping.take()) is not None:
                yield result
                has_moved = True
            if not has_moved and not mapping.is_over:
                mapping.receive(wait=True)
        mapping.finish()


class Mapping:
    """What both faces of `map` share: it sends, receives and gives; they wait."""

    _carrier: Carrier

    def __init__(
        self,
        jobs: Iterable[Job],
        executor: Any,  # noqa: ANN401 - see `map`
        workers: int | None,
        ordered: bool,
        retries: int,
        raise_errors: bool,
        chunk_size: int,
        in_flight: int | None,
        progress: bool | Callable[[JobProgress], object],
    ) -> None:
        for name, value in (("ordered", ordered), ("raise_errors", raise_errors)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
        _check_count("retries", retries, 0)
        _check_count("chunk_size", chunk_size, 1)
        if in_flight is not None:
            _check_count("in_flight", in_flight, 1)
        if not isinstance(progress, bool) and not callable(progress):
            raise TypeError(f"progress must be a bool or a function, not {type(progress).__name__}")
        if not isinstance(jobs, Iterable):
            raise TypeError(f"jobs must be an iterable of jobs, not {type(jobs).__name__}")
        self._carrier = carrier_to(executor, workers)
        self._raise_errors, self._progress = raise_errors, progress
        self._show: Callable[[JobProgress], object] | None = progress if callable(progress) else None
        self._futures: set[Future[list[JobResult]]] = set()
        self._arrivals: queue.SimpleQueue[tuple[Chunk, Future[list[JobResult]]]] = queue.SimpleQueue()
        self.on_arrival: Callable[[], object] = _nothing
        self._schedule = Schedule(
            iter(jobs),
            ordered=ordered,
            retries=retries,
            in_flight=in_flight or max(_MIN_IN_FLIGHT, _IN_FLIGHT_OF_A_WORKER * self._carrier.workers * chunk_size),
            chunk_size=chunk_size,
            total=len(jobs) if isinstance(jobs, Sized) else None,
        )

    def __enter__(self) -> None:
        if self._progress is True:
            from sandbox.jobs.progress import ProgressBar  # most do without

            self._show = ProgressBar()

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is left; idempotent."""
        try:
            for future in list(self._futures):
                future.cancel()
            self._carrier.close(at_once=not self.is_over)
        finally:
            if self._progress is True and self._show is not None:
                self._show.close()  # type: ignore[attr-defined] # a bar

    @property
    def is_over(self) -> bool:
        """Whether all results were taken, and there are no more jobs."""
        return self._schedule.is_over

    def send(self) -> bool:
        """Send what there is to send, unless drawing it takes its time; False: nothing."""
        end = time.monotonic() + _SENDING_SECONDS
        has_sent = False
        while self._send_one():
            has_sent = True
            if time.monotonic() > end:
                break
        return has_sent

    def _send_one(self) -> bool:
        chunk = self._schedule.next()
        if chunk is None:
            return False
        try:
            future = self._carrier.submit(chunk.jobs)
        except Exception as error:  # noqa: BLE001 - raised in the end
            self._schedule.break_off(chunk, error)
        else:
            self._futures.add(future)
            future.add_done_callback(partial(self._arrive, chunk))
        return True

    def _arrive(self, chunk: Chunk, future: Future[list[JobResult]]) -> None:
        """A future is done; called on any thread."""
        self._arrivals.put((chunk, future))
        self.on_arrival()

    def receive(self, *, wait: bool = False) -> None:
        """Book what has come back.

        Args:
            wait: Wait until something has.

        Raises:
            BaseException: What a host function raised that is no `Exception`.
        """
        while True:
            try:
                chunk, future = self._arrivals.get(block=wait)
            except queue.Empty:
                break
            wait = False
            self._futures.discard(future)
            self._book(chunk, future)
        if self._show is not None:
            self._show(self._schedule.progress)

    def _book(self, chunk: Chunk, future: Future[list[JobResult]]) -> None:
        error = CancelledError() if future.cancelled() else future.exception()
        if error is None:
            self._schedule.finish(chunk, future.result())
        elif attempts := self._carrier.attempts_lost(error):
            self._schedule.lose(chunk, attempts)
        elif isinstance(error, BrokenExecutor):
            self._schedule.break_off(chunk, error)
        elif isinstance(error, Exception):
            self._schedule.refuse(chunk, error)
        else:
            raise error

    def take(self) -> JobResult | None:
        """The next result that is due.

        Raises:
            Exception: Its error, if errors are to be raised.
        """
        result = self._schedule.take()
        if result is not None and result.error is not None and self._raise_errors:
            raise result.error
        return result

    def finish(self) -> None:
        """Raise what kept jobs from being drawn or sent, if anything did."""
        if self._schedule.failure is not None:
            raise self._schedule.failure


def _nothing() -> None:
    """Nobody waits otherwise."""


def _check_count(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
