"""Turns: the guest runs once, on the account of one run, and what happens meanwhile is answered or written down."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import Op, Reason
from sandbox._after_limit import AfterLimit
from sandbox._books import Books
from sandbox._calls import Calls
from sandbox._clock import Clock, VirtualClock
from sandbox._commands import Command, nothing
from sandbox._events import (
    Cancelled,
    Crashed,
    Event,
    Failed,
    Finished,
    Released,
    Requested,
    State,
    Stopped,
    Told,
    Uncaught,
)
from sandbox._guest import Guest
from sandbox._holds import Hold, StartInTurn
from sandbox._pausing import Ended, ends_run
from sandbox._pending import FORGET, Aborted, ended
from sandbox._runs import Run, Sources
from sandbox._serving import Serving
from sandbox._whereabouts import Whereabouts
from sandbox.errors import ConversionError, JSError, LimitExceeded, SandboxBusy, SandboxError, SandboxPoisoned
from sandbox.stop import stop_in

if TYPE_CHECKING:
    from sandbox._checkpoint import Checkpoint
    from sandbox._memory_copy import Origin
    from sandbox._operations import Operations
    from sandbox._requests import Requests
    from sandbox._settings import Settings
    from sandbox.capabilities.console import Console
    from sandbox.limits import Limits, OnLimit, Usage

# A guest that hands over closures in a loop must not collect handles until its turn is over.
_MAX_DROPPED: Final = 256
# A guest that was told to stop may come to the host once more before its next poll, not for longer.
_PATIENCE_SECONDS: Final = 0.5
# The guest and the host do not read the clock at the same moment.
_CLOCK_SLACK_SECONDS: Final = 0.02
_READY, _POISONED, _CLOSED = State.READY, State.POISONED, State.CLOSED


class Turns:
    """Runs a guest, one turn at a time. A turn raises nothing: what goes wrong is the outcome of a run.

    Attributes:
        guest: The guest.
        runs: The runs in progress, by number.
        abandoned: Runs the guest need not report any more.
        first_values: Globals to set before the next turn.
        woken: Runs that a turn of another one has brought forward.
        sources: Program texts, for errors.
        whereabouts: Tells errors where their program was, and what would help it.
        hold: Where the turn waits for what the guest waits for.
        after_limit: What a limit does to the sandbox.
        serving: Serves what the guest queues.
        resumption: What the guest is to be told first, when its memory is of another life: the handles that are held.
        unfinished: Runs that were paused, or of another life, that nobody has seen the end of, by number.
        paused_run: The one that was paused last; 0: none was.
        books: What all runs have used.
    """

    paused_run: int = 0
    _converting: float = 0.0

    def __init__(
        self,
        limits: Limits,
        settings: Settings,
        operations: Operations,
        console: Console,
        clock: Clock,
        requests: Requests,
        *,
        on_limit: OnLimit,
        on_poll: Callable[[], None],
        call_host: Callable[[Callable[..., Any], Sequence[Any]], Any],
        start_in_turn: StartInTurn,
        origin: Origin | None = None,
    ) -> None:
        """Start a guest; the arguments are those of `Driver`, and `Guest`."""
        self.runs: dict[int, Run] = {}
        self.abandoned: deque[int] = deque()
        self.first_values: deque[tuple[str, object]] = deque()
        self.woken: dict[Run, None] = {}
        self.resumption: deque[tuple[int, ...]] = deque()
        self.unfinished: dict[int, Run] = {}
        self.sources: Sources = Sources()
        self._operations = operations
        self._console = console
        self._clock = clock
        self._requests = requests
        self._on_poll = on_poll
        self.hold: Hold = Hold(start_in_turn, call_host, lambda: self._stop is not None)
        self._calls = Calls(operations, requests, clock, self.hold, call_host)
        self._current: Run | None = None
        self._turn_lock = threading.RLock()  # held while a turn ends, or is stopped for its run's sake
        self._is_quiet = False
        self._stop: BaseException | None = None
        self._began = 0.0
        self._budget_seconds: float | None = None
        self._patience_ends = math.inf
        self._made = 0
        self.books: Books = Books()
        operations.promise, operations.forget = self._promise, requests.discard
        operations.pace.on_begin, operations.pace.on_steps = self._begin_conversion, self._check_conversion
        self.guest: Guest = Guest(
            limits,
            settings,
            operations,
            on_sync=self._answer,
            on_events=self._listen,
            on_poll=self._poll,
            origin=origin,
        )
        self._calls.guest = self.guest
        self.whereabouts: Whereabouts = Whereabouts(self.guest, self.sources)
        self.serving: Serving = Serving(limits, operations, requests)
        self._look()
        self.after_limit: AfterLimit = AfterLimit(on_limit, self.guest, self._checkpoint, self.woken, self._give_up)

    def _checkpoint(self) -> Checkpoint:
        from sandbox._checkpoint import Checkpoint  # most programs are never set back

        queues = (self.abandoned, self.first_values, self.resumption)
        return Checkpoint(self.guest, self._operations, self._requests, (self._clock, self.sources), queues)

    # --- a turn ---

    def take(self, run: Run, command: Command) -> None:
        """Run the guest once.

        Args:
            run: Whose budgets it uses, and who fails when it is stopped.
            command: What the guest is to do; called when the run may have this turn.
        """
        self.begin(run)
        if not run.done:
            self._take(run, command)
        if run.error is not None:
            self.conclude(run)

    def begin(self, run: Run) -> None:
        """Have a run begin, if it has not: from here on it can be undone, as `on_limit` says; or end it."""
        run.entered = True
        after_limit = self.after_limit
        if after_limit.overdue and after_limit.catch_up():
            self._look()
        if run.done:
            return
        refusal = run.refusal(time.monotonic()) if self.guest.state is _READY else self.guest.refusal()
        if refusal is not None:
            run.force(refusal)
        elif after_limit.can_undo:
            after_limit.begin(run)

    def conclude(self, run: Run) -> None:
        """Do to the sandbox what follows from how a run has ended, if it has."""
        if self.after_limit.conclude(run):
            self._look()

    def _take(self, run: Run, command: Command) -> None:
        guest, clock, operations, books = self.guest, self._clock, self._operations, self.books
        self._began = now = time.monotonic()
        seconds, fuel, spare_fuel = run.budget(now)
        guest.arm(seconds, fuel, run.deadline, spare_fuel)
        self._budget_seconds, self._patience_ends = seconds, math.inf
        if isinstance(clock, VirtualClock):
            guest.set_virtual_now(clock.now_ms())
        if self._stop is not None:
            guest.interrupt()
        self._console.meter = run
        books.turns += 1
        self._is_quiet = False
        # After the guest was armed, which takes interruptions back, and before the run is looked at: whoever ends it
        # on another thread either does so before that, or finds that this turn is its.
        self._current = run
        try:
            waiting = self.abandoned or self.first_values or self.resumption or operations.dropped
            if waiting or self._requests.must_repeat:
                self._catch_up()
            if not run.done:
                run.has_run = True
                self._hear(command(run.id))
        except BaseException as error:  # noqa: BLE001 - it is raised where the run is
            run.force(error.error if isinstance(error, Ended) else error)
            self.whereabouts.place(run.error)
        elapsed = time.monotonic() - now
        burnt = guest.instance.burnt()
        told = elapsed if guest.state is _POISONED else guest.cpu_seconds()
        books.cpu_seconds += run.charge(told, elapsed, burnt)
        books.fuel += burnt
        if run.trace is not None:
            run.trace.look(guest.instance)
        books.look(guest.instance, operations.live())
        if operations.refused:
            run.force(operations.excess())
        with self._turn_lock:
            self._current = None
            stop, self._stop = self._stop, None
        if stop is not None:
            run.force(stop)

    def observe(self, run: Run, look: Callable[[], object]) -> None:
        """Look at a sandbox in which nothing runs, in the place of a turn; what that gives is the run's value."""
        run.entered = True
        if self.after_limit.overdue and self.after_limit.catch_up():
            self._look()
        if self.guest.state is not _READY:
            run.force(self.guest.refusal())
        elif self.first_values:
            self._take(run, nothing)
        if not run.done:
            try:
                run.finish(look())
            except Exception as error:  # noqa: BLE001 - it is raised where the run is
                run.force(error)

    def settle(self, run: Run) -> None:
        """Run the guest once, to tell it the next answer that a turn of this run may tell."""
        self.take(run, lambda _number: self._settle(run))

    def stall(self, run: Run) -> None:
        """End a run that waits for what can never happen; a rejection that nobody handled may be the reason."""
        self.take(run, self.whereabouts.abandon)
        if not run.done:
            run.fail(self.whereabouts.stalled())

    def _settle(self, run: Run) -> list[Event]:
        answer = self._requests.next_answer(run)
        if answer is None:
            return []
        number, value = answer
        self._operations.answered_bytes, self._operations.answering = self._requests.answered_bytes, ""
        if ends_run(value):
            run.force(value.error if isinstance(value, Ended) else value)
            value = ended(by_stop=stop_in(value) is not None)
        # What nobody catches in this turn is only the consequence of an earlier end.
        self._is_quiet = value is FORGET or isinstance(value, Aborted)
        return self.guest.settle(number, value, aborted=self._is_quiet)

    def _catch_up(self) -> None:
        """Tell the guest what has happened since the last turn."""
        while self.resumption:
            self._hear(self.guest.resume(self.resumption.popleft()))
        if self._requests.must_repeat:
            self._calls.repeat()
        self._is_quiet = True  # what other runs left behind is none of this one's business
        while self.abandoned:
            self._hear(self.guest.abandon(self.abandoned.popleft()))
        self._is_quiet = False
        self._release()
        while self.first_values:
            key, value = self.first_values.popleft()
            self._hear(self.guest.define(0, key, value))

    def _release(self) -> None:
        handles = self._operations.take_dropped()
        if handles:
            self._hear(self.guest.release(handles))

    def _turn_seconds(self) -> float:
        """Guest time of this turn; a guest that crashed could not say, so all time counts then."""
        guest = self.guest
        return time.monotonic() - self._began if guest.state is _POISONED else guest.cpu_seconds()

    def _look(self) -> None:
        self.books.look(self.guest.instance, self._operations.live())

    def seconds_left(self, uncharged_seconds: float) -> float:
        """How long the turn may still take, after work of the host that was not charged yet; 0: it was stopped."""
        run = None if self._stop is not None else self._current
        return 0.0 if run is None else run.seconds_left(self.guest.cpu_seconds() + uncharged_seconds)

    def _give_up(self) -> None:
        """The guest is poisoned: no run will get anything from it."""
        for run in self.runs.copy().values():
            if not run.done:
                run.force(self.guest.refusal())
                self.woken[run] = None
        self._requests.clear()

    def nested(self, run: Run, command: Command) -> Any:  # noqa: ANN401 - any value
        """A command from inside a host function: it runs at once, on the stack of the turn that called the host.

        Raises:
            SandboxBusy: The answer is a promise, which cannot settle now.
            BaseException: The outcome of the run, or what ends the outer turn.
        """
        guest = self.guest
        outer = self._current
        if outer is None:  # a finalizer, before or after the guest's part of the turn
            raise SandboxBusy
        if (refusal := outer.refusal(time.monotonic())) is not None:
            raise refusal
        run.entered = True
        self._hear(command(run.id))
        if guest.state is _POISONED:
            raise outer.error or SandboxPoisoned()
        if guest.instance.pending is not None:
            raise guest.instance.pending
        if (reason := guest.instance.control.reason) != Reason.NONE:
            # What the guest threw was only its being unwound.
            raise self._stop_error(outer, Reason(reason))
        if not run.done:
            self.abandoned.append(run.id)
            raise SandboxBusy("the guest answers with a promise, which cannot settle before the host function returns")
        return run.outcome()

    # --- stopping it ---

    def interrupt(self, cause: BaseException) -> None:
        """Stop the running turn, whose run then fails with `cause`, or the next one. Any thread."""
        self._stop = cause
        self.guest.interrupt()
        self.hold.end()

    def interrupt_run(self, run: Run, cause: BaseException) -> None:
        """Stop the running turn if it is this run's. Any thread, and signal handlers."""
        with self._turn_lock:
            if self._current is run:
                self.interrupt(cause)

    def forget_interrupt(self) -> None:
        """Take back an `interrupt` that found no turn running."""
        self._stop = None

    def _stop_error(self, run: Run, reason: Reason) -> BaseException:
        if self._stop is not None:
            return self._stop
        if reason is Reason.INTERRUPTED:
            return SandboxBusy("the run was interrupted")
        if reason is Reason.CPU and self._budget_seconds is not None:
            elapsed = time.monotonic() - self._began
            if elapsed + _CLOCK_SLACK_SECONDS >= self._budget_seconds:
                return run.time_error(self._turn_seconds())
        return self.guest.broken("the guest stopped without a reason")

    # --- what happens in it ---

    def _hear(self, events: Iterable[Event]) -> None:
        """Take note of events, all of them; then the first exception of a handler is raised."""
        failure: BaseException | None = None
        for event in events:
            try:
                self._hear_one(event)
            except BaseException as error:  # noqa: BLE001 - raised below
                failure = failure or error
        if failure is not None:
            raise failure

    def _listen(self, events: list[Event]) -> None:
        """Take note of events in the middle of a turn, of which there may be no end."""
        self._hear(events)
        self._check()

    def _hear_one(self, event: Event) -> None:
        current = self._current
        assert current is not None
        match event:
            case Finished(number, value):
                if run := self._run_of(number):
                    if run.is_answer is not None and not run.is_answer(value):
                        raise self.guest.broken("the guest answered with what is no answer")
                    run.finish(value)
                    if run is not current:
                        self.woken[run] = None
            case Failed(number, error):
                if run := self._run_of(number) or (None if number else current):
                    self._fail(run, error)
                    if run is not current:
                        self.woken[run] = None
            case Requested(0, op, arguments):
                self._calls.tell(current, op, arguments)
            case Requested():
                self._calls.request(current, event)
            case Uncaught(error):
                if not self._is_quiet:
                    self._fail(current, error)
            case Cancelled(number):
                self._requests.discard(number)
            case Released(op):
                self._requests.end_service(id(self._operations.unbind(op)))
            case Stopped(reason):
                current.force(self._stop_error(current, reason))
            case Told():
                self._trace(current, event)
            case Crashed(out_of_budget, error):
                current.force(self._stop or current.budget_error(self._turn_seconds()) if out_of_budget else error)

    def _trace(self, current: Run, told: Told) -> None:
        """Write down what the guest tells of a run that is traced: of a place, of whichever run has this turn."""
        if told.op is Op.STACK:
            self.whereabouts.told(current, told.value)
        elif (run := current if told.op is Op.PLACE else self._run_of(told.number)) and run.trace is not None:
            run.trace.told(told)

    def _run_of(self, number: int) -> Run | None:
        """The run in progress that a frame names; None: it has ended, and was forgotten."""
        run = self.runs.get(number) or self.unfinished.get(number)
        if run is not None and not run.entered:
            raise self.guest.broken("the guest ended a run that it was not told of")
        return run

    def _fail(self, run: Run, error: SandboxError) -> None:
        if run.error is None and isinstance(error, JSError):
            self.whereabouts.explain(error)
        run.fail(error)

    def _answer(self, op: int, arguments: list[Any] | ConversionError) -> Any:  # noqa: ANN401 - any value
        if self._stop is not None:
            self._check_patience()
        assert self._current is not None
        try:
            return self._calls.answer(self._current, op, arguments)
        finally:
            self._check()

    def _poll(self) -> None:
        self._check_patience()
        self._on_poll()
        self._check()
        self.guest.instance.top_up()

    def _check_patience(self) -> None:
        """See whether the guest is one that does not stop when it is told to."""
        if time.monotonic() > self._patience_ends:
            broken = self.guest.broken("the guest went on after it was told to stop")
            raise self._stop or broken

    def _begin_conversion(self) -> None:
        self._converting = time.monotonic()

    def _check_conversion(self) -> None:
        """See whether a long message may be read or written on: that is time of the run which it is for.

        Raises:
            LimitExceeded: It has reached a limit.
        """
        run, now = self._current, time.monotonic()
        if run is None:
            return
        elapsed_ns, self._converting = int((now - self._converting) * 1e9), now
        self.guest.instance.charge(elapsed_ns, elapsed_ns)
        if not self.seconds_left(0.0) and (self._stop is None or isinstance(self._stop, LimitExceeded)):
            raise self._stop or run.time_error(self._turn_seconds())

    def _check(self) -> None:
        """See whether the turn may go on: host functions take time, and leave handles behind."""
        current = self._current
        assert current is not None
        now = time.monotonic()
        if now >= current.deadline and self._stop is None:
            self.interrupt(current.time_error(0.0))
        if self._stop is not None and self._patience_ends == math.inf:
            self._patience_ends = now + _PATIENCE_SECONDS
        if self._operations.made != self._made:
            self._made = self._operations.made
            self._check_handles()

    def _check_handles(self) -> None:
        can_tell = self.guest.instance.depth > 0 and self.guest.state is not _POISONED
        if can_tell and len(self._operations.dropped) > _MAX_DROPPED:
            self._release()
        if self._operations.refused:
            self.interrupt(self._operations.excess())

    def _promise(self, awaitable: Awaitable[Any]) -> int:
        assert self._current is not None
        return self.serving.promise(awaitable, self._current)

    # --- the books ---

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child."""
        self._turn_lock = threading.RLock()

    def usage(self, runs: int, wall_seconds: float) -> Usage:
        """What has been used so far, as of the last turn's end. Any thread."""
        calls, pending, is_closed = self._calls.count, len(self._requests), self.guest.state is _CLOSED
        return self.books.usage(runs, wall_seconds, calls, pending, is_closed=is_closed)
