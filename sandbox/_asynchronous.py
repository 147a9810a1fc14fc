"""The asynchronous face's way of taking steps: turns on a worker thread, waits on the event loop (anyio: asyncio or trio)."""

from __future__ import annotations

import math
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import anyio
import anyio.abc
import anyio.to_thread

from sandbox import _threads
from sandbox._driver import Driver, Steps, Turn
from sandbox.errors import SandboxBusy

_T = TypeVar("_T")


class Interrupted(Exception):  # noqa: N818 - an internal mark: the run's task was cancelled
    """Stops the guest of a cancelled task; never seen outside."""


class AsyncRunner:
    """Takes the steps of runs. Runs of several tasks take turns: while one waits, another's guest code may run.

    Used on one event loop only.
    """

    def __init__(self) -> None:
        self._turn: Final = anyio.Lock(fast_acquire=True)
        self._woken = anyio.Event()
        self._in_turn = False
        # Turns of sandboxes that run are what the machine is for: they do not compete for anyio's own threads.
        self._limiter: Final = anyio.CapacityLimiter(math.inf)
        self._tasks: anyio.abc.TaskGroup | None = None

    def attach(self, driver: Driver) -> None:
        """Say whose runs these are."""
        self.driver = driver

    async def enter(self) -> None:
        """Open the task group that host calls run in."""
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()

    async def exit(self, *exception: Any) -> bool | None:  # noqa: ANN401 - what __aexit__ gets
        """Cancel the host calls that are left and wait for them."""
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()
        tasks, self._tasks = self._tasks, None
        return await tasks.__aexit__(*exception)

    @property
    def entered(self) -> bool:
        """Whether the sandbox is inside its `async with`."""
        return self._tasks is not None

    # --- Waiter ---

    def start(self, request: int, awaitable: Awaitable[Any]) -> Callable[[], object]:
        """See `Waiter`."""
        assert self._tasks is not None
        scope = anyio.CancelScope()
        driver = self.driver

        async def run() -> None:
            with scope:
                try:
                    value = await awaitable
                except Exception as error:  # noqa: BLE001 - the guest's program decides what to do about it
                    driver.complete(request, error)
                else:
                    driver.complete(request, value)

        self._tasks.start_soon(run)
        return scope.cancel

    def wake(self) -> None:
        """See `Waiter`; here always called on the loop's thread."""
        self._woken.set()
        self._woken = anyio.Event()

    # --- steps ---

    async def run(self, steps: Steps[_T]) -> _T:
        """Take every step of a run; its outcome is returned or raised. Cancelling the task stops the guest."""
        try:
            while True:
                woken = self._woken
                async with self._turn:
                    # The generator looks at what completed, so it may only move while no turn runs.
                    step = next(steps)
                    if isinstance(step, Turn):
                        await self._take_turn(step)
                        self.driver.start_requests()
                        self.wake()
                        continue
                with anyio.move_on_after(step.seconds):
                    await woken.wait()
        except StopIteration as end:
            value: _T = end.value
            return value
        finally:
            steps.close()

    async def _take_turn(self, step: Turn) -> None:
        gate, finished = threading.Lock(), threading.Event()

        def body() -> None:
            if not gate.acquire(blocking=False):
                return
            try:
                _threads.run_guest(step.run)
            finally:
                finished.set()

        self._in_turn = True
        try:
            await anyio.to_thread.run_sync(body, abandon_on_cancel=True, limiter=self._limiter)
        except anyio.get_cancelled_exc_class():
            # A turn that has begun must end before anything else touches the guest.
            if not gate.acquire(blocking=False):
                self.driver.interrupt(Interrupted())
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(finished.wait, limiter=self._limiter)
            raise
        finally:
            self._in_turn = False

    def around_host_call(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
        """Call a host function in the middle of a turn, on the worker thread."""
        return function()

    def check_idle(self) -> None:
        """Refuse to go on while a turn runs.

        Raises:
            SandboxBusy: A turn runs.
        """
        if self._in_turn:
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")
