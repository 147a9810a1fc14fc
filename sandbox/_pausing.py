"""What is kept of a pause: as a part of a snapshot, and so that it is answered once."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

from sandbox._records import field, record
from sandbox.errors import ConversionError, GuestProtocolError, Paused, SnapshotCorrupt, UsageError
from sandbox.pause import Pause, PausedCall

_TOKEN_BYTES: Final = 16
_MISPLACED: Final = (
    "a Pause was raised where the guest cannot wait for an answer: only calls of asynchronous functions (`async def`) "
    "can be paused, by the function or by a hook of `on_call`"
)
_LET_THROUGH: Final = (
    "a function that the program has called was given a Paused, of what it called itself, and let it through: "
    "handle it there, or let the program await what may be paused"
)


class Claim:
    """The right to answer a pause, which one may have. The sandbox that was paused and its snapshot share it."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether the caller is the first; any thread."""
        return self._lock.acquire(blocking=False)


@record(frozen=True, slots=True)
class Suspension:
    """Why a call has no answer.

    Attributes:
        token: See `PausedCall`.
        run: Likewise.
        message: Its reason and its details, as a message.
        claim: Who answers it; of this process only.
    """

    token: str
    run: int
    message: bytes
    claim: Claim = field(default_factory=Claim, compare=False)

    def call(self, name: str, arguments: bytes) -> PausedCall:
        """As it is shown.

        Args:
            name: Of the function.
            arguments: As the guest sent them.

        Raises:
            SnapshotCorrupt: It comes from a snapshot, and says what cannot be.
        """
        from sandbox._detached import DETACHED  # few programs are paused

        try:
            said, given = DETACHED.decode(self.message), DETACHED.decode(arguments)
        except (ConversionError, GuestProtocolError) as error:
            raise SnapshotCorrupt("its state has a paused call that cannot be read") from error
        if type(given) is not list or not _is_said(said):
            raise SnapshotCorrupt("its state has a paused call with odd parts")
        reason, details = said
        return PausedCall(self.token, name, tuple(given), reason, details, self.run)


def suspend(pause: Pause, run: int) -> Suspension | None:
    """Keep what a function has raised; None: its details cannot go along in a snapshot, see `misplaced`."""
    try:
        message = _message(pause)
    except ConversionError:
        return None
    return Suspension(os.urandom(_TOKEN_BYTES).hex(), run, message)


def misplaced(pause: Pause | Paused) -> UsageError:
    """What ends a run in which a pause was raised that cannot be one, or that of another run was let through."""
    error: UsageError = UsageError(_MISPLACED)
    try:
        if isinstance(pause, Pause):
            _message(pause)
        else:
            error = UsageError(_LET_THROUGH)
    except ConversionError as failure:
        error = failure
    error.__cause__ = pause
    return error


class Ended(BaseException):
    """Ends the run with an error, which is no answer: the guest is unwound, and cannot catch it.

    Attributes:
        error: What the embedder gets.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error


def ends_run(value: object) -> bool:
    """Whether what a function has raised is no answer to the program, and ends its run."""
    return isinstance(value, Paused) or (isinstance(value, BaseException) and not isinstance(value, Exception))


def _message(pause: Pause) -> bytes:
    from sandbox._detached import DETACHED

    return DETACHED.encode([pause.reason, pause.details])


def _is_said(said: Any) -> bool:  # noqa: ANN401 - whatever was decoded
    return type(said) is list and len(said) == 2 and type(said[0]) is str and type(said[1]) is dict
