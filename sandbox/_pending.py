"""What the book of requests keeps of each, and of a moment it may have to go back to; and who does the work."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from sandbox._abi import Status
from sandbox._awaitables import close
from sandbox._events import Encoded
from sandbox._pausing import Suspension, suspend
from sandbox._records import NamedTuple, record
from sandbox.errors import JSError
from sandbox.pause import pause_in

if TYPE_CHECKING:
    from sandbox._awaitables import Startable
    from sandbox._clock import Alarms
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service


FORKED: Final = "the process was forked while this was pending"

_T = TypeVar("_T")


class Aborted(JSError):
    """The answer to a host call whose run was ended by force."""

    def __init__(self) -> None:
        super().__init__("the run that waited for this was ended", name="AbortError", js_class="DOMException")


# What answers a call whose run the host has stopped: nothing, and so the program never learns of it.
FORGET: Final = Encoded(b"\x00\xc0", Status.FORGET)  # the message of null


def ended(*, by_stop: bool) -> Aborted | Encoded:
    """What answers the calls of a run that was ended by force: by `Stop`, or by anything else."""
    return FORGET if by_stop else Aborted()


class Waiter(Protocol):
    """What a face does for the driver."""

    def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """Run an awaitable and give its value or its exception to `done`; returns what cancels it."""

    def serve(self, service: Service) -> None:
        """Run a service until it ends. Whoever asked it for something was told how that ended."""

    def call(self, function: Callable[[], object]) -> None:
        """Call something on the event loop, now or soon."""


class Nobody:
    """A `Waiter` for a sandbox that is closed: what was asked for in the meantime is not begun."""

    def start(self, awaitable: Awaitable[Any], _done: Callable[[Any], None]) -> Callable[[], object]:
        close(awaitable)
        return nothing

    def serve(self, service: Service) -> None:
        pass

    def call(self, function: Callable[[], object]) -> None:
        pass


def nothing() -> None:
    """Nobody waits, and there is nothing to cancel."""


@record(slots=True, eq=False)
class Pending:
    """A request without an answer. Numbers come again after a rollback, these objects do not.

    Attributes:
        number: Of the request, in the guest.
        run: Whose turn asked for it.
        held_bytes: What the host keeps of the guest for it.
        op: What was asked for; 0: an awaitable of the host's own.
        arguments: What the guest gave, of functions of the embedder. They keep what they hold of the guest.
        message: The same, as the guest sent it.
        must_repeat: Whether it was asked in another life of the sandbox, and nobody works on it yet.
        is_held: Whether it waits for the embedder.
        can_pause: Whether a function may leave it without an answer.
        pause: Why it has none, if one has.
        is_approved: Whether the embedder has said that it may be made, so that no hook is asked.
        cancel: Stops the host's work for it, once that was started.
        work: What is then told that nobody wants it, if it wants to know.
        answered: Whether the answer waits for a turn.
        aborted: Whether the guest is told that the call was aborted, whatever the answer is.
        is_begun: Whether the host works on it, or is going to; true from when that is known until there is an answer.
        is_alarm: Whether it only waits for a time.
        is_idle: Whether nothing is done for it that a virtual clock would have to wait for.
        outlives_run: Whether it goes on when its run is ended by force.
        stopped: Whether nobody wants the answer.
        settled: Whether the embedder has answered itself.
    """

    number: int
    run: Run
    held_bytes: int = 0
    op: int = 0
    arguments: Sequence[Any] = ()
    message: bytes = b""
    must_repeat: bool = False
    is_held: bool = False
    can_pause: bool = False
    pause: Suspension | None = None
    is_approved: bool = False
    cancel: Callable[[], object] | None = None
    work: Startable | None = None
    answered: bool = False
    aborted: bool = False
    is_begun: bool = False
    is_alarm: bool = False
    is_idle: bool = False
    outlives_run: bool = False
    stopped: bool = False
    settled: bool = False

    def is_paused_by(self, value: object) -> bool:
        """Whether what has become of it is that it was paused; then it waits for the embedder."""
        pause = pause_in(value) if self.can_pause else None
        suspension = None if pause is None else suspend(pause, self.run.id)
        if suspension is not None:
            self.pause, self.is_held = suspension, True
        return suspension is not None

    def approve(self) -> None:
        """It is paused no more, and is to be made without asking hooks."""
        self.pause, self.is_held = None, False
        self.is_approved = self.must_repeat = True

    def is_open(self) -> bool:
        """Whether nobody has answered it, and it was not given up."""
        return not (self.settled or self.answered or self.aborted)

    def claim(self) -> bool:
        """Whether the caller may answer it; of all who have a paused call in this process, one may."""
        return self.is_open() and (self.pause is None or self.pause.claim.take())


class Before(NamedTuple):
    """What there was at a mark, and what has become of it.

    Attributes:
        pending: The requests.
        alarms: Those that waited for a time.
        services: The services.
        answers: The answers to these requests, by number, which the guest may have been told since.
    """

    pending: dict[int, Pending]
    alarms: Alarms
    services: dict[int, Service]
    answers: dict[int, Any]


def drain(queue: deque[_T]) -> Iterator[_T]:
    """Take the items out one by one, also those that come meanwhile; several threads may do so."""
    with suppress(IndexError):
        while True:
            yield queue.popleft()
