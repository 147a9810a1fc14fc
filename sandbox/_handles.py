"""What lives in the guest and is held from Python: functions, promises and iterators."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from typing import Any, Literal, NoReturn, Protocol, Self, final

from sandbox._scalars import undefined

Question = Literal["wait", "open", "next", "return", "throw"]
"""What can be asked of a promise (`wait`) or an iterator (the rest)."""


class Generation:
    """What handles made between two points of a sandbox's life have in common.

    Attributes:
        undone: Whether the sandbox was set back to before they were made. Their guest is gone; the one in its place
            may give their numbers to others.
    """

    undone: bool

    __slots__ = ("undone",)

    def __init__(self) -> None:
        self.undone = False


_LASTING = Generation()


class HandleOwner(Protocol):
    """What a handle needs of the sandbox it belongs to."""

    def call(
        self, held: JSHandle, args: tuple[object, ...], this: object, timeout: float | None, fuel: int | None
    ) -> Any:  # noqa: ANN401 - any value
        """Call a guest function; on the async face this returns an awaitable, which keeps the handle alive."""

    def construct(self, held: JSHandle, args: tuple[object, ...], timeout: float | None, fuel: int | None) -> Any:  # noqa: ANN401 - any value
        """Make an object of a guest class; likewise."""

    def ask(self, held: JSHandle, question: Question, value: object, timeout: float | None) -> Any:  # noqa: ANN401 - any value
        """Ask and wait for the answer; refused on the async face where the guest would have to be waited for."""

    def ask_later(self, held: JSHandle, question: Question, value: object) -> Awaitable[Any]:
        """Ask without blocking the event loop; on both faces."""

    def release(self, handle: int, generation: Generation) -> None:
        """Note that the host no longer holds a handle.

        Called from any thread, at any moment, also while the guest runs: it may only write the handle down.
        """


class JSHandle:
    """Something that lives in the guest, which keeps it until this object is collected or `release` is called.

    It goes back into its sandbox as itself, and belongs to no other. It may be used from any thread that may use its
    sandbox; on the async face, on the sandbox's event loop.
    """

    __slots__ = ("__weakref__", "_finalizer", "_generation", "_handle", "_owner")

    def __init__(self, owner: HandleOwner, handle: int, generation: Generation = _LASTING) -> None:
        """Wrap a handle; only a sandbox does this."""
        self._owner = owner
        self._handle = handle
        self._generation = generation
        # The registry of finalizers must not keep the sandbox alive, or a sandbox that holds one of its own functions
        # would never be collected.
        self._finalizer = weakref.finalize(self, _release, weakref.ref(owner), handle, generation)
        self._finalizer.atexit = False

    @property
    def owner(self) -> HandleOwner:
        """What it belongs to."""
        return self._owner

    @property
    def handle(self) -> int:
        """The guest's number for it; meaningless in any other sandbox."""
        return self._handle

    @property
    def released(self) -> bool:
        """Whether the guest was told that this object is no longer used."""
        return not self._finalizer.alive

    @property
    def undone(self) -> bool:
        """Whether the run that gave this object was rolled back, and with it what the object stood for."""
        return self._generation.undone

    def release(self) -> None:
        """Let the guest free it now. Later uses fail; a second release does nothing. Thread-safe."""
        self._finalizer()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} lives in its sandbox and cannot be copied or pickled")


@final
class JSFunction(JSHandle):
    """A function or class of the guest. Calling it calls into the guest, under the limits of its sandbox.

    On the blocking face a call returns the result; on the async face it returns an awaitable. In a host function that
    the guest called and waits for, the result is returned at once on both faces.

    Attributes:
        name: The function's name in the guest; may be empty.
    """

    name: str

    __slots__ = ("name",)

    def __init__(self, owner: HandleOwner, handle: int, name: str = "", generation: Generation = _LASTING) -> None:
        """Wrap a handle; only a sandbox does this."""
        super().__init__(owner, handle, generation)
        self.name = name

    def __call__(
        self, *args: object, this: object = undefined, timeout: float | None = None, fuel: int | None = None
    ) -> Any:  # noqa: ANN401 - any value
        """Call the function.

        Args:
            *args: Arguments, converted as every value is.
            this: The `this` value.
            timeout: Wall time for this call in seconds, if less than the limit.
            fuel: Instructions for this call, in place of `Limits.fuel`.

        Returns:
            What the function returned, a promise's value when it returned one; or an awaitable of it on the async face.

        Raises:
            JSError: The function threw.
            LimitExceeded: A limit of the sandbox was reached.
            UsageError: The sandbox is closed or busy, the function was released, or a value cannot be converted.
        """
        return self._owner.call(self, args, this, timeout, fuel)

    def new(self, *args: object, timeout: float | None = None, fuel: int | None = None) -> Any:  # noqa: ANN401 - any value
        """Call the class as a constructor, as `new` does; otherwise as a plain call. The new object is converted."""
        return self._owner.construct(self, args, timeout, fuel)

    def __repr__(self) -> str:
        return f"<JSFunction {self.name or '(anonymous)'}>"


