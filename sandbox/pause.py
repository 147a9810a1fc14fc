"""Pauses: what a host function raises when its answer takes longer than a process should wait, and how that looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox._portable import Whole
from sandbox._records import field, record

__all__ = ["Pause", "PausedCall"]


class Pause(BaseException):
    """Raised by a host function to leave a call without an answer, and end the run.

        async def transfer(account: str, amount: int) -> str:
            if amount > 100:
                raise Pause("somebody has to approve this", limit=100)
            return bank.transfer(account, amount)

    The program goes on waiting, and knows nothing of it. Whoever asked for the run gets `Paused`, or an `Outcome`, with
    a snapshot; `resume` of the sandbox, or of one that is restored from the snapshot, gives the answer.

    What can be paused is a call that the guest awaits: of an `async def`, by the function itself or by a hook of
    `on_call`. Anywhere else it ends the run with a `UsageError`, since a guest in the middle of a synchronous call
    cannot be put aside. It is no `Exception`, so what handles errors of functions does not take it for one.

    Attributes:
        reason: For who has to answer; the program never sees it.
        details: Likewise: values that can cross into a guest, and need no sandbox. They are part of the snapshot.
    """

    def __init__(self, reason: str = "", /, **details: Any) -> None:  # noqa: ANN401 - any value
        """Make one.

        Raises:
            TypeError: The reason is no str.
        """
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a str, not {type(reason).__name__}")
        super().__init__(reason)
        self.reason = reason
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return _pause, (type(self), self.reason, self.details)


def _pause(kind: type[Pause], reason: str, details: dict[str, Any]) -> Pause:
    pause = kind.__new__(kind)
    Pause.__init__(pause, reason, **details)
    return pause


def pause_in(error: object) -> Pause | None:
    """The pause that an exception is, or that is the only one in a group, as task groups raise; None: it is none."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error if isinstance(error, Pause) else None


@record(frozen=True, slots=True)
class PausedCall(Whole):
    """A call that a host function has paused: plain data, which can be pickled and shown.

    Attributes:
        token: Tells this pause from all others, in every process: 32 hexadecimal digits from the system's source of
            randomness. A store that takes an answer for each token once has each pause answered once.
        name: Of the function: the global it was given as, or its own.
        arguments: What the guest gave. What lives in a sandbox or on the host (functions, promises, exposed objects) is
            a text in angle brackets.
        reason: What the function said.
        details: Likewise.
        run: The number of the run that was paused; see `Sandbox.finish`.
    """

    token: str
    name: str
    arguments: tuple[Any, ...] = ()
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    run: int = 0
