"""What a turn of a guest can bring about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from sandbox._abi import Op
from sandbox._records import NamedTuple, field, record
from sandbox.errors import SandboxClosed

if TYPE_CHECKING:
    from sandbox._abi import Reason, Status
    from sandbox.errors import ConversionError, SandboxError


class State:
    """Where a guest is in its life. `RUNNING` holds while a turn is on some thread's stack.

    No `Enum`: every entry of the guest asks for several of these, and looking up a member costs as much as a call.
    """

    READY: Final = "ready"
    RUNNING: Final = "running"
    POISONED: Final = "poisoned"
    CLOSED: Final = "closed"


def closed(*_arguments: object) -> NoReturn:
    """What is asked in the place of those who answered a guest, once it is closed.

    A sandbox that is closed refers to itself nowhere, so that it is freed when the last one lets go of it, and no
    collection of garbage has to find it.

    Raises:
        SandboxClosed: Always.
    """
    raise SandboxClosed


class Finished(NamedTuple):
    """A run ended with a value."""

    run: int
    value: Any


class Failed(NamedTuple):
    """A run ended with what the guest threw."""

    run: int
    error: SandboxError


class Uncaught(NamedTuple):
    """Nobody caught an exception of a task, or a rejection."""

    error: SandboxError


@record(frozen=True, slots=True)
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


class Cancelled(NamedTuple):
    """The guest no longer waits for a request."""

    id: int


class Released(NamedTuple):
    """The guest has collected the function object of an op."""

    op: int


class Stopped(NamedTuple):
    """The turn was ended by force, and what was queued in it dropped; the guest can be used again."""

    reason: Reason


class Crashed(NamedTuple):
    """The guest trapped and is poisoned.

    Attributes:
        out_of_budget: Whether fuel or time ran out: then a limit was reached, and only the driver knows which.
        error: What to raise otherwise.
    """

    out_of_budget: bool
    error: SandboxError


@record(frozen=True, slots=True)
class Told:
    """Something of a run that is traced.

    Attributes:
        op: What: `Op.NAMES`, `Op.PLACE`, `Op.COMMENT` or `Op.STACK`.
        number: Of the run; of a place, its line.
        value: The names; the place's file and time; the comment's offset; the stack.
    """

    op: int
    number: int
    value: Any


Event = Finished | Failed | Uncaught | Requested | Cancelled | Released | Stopped | Crashed | Told


TOLD: Final = frozenset({Op.NAMES, Op.PLACE, Op.COMMENT, Op.STACK})


def told(op: int, number: int, value: object) -> Told | None:
    """What a frame of a traced run says; None: it makes no sense."""
    match op, value:
        case Op.NAMES, list() if {str}.issuperset(map(type, value)):
            return Told(Op.NAMES, number, value)
        case Op.PLACE, [str(), int() | float()]:
            return Told(Op.PLACE, number, value)
        case Op.COMMENT, int() if value >= 0:
            return Told(Op.COMMENT, number, value)
        case Op.STACK, str():
            return Told(Op.STACK, number, value)
    return None


@record(frozen=True, slots=True)
class Returned:
    """An answer to a request that is an exception and yet no failure: the host function returned it."""

    value: BaseException


@record(frozen=True, slots=True)
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
