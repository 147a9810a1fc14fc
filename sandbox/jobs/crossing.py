"""Values of jobs as messages: the codec's, for values that no sandbox holds anything of.

What cannot be pickled (typed arrays), or would recurse (500 levels), travels by the one converter like any other value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sandbox._abi import CAP_DEPTH, CAP_MESSAGE_BYTES, CAP_NODES, Tag
from sandbox._codec import Codec
from sandbox._pace import Pace
from sandbox.errors import ConversionError, UsageError
from sandbox.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox._encode import Labels
    from sandbox.values import JSHandle

LARGEST: Final = Limits(max_nodes=CAP_NODES, max_depth=CAP_DEPTH, message_bytes=CAP_MESSAGE_BYTES)
"""For what has passed the limits of a sandbox before."""


class _Nobody:
    """The owner of values that are on their way: it has no guest, so nothing can be held by it or by the guest."""

    served: object = None
    pace: Pace = Pace()
    labels: Labels | None = None

    def bind(self, function: Callable[..., Any], /) -> NoReturn:
        raise ConversionError("$", "a function of the host; a job takes these by its option `functions`")

    def bind_steps(self, iterator: object, /) -> NoReturn:
        raise ConversionError("$", "an iterator of the host, which cannot go with a job; send its items")

    def promise(self, awaitable: object, /) -> NoReturn:
        raise ConversionError("$", "an awaitable of the host, which cannot go with a job; await it first")

    def handle_of(self, held: JSHandle, /) -> NoReturn:
        raise ConversionError("$", f"a {type(held).__name__} lives in its sandbox and cannot travel with a job")

    def held(self, tag: Tag, handle: int, name: str, /) -> NoReturn:
        raise ConversionError("$", "something that lives in a sandbox")

    def target(self, op: int, /) -> NoReturn:
        raise LookupError(op)

    def unbind(self, op: int, /) -> None:
        """Nothing was bound."""

    def forget(self, request: int, /) -> None:
        """Nothing was promised."""

    def keep_exception(self, error: BaseException, /) -> int:
        """An exception of the host inside a value stays behind; the Error that it is to the guest travels."""
        return 1

    def exception(self, key: int, /) -> None:
        """None was kept."""


@lru_cache(maxsize=16)
def _codec(limits: Limits) -> Codec:
    return Codec(_Nobody(), limits)


def to_message(value: object, limits: Limits = LARGEST) -> bytes:
    """Encode a value that nobody's sandbox is needed for.

    Raises:
        ConversionError: It cannot cross, lives in a sandbox or on the host, or exceeds a budget of the limits.
    """
    return _codec(limits).encode(value)


def from_message(message: bytes) -> Any:  # noqa: ANN401 - any value
    """Decode what `to_message` made; each time the values are new."""
    return _codec(LARGEST).decode(message)


def unsendable(what: str, error: Exception) -> UsageError:
    """What cannot be pickled, or not be read where it has arrived; whatever the objects in it raise."""
    return UsageError(f"{what}: {type(error).__name__}: {error}")
