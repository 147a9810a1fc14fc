"""Python's async iterators as the guest asks for them; see `_iterators`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable
from typing import Any, ClassVar

import anyio

from sandbox._iterators import after_end, check_method, thrown
from sandbox.values import undefined


class _Step:
    """A step that was asked for."""

    def __init__(self, method: str, value: object) -> None:
        self.method = method
        self.value = value
        self.answered = anyio.Event()
        self.answer: list[Any] | None = None
        self.error: BaseException | None = None

    def outcome(self) -> list[Any]:
        if self.error is not None:
            raise self.error
        return after_end(self.method, self.value) if self.answer is None else self.answer


class StreamSteps:
    """The steps of an async iterator, taken on the event loop.

    One task takes them all, `serve`, which is started with the first: what an async generator holds across a `yield`
    (task groups, timeouts, context variables) belongs to the task that entered it, and is left there. Cancelling that
    task does nothing; `stop` ends it.
    """

    def __init__(self, iterable: AsyncIterable[Any]) -> None:
        """Take an async iterable over."""
        self._iterable = iterable
        self._iterator: Any = None
        self._has_begun = self._is_done = False
        self._process: int | None = None
        self._asked: _Step | None = None
        self._turn: anyio.Lock | None = None
        self._wake: anyio.Event | None = None
        self._scope: anyio.CancelScope | None = None

    async def __call__(self, method: str, value: object) -> list[Any]:
        """Take a step. When this is cancelled the stream ends.

        Raises:
            ConnectionAbortedError: The task that takes the steps was left in the process this one was forked from.
            BaseException: What the iterator raised.
        """
        check_method(method)
        if self._process not in (None, os.getpid()):
            raise ConnectionAbortedError("the process was forked while this iterator was open")
        if self._turn is None:
            self._turn = anyio.Lock()
        async with self._turn:  # the guest asks for one at a time; one that was cancelled may not have ended yet
            return await self._step(method, value)

    async def _step(self, method: str, value: object) -> list[Any]:
        if self._is_done:
            return after_end(method, value)
        step = self._asked = _Step(method, value)
        if self._wake is not None:
            self._wake.set()
        try:
            await step.answered.wait()
        except BaseException:
            self.stop()
            raise
        finally:
            self._asked = None
        return step.outcome()

    async def serve(self) -> None:
        """Take the steps that are asked for, until the iterator ends or is stopped."""
        self._process = os.getpid()
        with anyio.CancelScope(shield=True), anyio.CancelScope() as self._scope:
            try:
                while not self._is_done:
                    step = self._asked
                    if step is None or step.answered.is_set():
                        self._wake = anyio.Event()
                        await self._wake.wait()
                    else:
                        await self._serve(step)
            finally:
                self._is_done = True
                try:
                    await _close(self._iterator)
                finally:
                    if self._asked is not None:
                        self._asked.answered.set()

    def stop(self) -> None:
        """End the iterator: it is closed where it stands, or cancelled in the step it takes. On the event loop."""
        self._is_done = True
        if self._asked is not None and self._scope is not None:
            self._scope.cancel()
        elif self._wake is not None:
            self._wake.set()

    async def _serve(self, step: _Step) -> None:
        try:
            step.answer = await self.take(step.method, step.value)
        except anyio.get_cancelled_exc_class():
            raise
        except StopAsyncIteration:
            self._is_done, step.answer = True, [True, undefined]
        except BaseException as error:
            self._is_done, step.error = True, error
            if isinstance(error, KeyboardInterrupt) and self._asked is not step:  # who asked has gone
                raise
        step.answered.set()

    async def take(self, method: str, value: object) -> list[Any]:
        """Have the iterator take a step."""
        if self._iterator is None:
            self._iterator = aiter(self._iterable)
        iterator = self._iterator
        if method == "next":
            can_send = self._has_begun and value is not undefined and hasattr(iterator, "asend")
            self._has_begun = True
            return [False, await (iterator.asend(value) if can_send else anext(iterator))]
        if method == "throw" and hasattr(iterator, "athrow"):
            return [False, await iterator.athrow(thrown(value))]
        self._is_done = True
        await _close(iterator)
        return after_end(method, value)

    KEEPS_BOOKS: ClassVar = (__call__, _step)
    """What Ctrl-C may interrupt only where it waits, though it runs as if it were the embedder's."""


async def _close(iterator: object) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
