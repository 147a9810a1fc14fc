"""Values of a `Runtime`: copies, but for functions and streams."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, Self

from sandbox import BigInt, JSAsyncIterator, JSFunction, JSSet
from sandbox import undefined as nothing

if TYPE_CHECKING:
    from sandbox.compat._live import Held

_I64: Final = 1 << 63


class JsUndefined:
    """The type of `undefined`. It is false, and not None."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "JsUndefined"

    def __str__(self) -> str:
        return "undefined"

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle 'JsUndefined' object")


undefined: Final = JsUndefined()


class Caller(Protocol):
    """What functions need of their runtime."""

    def call_function(self, function: JsFunction, args: tuple[Any, ...], timeout: object) -> Any:  # noqa: ANN401 - any value
        """Call it; a value, or an awaitable of what is pending."""

    def call_function_later(self, function: JsFunction, args: tuple[Any, ...], timeout: object) -> Awaitable[Any]:
        """Call it on a worker thread."""

    def future(self, work: Awaitable[Any]) -> Awaitable[Any]:
        """What begins at once on the running loop."""


class JsFunction:
    """A function of the program, in whose runtime it is called. It goes back as itself."""

    is_closed: bool
    js: JSFunction
    owner: Held | None
    path: tuple[str | int, ...]

    __slots__ = ("__weakref__", "_runtime", "is_closed", "js", "owner", "path")

    def __init__(self, runtime: Caller, js: JSFunction, owner: Held | None, path: tuple[str | int, ...]) -> None:
        """Wrap a function; only a runtime does this.

        Args:
            runtime: Its runtime.
            js: The function.
            owner: The value it was found in; None: it was alone.
            path: Where in there; its `this` is what it is a property of.
        """
        self._runtime, self.js, self.owner, self.path = runtime, js, owner, path
        self.is_closed = False

    def __call__(self, *args: object, timeout: object = None) -> Any:  # noqa: ANN401 - any value
        """Call it: its value, or an awaitable where it returned a promise that is pending.

        Args:
            *args: Arguments.
            timeout: As for `Runtime.eval_async`.

        Raises:
            JavaScriptError: It threw.
            RuntimeError: It was closed; it took too long; or nothing can await what is pending.
        """
        return self._runtime.call_function(self, args, timeout)

    def call_async(self, *args: object, timeout: object = None) -> Awaitable[Any]:
        """The same, always to be awaited."""
        return self._runtime.call_function_later(self, args, timeout)

    def close(self) -> Awaitable[None]:
        """Let go of it: calls fail from now on."""
        self.is_closed = True
        self.js.release()

        async def done() -> None:
            pass

        return self._runtime.future(done())

    def __repr__(self) -> str:
        return f"<JsFunction id={self.js.handle}>"


class JsStream:
    """A stream of the program, for `async for`."""

    def __init__(self, steps: JSAsyncIterator, show: Callable[[Any], Any]) -> None:
        """Wrap a stream; only a runtime does this."""
        self._steps, self._show = steps, show

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - any value
        return self._show(await self._steps.__anext__())

    async def close(self) -> None:
        """Cancel it."""
        await self._steps.aclose()


class PyStreamSource:
    """An async iterable of Python as the program's `ReadableStream`."""

    steps: JSAsyncIterator

    __slots__ = ("steps",)

    def __init__(self, steps: JSAsyncIterator) -> None:
        """Wrap a stream; only a runtime does this."""
        self.steps = steps


class Steps:
    """An async iterable whose steps are taken by a function, on the loop it belongs to."""

    def __init__(self, iterable: AsyncIterable[Any], on_loop: Callable[..., Callable[..., Awaitable[Any]]]) -> None:
        """Take over an iterable.

        Args:
            iterable: What gives the values.
            on_loop: Makes of an `async def` one that runs there.
        """
        self._iterator: AsyncIterator[Any] = aiter(iterable)
        self._next = on_loop(self._iterator.__anext__)
        close = getattr(self._iterator, "aclose", None)
        self._close = None if close is None else on_loop(close)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - any value
        return await self._next()

    async def aclose(self) -> None:
        """End it."""
        if self._close is not None:
            await self._close()


def shown(value: Any, runtime: Caller, owner: Held | None = None) -> Any:  # noqa: ANN401 - any value
    """What users get of a value that has crossed.

    Args:
        value: The value; its containers are changed in place.
        runtime: Whose it is.
        owner: The value in the guest, for the `this` of its methods.
    """
    known: dict[int, Any] = {}

    def one(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any value
        if value is nothing:
            return undefined
        if isinstance(value, float):
            return int(value) if value.is_integer() and -_I64 <= value < _I64 else value
        if isinstance(value, BigInt):
            return int(value)
        if isinstance(value, JSFunction):
            return JsFunction(runtime, value, owner if path else None, path)
        if isinstance(value, JSAsyncIterator):
            return JsStream(value, lambda each: shown(each, runtime))
        if isinstance(value, list | dict | JSSet):
            if id(value) not in known:
                known[id(value)] = value  # what refers to itself goes on doing so
                known[id(value)] = container(value, path)
            return known[id(value)]
        return value

    def container(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, JSSet):
            return {one(each, (*path, 0)) for each in value}
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            value[key] = one(value[key], (*path, key))
        return value

    return one(value, ())


def taken(value: Any) -> Any:  # noqa: ANN401 - any value
    """What crosses of a value that users give."""
    if value is undefined:
        return nothing
    if isinstance(value, bool | str | bytes | float):
        return value
    if isinstance(value, int):
        return float(value) if abs(value) >= 1 << 53 and -_I64 <= value < _I64 else value
    if isinstance(value, JsFunction):
        return value.js
    if isinstance(value, PyStreamSource):
        return value.steps
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"'{type(key).__name__}' object cannot be cast as 'str'")
        return {key: taken(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [taken(each) for each in value]
    if isinstance(value, set | frozenset):
        return {taken(each) for each in value}
    return value
