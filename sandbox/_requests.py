"""The guest's queued requests, from the turn that asked until the turn that tells the guest the answer.

Everything here happens while no other turn runs, with one exception: `complete` is called on the thread of the loop.
"""

from __future__ import annotations

import math
import weakref
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import CAP_FIRST_HOST_REQUEST
from sandbox._awaitables import Startable, close
from sandbox._clock import Alarms
from sandbox._events import returned
from sandbox._pending import FORKED, Aborted, Before, Nobody, Pending, Waiter, drain, ended, nothing
from sandbox.capabilities.base import Due, Later
from sandbox.errors import LimitExceeded

if TYPE_CHECKING:
    from sandbox._events import Requested
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service
    from sandbox.limits import Limits

# Each call that is refused is one more answer; a guest that goes on asking is stopped.
_MOST_REFUSED: Final = 1000
_WAIT: Final = "Raise Limits.pending_requests, or await some calls before more are made."


class Requests:
    """The book of requests, and of what must be done between two turns.

    Attributes:
        alarms: Those that wait for a time.
        held_bytes: What the host keeps of the guest for all of them.
        answered_bytes: What it kept for the one whose answer was taken last.
        next_number: Of the next request of the host's own.
        has_paused: Whether a call was ever paused.
        must_repeat: Whether some requests are to be asked again, in the next turn.
    """

    def __init__(self, waiter: Waiter, wake_everyone: Callable[[], None], limits: Limits) -> None:
        """Begin with none.

        Args:
            waiter: Does the host's work for requests.
            wake_everyone: Has all runs look at the book again; any thread.
            limits: Say how many there may be, and how many the host may work on at one time.
        """
        self.alarms: Alarms = Alarms()
        self.held_bytes = self.answered_bytes = 0
        self._waiter = waiter
        self._wake_everyone = wake_everyone
        self._limits = limits
        self._pending: dict[int, Pending] = {}
        self._before: Before | None = None
        self._completed: deque[tuple[Pending, Any]] = deque()
        self._orphans: deque[tuple[Pending, Any]] = deque()
        # Also what the host does not work on yet; whoever takes something out is the one to start or close it.
        self._unstarted: OrderedDict[Pending, Awaitable[Any]] = OrderedDict()
        self._unasked: deque[tuple[Pending, Later]] = deque()
        self._working: set[Pending] = set()
        self._services: dict[int, Service] = {}
        self._unstarted_services: deque[Service] = deque()
        self.next_number: int = CAP_FIRST_HOST_REQUEST
        self._cancels: deque[Callable[[], object]] = deque()
        self._answered = 0
        self.has_paused = self.must_repeat = False

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, number: int) -> bool:
        return number in self._pending

    def backlog(self) -> int:
        """What is kept of requests until the turn is over, also of those that were answered or taken back in it."""
        return max(len(self._pending), len(self._completed), len(self._unstarted), len(self._unasked))

    def services(self) -> int:
        """How many services were begun and not ended, or are still to be started."""
        return max(len(self._services), len(self._unstarted_services))

    # --- in a turn ---

    def add(self, number: int, run: Run, held_bytes: int = 0, op: int = 0) -> Pending:
        """Write down a request of a run, and what the host keeps of the guest until it is answered."""
        self.discard(number)  # a guest that owns its engine may ask twice
        pending = self._pending[number] = Pending(number, run, held_bytes, op)
        self.held_bytes += held_bytes
        run.requests[number] = None
        return pending

    def admit(self, asked: Requested, run: Run, *, is_service: bool, can_pause: bool) -> Exception | None:
        """Write down a request of the guest; returns why it is refused, if it is.

        Raises:
            LimitExceeded: The guest goes on asking after many refusals, each of which is one more answer.
        """
        from sandbox._weights import host_bytes  # many programs ask for nothing

        most = self._limits.pending_requests
        if self.backlog() > 2 * most + _MOST_REFUSED:
            raise LimitExceeded(most, self.backlog(), "pending requests", advice=_WAIT)
        held_bytes = host_bytes(asked.arguments) + len(asked.message) if len(self) < most else 0
        is_too_much = self.hold_too_much(held_bytes)
        pending = self.add(asked.id, run, 0 if is_too_much else held_bytes, asked.op)
        if not is_too_much and asked.message and isinstance(asked.arguments, list):
            pending.arguments, pending.message = asked.arguments, asked.message
            pending.can_pause = can_pause
        if len(self) > most:
            return ValueError("too many host calls and timers are pending")
        if is_too_much:
            return ValueError("pending host calls hold too much")
        if is_service and self.services() >= min(most, self._limits.concurrent_calls):
            return ValueError("too many async iterators of the host are open")
        return None

    def hold_too_much(self, more_bytes: int) -> bool:
        """Whether pending calls would hold more of the guest's values than its own memory may; one may hold any."""
        return self.held_bytes > 0 and self.held_bytes + more_bytes > self._limits.memory_bytes

    def promise(self, awaitable: Awaitable[Any], run: Run, held_bytes: int) -> int:
        """Make a request of the host's own, which an awaitable answers; returns its number."""
        number = self.next_number
        self.next_number += 1
        self.add(number, run, held_bytes)
        self.answer_later(number, awaitable)
        return number

    def serve(self, key: int, service: Service) -> None:
        """Start a service when the turn is over; it lasts until `end_service` or the end of the sandbox."""
        self._services[key] = service
        self._unstarted_services.append(service)

    def end_service(self, key: int) -> None:
        """Stop a service after the turn."""
        service = self._services.pop(key, None)
        if service is not None and (self._before is None or self._before.services.get(key) is not service):
            self.call(service.stop)

    def call(self, function: Callable[[], object] | None) -> None:
        """Call something, if it is something, on the event loop, when the turn is over."""
        if function is not None:
            self._cancels.append(partial(self._waiter.call, function))

    def answer(self, number: int, value: object) -> None:
        """Answer a request, with a value or an exception, as soon as the turn is over."""
        pending = self._pending.get(number)
        if pending is not None:
            self._keep_answer(pending, value)

    def _keep_answer(self, pending: Pending, value: object) -> None:
        """Note what has become of a request: an answer, or that it has to wait for one. Any thread."""
        if pending.is_paused_by(value):
            self.has_paused = True
        else:
            self._completed.append((pending, value))

    def answer_later(self, number: int, awaitable: Awaitable[Any]) -> None:
        """Answer a request with the outcome of an awaitable, which is started after the turn, when there is room."""
        pending = self._pending.get(number)
        if pending is None:  # the guest has given it up in a call of the host function
            close(awaitable)
            return
        pending.is_begun = True
        self._unstarted[pending] = awaitable

    def answer_with(self, number: int, answer: object, alarm_ms: Callable[[float], float]) -> None:
        """Answer a request with what its handler has returned; `alarm_ms` says when a time of the guest's comes."""
        if isinstance(answer, Later):
            self.answer_by(number, answer)
        elif isinstance(answer, Due):
            self.answer_at(number, alarm_ms(answer.at_ms), answer.value)
        elif hasattr(answer, "__await__"):
            self.answer_later(number, answer)
        else:
            self.answer(number, returned(answer))

    def answer_by(self, number: int, later: Later) -> None:
        """Answer a request when somebody else does, who is asked after the turn."""
        pending = self._pending.get(number)
        if pending is None:  # the guest has given it up in a call of a hook
            close(later)
            return
        pending.work = later if isinstance(later, Startable) else None
        pending.is_idle, pending.outlives_run = not later.holds_time, later.outlives_run
        self._unasked.append((pending, later))

    def after_turn(self, job: Callable[[], object]) -> None:
        """Have something done when the turn is over, on the thread that owns the loop; any thread."""
        self._cancels.append(job)

    def answer_at(self, number: int, at_ms: float, value: object) -> None:
        """Answer a request when a time has come on the sandbox's clock. An answer that is a `Due` does this as well."""
        pending = self._pending.get(number)
        if pending is not None:
            pending.is_alarm = True
            self.alarms.add(at_ms, number, value)

    def discard(self, number: int) -> None:
        """Forget a request the guest no longer waits for; what the host does for it is cancelled after the turn."""
        pending = self._take(number)
        if pending is not None:
            self.alarms.discard(number)
            if not self._was_there(pending):
                self._stop(pending)

    # --- in another life ---

    def pending(self) -> list[Pending]:
        """What the guest waits for, in the order in which it asked."""
        return list(self._pending.values())

    def unheard(self) -> dict[int, Any]:
        """The answers that the guest has not been told, by number."""
        queues = (self._completed, self._orphans, *{id(each.run): each.run.answers for each in self.pending()}.values())
        answers = {each.number: value for queue in queues for each, value in queue.copy() if self._is_waited_for(each)}
        return {number: Aborted() if self._pending[number].aborted else value for number, value in answers.items()}

    def settle(self, pending: Pending, value: object) -> bool:
        """Answer a request in the place of whoever works on it; whether it had no answer yet. Any thread."""
        if not self._is_waited_for(pending) or not pending.claim():
            return False
        pending.settled = True
        pending.must_repeat = pending.is_held = False
        self._stop(pending)
        self._completed.append((pending, value))
        self._wake_everyone()
        return True

    def make(self, pending: Pending) -> bool:
        """Have a paused call made after all; whether it had no answer yet. Any thread."""
        if is_open := self._is_waited_for(pending) and pending.claim():
            pending.approve()
            self.must_repeat = True
            self._wake_everyone()
        return is_open

    def clear(self) -> None:
        """Forget all requests."""
        self.keep()
        for number in list(self._pending):
            self.discard(number)
        self._completed.clear()
        self._orphans.clear()
        self._unstarted.clear()
        self._unasked.clear()
        self._unstarted_services.clear()
        for key in list(self._services):
            self.end_service(key)

    def close(self) -> None:
        """The guest is closed: cancel all, and ask nobody any more. On the thread that owns the loop."""
        self.clear()
        self.attend()
        self._waiter, self._wake_everyone = Nobody(), nothing

    def _take(self, number: int) -> Pending | None:
        pending = self._pending.pop(number, None)
        if pending is not None:
            pending.run.requests.pop(number, None)
            self.held_bytes -= pending.held_bytes
            self._answered -= pending.answered
        return pending

    def _stop(self, pending: Pending) -> None:
        pending.stopped, pending.is_begun = True, False
        awaitable = self._unstarted.pop(pending, None)
        if awaitable is not None:
            close(awaitable)
        cancel, pending.cancel = pending.cancel, None
        if cancel is not None:
            self._working.discard(pending)
            self._cancels.append(cancel)
        work, pending.work = pending.work, None
        if work is not None:
            work.close()

    # --- after a turn, on the thread that owns the loop ---

    def attend(self) -> None:
        """Cancel and start what turns have cancelled and asked for."""
        if not (self._cancels or self._unstarted or self._unasked or self._unstarted_services):
            return
        for service in drain(self._unstarted_services):
            self._waiter.serve(service)
        for cancel in drain(self._cancels):
            cancel()
        for pending, later in drain(self._unasked):
            if not pending.stopped:
                self._ask(pending, later)
        self._start()

    def _ask(self, pending: Pending, later: Later) -> None:
        """Have somebody else answer a request."""
        pending.cancel, pending.is_begun = later.cancel, True
        later.begin(partial(_complete, weakref.ref(self), pending))
        if pending.stopped:  # by a turn on another thread, in the meantime
            self._stop(pending)

    def _start(self) -> None:
        """Start what turns have asked for, in order, as far as there is room."""
        while self._unstarted and len(self._working) < self._limits.concurrent_calls:
            try:
                pending, awaitable = self._unstarted.popitem(last=False)
            except KeyError:  # a turn on another thread has given it up
                return
            self._working.add(pending)
            pending.work = awaitable if isinstance(awaitable, Startable) else None
            pending.cancel = self._waiter.start(awaitable, partial(_complete, weakref.ref(self), pending))
            if pending.stopped:  # by a turn on another thread, in the meantime
                self._stop(pending)

    def complete(self, pending: Pending, value: object) -> None:
        """Note the answer of a request, and start another one in its place; the guest may run on another thread."""
        self._working.discard(pending)
        pending.work = None
        if isinstance(value, Startable):
            self._go_on(pending, value)
        elif not pending.stopped:  # else it is too late
            self._keep_answer(pending, value)
            if not pending.run.ended:
                pending.run.wake()
            else:
                self._wake_everyone()
        self._start()

    def _go_on(self, pending: Pending, work: Startable) -> None:
        """A request has come as far as to the next thing that must be waited for."""
        if pending.stopped:
            work.close()
            return
        pending.work, pending.cancel = work, None
        if isinstance(work, Later):
            pending.is_idle, pending.outlives_run = not work.holds_time, work.outlives_run
            self._ask(pending, work)
        else:
            pending.is_idle = False
            assert isinstance(work, Awaitable)
            self._unstarted[pending] = work

    def after_fork(self) -> None:
        """Start nothing in a forked child that the parent is going to start."""
        while self._unstarted:
            pending, awaitable = self._unstarted.popitem(last=False)
            close(awaitable)
            self.complete(pending, ConnectionAbortedError(FORKED))

    # --- between turns ---

    def sort(self, now_ms: Callable[[], float]) -> list[Run]:
        """Put what completed, and what is due, into the queues of the runs that asked.

        Returns:
            The runs that got something.
        """
        if self.alarms:
            for number, value in self.alarms.pop_due(now_ms()):
                self.answer(number, value)
        runs: dict[Run, None] = {}
        for pending, value in drain(self._completed):
            if self._before is not None and self._was_there(pending):
                self._before.answers.setdefault(pending.number, value)
            if isinstance(value, Due):
                if self._is_waited_for(pending):
                    pending.cancel, pending.is_begun = None, False
                    self.answer_at(pending.number, value.at_ms, value.value)
                continue
            if pending.answered or not self._is_waited_for(pending):
                continue
            pending.answered = True
            self._answered += 1
            pending.run.answers.append((pending, value))
            runs[pending.run] = None
            if pending.run.ended:
                self._orphans.extend(drain(pending.run.answers))
        return list(runs)

    def has_answer(self, run: Run) -> bool:
        """Whether `next_answer` would give one."""
        return bool(run.answers or self._orphans or self.must_repeat)

    def has_leftover(self) -> bool:
        """Whether there is an answer that no run in progress waits for."""
        return bool(self._orphans or self.must_repeat)

    def next_answer(self, run: Run) -> tuple[int, Any] | None:
        """Take an answer that the guest must be told in a turn of this run: its own, or one whose run has ended."""
        for queue in (run.answers, self._orphans):
            for pending, value in drain(queue):
                if self._is_waited_for(pending):
                    self._take(pending.number)
                    self.answered_bytes = pending.held_bytes
                    return pending.number, ended(by_stop=pending.run.was_stopped) if pending.aborted else value
        return None

    def any_answer(self) -> bool:
        """Whether the guest must still be told an answer, in a turn of whatever run."""
        return self._answered > 0 or bool(self._completed)

    def any_host_call(self) -> bool:
        """Whether the host works on a request, other than waiting for its time."""
        return any((each.is_held and each.pause is None) or self.is_at_work(each) for each in self._pending.values())

    def is_at_work(self, pending: Pending) -> bool:
        """Whether the host works on a request, or is going to."""
        return pending.is_begun and not pending.is_idle and pending.pause is None

    def next_alarm_ms(self, run: Run | None) -> float:
        """When the next request is due that a turn of this run must answer; infinity: the next one is another run's.

        None: one that is no run's that is in progress.
        """
        at_ms, number = self.alarms.next()
        pending = self._pending.get(number)
        return at_ms if pending is None or pending.run is run or pending.run.ended else math.inf

    # --- when a run ends; any thread ---

    def disown(self, run: Run, *, abort: bool) -> None:
        """Let other runs answer what a run that has ended asked for.

        Args:
            run: The run, marked as ended.
            abort: Cancel its host calls; the guest is told that they were aborted, and so what awaits them ends too.
        """
        if abort:
            self.abort([pending for pending in self.host_calls() if pending.number in run.requests])
        self._orphans.extend(drain(run.answers))

    def host_calls(self) -> list[Pending]:
        """What the guest waits for that does not outlive a run which is ended by force."""
        return [each for each in self._pending.copy().values() if not (each.is_alarm or each.outlives_run)]

    def abort(self, calls: Iterable[Pending]) -> None:
        """Cancel host calls; the guest is told that they were aborted."""
        for pending in calls:
            pending.aborted = True
            self._stop(pending)
            self._completed.append((pending, None))

    # --- going back; while no turn runs ---

    def mark(self) -> None:
        """Remember this moment until `keep` or `undo`: meanwhile nothing is stopped, and all answers are remembered."""
        self._before = Before(self._pending.copy(), self.alarms.copy(), self._services.copy(), {})
        for pending, value in self._orphans:
            if self._was_there(pending):
                self._before.answers[pending.number] = value

    def keep(self) -> None:
        """Forget the mark, and stop what the guest has given up since."""
        before, self._before = self._before, None
        if before is None:
            return
        for number, pending in before.pending.items():
            if number not in before.answers and not self._is_waited_for(pending):
                self._stop(pending)
        for key, service in before.services.items():
            if self._services.get(key) is not service:
                self.call(service.stop)

    def undo(self) -> None:
        """Go back to the mark: what was asked for since is cancelled, what was answered since is answered again."""
        before = self._before
        assert before is not None
        for number, pending in list(self._pending.items()):
            if not self._was_there(pending):
                self.discard(number)
        self._before = None
        self._pending, self.alarms = before.pending, before.alarms
        self._services.update(before.services)
        self._orphans.clear()
        for number, pending in before.pending.items():
            pending.answered = number in before.answers and number not in before.alarms
        for number, value in before.answers.items():
            pending = before.pending[number]
            if pending.answered:
                pending.answered = not isinstance(value, Due)
                (self._orphans if pending.answered else self._completed).append((pending, value))
        self._answered = len(self._orphans)
        self.held_bytes = sum(pending.held_bytes for pending in self._pending.values())

    def _is_waited_for(self, pending: Pending) -> bool:
        return self._pending.get(pending.number) is pending

    def _was_there(self, pending: Pending) -> bool:
        """Whether there is a mark, and this request was pending then."""
        return self._before is not None and self._before.pending.get(pending.number) is pending


def _complete(requests: weakref.ref[Requests], pending: Pending, value: object) -> None:
    """What works on a request does not keep the sandbox alive that asked for it."""
    if (alive := requests()) is not None:
        alive.complete(pending, value)
