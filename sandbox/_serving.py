"""What the guest waits for: requests of the host's own, and open calls, as the embedder sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
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
    from sandbox.pause import PausedCall

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
            if pending.message and pending.is_open()
        )

    def must_pause(self, run: Run, runs: Collection[int]) -> bool:
        """Whether a run has nothing else to do but to wait for calls that are paused.

        Its own calls end it as soon as the host has done all else that it asked for, whatever timers there are. Those
        that a run has left behind which is over end it where there is nothing else to wait for.

        Args:
            run: The run.
            runs: Numbers of the runs in progress.
        """
        requests = self._requests
        if not requests.has_paused:
            return False
        pending = requests.pending()
        paused = {each.pause.run for each in pending if each.pause is not None and each.is_open()}
        if run.id in paused:
            return not any(requests.is_at_work(each) for each in pending if each.run is run or each.run.ended)
        if paused.issubset(runs) or requests.any_answer() or requests.alarms:
            return False
        return not requests.any_host_call()

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
        pause: Why it has no answer, if a host function has paused it; else None.
    """

    arguments: tuple[Any, ...]
    id: int
    name: str

    __slots__ = ("_pending", "_requests", "arguments", "id", "name", "pause")

    def __init__(self, requests: Requests, pending: Pending, name: str) -> None:
        """Only a sandbox makes one."""
        self._requests = requests
        self._pending = pending
        self.id = pending.number
        self.name = name
        self.arguments = tuple(pending.arguments)
        self.pause: PausedCall | None = None if pending.pause is None else pending.pause.call(name, pending.message)

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

    def proceed(self) -> None:
        """Have the function called after all, if the call was paused. Hooks of `on_call` are not asked again.

        The function is called in the next turn of the program, with the same arguments. Otherwise as `settle`.

        Raises:
            UsageError: It was not paused.
        """
        if self.pause is None:
            raise UsageError(f"the call {self.id} of {self.name!r} is not paused")
        self._check(was_open=self._requests.make(self._pending))

    def proceed_in(self, run: Run) -> None:
        """As `proceed`; what watches that run sees the call, and its limits count it.

        Raises:
            UsageError: Likewise.
        """
        self.proceed()
        self._pending.run.observer, self._pending.run.meters = run.observer, run.meters

    def _answer(self, value: object) -> None:
        self._check(was_open=self._requests.settle(self._pending, value))

    def _check(self, *, was_open: bool) -> None:
        if not was_open:
            raise UsageError(f"the call {self.id} of {self.name!r} was answered, or is pending no more")

    def __repr__(self) -> str:
        return f"<PendingCall {self.id} of {self.name}>"
