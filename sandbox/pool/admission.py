"""Who may have a sandbox now, and who waits: first come, first served. It waits for nobody itself."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import fields
from typing import Final, Literal

from sandbox._records import field, record
from sandbox.errors import PoolFull, PoolTimeout, SandboxClosed

Phase = Literal["waiting", "granted", "refused", "over"]
Reason = Literal["timeout", "cancelled"]

_CLOSED: Final = "the pool is closed"


@record(slots=True, eq=False)
class Ticket:
    """A place in the queue, and then one of the pool's sandboxes.

    Attributes:
        on_change: Called once, when a ticket that waited is granted or refused; on whatever thread. False: nobody is
            there any more to be told, and the place goes to the next one.
        phase: Where it is: `"refused"` when the pool was closed while it waited, `"over"` when it was given back.
        thread: Who has it; None: a task, which does not live on in a forked child.
        began: When it was drawn, by the monotonic clock.
        owner: Who would give it back; None: whoever has it.
    """

    on_change: Callable[[], object]
    phase: Phase = "waiting"
    thread: int | None = None
    began: float = field(default_factory=time.monotonic)
    owner: weakref.ref[object] | None = None


@record(slots=True)
class Counts:
    """What has happened so far.

    Attributes:
        taken: Tickets that were granted.
        waited: Of these, how many had to wait.
        wait_seconds: How long they waited together.
        longest_wait_seconds: The longest of these waits.
        refused: Askers that were sent away because as many waited as may.
        timed_out: Those who gave up because their time was over.
        cancelled: Those who were cancelled while they waited, or interrupted.
    """

    taken: int = 0
    waited: int = 0
    wait_seconds: float = 0.0
    longest_wait_seconds: float = 0.0
    refused: int = 0
    timed_out: int = 0
    cancelled: int = 0


class Admission:
    """Lets in as many as there is room for; the others wait in the order in which they came. Thread-safe.

    Attributes:
        size: How many may be in at one time.
        max_waiting: How many may wait; None: any number.
    """

    is_closed: bool

    def __init__(self, size: int, max_waiting: int | None) -> None:
        self.size = size
        self.max_waiting = max_waiting
        # A finalizer that gives a ticket back may run in the middle of anything here, on the same thread.
        self._lock = threading.RLock()
        self._in: dict[Ticket, None] = {}
        self._waiting: dict[Ticket, None] = {}
        self._counts = Counts()
        self.is_closed = False

    def enter(self, on_change: Callable[[], object], thread: int | None, owner: object = None) -> Ticket:
        """Draw a ticket, which is granted at once if there is room and nobody waits.

        Args:
            on_change: See `Ticket`.
            thread: See there.
            owner: What is gone when nobody can give the ticket back any more: an exception of a signal handler may come
                at the first instruction of the function that would.

        Raises:
            PoolFull: As many wait as may.
            SandboxClosed: The pool is closed.
        """
        ticket = Ticket(on_change, thread=thread, owner=None if owner is None else weakref.ref(owner))
        if len(self._in) >= self.size:
            self._find_lost()
        with self._lock:
            if self.is_closed:
                raise SandboxClosed(_CLOSED)
            if len(self._in) < self.size and not self._waiting:
                self._grant(ticket)
            elif self.max_waiting is not None and len(self._waiting) >= self.max_waiting:
                self._counts.refused += 1
                raise PoolFull(f"{len(self._waiting)} wait already for one of {self.size} sandboxes")
            else:
                self._waiting[ticket] = None
        return ticket

    def leave(self, ticket: Ticket, reason: Reason = "cancelled") -> None:
        """Give a ticket back, whatever its phase; idempotent. The next in the queue gets its place.

        Args:
            ticket: The ticket.
            reason: Why, if it still waits.
        """
        left = [ticket]
        while left:
            left += [each for each in self._remove(left.pop(), reason) if each.on_change() is False]

    def _remove(self, ticket: Ticket, reason: Reason) -> list[Ticket]:
        """Take a ticket out of the books; returns those that are granted instead."""
        with self._lock:
            phase, ticket.phase = ticket.phase, "over"
            if self._waiting.pop(ticket, ticket) is None:
                self._counts.timed_out += reason == "timeout"
                self._counts.cancelled += reason == "cancelled"
            self._in.pop(ticket, None)
            return self._admit() if phase == "granted" else []

    def give_up(self, ticket: Ticket, timeout: float | None) -> None:
        """Leave the queue because the time is over, unless the ticket was granted in the last moment.

        Raises:
            PoolTimeout: It was not.
        """
        self._find_lost()
        if ticket.phase == "waiting":
            self.leave(ticket, "timeout")
            raise PoolTimeout(f"none of {self.size} sandboxes came free within {timeout:g} s")

    def check(self, ticket: Ticket) -> None:
        """See that a ticket which waits no more was granted.

        Raises:
            SandboxClosed: It was refused.
        """
        if ticket.phase != "granted":
            raise SandboxClosed(_CLOSED)

    def close(self) -> None:
        """Let nobody in any more; those who wait are refused. Idempotent."""
        with self._lock:
            self.is_closed = True
            refused, self._waiting = list(self._waiting), {}
            for ticket in refused:
                ticket.phase = "refused"
        for ticket in refused:
            ticket.on_change()

    def in_use(self) -> int:
        """How many are in."""
        return len(self._in)

    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def counts(self) -> Counts:
        """What has happened so far: a copy."""
        with self._lock:
            return Counts(*(getattr(self._counts, each.name) for each in fields(Counts)))

    def _find_lost(self) -> None:
        for ticket in list(self._in):
            if ticket.owner is not None and ticket.owner() is None:
                self.leave(ticket)

    def _admit(self) -> list[Ticket]:
        granted = []
        while self._waiting and len(self._in) < self.size:
            ticket = next(iter(self._waiting))
            del self._waiting[ticket]
            self._grant(ticket)
            seconds = time.monotonic() - ticket.began
            counts = self._counts
            counts.waited += 1
            counts.wait_seconds += seconds
            counts.longest_wait_seconds = max(counts.longest_wait_seconds, seconds)
            granted.append(ticket)
        return granted

    def _grant(self, ticket: Ticket) -> None:
        ticket.phase = "granted"
        self._in[ticket] = None
        self._counts.taken += 1

    def after_fork(self) -> None:
        """In a forked child: what other threads, and tasks, had and waited for is nobody's any more."""
        self._lock = threading.RLock()
        self._waiting = {}
        self._in = {ticket: None for ticket in self._in if ticket.thread == threading.get_ident()}
