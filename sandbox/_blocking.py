"""The blocking face's way of taking steps: turns on the calling thread, waits on a queue."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sandbox import _forks, _interrupts, _threads
from sandbox._driver import Driver, Steps, Turn
from sandbox._holds import LONGEST_WAIT_SECONDS
from sandbox.errors import SandboxBusy, SandboxClosed

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service

_T = TypeVar("_T")

_WAITED_FOR: Final = "a host function that the guest waits for cannot wait for the guest"

# How often a main thread that waits for another thread's turn looks whether it was interrupted.
_SLICE_SECONDS: Final = 0.05


# The waits that the current code is the answer of; tasks and worker threads that it starts inherit it.
_served: ContextVar[tuple[object, ...]] = ContextVar("_served", default=())


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Close it; idempotent."""


class OpenRun:
    """A run whose steps are taken bit by bit, by any thread, one at a time; it must be closed.

    Attributes:
        is_over: Whether it has ended with a value.
        value: That value.
    """

    def __init__(self, runner: BlockingRunner, driver: Driver, steps_of: Callable[[Run], Steps[Any]], run: Run) -> None:
        self.is_over = False
        self.value: Any = None
        self._queue: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._runner = runner
        self._driver = driver
        self._run = run
        self._run.wake = self.wake
        self._steps = steps_of(self._run)

    def wake(self) -> None:
        """Have a thread that waits in `advance` look again; any thread."""
        if self._queue.empty():
            self._queue.put(None)

    def advance(self, is_so: Callable[[], object] | None) -> None:
        """Take steps until something is so; None: until something would have to be waited for. Or until it is over.

        Raises:
            SandboxClosed: The sandbox was closed meanwhile.
            BaseException: The outcome of the run.
        """
        with self._lock:
            if self._is_closed:
                raise SandboxClosed
            self._advance(is_so)

    def _advance(self, is_so: Callable[[], object] | None) -> None:
        with _interrupts.Deferral(self.wake):
            self._run.thread = threading.get_ident()
            try:
                may_wait = is_so is not None
                while self._runner.take_turns(self._run, self._steps, self._queue, is_so, may_wait=may_wait):
                    pass
            except StopIteration as end:
                self.is_over, self.value = True, end.value

    def close(self) -> None:
        """End it; idempotent. Nothing happens while a thread goes on with it."""
        if self._lock.acquire(blocking=False):
            try:
                self._is_closed = True
                self._steps.close()
                self._driver.end(self._run)
            finally:
                self._lock.release()


