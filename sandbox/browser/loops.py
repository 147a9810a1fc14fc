"""The event loop that a browser's objects belong to, as tasks of other loops reach it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import anyio
import anyio.lowlevel

from sandbox.errors import UsageError

_T = TypeVar("_T")
TASK_NAME: Final = "sandbox-browser"
"""Of tasks that nobody waits for."""


class Home:
    """An event loop of asyncio, and the thread it runs on.

    Attributes:
        loop: The loop.
        thread_id: The thread.
    """

    def __init__(self) -> None:
        """Take the loop that runs.

        Raises:
            UsageError: None does.
        """
        try:
            self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "a Browser is made where the event loop runs that its page belongs to: in an async function under"
                " asyncio; without one, sandbox.browser.launch() has a browser on a thread of its own"
            ) from None
        self.thread_id: int = threading.get_ident()

    def is_here(self) -> bool:
        """Whether the caller runs on it."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    async def run(self, make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Run a coroutine there, for a task of any loop; cancelled with it.

        Raises:
            UsageError: The loop has ended.
            BaseException: What the coroutine raised.
        """
        if self.is_here():
            return await make()
        token: Any = anyio.lowlevel.current_token().native_token
        soon = getattr(token, "call_soon_threadsafe", None) or token.run_sync_soon  # asyncio's, or trio's
        ended = anyio.Event()
        if self.loop.is_closed():
            raise UsageError("the event loop of the browser has ended")
        future = asyncio.run_coroutine_threadsafe(make(), self.loop)
        future.add_done_callback(lambda _future: soon(ended.set))
        try:
            await ended.wait()
        except BaseException:
            future.cancel()
            raise
        return future.result()

    def soon(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run a coroutine there without waiting for it, where the loop still runs; any thread."""
        if self.loop.is_closed():
            return
        try:
            self.loop.call_soon_threadsafe(self._begin, make)
        except RuntimeError:  # it ended this moment
            return

    def _begin(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        task = self.loop.create_task(make(), name=TASK_NAME)
        _begun.add(task)
        task.add_done_callback(_begun.discard)


# A loop holds its tasks weakly.
_begun: set[asyncio.Task[Any]] = set()
