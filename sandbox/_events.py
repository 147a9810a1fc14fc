"""What a turn of a guest can bring about."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sandbox._abi import Reason, Status
    from sandbox.errors import ConversionError, SandboxError


class State(Enum):
    """Where a guest is in its life. `RUNNING` holds while a turn is on some thread's stack."""

    READY = "ready"
    RUNNING = "running"
    POISONED = "poisoned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run ended with a value."""

    run: int
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A run ended with what the guest threw."""

    run: int
    error: SandboxError


@dataclass(frozen=True, slots=True)
class Uncaught:
    """Nobody caught an exception of a task, or a rejection."""

    error: SandboxError


@dataclass(frozen=True, slots=True)
class Requested:
    """The guest asks for something that is answered with `settle(id, ...)`; id 0: no answer is expected.

    Attributes:
        arguments: What it gave, or why that has no Python form.
        message: The same as the guest sent it, of functions of the embedder; else empty.
    """

    id: int
    op: int
    arguments: list[Any] | ConversionError
    message: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The guest no longer waits for a request."""

    id: int


@dataclass(frozen=True, slots=True)
class Released:
    """The guest has collected the function object of an op."""

    op: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The turn was ended by force, and what was queued in it dropped; the guest can be used again."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Crashed:
    """The guest trapped and is poisoned.

    Attributes:
        out_of_budget: Whether fuel or time ran out: then a limit was reached, and only the driver knows which.
        error: What to raise otherwise.
    """

    out_of_budget: bool
    error: SandboxError


Event = Finished | Failed | Uncaught | Requested | Cancelled | Released | Stopped | Crashed


@dataclass(frozen=True, slots=True)
class Returned:
    """An answer to a request that is an exception and yet no failure: the host function returned it."""

    value: BaseException


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer that is a message already.

    Attributes:
        message: What the guest gets.
        outcome: How the request is settled.
    """

    message: bytes
    outcome: Status


def returned(value: object) -> object:
    """What answers a request whose host function returned a value."""
    return Returned(value) if isinstance(value, BaseException) else value


class SyncHandler(Protocol):
    """Answers a synchronous request of the guest, in the middle of a turn."""

    def __call__(self, op: int, arguments: list[Any] | ConversionError, /) -> Any:  # noqa: ANN401 - any value
        """Answer with a value. An `Exception` becomes an Error of the guest; any other exception unwinds the guest.

        Args:
            op: What is asked for.
            arguments: What the guest gave, or why that has no Python form, which is to be raised.
        """
