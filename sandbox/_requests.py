"""The guest's queued requests, from the turn that asked until the turn that tells the guest the answer.

Everything here happens while no other turn runs, with one exception: `complete` may be called from any thread.
"""

from __future__ import annotations

import inspect
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sandbox._abi import CAP_FIRST_HOST_REQUEST
from sandbox._clock import Alarms
from sandbox.errors import JSError

if TYPE_CHECKING:
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service

_T = TypeVar("_T")


class Aborted(JSError):
    """The answer to a host call whose run was ended by force."""

    def __init__(self) -> None:
        super().__init__("the run that waited for this was ended", name="AbortError", js_class="DOMException")


class Waiter(Protocol):
    """What a face does for the driver."""

    def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """Run an awaitable and give its value or its exception to `done`; returns what cancels it."""

    def call(self, function: Callable[[], object]) -> None:
        """Call something on the event loop, now or soon."""


@dataclass(slots=True)
class _Pending:
    """A request without an answer.

    Attributes:
        run: Whose turn asked for it.
        awaitable: What will be its answer, before it was started.
        cancel: Stops the host's work for it, once that was started.
        answered: Whether the answer waits for a turn.
        aborted: Whether the guest is told that the call was aborted, whatever the answer is.
        is_alarm: Whether it only waits for a time.
    """

    run: Run
    awaitable: Awaitable[Any] | None = None
    cancel: Callable[[], object] | None = None
    answered: bool = False
    aborted: bool = False
    is_alarm: bool = False


