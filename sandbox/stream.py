"""Streams: programs that hand values to the host one by one, with `yield` at their top."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, Self

from sandbox.errors import UsageError
from sandbox.values import JSAsyncIterator, undefined

__all__ = ["AsyncStream", "Stream"]

_NO_VALUE: Final = "the stream has no value yet: its program has not ended"


class _Stream:
    """What both faces share: where a stream is in its life."""

    def __init__(self) -> None:
        self._steps: JSAsyncIterator | None = None
        self._is_over = False
        self._value: Any = undefined
        self._has_value = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: the program has ended, has failed, or was closed."""
        return self._is_over

    @property
    def value(self) -> Any:  # noqa: ANN401 - any value
        """What the program returned, or its completion value.

        Raises:
            UsageError: It has not come to its end.
        """
        if not self._has_value:
            raise UsageError(_NO_VALUE)
        return self._value

    def _end(self, stop: StopIteration | StopAsyncIteration) -> None:
        self._is_over = self._has_value = True
        self._value = stop.args[0] if stop.args else undefined

    def __repr__(self) -> str:
        state = "over" if self._is_over else "not begun" if self._steps is None else "going on"
        return f"<{type(self).__name__} {state}>"


class Stream(_Stream, Iterator[Any]):
    """The values that a program yields, for code that blocks. The program runs only while the next one is asked for.

    As a context manager it is closed at the end of the block: the program's `finally` blocks run then.

        with box.stream("for (const row of rows()) yield row.name") as names:
            for name in names:
                print(name)
    """

    def __init__(self, begin: Callable[[], Any]) -> None:
        """Only a sandbox makes one."""
        super().__init__()
        self._begin = begin

    def __next__(self) -> Any:  # noqa: ANN401 - any value
        return self.send(undefined)

    def send(self, value: object) -> Any:  # noqa: ANN401 - any value
        """Ask for the next value; what is sent is what the program's `yield` gives it.

        Raises:
            StopIteration: There are no more; its value is that of the program.
            BaseException: As `Sandbox.eval`, of each step.
        """
        if self._is_over:
            raise StopIteration
        try:
            if self._steps is None:
                self._steps = self._begin()
            return self._steps.send(value)
        except StopIteration as stop:
            self._end(stop)
            raise
        except BaseException:
            self._is_over = True
            raise

    def close(self) -> None:
        """End the program where it stands; its `finally` blocks run. Nothing happens when it is over.

        Raises:
            BaseException: What a `finally` block threw; see `Sandbox.eval`.
        """
        was_over, self._is_over = self._is_over, True
        if self._steps is not None and not was_over:
            self._steps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncStream(_Stream, AsyncIterator[Any]):
    """The values that a program yields, for asyncio and trio; see `Stream`. Every method is a cancel point.

    async with box.stream("for await (const row of rows()) yield row.name") as names:
        async for name in names:
            print(name)
    """

    def __init__(self, begin: Callable[[], Awaitable[Any]]) -> None:
        """Only a sandbox makes one."""
        super().__init__()
        self._begin = begin

    async def __anext__(self) -> Any:  # noqa: ANN401 - any value
        return await self.asend(undefined)

    async def asend(self, value: object) -> Any:  # noqa: ANN401 - any value
        """Ask for the next value; see `Stream.send`.

        Raises:
            StopAsyncIteration: There are no more.
            BaseException: As `Sandbox.eval`, of each step.
        """
        if self._is_over:
            raise StopAsyncIteration
        try:
            if self._steps is None:
                self._steps = await self._begin()
            return await self._steps.asend(value)
        except StopAsyncIteration as stop:
            self._end(stop)
            raise
        except BaseException:
            self._is_over = True
            raise

    async def aclose(self) -> None:
        """End the program where it stands; see `Stream.close`."""
        was_over, self._is_over = self._is_over, True
        if self._steps is not None and not was_over:
            await self._steps.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
