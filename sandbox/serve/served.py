"""One request that the guest answers, as the host keeps it: what each side wants next of the other.

Nothing waits here. The guest's questions are answered when the other side gives or takes something; that side is told
by `notify` that it may look again. All but `respond` happens on the thread that owns the loop. Where none does,
questions come after turns of whatever thread, while another one may give and take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sandbox._records import record
from sandbox.errors import GuestProtocolError, NotServing

NO_HANDLER: Final = 1
"""What a run ends with when the program answers no requests."""

UPGRADED: Final = 101

Answer = Callable[[Any], None]


@record(frozen=True, slots=True)
class Head:
    """How a response begins.

    Attributes:
        status: 200 to 599, or `UPGRADED`.
        status_text: May be empty.
        headers: All of them, in order.
        body: All of it; None: it is given chunk by chunk.
    """

    status: int
    status_text: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Served:
    """A request in progress.

    Attributes:
        number: What the guest calls it.
        head: How the response begins, once the guest has said so.
        has_begun: Whether its run has had a turn.
        is_over: Whether its run has ended.
        is_complete: Whether all of the response was given.
        error: How its run has failed.
        is_aborted: Whether nobody wants the response any more.
        notify: Called when there is news for the other side.
    """

    has_begun: bool
    is_aborted: bool
    is_complete: bool
    is_over: bool
    may_upgrade: bool
    number: int

    __slots__ = (
        "_chunk", "_chunk_done", "_closed", "_has_chunk", "_want", "error", "has_begun", "head", "is_aborted",
        "is_complete", "is_over", "may_upgrade", "notify", "number",
    )  # fmt: skip

    def __init__(self, number: int, *, may_upgrade: bool) -> None:
        """Begin one; `may_upgrade`: it can become a WebSocket."""
        self.number = number
        self.may_upgrade = may_upgrade
        self.head: Head | None = None
        self.has_begun = self.is_over = self.is_complete = self.is_aborted = False
        self.error: BaseException | None = None
        self.notify: Callable[[], object] = _nobody
        self._want: Answer | None = None
        self._chunk: bytes | None = None
        self._has_chunk = False
        self._chunk_done: Answer | None = None
        self._closed: Answer | None = None

    # --- what the guest asks and says ---

    def respond(self, head: Head) -> None:
        """How the response begins; on the thread of the turn.

        Raises:
            ValueError: That was said before, or cannot be.
        """
        if self.head is not None or (head.status == UPGRADED and not self.may_upgrade):
            raise ValueError("a request has one response")
        self.head = head
        self.is_complete = head.body is not None

    def read(self, answer: Answer) -> None:
        """The guest wants more of the request's body."""
        self._want = answer
        if self.is_over or self.is_aborted:
            self.fail_body(_gone())
        self.notify()

    def stop_reading(self) -> None:
        """It does not any more."""
        self._want = None

    def write(self, chunk: bytes | None, answer: Answer) -> None:
        """The next chunk of the response's body; None: that was all. Answered when it was taken: whether to go on."""
        if self.is_aborted or self.is_over or self._has_chunk or self.is_complete:
            answer(False)
            return
        self._chunk, self._chunk_done = chunk, answer
        self._has_chunk = True  # at last: a thread that reads the response may look meanwhile
        self.notify()

    def stop_writing(self) -> None:
        """The guest does not wait for that any more; what it gave can still be taken."""
        self._chunk_done = None

    def watch(self, answer: Answer) -> None:
        """Answered when nobody wants the response any more."""
        if self.is_aborted:
            answer(None)
        else:
            self._closed = answer

    def stop_watching(self) -> None:
        """The guest does not want to know any more."""
        self._closed = None

    # --- what the other side does ---

    @property
    def wants_chunk(self) -> bool:
        """Whether the guest waits for a chunk of the request's body."""
        return self._want is not None

    def give(self, chunk: bytes | None) -> None:
        """Give that chunk; None: there are no more."""
        want, self._want = self._want, None
        if want is not None:
            want([chunk or b"", chunk is None])

    def fail_body(self, error: Exception) -> None:
        """There will be no more of the request's body."""
        want, self._want = self._want, None
        if want is not None:
            want(error)

    @property
    def has_chunk(self) -> bool:
        """Whether `take` gives something, or raises."""
        return self._has_chunk or self.is_complete or self.is_over or self.is_aborted

    def take(self) -> bytes | None:
        """The next chunk of the response's body; None: that was all.

        Raises:
            BaseException: How the guest's run has failed.
        """
        if self._has_chunk:
            chunk, done = self._chunk, self._chunk_done
            self._chunk, self._has_chunk, self._chunk_done = None, False, None
            self.is_complete = chunk is None
            if done is not None:
                done(True)
            return chunk
        if not self.is_complete and not self.is_aborted and self.error is not None:
            raise self.error
        return None

    def abort(self) -> None:
        """Nobody wants the response any more; nothing happens when all of it was given. Idempotent."""
        if self.is_aborted or self.is_complete or self.is_over:
            return
        self.is_aborted = True
        done, closed = self._chunk_done, self._closed
        self._chunk, self._has_chunk, self._chunk_done, self._closed = None, False, None, None
        if done is not None:
            done(False)
        if closed is not None:
            closed(None)
        self.fail_body(_gone())
        self.notify()

    def had_turn(self) -> None:
        """Its run has had a turn."""
        if not self.has_begun:
            self.has_begun = True
            self.notify()

    def end(self, error: BaseException | None, value: object = None) -> None:
        """Its run has ended; the first end counts. What was given before can still be taken."""
        if self.is_over:
            return
        self.is_over = True
        if error is not None:
            self.error = error
        elif value == NO_HANDLER:
            self.error = NotServing()
        elif self.head is None:
            self.error = GuestProtocolError("the guest has ended a request without an answer")
        self.notify()

    def answer(self) -> Head | None:
        """How the response begins, once that is known.

        Raises:
            ConnectionAbortedError: Nobody wants it any more.
            BaseException: There is none.
        """
        if self.is_aborted:
            raise ConnectionAbortedError("nobody waits for this response any more")
        head = self.head
        if self.error is not None and (head is None or (self.is_complete and head.status != UPGRADED)):
            raise self.error
        return head


def _gone() -> ConnectionAbortedError:
    return ConnectionAbortedError("the client has gone away")


def _nobody() -> None:
    """Nobody waits for news."""
