"""Who is let in, and in which order: random steps beside a model, and threads that do it all at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from sandbox.errors import PoolFull, PoolTimeout, SandboxClosed
from sandbox.pool.admission import Admission, Ticket


class Accounting(RuleBasedStateMachine):
    """Never more than `size` in, the others in the order in which they came, and nobody lost, whatever happens."""

    tickets: Bundle[Ticket] = Bundle("tickets")

    @initialize(size=st.integers(1, 4), most=st.none() | st.integers(0, 4))
    def begin(self, size: int, most: int | None) -> None:
        self.size, self.most = size, most
        self.admission = Admission(size, most)
        self.inside: list[Ticket] = []
        self.queue: deque[Ticket] = deque()
        self.told: list[str] = []
        self.closed = False
        self.refused = self.taken = self.waited = self.gone = 0

    @rule(target=tickets)
    def enter(self) -> Any:
        if self.closed:
            with pytest.raises(SandboxClosed):
                self.admission.enter(lambda: None, None)
            return Ticket(lambda: None, "over")
        if len(self.inside) == self.size and self.most is not None and len(self.queue) >= self.most:
            with pytest.raises(PoolFull):
                self.admission.enter(lambda: None, None)
            self.refused += 1
            return Ticket(lambda: None, "over")
        ticket = self.admission.enter(lambda: self.told.append(ticket.phase), None)
        if len(self.inside) < self.size:
            self.inside.append(ticket)
            self.taken += 1
        else:
            self.queue.append(ticket)
        return ticket

    @rule(ticket=consumes(tickets), again=st.booleans())
    def leave(self, ticket: Ticket, again: bool) -> None:
        before = len(self.told)
        self.admission.leave(ticket)
        if again:  # nothing happens
            self.admission.leave(ticket)
        if ticket in self.queue:
            self.queue.remove(ticket)
            self.gone += 1
        elif ticket in self.inside:
            self.inside.remove(ticket)
            if self.queue:
                self.inside.append(self.queue.popleft())
                self.taken += 1
                self.waited += 1
                assert self.told[before:] == ["granted"]
                return
        assert len(self.told) == before

    @rule(ticket=tickets)
    def give_up(self, ticket: Ticket) -> None:
        if ticket in self.queue:
            with pytest.raises(PoolTimeout):
                self.admission.give_up(ticket, 1)
            self.queue.remove(ticket)
        else:
            self.admission.give_up(ticket, 1)

    @rule()
    def close(self) -> None:
        self.closed = True
        self.admission.close()
        for ticket in self.queue:
            with pytest.raises(SandboxClosed):
                self.admission.check(ticket)
        self.queue.clear()

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "admission"):
            return
        assert self.admission.in_use() == len(self.inside) <= self.size
        assert self.admission.waiting() == len(self.queue)
        assert all(ticket.phase == "granted" for ticket in self.inside)
        assert all(ticket.phase == "waiting" for ticket in self.queue)
        assert not self.queue or len(self.inside) == self.size
        counts = self.admission.counts()
        assert (counts.taken, counts.refused, counts.waited, counts.cancelled) == (
            self.taken,
            self.refused,
            self.waited,
            self.gone,
        )


Accounting.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAccounting = Accounting.TestCase


def test_a_ticket_that_is_granted_too_late_goes_to_the_next_one() -> None:
    admission = Admission(1, None)
    first = admission.enter(list, None)
    second, third = admission.enter(list, None), admission.enter(list, None)
    admission.leave(first)
    assert second.phase == "granted"

    admission.leave(second)  # was cancelled before it has heard of it

    assert third.phase == "granted"
    assert admission.in_use() == 1


def test_the_place_of_who_is_gone_goes_to_the_next_one() -> None:
    """Such as tasks of an event loop that was closed while they waited: there may be any number of them."""
    told: list[str] = []
    admission = Admission(1, None)
    first = admission.enter(list, None)
    gone = [admission.enter(lambda: False, None) for _ in range(5000)]
    last = admission.enter(lambda: told.append("last"), None)
    admission.leave(first)
    assert {each.phase for each in gone} == {"over"}
    assert (last.phase, told, admission.in_use()) == ("granted", ["last"], 1)


def test_a_finalizer_may_leave_in_the_middle_of_anything() -> None:
    """Whoever is told may give its ticket back at once, on the same thread."""
    admission = Admission(1, None)
    tickets: list[Ticket] = []

    def at_once(index: int) -> Callable[[], None]:
        return lambda: admission.leave(tickets[index])

    tickets += [admission.enter(at_once(index), None) for index in range(50)]
    admission.leave(tickets[0])

    assert [ticket.phase for ticket in tickets] == ["over"] * 50
    assert (admission.in_use(), admission.waiting()) == (0, 0)


class Owner:
    pass


def test_what_nobody_can_give_back_is_free() -> None:
    admission = Admission(1, None)
    owner, other = Owner(), Owner()
    lost = admission.enter(list, None, owner)
    waiting = admission.enter(list, None, other)
    assert waiting.phase == "waiting"
    del owner

    admission.give_up(waiting, 1)  # looks once more

    assert (lost.phase, waiting.phase) == ("over", "granted")
    del other
    assert admission.enter(list, None).phase == "granted"
    assert (admission.in_use(), admission.waiting()) == (1, 0)


def test_threads_that_come_and_go() -> None:
    admission, inside, most, failures = Admission(3, None), 0, 0, 0
    lock = threading.Lock()

    def use(give_up: bool) -> None:
        nonlocal inside, most, failures
        changed = threading.Event()
        ticket = admission.enter(changed.set, threading.get_ident())
        if ticket.phase == "waiting" and (give_up or not changed.wait(20)):
            failures += not give_up
        elif ticket.phase == "granted":
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1
        admission.leave(ticket)

    def work(number: int) -> None:
        for index in range(200):
            use((index + number) % 5 == 0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most <= 3
    assert (failures, admission.in_use(), admission.waiting()) == (0, 0, 0)
