"""Awaitables of the embedder on their way to the event loop, which some of them never reach."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Generator
from types import CoroutineType
from typing import Any


class Startable(ABC):
    """Work for a request, an awaitable or a `Later`, that wants to know when nobody wants its outcome any more."""

    @abstractmethod
    def close(self) -> None:
        """Nobody does: it is not going to be started, or was, and is going to be cancelled; any thread, idempotent."""


def close(awaitable: object) -> None:
    """Close what will not be started; of a coroutine Python warns otherwise."""
    if isinstance(awaitable, CoroutineType | Startable):
        awaitable.close()


class Timed(Startable):
    """An awaitable with a time limit of its own."""

    def __init__(self, awaitable: Awaitable[Any], seconds: float, name: str) -> None:
        """Limit an awaitable."""
        self._awaitable = awaitable
        self._seconds = seconds
        self._name = name

    def __await__(self) -> Generator[Any, Any, Any]:
        """Await it.

        Raises:
            TimeoutError: It took longer, and was cancelled.
        """
        return self._wait().__await__()

    async def _wait(self) -> Any:  # noqa: ANN401 - any value
        import anyio  # runs already

        with anyio.move_on_after(self._seconds) as scope:
            return await self._awaitable
        assert scope.cancelled_caught
        raise TimeoutError(f"{self._name} took longer than {self._seconds:g} s")

    def close(self) -> None:
        """See `Startable`."""
        close(self._awaitable)
