"""An event loop on a thread of its own, for asynchronous host functions of blocking sandboxes.

One daemon thread a process, started when the first such function is called: it holds up neither the interpreter's exit
nor anything else while no host call is pending.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
from anyio.lowlevel import checkpoint, current_token

from sandbox import _threads
from sandbox._awaitables import close
from sandbox._events import returned
from sandbox._pending import FORKED

if TYPE_CHECKING:
    from sandbox.capabilities.base import Service

# Jobs between two rounds of the loop: what they have begun goes on before more is begun, and what waits here can be
# cancelled for nothing.
_BATCH: Final = 100


class _Loop:
    """The thread with the loop. To reach it takes a system call, so what is asked of it goes there in batches."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._jobs: deque[Callable[[], object]] = deque()
        self._is_rung = False
        threading.Thread(target=Context().run, args=(self._serve,), name="sandbox-loop", daemon=True).start()
        self._ready.wait()

    def soon(self, job: Callable[[], object]) -> None:
        """Do something on the loop; any thread, at any moment, finalizers too. Jobs are done in order."""
        self._jobs.append(job)
        if not self._is_rung:
            self._is_rung = True
            self._call_soon(lambda: self._bell.set())

    def show(self) -> None:
        """Say in the context of a job which loop it is on, whatever the loop of who asked for it."""
        for variable, value in self._own.items():
            variable.set(value)

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task; in a job, in whose context the task will be."""
        self._tasks.start_soon(function)

    def _serve(self) -> None:
        _threads.mark_loop_thread()
        try:
            anyio.run(self._main, backend="asyncio")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._own = copy_context()
        self._bell = anyio.Event()
        self._call_soon: Callable[..., object] = current_token().native_token.call_soon_threadsafe  # type: ignore[attr-defined] # of asyncio's loop
        async with anyio.create_task_group() as self._tasks:
            self._ready.set()
            while True:
                await self._bell.wait()
                self._bell = anyio.Event()
                self._is_rung = False  # what comes from here on rings again
                while self._jobs:
                    for _ in range(min(_BATCH, len(self._jobs))):
                        self._jobs.popleft()()
                    await checkpoint()


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
        if is_cancellation(error):
            raise
        done(error)
    else:
        done(returned(value))


def is_cancellation(error: BaseException) -> bool:
    """Whether an error that came out of an awaitable is the cancellation of the task that waits for it."""
    is_one = isinstance(error, anyio.get_cancelled_exc_class())
    return is_one and anyio.current_effective_deadline() == -math.inf


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
    loop = _running()
    work = _Work(loop, awaitable, done)
    _waiting[work] = done
    loop.soon(partial(copy_context().run, work.begin))  # the task sees the context variables of who asked for it
    return work.cancel


def _running() -> _Loop:
    with _lock:
        if not _loops:
            _loops.append(_Loop())
        return _loops[0]


class _Work:
    """An awaitable on its way through the loop."""

    __slots__ = ("_awaitable", "_done", "_is_cancelled", "_loop", "_scope")

    def __init__(self, loop: _Loop, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> None:
        self._loop = loop
        self._awaitable = awaitable
        self._done = done
        self._scope: anyio.CancelScope | None = None
        self._is_cancelled = False

    def begin(self) -> None:
        """On the loop."""
        if self._is_cancelled:
            close(self._awaitable)
            _waiting.pop(self, None)
        else:
            self._loop.show()
            self._scope = anyio.CancelScope()
            self._loop.spawn(self._run)

    async def _run(self) -> None:
        assert self._scope is not None
        try:
            with self._scope:
                await answer(self._awaitable, self._done)
        finally:
            _waiting.pop(self, None)
            self._done = _ignore  # it knows the request, which knows this

    def cancel(self) -> None:
        """Any thread."""
        self._is_cancelled = True
        self._loop.soon(self._end)

    def _end(self) -> None:
        if self._scope is not None:
            self._scope.cancel()


def call(function: Callable[[], object]) -> None:
    """Call something on the loop, soon; any thread. Nobody hears of what it raises."""

    def job() -> None:
        with suppress(Exception):
            function()

    _running().soon(job)


def serve(service: Service) -> None:
    """Run a service on the loop; any thread."""
    start(service.serve(), _ignore)


def _ignore(_outcome: object) -> None:
    """Nobody asked."""


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
    waiting = list(_waiting.values())
    _waiting.clear()
    for done in waiting:
        done(ConnectionAbortedError(FORKED))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loop)