class Requests:
    """The book of requests, and of what must be done between two turns.

    Attributes:
        alarms: Those that wait for a time.
    """

    def __init__(self, waiter: Waiter, wake_everyone: Callable[[], None]) -> None:
        """Begin with none.

        Args:
            waiter: Does the host's work for requests.
            wake_everyone: Has all runs look at the book again; any thread.
        """
        self.alarms: Final = Alarms()
        self._waiter = waiter
        self._wake_everyone = wake_everyone
        self._pending: dict[int, _Pending] = {}
        self._completed: deque[tuple[int, Any]] = deque()
        self._orphans: deque[tuple[int, Any]] = deque()
        self._unstarted: deque[int] = deque()
        self._services: dict[int, Service] = {}
        self._unstarted_services: deque[Service] = deque()
        self._next_number = CAP_FIRST_HOST_REQUEST
        self._cancels: deque[Callable[[], object]] = deque()
        self._answered = 0

    def __len__(self) -> int:
        return len(self._pending)

    def services(self) -> int:
        """How many services were begun and not ended."""
        return len(self._services)

    # --- in a turn ---

    def add(self, number: int, run: Run) -> None:
        """Write down a request of a run."""
        self._pending[number] = _Pending(run)
        run.requests[number] = None

    def promise(self, awaitable: Awaitable[Any], run: Run) -> int:
        """Make a request of the host's own, which an awaitable answers; returns its number."""
        number = self._next_number
        self._next_number += 1
        self.add(number, run)
        self.answer_later(number, awaitable)
        return number

    def serve(self, key: int, service: Service) -> None:
        """Start a service when the turn is over; it lasts until `end_service` or the end of the sandbox."""
        self._services[key] = service
        self._unstarted_services.append(service)

    def end_service(self, key: int) -> None:
        """Stop a service after the turn."""
        service = self._services.pop(key, None)
        if service is not None:
            self._cancels.append(partial(self._waiter.call, service.stop))

    def answer(self, number: int, value: object) -> None:
        """Answer a request, with a value or an exception, as soon as the turn is over."""
        self._completed.append((number, value))

    def answer_later(self, number: int, awaitable: Awaitable[Any]) -> None:
        """Answer a request with the outcome of an awaitable, which is started when the turn is over."""
        self._pending[number].awaitable = awaitable
        self._unstarted.append(number)

    def answer_at(self, number: int, at_ms: float, value: object) -> None:
        """Answer a request when a time has come."""
        self._pending[number].is_alarm = True
        self.alarms.add(at_ms, number, value)

    def discard(self, number: int) -> None:
        """Forget a request the guest no longer waits for; what the host does for it is cancelled after the turn."""
        pending = self._take(number)
        if pending is not None:
            self.alarms.discard(number)
            self._stop(pending)

    def clear(self) -> None:
        """Forget all requests."""
        for number in list(self._pending):
            self.discard(number)
        self._unstarted_services.clear()
        for key in list(self._services):
            self.end_service(key)

    def _take(self, number: int) -> _Pending | None:
        pending = self._pending.pop(number, None)
        if pending is not None:
            pending.run.requests.pop(number, None)
            self._answered -= pending.answered
        return pending

    def _stop(self, pending: _Pending) -> None:
        awaitable, pending.awaitable = pending.awaitable, None
        if awaitable is not None:
            close(awaitable)
        cancel, pending.cancel = pending.cancel, None
        if cancel is not None:
            self._cancels.append(cancel)

    # --- after a turn, on the thread that owns the loop ---

    def attend(self) -> None:
        """Cancel and start what turns have cancelled and asked for."""
        if not (self._cancels or self._unstarted or self._unstarted_services):
            return
        for service in _drain(self._unstarted_services):
            self._waiter.start(service.serve(), _ignore)
        for cancel in _drain(self._cancels):
            cancel()
        for number in _drain(self._unstarted):
            pending = self._pending.get(number)
            if pending is not None and pending.awaitable is not None:
                awaitable, pending.awaitable = pending.awaitable, None
                pending.cancel = self._waiter.start(awaitable, partial(self._complete, number))

    def _complete(self, number: int, value: object) -> None:
        self._completed.append((number, value))
        pending = self._pending.get(number)
        if pending is not None and not pending.run.ended:
            pending.run.wake()
        else:
            self._wake_everyone()

    # --- between turns ---

    def sort(self, now_ms: Callable[[], float]) -> list[Run]:
        """Put what completed, and what is due, into the queues of the runs that asked.

        Returns:
            The runs that got something.
        """
        if self.alarms:
            self._completed.extend(self.alarms.pop_due(now_ms()))
        runs: dict[Run, None] = {}
        for number, value in _drain(self._completed):
            pending = self._pending.get(number)
            if pending is None or pending.answered:
                continue
            pending.answered = True
            self._answered += 1
            pending.run.answers.append((number, value))
            runs[pending.run] = None
            if pending.run.ended:
                self._adopt(pending.run)
        return list(runs)

    def _adopt(self, run: Run) -> None:
        self._orphans.extend(_drain(run.answers))

    def has_answer(self, run: Run) -> bool:
        """Whether `next_answer` would give one."""
        return bool(run.answers or self._orphans)

    def next_answer(self, run: Run) -> tuple[int, Any] | None:
        """Take an answer that the guest must be told in a turn of this run: its own, or one whose run has ended."""
        for queue in (run.answers, self._orphans):
            for number, value in _drain(queue):
                pending = self._take(number)
                if pending is not None:
                    return number, Aborted() if pending.aborted else value
        return None

    def any_answer(self) -> bool:
        """Whether the guest must still be told an answer, in a turn of whatever run."""
        return self._answered > 0 or bool(self._completed)

    def any_host_call(self) -> bool:
        """Whether the host works on a request, other than waiting for its time."""
        return any(pending.cancel or pending.awaitable for pending in self._pending.values())

    def next_alarm_ms(self, run: Run) -> float:
        """When the next request is due that a turn of this run must answer; infinity: the next one is another run's."""
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
            for number in run.requests.copy():
                pending = self._pending.get(number)
                if pending is not None and not pending.is_alarm:
                    pending.aborted = True
                    self._stop(pending)
                    self._completed.append((number, None))
        self._adopt(run)


def _ignore(_outcome: object) -> None:
    """Whoever used a service was told how it ended."""


def close(awaitable: object) -> None:
    """Close a coroutine that will not be started, or Python warns of it."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


def _drain(queue: deque[_T]) -> Iterator[_T]:
    """Take the items out one by one, also those that come meanwhile; several threads may do so."""
    while True:
        try:
            item = queue.popleft()
        except IndexError:
            return
        yield item