class BlockingRunner:
    """Takes the steps of runs on the threads that ask for them, one turn at a time.

    While one run waits, others go on.

    Attributes:
        abandoned: What holds open runs that nobody goes on with; closed before the next run begins.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._turn_thread: int | None = None
        self._is_on_loop = False
        self.abandoned: deque[Closable] = deque()
        self._open: list[weakref.ref[OpenRun]] = []

    def attach(self, driver: Driver) -> None:
        """Say whose runs these are."""
        self._driver = driver
        _forks.watch(self)

    def after_fork(self) -> None:
        """See `_forks.Runner`."""
        is_mine = self.is_nested()
        self._driver.after_fork(is_lost=self._turn.locked() and not is_mine)
        if not is_mine:
            self._turn, self._turn_thread = threading.Lock(), None
        self._driver.end_lost_runs()

    def __del__(self) -> None:
        # A sandbox that nobody has any more, and nobody closed: what works for it would go on for ever.
        if hasattr(self, "_driver") and not self._driver.is_abandoned:
            self._driver.abandon()

    # --- what the driver asks for ---

    def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """See `Waiter`."""
        from sandbox import _portal  # brings an event loop, which most programs do without

        return _portal.start(awaitable, done)

    def serve(self, service: Service) -> None:
        """See `Waiter`."""
        from sandbox import _portal

        _portal.serve(service)

    def call(self, function: Callable[[], object]) -> None:
        """See `Waiter`."""
        from sandbox import _portal

        _portal.call(function)

    def start_in_turn(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """See `Runner`. What runs for the awaitable remembers which wait it serves."""
        if self._is_on_loop:
            raise SandboxBusy("on the loop of asynchronous host functions a guest cannot wait for another one of them")
        token = _served.set((*_served.get(), self._driver.hold.wait))
        try:
            return self.start(awaitable, done)
        finally:
            _served.reset(token)

    # Ctrl-C interrupts host functions at once, and a guest that computes when it polls.
    call_host = staticmethod(_interrupts.call_open)
    on_poll = staticmethod(_interrupts.deliver)

    # --- runs ---

    def is_nested(self) -> bool:
        """Whether the calling thread is inside a host function that this sandbox's guest called."""
        return self._turn_thread == threading.get_ident()

    def perform(self, command: Command, timeout: float | None = None, fuel: int | None = None) -> Any:  # noqa: ANN401 - any value
        """Have a command done: in a host function of this sandbox at once, else as a run; its outcome is given."""
        if self._turn_thread == threading.get_ident():
            return self.run_nested(command)
        return self.run(self._driver.go_on, timeout, fuel, command=command)

    def run(
        self,
        steps_of: Callable[[Run], Steps[Any]],
        timeout: float | None = None,
        fuel: int | None = None,
        *,
        number: int | None = None,
        observes: bool = False,
        command: Command | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Begin a run, as `Driver.begin` does, and take all its steps; its outcome is returned or raised.

        Args:
            steps_of: Makes the steps.
            timeout: See `Driver.begin`.
            fuel: Likewise.
            number: Likewise.
            observes: Likewise.
            command: What it begins with, in a turn before the steps; where that gives its value, they are not taken.

        Raises:
            SandboxBusy: Called in a host function of this sandbox, or another thread's turn does not end in time.
        """
        if self._turn_thread is not None or self.abandoned or _served.get():  # which is seldom
            self._check_may_run()
        queue: SimpleQueue[None] = SimpleQueue()

        def wake() -> None:
            if queue.empty():
                queue.put(None)

        with _interrupts.Deferral(wake):
            driver = self._driver
            run = driver.begin(timeout, fuel, number=number, observes=observes)
            run.wake = wake
            steps = steps_of(run)
            first = None if command is None else Turn(driver.take, run, command)
            try:
                while self.take_turns(run, steps, queue, first=first):
                    first = None
            except StopIteration as end:
                return end.value
            else:
                return run.value
            finally:
                steps.close()
                driver.end(run)

    def open(self, steps_of: Callable[[Run], Steps[Any]], timeout: float | None, fuel: int | None) -> OpenRun:
        """Begin a run whose steps the caller takes.

        Raises:
            SandboxBusy: As `run`.
        """
        self._check_may_run()
        run = OpenRun(self, self._driver, steps_of, self._driver.begin(timeout, fuel))
        self._open.append(weakref.ref(run, self._open.remove))
        return run

    def _check_may_run(self) -> None:
        if self.is_nested():
            raise SandboxBusy("a host function cannot wait for the guest that called it")
        if (served := _served.get()) and self._driver.hold.wait in served:
            raise SandboxBusy(_WAITED_FOR)
        while self.abandoned:
            with suppress(IndexError):  # another thread was quicker
                self.abandoned.popleft().close()

    def run_nested(self, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command of a host function, on the stack of the turn that called it."""
        return _interrupts.call_closed(lambda: self._driver.nested(command))

    async def in_thread(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
        """Make a blocking call for a task of some event loop; cancelling the task does not wait for it."""
        from sandbox import _portal  # brings an event loop, which most programs do without

        return await _portal.in_thread(call)

    def take_turns(
        self,
        run: Run,
        steps: Steps[Any],
        queue: SimpleQueue[None],
        is_so: Callable[[], object] | None = None,
        *,
        may_wait: bool = True,
        first: Turn | None = None,
    ) -> bool:
        """Take steps up to and including the next wait, or until something is so.

        Args:
            run: Whose steps they are.
            steps: The steps.
            queue: Where whoever ends a wait says so.
            is_so: Whether it is so; None: it will not be.
            may_wait: Whether to wait; else the next wait is where this ends.
            first: A turn before the steps, with which there is no more to do if it gives the run its value.

        Returns:
            Whether there is more to do.

        Raises:
            StopIteration: That was the last step.
        """
        if not self._turn.acquire(blocking=False):
            self._wait_for_turn(run)
        self._is_on_loop = _threads.is_loop_thread()
        driver = self._driver
        try:
            step = first or next(steps)
            while isinstance(step, Turn):
                _threads.run_guest(self._take, driver.interrupt, step)
                driver.attend()
                _interrupts.deliver()
                if (is_so is not None and is_so()) or (step is first and run.done and run.error is None):
                    return False
                step = next(steps)
        finally:
            driver.turns.forget_interrupt()
            self._turn.release()
        if _threads.is_loop_thread():
            raise SandboxBusy(
                "an async host function cannot wait for the guest, for it runs on the loop that would have to answer; "
                "call what answers at once, or use AsyncSandbox"
            )
        if not may_wait:
            return False
        with suppress(Empty):
            queue.get(timeout=min(step.seconds, LONGEST_WAIT_SECONDS))
        _interrupts.deliver()
        return is_so is None or not is_so()

    def _take(self, turn: Turn) -> None:
        self._turn_thread = threading.get_ident()
        try:
            turn()
        finally:
            self._turn_thread = None

    def _wait_for_turn(self, run: Run) -> None:
        while (left := run.deadline - time.monotonic()) > 0:
            if _threads.is_loop_thread() and self._driver.hold.wait is not None:
                raise SandboxBusy(_WAITED_FOR)
            if self._turn.acquire(timeout=min(left, _SLICE_SECONDS)):
                return
            _interrupts.deliver()
        raise SandboxBusy("another thread's turn did not end within this run's wall time")

    def alone(self, function: Callable[[], _T]) -> _T:
        """Call something while every run is held off: what closes the sandbox.

        Raises:
            SandboxBusy: A run is in progress.
        """
        if self.is_nested() or not self._turn.acquire(blocking=False):
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")
        try:
            for known in self._open.copy():
                if (run := known()) is not None:
                    run.close()
            if self._driver.runs:
                raise SandboxBusy("a sandbox cannot be closed while a run waits")
            return function()
        finally:
            self._turn.release()
