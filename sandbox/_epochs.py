"""Deadlines by the clock: wasmtime compares an engine's epoch with a store's deadline wherever guest code could loop.

Somebody has to move the epoch. That is a daemon thread, the ticker, which runs while guests with a deadline run, and
sleeps otherwise. It takes part in no lock: a finalizer may run a guest at any moment, on any thread, this one included.
"""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from contextlib import suppress
from typing import Final

from sandbox import _wasmtime
from sandbox.errors import SandboxError

_TICK_SECONDS: Final = 0.005
# Where the ticker came late, because the machine was busy or Python was, it does not make up for it at once: the guest
# may have been as late, and shall find out at its next poll that its time is up.
_MAX_TICKS_AT_ONCE: Final = 4
_IDLE_TICKS: Final = 20
# How long the engine has, once the time is up, to notice it by itself and unwind softly.
GRACE_SECONDS: Final = 0.05
_NEVER: Final = 1 << 62


class Epochs:
    """The epoch of one engine. Any thread may use it."""

    engine_address: int
    idle_ticks: int

    __slots__ = ("__weakref__", "_engine", "_running", "_ticker", "engine_address", "idle_ticks")

    def __init__(self, engine_address: int, engine: object = None) -> None:
        """The epoch stands still until a guest enters.

        Args:
            engine_address: The wasmtime engine.
            engine: What frees it when it goes; kept, since the ticker outlives the image.
        """
        self.engine_address = engine_address
        self._engine = engine
        self.idle_ticks = 0
        self.forget()
        _all.add(self)

    def forget(self) -> None:
        """Begin anew in a forked child: it has no ticker, and none of its threads is in a guest."""
        self._running: dict[Deadline, None] = {}
        self._ticker: _Ticker | None = None

    def deadline(self, context: int) -> Deadline:
        """What ends the turns of a store's guest; see `Deadline`."""
        return Deadline(context, self)

    @staticmethod
    def lift(context: int) -> None:
        """Take the deadline from a store; a new one has one that is over."""
        _wasmtime.set_epoch_deadline(context, _NEVER)

    def is_running(self) -> bool:
        """Whether guests run that have a deadline."""
        return bool(self._running)

    def is_served_by(self, ticker: _Ticker) -> bool:
        """Whether a ticker is the one to move this epoch."""
        return self._ticker is ticker

    def enter(self, guest: Deadline) -> float | None:
        """A guest with a deadline is about to run.

        Returns:
            The time, on `time.monotonic()`, that the present epoch stands for; None: it has stood still, and moves from
            now on.

        Raises:
            SandboxError: There is no ticker, and the process can have no further thread.
        """
        self._running[guest] = None
        self.idle_ticks = 0
        ticker = self._ticker
        if ticker is None or ticker.ident == threading.get_ident():  # the latter: in a finalizer, on its thread
            ticker = self._start()
        reached = ticker.reached
        if reached is None:
            ticker.wake()
        return reached

    def leave(self, guest: Deadline) -> None:
        """A guest runs no more, or has called the host."""
        self._running.pop(guest, None)

    def _start(self) -> _Ticker:
        # Of two that are started at once, the one that is not kept finds out and ends.
        ticker = self._ticker = _Ticker(self)
        try:
            threading.Thread(target=ticker.run, name="sandbox-epochs", daemon=True).start()
        except RuntimeError as error:
            self._ticker = None
            raise SandboxError(f"no thread to watch the guest's time: {error}") from None
        return ticker


class _Ticker:
    """Moves an epoch, on a thread of its own.

    Attributes:
        ident: Of the thread; 0 before it runs.
        reached: The time that the epoch stands for; None while it sleeps. Only this thread writes it.
    """

    ident: int

    __slots__ = ("_bell", "_epochs", "ident", "reached")

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs
        self._bell = threading.Lock()
        self._bell.acquire()
        self.ident = 0
        self.reached: float | None = None

    def wake(self) -> None:
        """End its sleep, or the next one. Any thread, at any moment."""
        with suppress(RuntimeError):  # it was rung before
            self._bell.release()

    def run(self) -> None:
        """Tick until another ticker has taken its place."""
        epochs = self._epochs
        self.ident = threading.get_ident()
        reached = self.reached = time.monotonic()
        while True:
            time.sleep(_TICK_SECONDS)
            if not epochs.is_served_by(self):
                return
            late = int((time.monotonic() - reached) / _TICK_SECONDS)
            for _ in range(min(late, _MAX_TICKS_AT_ONCE)):
                _wasmtime.increment_epoch(epochs.engine_address)
                reached += _TICK_SECONDS
                self.reached = reached
            epochs.idle_ticks = 0 if epochs.is_running() else epochs.idle_ticks + 1
            if epochs.idle_ticks > _IDLE_TICKS:
                self._sleep()
                reached = self.reached = time.monotonic()

    def _sleep(self) -> None:
        self.reached = None  # first: whoever enters after the look at the guests sees it, and rings
        if not self._epochs.is_running():
            self._bell.acquire()


class Deadline:
    """When a guest's turn must be over, at the latest: time in the host is not counted as the guest's own.

    Used on the thread that runs the guest.
    """

    __slots__ = ("_context", "_epochs", "_left_seconds", "_resumed", "_wall")

    def __init__(self, context: int, epochs: Epochs) -> None:
        """No deadline yet.

        Args:
            context: Of the guest's store.
            epochs: Of the engine.
        """
        self._context = context
        self._epochs = epochs
        self._left_seconds = self._wall = math.inf
        self._resumed = 0.0

    def arm(self, cpu_seconds: float | None, wall: float) -> None:
        """Set what a turn may use.

        Args:
            cpu_seconds: Time in the guest; None: any.
            wall: The end of its time in all, on `time.monotonic()`; infinity: none.
        """
        self._left_seconds = math.inf if cpu_seconds is None else cpu_seconds
        self._wall = wall

    def resume(self) -> None:
        """The guest is about to run, or to go on.

        Raises:
            SandboxError: Nobody would watch its time; were it entered nevertheless, it would trap.
        """
        ticks = 0
        try:
            reached = None if self._left_seconds == self._wall == math.inf else self._epochs.enter(self)
            now = self._resumed = time.monotonic()  # not before `reached`
            # Where the host has used up the wall time, the grace is left, and it is given once.
            left = self._left_seconds = min(self._left_seconds, max(self._wall - now, 0.0))
            if left == math.inf:
                ticks = _NEVER
            elif left > -GRACE_SECONDS:
                ticks = math.ceil((left + GRACE_SECONDS + (now - reached if reached else 0.0)) / _TICK_SECONDS)
        finally:
            _wasmtime.set_epoch_deadline(self._context, ticks)

    def pause(self) -> None:
        """The guest has returned, or called the host."""
        self._epochs.leave(self)
        self._left_seconds -= time.monotonic() - self._resumed

    def expire(self) -> None:
        """Let the guest run no further: what is on the stack traps when it goes on."""
        self._left_seconds = -math.inf


def expire(context: int) -> None:
    """Let a store that is in guest code run no further."""
    _wasmtime.set_epoch_deadline(context, 0)


_all: Final[weakref.WeakSet[Epochs]] = weakref.WeakSet()


def _forget_tickers() -> None:
    """After a fork only the forking thread is left, which is in no guest: it forks in a function of the host."""
    for epochs in list(_all):
        epochs.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_tickers)
