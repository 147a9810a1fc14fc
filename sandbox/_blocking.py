"""The blocking face's way of taking steps: turns on the calling thread, waits on a condition."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sandbox import _interrupts, _portal, _threads
from sandbox._driver import Command, Driver, Run, Steps, Turn
from sandbox.errors import SandboxBusy

_T = TypeVar("_T")
# threading.Condition.wait() takes no longer timeouts than this on every platform.
_LONGEST_WAIT_SECONDS: Final = 3600.0


class BlockingRunner:
    """Takes the steps of runs, one run at a time. Other threads wait for their turn; see `Waiter`."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._owner: int | None = None
        self._woken = threading.Condition()
        self._wake_count = 0

    # --- Waiter ---

    def start(self, request: int, awaitable: Awaitable[Any]) -> Callable[[], object]:
        """See `Waiter`."""
        driver = self.driver
        return _portal.start(awaitable, lambda value: driver.complete(request, value))

    def wake(self) -> None:
        """See `Waiter`."""
        with self._woken:
            self._wake_count += 1
            self._woken.notify_all()

    # --- steps ---

    def attach(self, driver: Driver) -> None:
        """Say whose runs these are."""
        self.driver = driver

    def run(self, run: Run, steps: Steps[_T]) -> _T:
        """Take every step of a run; its outcome is returned or raised.

        Raises:
            SandboxBusy: Another thread's run does not end in time.
        """
        with self._exclusive(run):
            seen = self._wake_count
            try:
                while True:
                    step = next(steps)
                    if isinstance(step, Turn):
                        self._take_turn(step)
                        seen = self._wake_count
                        self.driver.start_requests()
                    else:
                        self._wait(step.seconds, seen)
            except StopIteration as end:
                value: _T = end.value
                return value
            finally:
                steps.close()
                self.driver.end(run)

    def run_nested(self, run: Run, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command of a host function, on the stack of the turn that called it."""
        driver = self.driver
        with _interrupts.guest_runs(lambda: driver.interrupt(KeyboardInterrupt())):
            return driver.nested(run, command)

    def is_nested(self) -> bool:
        """Whether the calling thread is inside a host function that this sandbox's guest called."""
        return self._owner == threading.get_ident()

    def around_host_call(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
        """Call a host function in the middle of a turn; the thread it is on may call back into the guest."""
        before, self._owner = self._owner, threading.get_ident()
        try:
            return _interrupts.in_host_function(function)
        finally:
            self._owner = before

    def _take_turn(self, step: Turn) -> None:
        driver = self.driver
        with _interrupts.guest_runs(lambda: driver.interrupt(KeyboardInterrupt())):
            _threads.run_guest(step.run)

    def _wait(self, seconds: float, seen: int) -> None:
        with self._woken:
            self._woken.wait_for(lambda: self._wake_count != seen, min(seconds, _LONGEST_WAIT_SECONDS))

    @contextmanager
    def _exclusive(self, run: Run) -> Iterator[None]:
        if self.is_nested():
            self.driver.end(run)
            raise SandboxBusy("a host function cannot start a run that may wait; call a guest function instead")
        seconds = min(max(run.deadline - time.monotonic(), 0.0), threading.TIMEOUT_MAX)
        if not self._turn.acquire(timeout=seconds):
            self.driver.end(run)
            raise SandboxBusy("another thread's run did not end within this run's wall time")
        try:
            self._owner = None
            yield
        finally:
            self._turn.release()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off every run, to close the sandbox.

        Raises:
            SandboxBusy: A run is in progress.
        """
        if not self._turn.acquire(blocking=False):
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")
        try:
            yield
        finally:
            self._turn.release()
