"""An event loop on a thread of its own, for asynchronous host functions of blocking sandboxes.

One daemon thread a process, started when the first such function is called: it holds up neither the interpreter's exit
nor anything else while no host call is pending.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal

from sandbox import _threads
from sandbox._events import returned


class _Loop:
    def __init__(self) -> None:
        self._ready = threading.Event()
        self._portal: BlockingPortal | None = None
        threading.Thread(target=self._serve, name="sandbox-loop", daemon=True).start()
        self._ready.wait()

    def start(self, function: Callable[[], Awaitable[None]]) -> Callable[[], object]:
        """Start a task; any thread, the loop's own too. Returns what cancels it, likewise."""
        portal = self._portal
        assert portal is not None
        if not _threads.is_loop_thread():
            return portal.start_task_soon(function).cancel
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await function()

        self._tasks.start_soon(run)
        return lambda: scope.cancel() if _threads.is_loop_thread() else portal.start_task_soon(scope.cancel)

    def _serve(self) -> None:
        _threads.mark_loop_thread()
        try:
            anyio.run(self._main, backend="asyncio")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        async with BlockingPortal() as portal, anyio.create_task_group() as self._tasks:
            self._portal = portal
            self._ready.set()
            await portal.sleep_until_stopped()


_loops: list[_Loop] = []
_lock = threading.Lock()
# What waits for an answer of the loop; only the loop's thread takes something out.
_waiting: dict[object, Callable[[Any], None]] = {}


async def answer(awaitable: Awaitable[Any], done: Callable[[Any], None]) -> None:
    """Wait for an awaitable and hand on its value or its exception, whatever it is.

    Nothing is handed on when the task it runs in was cancelled.
    """
    try:
        value = await outcome(awaitable)
    except BaseException as error:
        is_cancelled = isinstance(error, anyio.get_cancelled_exc_class())
        if is_cancelled and anyio.current_effective_deadline() == -math.inf:
            raise
        done(error)
    else:
        done(returned(value))


async def outcome(awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401 - any value
    """Await what belongs to the embedder; under trio, where Ctrl-C may interrupt anything in it."""
    return await awaitable


def start(awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
    """Run an awaitable on the loop; any thread.

    Args:
        awaitable: What to run.
        done: Gets its value or its exception, on the loop's thread; not called when it was cancelled.

    Returns:
        What cancels it; any thread.
    """
    with _lock:
        if not _loops:
            _loops.append(_Loop())
        loop = _loops[0]
    mark = object()

    async def run() -> None:
        try:
            await answer(awaitable, done)
        finally:
            _waiting.pop(mark, None)

    _waiting[mark] = done
    return loop.start(run)


def call(function: Callable[[], object]) -> None:
    """Call something on the loop, soon; any thread."""

    async def run() -> None:
        function()

    start(run(), lambda _: None)


async def in_thread(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
    """Make a blocking call on a worker thread, for a task of any loop, which may be cancelled meanwhile."""
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)


_lost: list[_Loop] = []


def _forget_loop() -> None:
    """After a fork the loop's thread is gone, and what it worked on is not going to be answered."""
    global _lock
    _lock = threading.Lock()
    _lost.extend(_loops)  # kept, so that nothing of the parent's loop is closed here
    _loops.clear()
    for done in list(_waiting.values()):
        done(ConnectionAbortedError("the process was forked while this was pending"))
    _waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loop)
