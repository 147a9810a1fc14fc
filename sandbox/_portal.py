"""An event loop on a thread of its own, for asynchronous host functions of blocking sandboxes.

One daemon thread a process, started when the first such function is called: it holds up neither the interpreter's exit
nor anything else while no host call is pending.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal


class _Loop:
    def __init__(self) -> None:
        self._ready = threading.Event()
        self._portal: BlockingPortal | None = None
        threading.Thread(target=self._serve, name="sandbox-loop", daemon=True).start()
        self._ready.wait()

    @property
    def portal(self) -> BlockingPortal:
        assert self._portal is not None
        return self._portal

    def _serve(self) -> None:
        anyio.run(self._main, backend="asyncio")

    async def _main(self) -> None:
        async with BlockingPortal() as portal:
            self._portal = portal
            self._ready.set()
            await portal.sleep_until_stopped()


_loops: list[_Loop] = []
_lock = threading.Lock()


def start(awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
    """Run an awaitable on the loop.

    Args:
        awaitable: What to run.
        done: Gets its value or its exception, on the loop's thread; not called when it was cancelled.

    Returns:
        What cancels it; any thread.
    """
    with _lock:
        if not _loops:
            _loops.append(_Loop())
        portal = _loops[0].portal

    async def run() -> None:
        try:
            value = await awaitable
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised where the run is
            done(error)
        else:
            done(value)

    return portal.start_task_soon(run).cancel


def _forget_loop() -> None:
    """After a fork the loop's thread is gone."""
    global _lock  # noqa: PLW0603 - it may have been held
    _loops.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loop)
