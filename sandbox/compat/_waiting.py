"""What asynchronous code needs of a blocking sandbox: worker threads, and host functions on the caller's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
from anyio.to_thread import run_sync

from sandbox.errors import RunInterrupted

if TYPE_CHECKING:
    from sandbox import Sandbox

_R = TypeVar("_R")
_AGAIN_SECONDS: Final = 0.005


async def in_thread(box: Sandbox, work: Callable[[], _R]) -> _R:
    """Use a sandbox on a worker thread. Cancelling the task stops its guest.

    Raises:
        BaseException: What the work raises.
    """
    lock = threading.Lock()
    is_over = threading.Event()
    has_begun = is_cancelled = False

    def guarded() -> _R:
        nonlocal has_begun
        with lock:
            if is_cancelled:
                raise RunInterrupted
            has_begun = True
        try:
            return work()
        finally:
            is_over.set()

    try:
        return await run_sync(guarded, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
    except anyio.get_cancelled_exc_class():
        with lock:
            is_cancelled = True
        with anyio.CancelScope(shield=True):
            while has_begun and not is_over.is_set():  # its run may not have
                box.interrupt()
                await anyio.sleep(_AGAIN_SECONDS)
        raise


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of asyncio that runs on this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def current_task() -> asyncio.Task[Any] | None:
    """The task of asyncio that runs on this thread."""
    return None if running_loop() is None else asyncio.current_task()


def task_of(loop: asyncio.AbstractEventLoop, work: Awaitable[_R]) -> asyncio.Future[_R]:
    """A future of what is awaited on a loop."""
    return asyncio.ensure_future(work, loop=loop)


def on_loop(
    handler: Callable[..., Awaitable[Any]], loop_of: Callable[[], asyncio.AbstractEventLoop | None]
) -> Callable[..., Awaitable[Any]]:
    """An `async def` that runs another one on the event loop of the embedder, whichever loop it is awaited on.

    Args:
        handler: The other one.
        loop_of: That loop at the time of a call; None: there is none, and it runs where it is awaited.
    """

    async def called(*args: Any) -> Any:  # noqa: ANN401 - any value
        loop = loop_of()
        if loop is None or loop is running_loop():
            return await handler(*args)
        if loop.is_closed():
            raise RuntimeError("the event loop that this function belongs to is closed")

        async def begun() -> Any:  # noqa: ANN401 - any value
            return await handler(*args)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(begun(), loop))

    return called