@final
class JSPromise(JSHandle, Awaitable[Any]):
    """A promise of the guest inside a value. Await it, on either face, or call `result` on the blocking one.

    It may be waited for any number of times. Its rejection is raised where it is waited for, and nowhere else.
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._owner.ask_later(self, "wait", undefined).__await__()

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - any value
        """Wait until it settles and return its value; the guest runs meanwhile.

        Args:
            timeout: Wall time in seconds, if less than the limit.

        Raises:
            JSError: It was rejected.
            Stalled: It waits for what can never happen.
            SandboxBusy: Called where the guest cannot run, such as on the async face: await it there.
            LimitExceeded: A limit of the sandbox was reached.
        """
        return self._owner.ask(self, "wait", undefined, timeout)


class _Steps(JSHandle):
    """An iterator of the guest. Each step is asked for when it is wanted: nothing runs ahead, nothing is buffered."""

    __slots__ = ("_is_done", "_is_open")

    def __init__(self, owner: HandleOwner, handle: int, generation: Generation = _LASTING) -> None:
        super().__init__(owner, handle, generation)
        self._is_open = self._is_done = False

    # --- blocking ---

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - any value
        return self.send(undefined)

    def send(self, value: object) -> Any:  # noqa: ANN401 - any value
        """Take a step, with a value for the generator's `yield`.

        Raises:
            StopIteration: There are no more; its value is what the generator returned.
            SandboxBusy: Called where the guest cannot run, such as on the async face: use `async for` there.
            BaseException: As a call of a `JSFunction`.
        """
        return self._take("next", value)

    def throw(self, error: BaseException) -> Any:  # noqa: ANN401 - any value
        """Throw an exception into the generator where it stands; otherwise as `send`."""
        return self._take("throw", error)

    def close(self) -> None:
        """End it: the generator's `finally` blocks run. Nothing happens when it has ended."""
        if not self._is_done and not self.released and not self.undone:
            self._is_done = True
            try:
                self._open()
                self._owner.ask(self, "return", undefined, None)
            finally:
                self.release()

    def _open(self) -> None:
        if self._must_open():
            try:
                self._owner.ask(self, "open", undefined, None)
            except BaseException:
                self._is_open = False
                raise

    def _take(self, question: Question, value: object) -> Any:  # noqa: ANN401 - any value
        if self._is_done:
            raise StopIteration
        try:
            self._open()
            done, result = self._owner.ask(self, question, value, None)
        except Exception as error:
            if self._is_done:  # another thread took the last step meanwhile
                raise StopIteration from None
            self._fail(error)
            raise
        if done:
            self._end()
            raise StopIteration(result)
        return result

    # --- awaiting ---

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - any value
        return await self.asend(undefined)

    async def asend(self, value: object) -> Any:  # noqa: ANN401 - any value
        """Take a step, with a value for the generator's `yield`. A cancel point.

        Raises:
            StopAsyncIteration: There are no more.
            BaseException: As a call of a `JSFunction`.
        """
        return await self._take_later("next", value)

    async def athrow(self, error: BaseException) -> Any:  # noqa: ANN401 - any value
        """Throw an exception into the generator where it stands; otherwise as `asend`."""
        return await self._take_later("throw", error)

    async def aclose(self) -> None:
        """End it: the generator's `finally` blocks run. Nothing happens when it has ended. A cancel point."""
        if not self._is_done and not self.released and not self.undone:
            self._is_done = True
            try:
                await self._open_later()
                await self._owner.ask_later(self, "return", undefined)
            finally:
                self.release()

    async def _open_later(self) -> None:
        if self._must_open():
            try:
                await self._owner.ask_later(self, "open", undefined)
            except BaseException:
                self._is_open = False
                raise

    async def _take_later(self, question: Question, value: object) -> Any:  # noqa: ANN401 - any value
        if self._is_done:
            raise StopAsyncIteration
        try:
            await self._open_later()
            done, result = await self._owner.ask_later(self, question, value)
        except Exception as error:
            if self._is_done:  # another task took the last step meanwhile
                raise StopAsyncIteration from None
            self._fail(error)
            raise
        if done:
            self._end()
            raise StopAsyncIteration(result)
        return result

    # --- both ---

    def _must_open(self) -> bool:
        """Whether the handle stands for an iterable whose iterator was not asked for yet."""
        was_open, self._is_open = self._is_open, True
        return not was_open

    def _fail(self, error: Exception) -> None:
        """A step failed, which ends an iterator, unless the guest was set back to before it."""
        if not getattr(error, "rolled_back", False):
            self._end()

    def _end(self) -> None:
        self._is_done = True
        self.release()


@final
class JSIterator(_Steps, Iterator[Any]):
    """An iterator of the guest: a generator, an array's iterator, any object with `next` and `[Symbol.iterator]`.

    `for` on the blocking face, `async for` on either. Leaving a loop early leaves the iterator where it is; `close` or
    `aclose` ends it.
    """

    __slots__ = ()

    def _must_open(self) -> bool:
        return False


@final
class JSAsyncIterator(_Steps, AsyncIterator[Any]):
    """An async iterable of the guest: an async generator, a stream, any object with `[Symbol.asyncIterator]`.

    `async for` on either face, `for` on the blocking one. Each value is waited for when it is asked for. Leaving a loop
    early leaves the iterator where it is; `aclose` or `close` ends it.
    """

    __slots__ = ()


def _release(owner: weakref.ref[HandleOwner], handle: int, generation: Generation) -> None:
    alive = owner()
    if alive is not None:
        alive.release(handle, generation)
