"""What the guest waits for: requests of the host's own, and open calls, as the embedder sees them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from sandbox._awaitables import close
from sandbox._events import returned
from sandbox.errors import ConversionError, UsageError

if TYPE_CHECKING:
    from sandbox._operations import Operations
    from sandbox._pending import Pending
    from sandbox._requests import Requests
    from sandbox._runs import Run
    from sandbox.limits import Limits

_HOST_AWAITABLE: Final = "awaitable"


class Serving:
    """Tells of what a guest waits for, and has awaitables answer it."""

    def __init__(self, limits: Limits, operations: Operations, requests: Requests) -> None:
        """Make one, of the parts of a sandbox."""
        self._limits = limits
        self._operations = operations
        self._requests = requests

    def promise(self, awaitable: Awaitable[Any], run: Run) -> int:
        """Have an awaitable answer a request of the host's own; returns its number.

        Raises:
            ConversionError: Too much is pending.
        """
        requests = self._requests
        if len(requests) >= (most := self._limits.pending_requests):
            close(awaitable)
            raise ConversionError("$", f"an awaitable beyond the pending_requests limit of {most:,}")
        held_bytes = self._operations.served_bytes()
        if requests.hold_too_much(held_bytes):
            close(awaitable)
            raise ConversionError("$", "an awaitable, while pending calls hold too much")
        return requests.promise(awaitable, run, held_bytes)

    def pending_calls(self) -> tuple[PendingCall, ...]:
        """The open calls of the embedder's functions, in the order in which they were made."""
        return tuple(
            PendingCall(self._requests, pending, self.name_of(pending.op))
            for pending in self._requests.pending()
            if pending.message and not pending.answered and not pending.settled
        )

    def name_of(self, op: int) -> str:
        """What an operation is called: by the embedder, if it has given it to the guest, or by itself."""
        if not op:
            return _HOST_AWAITABLE
        operation = self._operations.get(op)
        return "" if operation is None else getattr(operation, "label", "") or operation.name


class PendingCall:
    """A call of a host function that the guest waits for.

    Attributes:
        id: Its number, the same in a sandbox that is restored from a snapshot.
        name: Of the function: the global it was given as, or its own.
        arguments: What the guest gave.
    """

    __slots__ = ("_pending", "_requests", "arguments", "id", "name")

    def __init__(self, requests: Requests, pending: Pending, name: str) -> None:
        """Only a sandbox makes one."""
        self._requests = requests
        self._pending = pending
        self.id = pending.number
        self.name = name
        self.arguments = tuple(pending.arguments)

    def settle(self, value: Any = None) -> None:  # noqa: ANN401 - any value
        """Answer it with a value, in the place of the function, which is cancelled if it is at work.

        The program goes on in the run that waits for it, or in the next one. For a `Sandbox` any thread may call this,
        for an `AsyncSandbox` that of its event loop.

        Raises:
            UsageError: It has been answered, or the program does not wait for it any more.
        """
        self._answer(returned(value))

    def reject(self, error: Exception) -> None:
        """Have it fail; otherwise as `settle`.

        Raises:
            TypeError: What is given is no exception.
        """
        if not isinstance(error, Exception):
            raise TypeError(f"error must be an Exception, not {type(error).__name__}")
        self._answer(error)

    def _answer(self, value: object) -> None:
        if not self._requests.settle(self._pending, value):
            raise UsageError(f"the call {self.id} of {self.name!r} is pending no more")

    def __repr__(self) -> str:
        return f"<PendingCall {self.id} of {self.name}>"
