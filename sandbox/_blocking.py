"""The blocking face's way of taking steps: turns on the calling thread, waits on a queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sandbox import _forks, _interrupts, _threads
from sandbox._driver import Driver, Steps, Turn
from sandbox._holds import LONGEST_WAIT_SECONDS
from sandbox.errors import SandboxBusy

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service

_WAITED_FOR: Final = "a host function that the guest waits for cannot wait for the guest"
# How often a main thread that waits for another thread's turn looks whether it was interrupted.
_SLICE_SECONDS: Final = 0.05


# The waits that the current code is the answer of; tasks and worker threads that it starts inherit it.
_served: ContextVar[tuple[object, ...]] = ContextVar("_served", default=())


class BlockingRunner:
    """Takes the steps of runs on the threads that ask for them, one turn at a time.

    While one run waits, others go on.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._turn_thread: int | None = None
        self._is_on_loop = False

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
        if hasattr(self, "_driver"):
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

    def run(
        self,
        steps_of: Callable[[Run], Steps[Any]],
        timeout: float | None = None,
        fuel: int | None = None,
        *,
        number: int | None = None,
        observes: bool = False,
    ) -> Any:  # noqa: ANN401 - any value
        """Begin a run, as `Driver.begin` does, and take all its steps; its outcome is returned or raised.

        Raises:
            SandboxBusy: Called in a host function of this sandbox, or another thread's turn does not end in time.
        """
        if self.is_nested():
            raise SandboxBusy("a host function cannot wait for the guest that called it")
        if (served := _served.get()) and self._driver.hold.wait in served:
            raise SandboxBusy(_WAITED_FOR)
        queue: SimpleQueue[None] = SimpleQueue()

        def wake() -> None:
            if queue.empty():
                queue.put(None)

        with _interrupts.Deferral(wake):
            driver = self._driver
            run = driver.begin(timeout, fuel, number=number, observes=observes)
            run.wake = wake
            steps = steps_of(run)
            try:
                while True:
                    self._take_turns(run, steps, queue)
            except StopIteration as end:
                return end.value
            finally:
                steps.close()
                driver.end(run)

    def run_nested(self, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command of a host function, on the stack of the turn that called it."""
        return _interrupts.call_closed(lambda: self._driver.nested(command))

    async def in_thread(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
        """Make a blocking call for a task of some event loop; cancelling the task does not wait for it."""
        from sandbox import _portal  # brings an event loop, which most programs do without

        return await _portal.in_thread(call)

    def _take_turns(self, run: Run, steps: Steps[Any], queue: SimpleQueue[None]) -> None:
        """Take steps up to and including the next wait.

        Raises:
            StopIteration: That was the last step.
        """
        self._lock(run)
        self._is_on_loop = _threads.is_loop_thread()
        try:
            while isinstance(step := next(steps), Turn):
                _threads.run_guest(partial(self._take, step), self._driver.interrupt)
                self._driver.attend()
                _interrupts.deliver()
        finally:
            self._driver.forget_interrupt()
            self._turn.release()
        if _threads.is_loop_thread():
            raise SandboxBusy(
                "an async host function cannot wait for the guest, for it runs on the loop that would have to answer; "
                "call what answers at once, or use AsyncSandbox"
            )
        with suppress(Empty):
            queue.get(timeout=min(step.seconds, LONGEST_WAIT_SECONDS))
        _interrupts.deliver()

    def _take(self, turn: Turn) -> None:
        self._turn_thread = threading.get_ident()
        try:
            turn.run()
        finally:
            self._turn_thread = None

    def _lock(self, run: Run) -> None:
        if self._turn.acquire(blocking=False):
            return
        while (left := run.deadline - time.monotonic()) > 0:
            if _threads.is_loop_thread() and self._driver.hold.wait is not None:
                raise SandboxBusy(_WAITED_FOR)
            if self._turn.acquire(timeout=min(left, _SLICE_SECONDS)):
                return
            _interrupts.deliver()
        raise SandboxBusy("another thread's turn did not end within this run's wall time")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off every run, to close the sandbox.

        Raises:
            SandboxBusy: A run is in progress.
        """
        if self.is_nested() or not self._turn.acquire(blocking=False):
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")
        try:
            if self._driver.runs:
                raise SandboxBusy("a sandbox cannot be closed while a run waits")
            yield
        finally:
            self._turn.release()
