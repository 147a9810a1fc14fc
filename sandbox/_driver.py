"""Drives one guest: decides which turn comes next, and when to wait.

The driver waits for nothing itself. `drive` is a generator of steps, and the faces take them: a `Turn` is run where
guests run, a `Wait` is waited for. So the blocking and the asynchronous face share all logic and differ only in how
they wait.

Several runs may be in progress. Each is answered in turns of its own; what an earlier run left behind is answered in
the turns of whichever run comes first, on that run's account.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sandbox._clock import Clock, VirtualClock
from sandbox._commands import Command, Commands, nothing
from sandbox._events import State
from sandbox._records import NamedTuple, replace
from sandbox._requests import Requests
from sandbox._runs import Run, check_recursion
from sandbox._settings import MakeInstance, Settings, seed64
from sandbox._turns import Turns
from sandbox.errors import Paused, RunInterrupted, SandboxBusy, SandboxError, WallLimitExceeded

if TYPE_CHECKING:
    from sandbox._guest import Guest
    from sandbox._holds import Hold, StartInTurn
    from sandbox._lives import Lives, Past
    from sandbox._observer import Observer
    from sandbox._operations import Operations
    from sandbox._pending import Waiter
    from sandbox.capabilities.console import Console
    from sandbox.errors import ErrorDetail
    from sandbox.limits import Limits, OnLimit, Usage

_POLL_INTERVAL: Final = 512  # checks: 5 to 25 ms of ordinary code, and the same fuel on every machine

_R = TypeVar("_R")


class Turn(partial[None]):
    """A step: call this where guests run. It raises nothing: what goes wrong is the outcome of a run."""


class Wait(NamedTuple):
    """A step: wait until the run is woken, at most this long; infinity: without end."""

    seconds: float


Steps = Generator[Turn | Wait, None, _R]


class Driver(Commands):
    """Drives one guest. The faces see to it that one step is taken at a time, and a turn is over before the next step.

    Attributes:
        limits: The sandbox's budgets.
        guest: The guest.
        clock: Its clock.
        turns: Runs it, a turn at a time.
        hold: Where its turn waits for what the guest waits for.
        on_leftovers: Called when there may be more for `settle_leftovers`, on the thread that owns the loop.
        runs: The runs in progress, by number. Any thread may add and remove one, so it is copied to be looked through.
        take: See `Turns.take`.
        is_abandoned: Whether its host calls were cancelled for good.
    """

    is_abandoned = False

    def __init__(
        self,
        limits: Limits,
        operations: Operations,
        console: Console,
        clock: Clock,
        waiter: Waiter,
        *,
        seed: int | None,
        has_locales: bool = False,
        locale: str | None = None,
        zone_name: str = "UTC",
        zone: bytes = b"",
        past: Past | None = None,
        error_detail: ErrorDetail = "message",
        on_limit: OnLimit = "keep",
        observer: Observer | None = None,
        on_poll: Callable[[], None],
        call_host: Callable[[Callable[..., Any], Sequence[Any]], Any],
        start_in_turn: StartInTurn,
        make_instance: MakeInstance | None = None,
    ) -> None:
        """Start a guest.

        Args:
            limits: Its budgets.
            operations: What it can ask for.
            console: Where it writes.
            clock: Its clock.
            waiter: The face.
            seed: For `Math.random`; None: a random one.
            has_locales: See `Settings`.
            locale: Of the sandbox.
            zone_name: Of its time zone.
            zone: See `Settings`.
            past: What it continues from; None: it is a new one.
            error_detail: What the guest sees of exceptions of the host.
            on_limit: What becomes of the guest after a limit.
            observer: What is done about the guest's calls; None: nothing.
            on_poll: Called regularly while the guest runs; what it raises ends the turn.
            call_host: Calls a function of the embedder, with its arguments, in the middle of a turn.
            start_in_turn: Starts what the guest waits for in the middle of a turn.
            make_instance: See `Settings`.
        """
        settings = Settings(
            random_seed=0 if past is not None and past.state.is_seeded and seed is None else seed64(seed),
            time_origin_ms=clock.origin_ms,
            clock=clock.kind,
            poll_interval=_POLL_INTERVAL,
            error_detail=error_detail,
            clock_resolution_ms=clock.resolution_ms,
            has_locales=has_locales,
            zone=zone,
            make_instance=make_instance,
        )
        self.limits, self.clock = limits, clock
        self._observer, self._operations = observer, operations
        self._requests = Requests(waiter, self._wake_everyone, limits)
        self.turns: Turns = Turns(
            limits,
            settings,
            operations,
            console,
            clock,
            self._requests,
            on_limit=on_limit,
            on_poll=on_poll,
            call_host=call_host,
            start_in_turn=start_in_turn,
            origin=None if past is None else past.origin,
        )
        self._lives: Lives | None = None
        self._place = locale, zone_name
        self._is_seeded = seed is not None or (past is not None and past.state.is_seeded)
        self.hold: Hold = self.turns.hold
        self.guest: Guest = self.turns.guest
        self.add_source: Callable[[str, str], None] = self.turns.sources.add
        self.runs: dict[int, Run] = self.turns.runs
        self.interrupt: Callable[[BaseException], None] = self.turns.interrupt
        self.take: Callable[[Run, Command], None] = self.turns.take
        self.seconds_left: Callable[[float], float] = self.turns.seconds_left
        self.after_turn: Callable[[Callable[[], object]], None] = self._requests.after_turn
        self._numbers = itertools.count(1 if past is None else past.state.last_run + 1)
        self._observers = itertools.count(-1, -1)
        self._last_number = self._first_number = 0 if past is None else past.state.last_run
        self._wall_seconds = 0.0
        self.on_leftovers: Callable[[], object] | None = None
        if past is not None:
            try:
                self.lives.load(past)
            except BaseException:
                self.close()
                raise

    @property
    def is_poisoned(self) -> bool:
        """Whether the guest can never be entered again."""
        return self.guest.state is State.POISONED

    @property
    def lives(self) -> Lives:
        """What ends this life of the sandbox, or has begun it."""
        if self._lives is None:
            from sandbox._lives import Lives  # most sandboxes have but one

            self._lives = Lives(
                limits=self.limits,
                clock=self.clock,
                operations=self._operations,
                requests=self._requests,
                turns=self.turns,
                locale=self._place[0],
                time_zone=self._place[1],
                is_seeded=self._is_seeded,
                last_run=lambda: self._last_number,
                observer=self._observer,
            )
        return self._lives

    # --- what happens before the next turn ---

    def source_texts(self) -> dict[str, str]:
        """The latest program texts, by file name; any thread."""
        return self.turns.sources.copy()

    def define_later(self, key: str, value: object) -> None:
        """Set a global before the next turn; any thread."""
        self._operations.names.add(key)
        self.turns.first_values.append((key, value))

    # --- runs ---

    def begin(
        self,
        timeout: float | None = None,
        fuel: int | None = None,
        *,
        number: int | None = None,
        observes: bool = False,
    ) -> Run:
        """Begin a run; its budgets count from now. Whoever begins one ends it. Any thread.

        Args:
            timeout: Wall time it has, if less than the limit.
            fuel: What it has in place of the limit.
            number: That of a run of another life, which it continues; None: it is a new one.
            observes: Whether it only looks: the guest will not hear of it, and it is not counted.

        Raises:
            RecursionError: The calling Python code is nested too deeply. Nothing has happened.
            SandboxBusy: That run of another life is in progress.
        """
        check_recursion()
        if observes:
            number, observer = next(self._observers), None
        else:
            observer = self._observer
            if not number:
                number = self._last_number = next(self._numbers)
        run = Run(number, self.limits, timeout, fuel, observer)
        if self.runs.setdefault(number, run) is not run:
            raise SandboxBusy(f"the run {number} goes on already")
        return run

    def end(self, run: Run) -> None:
        """Forget a run; idempotent. The host calls of a run that was ended by force are cancelled, others go on.

        Called on the thread that owns the loop, while no turn of this run is running.
        """
        if self.runs.pop(run.id, None) is None:
            return
        run.ended = True
        if run.error is not None or not run.done:
            self._give_up(run)
        self._wall_seconds += time.monotonic() - run.started
        has_left = bool(run.requests)
        if has_left:
            self._requests.disown(run, abort=run.forced or not run.done)
        if self.turns.after_limit.end(run) or has_left:
            self._requests.attend()
        if has_left or (self.runs and not self._requests):
            self._wake_everyone()

    def _give_up(self, run: Run) -> None:
        """A run has ended without a value: the guest is to forget it, unless it can be resumed."""
        if isinstance(run.error, Paused) and run.error.run:
            self.lives.leave_open(run.id, None if run.trace is None else run.trace.next_part())
        elif run.has_run and not run.undone:
            self.turns.abandoned.append(run.id)

    def nested(self, command: Command) -> Any:  # noqa: ANN401 - any value
        """A run from inside a host function, at once; see `Turns.nested`. It uses the budgets of the outer run."""
        run = self.begin()
        try:
            return self.turns.nested(run, command)
        finally:
            del self.runs[run.id]
            run.hand_over()

    def attend(self) -> None:
        """Do what the last turn left to do; faces call this after each turn, on the thread that owns their loop."""
        self._requests.attend()
        woken = self.turns.woken
        while woken:
            woken.popitem()[0].wake()
        if len(self.runs) > 1 and not self._requests:
            self._wake_everyone()

    def _wake_everyone(self) -> None:
        """Have all runs look again; on the thread that owns the loop."""
        for run in self.runs.copy().values():
            run.wake()
        if self.on_leftovers is not None:
            self.on_leftovers()

    # --- their steps ---

    def drive(self, run: Run, command: Command) -> Steps[Any]:
        """The steps of a run, from its first turn to its outcome; see `go_on`."""
        yield Turn(self.take, run, command)
        if run.done and run.error is None:  # as most are
            return run.value
        return (yield from self.go_on(run))

    def go_on(self, run: Run) -> Steps[Any]:
        """The steps of a run that has had its first turn, to its outcome.

        Raises:
            BaseException: What ended the run: an error of the guest, a limit, or what a host function raised.
        """
        while not run.done:
            step = self._next_step(run)
            if step is not None:
                yield step
        yield from self._conclude(run)
        return run.outcome()

    def run_until_idle(self, run: Run) -> Steps[None]:
        """The steps until no timer and no host call is pending."""
        run.idle = True
        yield from self._begin(run)
        yield from self.go_on(run)

    def seconds_to_leftovers(self) -> float:
        """How long until there is an answer that no run in progress waits for; infinity: none is known of."""
        for other in self._requests.sort(self.clock.now_ms):
            other.wake()
        if self._requests.has_leftover() or self.turns.resumption:
            return 0.0
        return max((self._requests.next_alarm_ms(None) - self.clock.now_ms()) / 1000, 0.0)

    def settle_leftovers(self, run: Run) -> Steps[None]:
        """The steps of telling the guest the answers that no run in progress waits for."""
        yield from self._begin(run)
        while not run.done:
            self._sort(run)
            if self._requests.has_answer(run):
                yield Turn(self.turns.settle, run)
            else:
                run.finish(None)
        yield from self._conclude(run)
        run.outcome()

    def tick(self, run: Run, milliseconds: float) -> Steps[None]:
        """The steps of moving the virtual clock, running what comes due on the way in order."""
        yield from self._begin(run)
        clock = self.clock
        assert isinstance(clock, VirtualClock)
        target = clock.now_ms() + milliseconds
        while not run.done:
            self._sort(run)
            if self._requests.has_answer(run):
                yield Turn(self.turns.settle, run)
            elif self._requests.any_answer():
                if (wait := self._wait(run)) is not None:
                    yield wait
            elif (at_ms := self._requests.alarms.next()[0]) <= target:
                clock.move_to(at_ms)
            else:
                clock.move_to(target)
                run.finish(None)
        yield from self._conclude(run)
        run.outcome()

    def finish(self, run: Run) -> Steps[Any]:
        """The steps of a run that began in another life, to its outcome."""
        self.lives.take_over(run)
        yield from self._begin(run)
        return (yield from self.go_on(run))

    def observe(self, run: Run, look: Callable[[], object]) -> Steps[Any]:
        """The steps of looking at the sandbox while nothing runs in it; they give what that gives."""
        yield Turn(self.turns.observe, run, look)
        return run.outcome()

    def _begin(self, run: Run) -> Steps[None]:
        """The beginning of a run that has no first turn."""
        run.entered = True
        if self.turns.resumption:
            yield Turn(self.turns.take, run, nothing)
        elif self.turns.after_limit.must_begin():
            yield Turn(self.turns.begin, run)

    def _conclude(self, run: Run) -> Steps[None]:
        """The end of a run that has reached a limit while no turn ran."""
        if self.turns.after_limit.is_due(run):
            yield Turn(self.turns.conclude, run)

    def _next_step(self, run: Run) -> Turn | Wait | None:
        """What a run that is not done does next; None: look again."""
        self._sort(run)
        if self._requests.has_answer(run):
            return Turn(self.turns.settle, run)
        if self.turns.serving.must_pause(run, self.runs):
            return Turn(lambda: self.turns.observe(run, lambda: self.lives.pause(run)))
        if not self._requests:
            if run.idle:
                run.finish(None)
                return None
            if all(other.entered for other in self.runs.copy().values()):
                return Turn(self.turns.stall, run)
        elif self._skip_time():
            return None
        return self._wait(run)

    def _sort(self, run: Run) -> None:
        for other in self._requests.sort(self.clock.now_ms):
            if other.ended:
                self._wake_everyone()
            elif other is not run:
                other.wake()

    def _wait(self, run: Run) -> Wait | None:
        seconds = run.deadline - time.monotonic()
        if seconds <= 0:
            run.force(WallLimitExceeded(run.wall_limit, run.wall_limit - seconds))
            return None
        if not isinstance(self.clock, VirtualClock) and self._requests.alarms:
            until_alarm = (self._requests.next_alarm_ms(run) - self.clock.now_ms()) / 1000
            seconds = min(seconds, max(until_alarm, 0.0))
        return Wait(seconds)

    def _skip_time(self) -> bool:
        """On a virtual clock, go straight to the next alarm when nothing else is waited for."""
        requests = self._requests
        if not isinstance(self.clock, VirtualClock) or requests.any_answer() or requests.any_host_call():
            return False
        at_ms, _ = requests.alarms.next()
        if at_ms == math.inf:
            return False
        self.clock.move_to(at_ms)
        return True

    # --- the end ---

    def usage(self) -> Usage:
        """What has been used so far; as of the last turn's end while one runs. Any thread."""
        usage = self.turns.usage(self._last_number - self._first_number, self._wall_seconds)
        return usage if self._observer is None else replace(usage, calls=self._observer.usage())

    def fail_all(self, error: SandboxError) -> None:
        """End every run in progress, before the guest is closed; on the thread that owns the loop."""
        for run in self.runs.copy().values():
            run.force(error)
            run.wake()

    def move(self, make_instance: MakeInstance) -> None:
        """Let the guest go on in another instance, while there is no run.

        Raises:
            SandboxError: It takes no commands.
            MemoryError: The host has no room for a copy of it; nothing has happened.
        """
        if self.guest.state is not State.READY:
            raise self.guest.refusal()
        self.guest.instance = self.guest.instance.hand_over(make_instance)

    def after_fork(self, *, is_lost: bool) -> None:
        """Go on in a forked child, which has one thread.

        Args:
            is_lost: Whether the guest was running on another one.
        """
        turns = self.turns
        for part in (self._operations, turns, turns.sources, turns.after_limit, self._observer):
            if part is not None:
                part.after_fork()
        if is_lost:
            turns.after_limit.forget()
            self.guest.poison("the process was forked while it was running")
            self.guest.instance.lose()

    def end_lost_runs(self) -> None:
        """In a forked child: end the runs of threads that are not there, and what was pending."""
        self._requests.after_fork()
        for run in list(self.runs.values()):
            if run.thread != threading.get_ident():
                run.force(RunInterrupted("the process was forked"))
                self.end(run)

    def stop(self, error: SandboxError) -> None:
        """End every run in progress, in its turn as well. On the thread that owns the loop; any, if none does."""
        for run in self.runs.copy().values():
            run.force(error)
            self.turns.interrupt_run(run, error)
            run.wake()

    def close(self) -> None:
        """Free the guest and cancel its host calls.

        Raises:
            SandboxBusy: A turn is running.
        """
        self.guest.close()
        self.turns.after_limit.close()
        self.hold.close()
        self._lives = None
        self.abandon()

    def abandon(self) -> None:
        """Cancel the host calls; on the thread that owns the loop, any if none does."""
        self._requests.close()
        self._operations.close()
        self.is_abandoned = True
