"""Values that belong to no sandbox: they are encoded for no guest yet, or read where no guest is."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import CAP_DEPTH, CAP_MESSAGE_BYTES, CAP_NODES, Mode, Tag
from sandbox._codec import Codec
from sandbox._pace import Pace
from sandbox.errors import ConversionError
from sandbox.limits import Limits

if TYPE_CHECKING:
    from sandbox._encode import Labels
    from sandbox.values import JSHandle

LARGEST: Final = Limits(max_nodes=CAP_NODES, max_depth=CAP_DEPTH, message_bytes=CAP_MESSAGE_BYTES)
"""For what has passed the limits of a sandbox before."""

# Those that are kept have low numbers.
_NOBODYS_EXCEPTION: Final = (1 << 31) - 1
_KINDS: Final = {Tag.PROMISE: "promise", Tag.ITERATOR: "iterator", Tag.ASYNC_ITERATOR: "async iterator"}


class Detached:
    """Takes the place of a sandbox.

    What would have to live in it, or on the host, is refused; where such things are read, they are texts.
    """

    served: object = None
    pace: Pace = Pace()
    labels: Labels | None = None

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        """See `EncodeOwner`."""
        raise _left("a function")

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any], /) -> tuple[int, Mode, str, int]:
        """See `EncodeOwner`."""
        raise _left("an iterator")

    def promise(self, awaitable: Awaitable[Any], /) -> int:
        """See `EncodeOwner`."""
        if isinstance(awaitable, CoroutineType):
            awaitable.close()
        raise _left("an awaitable")

    def handle_of(self, held: JSHandle, /) -> int:
        """See `EncodeOwner`."""
        raise _left(f"a {type(held).__name__}")

    def unbind(self, op: int, /) -> None:
        """Nothing was bound."""

    def forget(self, request: int, /) -> None:
        """Nothing was promised."""

    def keep_exception(self, error: BaseException, /) -> int:
        """Exceptions of the host stay behind."""
        return _NOBODYS_EXCEPTION

    def held(self, tag: Tag, handle: int, name: str, /) -> Any:  # noqa: ANN401 - a text in the place of a handle
        """See `DecodeOwner`."""
        kind = _KINDS.get(tag, "function")
        return f"<{kind} {name}>" if name else f"<{kind}>"

    def target(self, op: int, /) -> object:
        """See `DecodeOwner`."""
        return "<object of the host>"

    def exception(self, key: int, /) -> BaseException | None:
        """None was kept."""
        return None


def _left(what: str) -> ConversionError:
    return ConversionError("$", f"{what}, which cannot go along in a snapshot")


DETACHED: Final = Codec(Detached(), LARGEST)
"""Converts what needs no sandbox. Any thread."""
