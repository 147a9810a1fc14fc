"""The asynchronous face's way of taking steps: turns on a worker thread, waits on the event loop.

The loop is asyncio's or trio's, by way of anyio.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.abc
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from sandbox import _forks, _interrupts, _portal, _threads
from sandbox._awaitables import close
from sandbox._driver import Driver, Steps, Turn
from sandbox._pending import nothing
from sandbox._streams import StreamSteps
from sandbox.errors import SandboxBusy, SandboxClosed, UsageError

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service

_T = TypeVar("_T")

# The sandboxes whose turns the current code was called from; what a worker thread asks its loop to do inherits it.
_outer_turns: ContextVar[tuple[object, ...]] = ContextVar("_outer_turns", default=())


class Interrupted(BaseException):
    """Stops the guest of a cancelled task; never seen outside."""


class AsyncRunner:
    """Takes the steps of runs. Runs of several tasks take turns: while one waits, another's guest code may run.

    Used on one event loop only, inside `enter` and `exit`.
    """

    _turn: anyio.Lock
    _limiter: anyio.CapacityLimiter
    _loop: anyio.lowlevel.EventLoopToken

    def __init__(self) -> None:
        self._tasks: anyio.abc.TaskGroup | None = None
        self._is_in_turn = False
        self._turn_thread: int | None = None

    def attach(self, driver: Driver) -> None:
        """Say whose runs these are."""
        self._driver = driver
        _forks.watch(self)

    def after_fork(self) -> None:
        """See `_forks.Runner`. Runs and host calls are left as they are: no event loop survives a fork."""
        self._driver.after_fork(is_lost=self._is_in_turn and not self.is_nested())

    @property
    def entered(self) -> bool:
        """Whether the sandbox is inside its `async with`."""
        return self._tasks is not None

    async def enter(self) -> None:
        """Open the task group that host calls run in."""
        _interrupts.at_checkpoints_only(*_KEEPS_BOOKS)
        _interrupts.as_usual_in(*_IS_THE_EMBEDDERS)
        self._turn = anyio.Lock(fast_acquire=True)
        self._limiter = no_limit()
        self._loop = anyio.lowlevel.current_token()
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks

    async def exit(self) -> None:
        """End all runs, free the guest, cancel the host calls that are left and wait for them."""
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        try:
            with anyio.CancelScope(shield=True):
                self._driver.fail_all(SandboxClosed())
                if self._is_in_turn:
                    self._driver.interrupt(SandboxClosed())
                async with self._turn:
                    self._driver.close()
        finally:
            tasks.cancel_scope.cancel()
            # The body's own exception is not handed in: the group would wrap it.
            try:
                await tasks.__aexit__(None, None, None)
            except BaseExceptionGroup as group:
                # Host calls raise nothing here. Under trio, Ctrl-C may come in the library's own part of a task.
                interrupts, others = group.split(KeyboardInterrupt)
                raise group if interrupts is None or others is not None else KeyboardInterrupt from None

    def spawn(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
        """Run a task that ends with the `async with` block at the latest.

        Raises:
            UsageError: The sandbox was not entered.
        """
        if self._tasks is None:
            raise UsageError("an AsyncSandbox is used inside `async with`")
        self._tasks.start_soon(function, *arguments)

    def soon(self, function: Callable[[], object]) -> None:
        """Have something called on the loop; any thread, at any moment."""
        soon(self._loop, function)

    def check_idle(self) -> None:
        """Refuse to go on while there are runs.

        Raises:
            SandboxBusy: There are.
        """
        if self._driver.runs:
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")

    # --- what the driver asks for ---

    def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """See `Waiter`."""
        if self._tasks is None:  # the block ended during the turn that asked
            close(awaitable)
            return nothing
        scope = anyio.CancelScope()
        self._tasks.start_soon(_answer, scope, awaitable, done)
        return scope.cancel

    def serve(self, service: Service) -> None:
        """See `Waiter`."""
        if self._tasks is not None:
            self._tasks.start_soon(_serve, service)

    def call(self, function: Callable[[], object]) -> None:
        """See `Waiter`."""
        function()

    def start_in_turn(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """See `Runner`. The loop is free while a turn runs, so it does what it is asked."""
        cancel = anyio.from_thread.run_sync(self.start, awaitable, done, token=self._loop)
        return lambda: anyio.from_thread.run_sync(cancel, token=self._loop)

    @staticmethod
    def call_host(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - any value
        """Call a host function in the middle of a turn, on the worker thread."""
        return function(*arguments)

    @staticmethod
    def on_poll() -> None:
        """Nothing to do: cancellation comes from the loop's thread."""

    # --- runs ---

    def is_nested(self) -> bool:
        """Whether the calling thread is inside a host function that this sandbox's guest called."""
        return self._turn_thread == threading.get_ident()

    def run_nested(self, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command of a host function, on the stack of the turn that called it."""
        return self._driver.nested(command)

    async def run(
        self,
        steps_of: Callable[[Run], Steps[Any]],
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
        *,
        number: int | None = None,
        observes: bool = False,
        on_turn: Callable[[], object] | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Begin a run, as `Driver.begin` does, and take all its steps; its outcome is returned or raised.

        Cancelling the task stops the guest.

        Args:
            steps_of: Makes the steps.
            timeout: The run's wall time, if less than the limit.
            fuel: In place of the limit.
            number: See `Driver.begin`.
            observes: See there.
            on_turn: Called after each turn.

        Raises:
            UsageError: The sandbox was not entered.
            SandboxBusy: A host function of this sandbox, in the middle of a turn, had the loop call this.
        """
        if self._tasks is None:
            raise UsageError("an AsyncSandbox is used inside `async with`")
        if self in _outer_turns.get():
            raise SandboxBusy("a host function that the guest waits for cannot wait for the guest")
        driver = self._driver
        woken, races = anyio.Event(), _interrupts.errors_of_a_race()
        run = driver.begin(timeout, fuel, number=number, observes=observes)

        def wake() -> None:
            with suppress(*races):
                woken.set()

        run.wake = wake
        steps = steps_of(run)
        try:
            while True:
                if woken.is_set():
                    woken = anyio.Event()
                async with self._turn:
                    # The generator looks at what completed, so it may only move while no turn runs.
                    step = next(steps)
                    if isinstance(step, Turn):
                        await self._take_turn(step)
                        driver.attend()
                        if on_turn is not None:
                            on_turn()
                        continue
                with anyio.move_on_after(step.seconds):
                    await woken.wait()
        except StopIteration as end:
            return end.value
        finally:
            steps.close()
            driver.end(run)

    async def seconds_to_leftovers(self) -> float:
        """See `Driver`. A cancel point."""
        async with self._turn:
            return self._driver.seconds_to_leftovers()

    async def _take_turn(self, step: Turn) -> None:
        self._is_in_turn = True
        try:
            await run_in_worker(
                lambda: _threads.run_guest(self._take, self._driver.interrupt, step),
                lambda: self._driver.interrupt(Interrupted()),
                self._limiter,
            )
        finally:
            self._driver.turns.forget_interrupt()
            self._is_in_turn = False

    def _take(self, step: Turn) -> None:
        self._turn_thread = threading.get_ident()
        token = _outer_turns.set((*_outer_turns.get(), self))
        process = os.getpid()
        try:
            step()
        finally:
            _threads.leave_fork_of(process)
            _outer_turns.reset(token)
            self._turn_thread = None


async def _answer(scope: anyio.CancelScope, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> None:
    with scope:
        await _portal.answer(awaitable, done)


async def _serve(service: Service) -> None:
    try:
        await service.serve()
    except BaseException as error:
        # Ctrl-C, which trio raises in iterators too, ends the block when it is nobody's answer.
        if _portal.is_cancellation(error) or isinstance(error, KeyboardInterrupt):
            raise


def soon(token: anyio.lowlevel.EventLoopToken, function: Callable[[], object]) -> bool:
    """Have something called on a loop; whether it will be: not if that has ended. Any thread, at any moment."""
    loop: Any = token.native_token
    try:
        (loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon)(function)
    except RuntimeError:  # it has ended
        return False
    return True


def no_limit() -> anyio.CapacityLimiter:
    """For threads of guests: they are what the machine is for, and do not compete for those of anyio's own limiter."""
    return anyio.CapacityLimiter(math.inf)


async def run_in_worker(function: Callable[[], _T], stop: Callable[[], object], limiter: anyio.CapacityLimiter) -> _T:
    """Call a function on a worker thread. When the task is cancelled the function is stopped, and waited for.

    Args:
        function: What to call.
        stop: Makes it return soon; called on the loop's thread.
        limiter: See `no_limit`; of the current event loop.
    """
    begun, finished = threading.Lock(), threading.Event()

    def body() -> _T:
        if not begun.acquire(blocking=False):
            raise Interrupted
        try:
            return function()
        finally:
            finished.set()

    try:
        return await anyio.to_thread.run_sync(body, abandon_on_cancel=True, limiter=limiter)
    except BaseException as error:  # cancellation, and under trio Ctrl-C
        if not begun.acquire(blocking=False) and not finished.is_set():
            stop()
            if not isinstance(error, GeneratorExit):  # the loop is gone, and nothing can be waited for
                await _wait_for(finished, limiter)
        raise


async def _wait_for(finished: threading.Event, limiter: anyio.CapacityLimiter) -> None:
    """Wait, whatever cancels the task once more; asyncio's own cancellation knows no shields."""
    with anyio.CancelScope(shield=True):
        while not finished.is_set():
            with suppress(anyio.get_cancelled_exc_class()):
                await anyio.to_thread.run_sync(finished.wait, limiter=limiter)


# Between two of their statements what they write down may not be true.
_KEEPS_BOOKS: Final = (
    AsyncRunner.enter,
    AsyncRunner.exit,
    AsyncRunner.run,
    AsyncRunner.start,
    run_in_worker,
    _answer,
    _serve,
    *StreamSteps.KEEPS_BOOKS,
)
_IS_THE_EMBEDDERS: Final = (_portal.outcome, StreamSteps.take)
