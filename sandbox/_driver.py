"""Runs: what the embedder asked for, from its first turn until its promise settles, under its limits.

`Driver` decides what happens next and keeps the books; it waits for nothing itself. `drive` is a generator of steps, and
the faces take them: a `Turn` is run where guests run, a `Wait` is waited for. So the blocking and the asynchronous face
share all logic and differ only in how they wait.
"""

from __future__ import annotations

import heapq
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Protocol, TypeVar

from sandbox import _abi
from sandbox._abi import Mode, Reason
from sandbox._clock import Clock, VirtualClock
from sandbox._guest import (
    Cancelled,
    Crashed,
    Event,
    Failed,
    Finished,
    Guest,
    Released,
    Requested,
    Settings,
    State,
    Stopped,
    Uncaught,
)
from sandbox._operations import Operations
from sandbox.capabilities.base import Due
from sandbox.capabilities.console import Console
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    JSError,
    SandboxBusy,
    SandboxError,
    SandboxPoisoned,
    Stalled,
    WallLimitExceeded,
)
from sandbox.limits import Limits, Usage
from sandbox.values import FunctionOwner, JSFunction

# Fuel burns at 0.6 to 1.1e10 units a second, depending on the code. Twice the fastest never fires before the CPU limit
# does, and ends native loops that never poll.
_FUEL_PER_SECOND: Final = 22_000_000_000
_UNLIMITED_FUEL: Final = 1 << 62
_POLL_INTERVAL_NS: Final = 20_000_000
_MAX_SOURCES: Final = 64

_R = TypeVar("_R")
Command = Callable[[], list[Event]]


