"""The state of a whole sandbox between two turns, the guest's half and the host's, and the way back to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sandbox._guest import Guest
    from sandbox._operations import Operations
    from sandbox._requests import Requests
    from sandbox._runs import Run


class Part(Protocol):
    """Something of the host whose state belongs to the sandbox."""

    def checkpoint(self) -> Callable[[], object]:
        """Note the state; returns what sets it back."""


class Checkpoint:
    """What a sandbox was before the runs in progress. Made, kept and restored while no turn runs.

    It holds a copy of the guest's memory until it is let go.

    Attributes:
        runs: The runs that began since and have not ended.
    """

    def __init__(
        self,
        guest: Guest,
        operations: Operations,
        requests: Requests,
        parts: Iterable[Part],
        queues: Iterable[deque[Any]],
    ) -> None:
        """Note what the host knows; `copy_guest` has to follow before anything else happens.

        Args:
            guest: The guest.
            operations: What the two sides hold of each other.
            requests: What the guest waits for.
            parts: What else the host knows of the guest.
            queues: What the guest is to be told before its next turn.
        """
        self.runs: set[Run] = set()
        self._guest = guest
        self._operations = operations
        self._requests = requests
        self._restores = [part.checkpoint() for part in parts]
        self._queues = [(queue, queue.copy()) for queue in queues]
        self._restore_guest: Callable[[], None] | None = None
        operations.mark()
        requests.mark()

    def copy_guest(self) -> None:
        """Copy the guest.

        Raises:
            MemoryError: The host has no room for the copy.
        """
        self._restore_guest = self._guest.checkpoint()

    def keep(self) -> None:
        """Let go of what was noted: all that has happened since stands."""
        self._operations.keep()
        self._requests.keep()

    def restore(self) -> None:
        """Go back, after a crash too. Host calls made since are cancelled when the turn is over.

        Raises:
            SandboxError: The process has no room for it; the guest cannot be used, and the host's half is as it was.
        """
        assert self._restore_guest is not None
        self._restore_guest()
        for operation in self._operations.undo():
            self._requests.end_service(id(operation))
        self._requests.undo()
        for restore in self._restores:
            restore()
        for queue, items in self._queues:
            queue.clear()
            queue.extend(items)
