"""`map_async`: `map` for event loops."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from sandbox.jobs.mapping import Mapping

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sandbox.jobs.job import Job, JobResult
    from sandbox.jobs.schedule import JobProgress


def map_async(
    jobs: Iterable[Job],
    *,
    executor: Executor | Any = None,  # noqa: ANN401 - see `map`
    workers: int | None = None,
    ordered: bool = True,
    retries: int = 2,
    raise_errors: bool = False,
    chunk_size: int = 1,
    in_flight: int | None = None,
    progress: bool | Callable[[JobProgress], object] = False,
) -> AsyncGenerator[JobResult, None]:
    """As `map`, for asyncio and trio: the event loop stays free while results are waited for.

    Cancelling the task cancels what is left. A loop that may end early is put into `contextlib.aclosing`.

    Args:
        jobs: As for `map`; drawn on the event loop's thread.
        executor: As for `map`. A `Client` of Dask is one that is not asynchronous.
        workers: As for `map`.
        ordered: As for `map`.
        retries: As for `map`.
        raise_errors: As for `map`.
        chunk_size: As for `map`.
        in_flight: As for `map`.
        progress: As for `map`; a function is called on the event loop's thread.

    Returns:
        An asynchronous generator of the results, one for each job; each step is a cancel point.

    Raises:
        BaseException: As `map`.
    """
    return _results(
        Mapping(jobs, executor, workers, ordered, retries, raise_errors, chunk_size, in_flight, progress),
    )


async def _results(mapping: Mapping) -> AsyncGenerator[JobResult, None]:
    call_soon = _thread_safe_call()
    arrived = anyio.Event()

    def on_arrival() -> None:
        with suppress(RuntimeError):  # the loop has ended
            call_soon(lambda: arrived.set())

    mapping.on_arrival = on_arrival
    with mapping:
        while not mapping.is_over:
            arrived = anyio.Event()  # before one looks
            has_moved = mapping.send()
            mapping.receive()
            while (result := mapping.take()) is not None:
                yield result
                has_moved = True
            if has_moved:
                await anyio.lowlevel.checkpoint()
            elif not mapping.is_over:
                await arrived.wait()
        await anyio.to_thread.run_sync(mapping.close)  # processes take their time to end
        mapping.finish()


def _thread_safe_call() -> Callable[[Callable[[], object]], object]:
    """What has this loop call a function soon, from any thread and without waiting for it."""
    token = anyio.lowlevel.current_token().native_token
    call: Callable[[Callable[[], object]], object] | None = getattr(token, "call_soon_threadsafe", None)
    return call or token.run_sync_soon  # type: ignore[attr-defined] # asyncio's, or trio's
