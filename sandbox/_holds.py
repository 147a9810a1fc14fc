"""Awaitables that the guest is made to wait for: its turn stands still, on its thread, until there is an answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

from sandbox._awaitables import close
from sandbox._events import Returned, closed
from sandbox._pending import Aborted

StartInTurn = Callable[[Awaitable[Any], Callable[[Any], None]], Callable[[], object]]
"""As `Waiter.start`, from the thread of a turn that goes on meanwhile."""

# Waits take no longer timeouts than this on every platform.
LONGEST_WAIT_SECONDS: Final = 3600.0
_ENDED: Final = object()


class Hold:
    """Where the turn of one guest waits. One wait at a time, since the thread of the turn is in it.

    Attributes:
        wait: What identifies the wait in progress; None when there is none. Any thread may look.
    """

    def __init__(
        self,
        start: StartInTurn,
        call_host: Callable[[Callable[..., Any], Sequence[Any]], Any],
        is_stopped: Callable[[], bool],
    ) -> None:
        """Make one.

        Args:
            start: Starts an awaitable.
            call_host: Calls what may take long, so that Ctrl-C can interrupt it.
            is_stopped: Whether `end` was called for the turn that runs.
        """
        self.wait: SimpleQueue[Any] | None = None
        self._start = start
        self._call_host = call_host
        self._is_stopped = is_stopped

    def answer(self, awaitable: Awaitable[Any], deadline: float) -> Any:  # noqa: ANN401 - any value
        """Wait for an awaitable, which is cancelled when the wait ends before it does.

        Args:
            awaitable: What to run.
            deadline: The latest end, on `time.monotonic()`.

        Raises:
            Aborted: The deadline has passed, or `end` was called.
            BaseException: What the awaitable raised, or a signal handler.
        """
        answers = self.wait = SimpleQueue()
        try:
            try:
                if self._is_stopped():
                    raise Aborted
                cancel = self._start(awaitable, answers.put)
            except BaseException:
                close(awaitable)
                raise
            try:
                value = self._call_host(_take, (answers, deadline))
            except BaseException:
                cancel()
                raise
        finally:
            self.wait = None
        if value is _ENDED:
            cancel()
            raise Aborted
        if isinstance(value, BaseException):
            raise value
        return value.value if isinstance(value, Returned) else value

    def close(self) -> None:
        """The guest is closed: no turn of it will wait any more."""
        self._start = self._is_stopped = closed

    def end(self) -> None:
        """End the wait in progress, if there is one; any thread, also in a signal handler."""
        if (answers := self.wait) is not None:
            answers.put(_ENDED)


def _take(answers: SimpleQueue[Any], deadline: float) -> object:
    while (left := deadline - time.monotonic()) > 0:
        with suppress(Empty):
            return answers.get(timeout=min(left, LONGEST_WAIT_SECONDS))
    return _ENDED
