"""What happens on a connection, as its state machine tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox._records import record

if TYPE_CHECKING:
    from sandbox.remote.errors import ProtocolError


@record(frozen=True, slots=True)
class Stream:
    """A body that comes in pieces.

    Attributes:
        number: Of the stream.
        size: All of its bytes.
    """

    number: int
    size: int


Body = bytes | Stream | None


@record(frozen=True, slots=True)
class Greeted:
    """The other side has said who it is; a server answers with `welcome` or `close`."""

    facts: dict[str, Any]


@record(frozen=True, slots=True)
class Asked:
    """A request came."""

    number: int
    method: str
    parameters: dict[str, Any]
    body: Body


@record(frozen=True, slots=True)
class Answered:
    """A request of ours was done."""

    number: int
    result: dict[str, Any]
    body: Body


@record(frozen=True, slots=True)
class Refused:
    """A request of ours failed."""

    number: int
    code: int
    text: str
    detail: dict[str, Any]


@record(frozen=True, slots=True)
class Cancelled:
    """The other side no longer wants the answer of a request, which is due all the same."""

    number: int


@record(frozen=True, slots=True)
class Received:
    """A piece of a body came; `grant` asks for as much more. After the last one the stream has ended."""

    stream: int
    data: bytes
    is_last: bool


@record(frozen=True, slots=True)
class Granted:
    """The other side wants more of a stream of ours."""

    stream: int
    size: int


@record(frozen=True, slots=True)
class Reset:
    """A stream has ended in the middle: of ours (nobody wants more), or of theirs (there is no more)."""

    stream: int
    is_ours: bool


@record(frozen=True, slots=True)
class Ponged:
    """The answer of a ping."""

    nonce: bytes


@record(frozen=True, slots=True)
class Noticed:
    """Something to know that nobody asked for."""

    name: str
    facts: dict[str, Any]


@record(frozen=True, slots=True)
class Ended:
    """The other side has closed the connection, and says why."""

    code: int
    text: str


@record(frozen=True, slots=True)
class Failed:
    """The other side sent what no peer sends: the connection is closed, and what there is to send says why."""

    error: ProtocolError


Event = (
    Greeted | Asked | Answered | Refused | Cancelled | Received | Granted | Reset | Ponged | Noticed | Ended | Failed
)