class Run:
    """One request of the embedder and its budgets.

    Attributes:
        id: Its number in the guest.
        deadline: When it must have ended, on `time.monotonic()`; infinity: never.
        done: Whether `value` or `error` is its outcome.
    """

    __slots__ = ("cpu_seconds", "deadline", "done", "error", "fuel", "id", "idle", "output_bytes", "started", "value", "wall_seconds")

    def __init__(self, number: int, limits: Limits, timeout: float | None, fuel: int | None) -> None:
        self.id = number
        self.cpu_seconds = math.inf if limits.cpu_seconds is None else limits.cpu_seconds
        self.wall_seconds = math.inf if limits.wall_seconds is None else limits.wall_seconds
        if timeout is not None:
            self.wall_seconds = min(self.wall_seconds, timeout)
        self.started = time.monotonic()
        self.deadline = self.started + self.wall_seconds
        self.fuel = limits.fuel if fuel is None else fuel
        self.output_bytes = 0
        self.idle = False
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    def finish(self, value: object) -> None:
        self.done, self.value = True, value

    def fail(self, error: BaseException) -> None:
        self.done, self.error = True, error

    def outcome(self) -> Any:  # noqa: ANN401 - any value
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(slots=True)
class Pending:
    """A request of the guest that waits for its answer."""

    op: int
    run: Run
    cancel: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A step: run this where guests run."""

    run: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wait:
    """A step: wait until `Driver.on_wake` is called, at most this long; infinity: without end."""

    seconds: float


Steps = Generator[Turn | Wait, None, _R]


class Waiter(Protocol):
    """What a face does for the driver."""

    def start(self, request: int, awaitable: Awaitable[Any]) -> Callable[[], object]:
        """Run an awaitable and give its outcome to `Driver.complete`; returns what cancels it."""

    def wake(self) -> None:
        """End a `Wait`; called from any thread."""


class Driver:
    """Drives one guest. The faces see to it that one turn runs at a time.

    Attributes:
        operations: The op table.
        guest: The guest.
        clock: Its clock.
    """

    def __init__(
        self,
        limits: Limits,
        operations: Operations,
        console: Console,
        clock: Clock,
        waiter: Waiter,
        function_owner: FunctionOwner,
        *,
        seed: int | None,
        on_poll: Callable[[], None],
        around_host_call: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self.limits = limits
        self.operations = operations
        self.clock = clock
        self._console = console
        self._waiter = waiter
        self._function_owner = function_owner
        self._on_poll = on_poll
        self._around_host_call = around_host_call
        self._runs: dict[int, Run] = {}
        self._pending: dict[int, Pending] = {}
        self._completed: deque[tuple[int, Any]] = deque()
        self._unstarted: list[tuple[int, Awaitable[Any]]] = []
        self._wakes: list[tuple[float, int, Any]] = []
        self._released: deque[int] = deque()
        self._sources: dict[str, str] = {}
        self._next_run = 1
        self._current: Run | None = None
        self._stop: BaseException | None = None
        self._cpu_seconds = self._wall_seconds = 0.0
        self._fuel = self._host_calls = self._turns = 0
        settings = Settings(
            random_seed=_seed64(seed),
            time_origin_ms=clock.origin_ms,
            clock=clock.kind,
            poll_interval_ns=_POLL_INTERVAL_NS,
        )
        self.guest = Guest(limits, settings, self, on_sync=self._answer, on_events=self._handle, on_poll=self._poll)

    # --- what the codec asks ---

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        """See `EncodeOwner`."""
        return self.operations.bind(function)

    def keep_exception(self, error: BaseException, /) -> int:
        """See `EncodeOwner`."""
        return self.operations.keep_exception(error)

    def exception(self, number: int, /) -> BaseException | None:
        """See `DecodeOwner`."""
        return self.operations.exception(number)

    def handle_of(self, function: JSFunction, /) -> int:
        """See `EncodeOwner`."""
        if function.owner is not self._function_owner:
            raise ConversionError("$", "a function of another sandbox")
        if function.released:
            raise ConversionError("$", "a function that was released")
        return function.handle

    def function(self, handle: int, name: str, /) -> JSFunction:
        """See `DecodeOwner`."""
        return JSFunction(self._function_owner, handle, name)

    def release(self, handle: int) -> None:
        """Write down a handle that the host no longer holds; any thread."""
        self._released.append(handle)

    # --- commands ---

    def new_run(self, timeout: float | None, fuel: int | None) -> Run:
        """Begin a run; its budgets count from now."""
        run = Run(self._next_run, self.limits, timeout, fuel)
        self._next_run += 1
        self._runs[run.id] = run
        return run

    def eval(self, run: Run, code: str, filename: str | None) -> Steps[Any]:
        """Evaluate a script and wait for its value."""
        name = filename if filename is not None else f"<eval {run.id}>"
        self._sources.pop(name, None)
        self._sources[name] = code
        if len(self._sources) > _MAX_SOURCES:
            del self._sources[next(iter(self._sources))]
        return self.drive(run, lambda: self.guest.eval(run.id, code, name))

    def call(self, run: Run, target: int | str, this: object, arguments: Sequence[object]) -> Steps[Any]:
        """Call a function and wait for its value."""
        return self.drive(run, lambda: self.guest.call(run.id, target, this, arguments))

    def access(self, run: Run, verb: _abi.Verb, key: str, value: object = None) -> Steps[Any]:
        """Use a property of globalThis."""
        return self.drive(run, lambda: self.guest.access(run.id, verb, 0, key, value))

    def run_until_idle(self, run: Run) -> Steps[None]:
        """Go on until no timer and no host call is pending."""
        run.idle = True
        return self.drive(run, None)

    def tick(self, run: Run, milliseconds: float) -> Steps[None]:
        """Move the virtual clock, running what comes due on the way in order."""
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError('tick() needs a sandbox with clock="virtual"')
        target = clock.now_ms() + milliseconds
        while self._wakes and self._wakes[0][0] <= target or self._completed:
            if not self._completed:
                clock.move_to(self._wakes[0][0])
            self._collect_due()
            while self._completed:
                yield self._settle(run)
                if run.done:
                    break
            if run.done:
                break
        else:
            clock.move_to(target)
        self.end(run)
        if run.error is not None:
            raise run.error

    def drive(self, run: Run, command: Command | None) -> Steps[Any]:
        """The steps of a run, from its first turn to its outcome.

        Raises:
            BaseException: What ended the run: an error of the guest, a limit, or what a host function raised that is no
                `Exception`.
        """
        try:
            if command is not None:
                yield Turn(lambda: self._turn(run, command))
            while not run.done:
                self._collect_due()
                if self._completed:
                    yield self._settle(run)
                elif not self._pending:
                    self._settle_idle(run)
                elif not self._skip_time():
                    seconds = self._seconds_to_wait(run)
                    if seconds <= 0:
                        run.fail(WallLimitExceeded(run.wall_seconds, time.monotonic() - run.started))
                    else:
                        yield Wait(seconds)
        finally:
            self.end(run)
        return run.outcome()

    def _settle_idle(self, run: Run) -> None:
        if run.idle:
            run.finish(None)
        elif run.id in self._runs and len([other for other in self._runs.values() if not other.idle]) > 0:
            run.fail(Stalled())

    def end(self, run: Run) -> None:
        """Forget a run: its host calls go on, but the guest no longer reports to it."""
        if self._runs.pop(run.id, None) is None:
            return
        if not run.done or run.error is not None:
            self.guest.abandon(run.id)
        self._wall_seconds += time.monotonic() - run.started
        if run.error is not None and not isinstance(run.error, JSError):
            self._cancel_requests_of(run)

    def _cancel_requests_of(self, run: Run) -> None:
        for request, pending in list(self._pending.items()):
            if pending.run is run and pending.cancel is not None:
                self._complete_with(request, WallLimitExceeded(run.wall_seconds))
                pending.cancel()

    # --- turns ---

    def nested(self, run: Run, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command from inside a host function: it runs at once, on the stack of the turn that called the host."""
        try:
            self._handle(command())
            if not run.done:
                raise SandboxBusy("the guest's answer is a promise, which cannot settle before the host function returns")
            return run.outcome()
        finally:
            self._runs.pop(run.id, None)

    def _turn(self, run: Run, command: Command) -> None:
        if self._released:
            self._flush_released()
        guest = self.guest
        now = time.monotonic()
        if now >= run.deadline:
            run.fail(WallLimitExceeded(run.wall_seconds, now - run.started))
            return
        cpu_seconds = min(run.cpu_seconds, run.deadline - now)
        fuel = _backstop(cpu_seconds) if run.fuel is None else run.fuel
        if guest.state is State.READY:
            guest.arm(None if cpu_seconds == math.inf else cpu_seconds, fuel)
        self._console.begin_turn(run)
        before, self._current = self._current, run
        self._turns += 1
        try:
            self._handle(command())
        finally:
            self._current = before
            self._account(run, fuel)

    def _account(self, run: Run, fuel: int) -> None:
        if self.guest.state is State.CLOSED:
            return
        used = self.guest.cpu_seconds()
        burnt = fuel - self.guest.instance.fuel()
        self._cpu_seconds += used
        self._fuel += burnt
        run.cpu_seconds = max(run.cpu_seconds - used, 1e-9)
        if run.fuel is not None:
            run.fuel = max(run.fuel - burnt, 1)

    def _flush_released(self) -> None:
        handles = []
        while self._released:
            handles.append(self._released.popleft())
        if self.guest.state is State.READY:
            self.guest.arm(1.0, _backstop(1.0))
            self._handle(self.guest.release(handles))

    def _handle(self, events: Iterable[Event]) -> None:
        current = self._current
        for event in events:
            match event:
                case Finished(number, value):
                    if run := self._runs.get(number):
                        run.finish(value)
                case Failed(number, error):
                    if run := self._runs.get(number):
                        run.fail(self._with_sources(error))
                case Requested(number, op, arguments):
                    self._request(number, op, arguments)
                case Uncaught(error):
                    if current is not None and not current.error:
                        current.fail(self._with_sources(error))
                case Cancelled(number):
                    self._forget(number)
                case Released(op):
                    self.operations.release(op)
                case Stopped(reason):
                    if current is not None:
                        current.fail(self._stop_error(current, reason))
                case Crashed(out_of_fuel, error):
                    self._fail_all(self._fuel_error(current, error) if out_of_fuel else error)

    def _with_sources(self, error: SandboxError) -> SandboxError:
        if isinstance(error, JSError):
            error.sources = dict(self._sources)
        return error

    def _stop_error(self, run: Run, reason: Reason) -> BaseException:
        stop, self._stop = self._stop, None
        if stop is not None:
            return stop
        now = time.monotonic()
        if now >= run.deadline:
            return WallLimitExceeded(run.wall_seconds, now - run.started)
        if reason is Reason.CPU:
            return CpuLimitExceeded(self.limits.cpu_seconds or 0.0, self.guest.cpu_seconds())
        return SandboxBusy("the run was interrupted")

    def _fuel_error(self, run: Run | None, error: SandboxError) -> SandboxError:
        if run is None:
            return error
        if run.fuel is not None:
            return FuelLimitExceeded(self.limits.fuel or run.fuel)
        return CpuLimitExceeded(self.limits.cpu_seconds or 0.0, self.guest.cpu_seconds())

    def _fail_all(self, error: SandboxError) -> None:
        for run in self._runs.values():
            run.fail(error if run is self._current or self._current is None else SandboxPoisoned())
        for request in list(self._pending):
            self._forget(request)

    # --- requests of the guest ---

    def _answer(self, op: int, arguments: list[Any]) -> Any:  # noqa: ANN401 - any value
        operation = self.operations.get(op)
        if operation is None or operation.mode is not Mode.CALL:
            raise LookupError("no such host function")
        self._host_calls += 1
        answer = self._around_host_call(lambda: operation.handler(*arguments))
        self._check_deadline()
        return answer

    def _poll(self) -> None:
        self._on_poll()
        self._check_deadline()

    def _check_deadline(self) -> None:
        """A host function may have taken the time of the run; unwind the guest then."""
        if self._stop is not None:
            self.guest.interrupt()
        elif self._current is not None and time.monotonic() >= self._current.deadline:
            self.guest.interrupt()

    def interrupt(self, cause: BaseException) -> None:
        """Stop the running turn; its run then fails with `cause`. Any thread."""
        self._stop = cause
        self.guest.interrupt()

    def _request(self, number: int, op: int, arguments: list[Any]) -> None:
        operation = self.operations.get(op)
        if number == 0:
            if operation is not None:
                operation.handler(*arguments)
            return
        assert self._current is not None
        if len(self._pending) >= self.limits.pending_requests:
            self._pending[number] = Pending(op, self._current)
            self._complete_with(number, ValueError("too many host calls and timers are pending"))
            return
        self._pending[number] = Pending(op, self._current)
        if operation is None:
            self._complete_with(number, LookupError("no such host function"))
            return
        self._host_calls += 1
        try:
            answer = operation.handler(*arguments)
        except Exception as error:  # noqa: BLE001 - the guest's program decides what to do about it
            self._complete_with(number, error)
            return
        if isinstance(answer, Due):
            heapq.heappush(self._wakes, (answer.at_ms, number, answer.value))
        elif isawaitable(answer):
            self._unstarted.append((number, answer))
        else:
            self._complete_with(number, answer)

    def start_requests(self) -> None:
        """Start the host calls the last turn asked for; faces call this on the thread that owns their loop."""
        while self._unstarted:
            number, awaitable = self._unstarted.pop(0)
            pending = self._pending.get(number)
            if pending is None:
                _close(awaitable)
            else:
                pending.cancel = self._waiter.start(number, awaitable)

    def complete(self, request: int, value: object) -> None:
        """A host call has ended, with a value or an exception; any thread."""
        self._complete_with(request, value)
        self._waiter.wake()

    def _complete_with(self, request: int, value: object) -> None:
        self._completed.append((request, value))

    def _forget(self, request: int) -> None:
        pending = self._pending.pop(request, None)
        if pending is not None and pending.cancel is not None:
            pending.cancel()

    def _settle(self, run: Run) -> Turn:
        """The turn that answers the oldest completed request."""
        request, value = self._completed.popleft()
        pending = self._pending.pop(request, None)
        if pending is None:
            return Turn(_nothing)
        if isinstance(value, BaseException) and not isinstance(value, Exception):
            run.fail(value)
        owner = pending.run if pending.run.id in self._runs else run
        return Turn(lambda: self._turn(owner, lambda: self.guest.settle(request, value)))

    # --- time ---

    def _collect_due(self) -> None:
        now = self.clock.now_ms() if self._wakes else 0.0
        while self._wakes and self._wakes[0][0] <= now:
            _, request, value = heapq.heappop(self._wakes)
            if request in self._pending:
                self._complete_with(request, value)

    def _drop_cancelled_wakes(self) -> None:
        while self._wakes and self._wakes[0][1] not in self._pending:
            heapq.heappop(self._wakes)

    def _skip_time(self) -> bool:
        """On a virtual clock, go straight to the next timer when nothing else is waited for."""
        self._drop_cancelled_wakes()
        if not isinstance(self.clock, VirtualClock) or not self._wakes:
            return False
        if any(pending.cancel is not None for pending in self._pending.values()):
            return False
        self.clock.move_to(self._wakes[0][0])
        self.guest.set_virtual_now(self.clock.now_ms())
        return True

    def _seconds_to_wait(self, run: Run) -> float:
        seconds = run.deadline - time.monotonic()
        if self._wakes and not isinstance(self.clock, VirtualClock):
            seconds = min(seconds, max((self._wakes[0][0] - self.clock.now_ms()) / 1000, 1e-6))
        return seconds

    # --- the end ---

    def usage(self) -> Usage:
        """What has been used so far."""
        instance = self.guest.instance
        closed = self.guest.state is State.CLOSED
        control = None if closed else instance.control
        memory_bytes = 0 if closed else instance.memory_bytes()
        return Usage(
            fuel=self._fuel,
            cpu_seconds=self._cpu_seconds,
            wall_seconds=self._wall_seconds,
            memory_bytes=memory_bytes,
            peak_memory_bytes=memory_bytes,
            heap_bytes=control.heap_bytes if control else 0,
            host_calls=self._host_calls,
            turns=self._turns,
            runs=self._next_run - 1,
            live_handles=control.live_handles if control else 0,
            pending_requests=len(self._pending),
        )

    def close(self) -> None:
        """Free the guest and cancel its host calls.

        Raises:
            SandboxBusy: A turn is running.
        """
        self.guest.close()
        for request in list(self._pending):
            self._forget(request)
        for _, awaitable in self._unstarted:
            _close(awaitable)
        self._unstarted.clear()


def _nothing() -> None:
    """The request was cancelled meanwhile."""


def _close(awaitable: Awaitable[Any]) -> None:
    """A coroutine that was never started must be closed, or Python warns."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()


def _backstop(cpu_seconds: float) -> int:
    return _UNLIMITED_FUEL if cpu_seconds == math.inf else int((cpu_seconds + 0.1) * _FUEL_PER_SECOND)


def _seed64(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(64) | 1
    return seed * 0x9E3779B97F4A7C15 & (1 << 64) - 1 or 1
