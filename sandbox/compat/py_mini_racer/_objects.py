"""Objects of a `MiniRacer`, live: what is changed on one side is changed on the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping, MutableSequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, overload

from sandbox.compat.py_mini_racer._errors import JSArrayIndexError, JSKeyError, JSPromiseError

if TYPE_CHECKING:
    from sandbox.compat._live import Held, Live


class JSUndefinedType:
    """The type of `undefined`. It is false."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "JSUndefined"


JSUndefined: Final = JSUndefinedType()


class Racer(Protocol):
    """What objects need of the context that they belong to."""

    def use(self, work: Callable[[Live], Any]) -> Any:  # noqa: ANN401 - any value
        """Do something in the guest; its errors are those of this interface."""

    async def use_later(self, work: Callable[[Live], Any]) -> Any:  # noqa: ANN401 - any value
        """The same on a worker thread."""


class JSObject:
    """Something of the guest. It hashes by its identity there."""

    __slots__ = ("__weakref__", "_held", "_racer")

    def __init__(self, racer: Racer, held: Held) -> None:
        """Wrap an object; only a context does this."""
        self._racer, self._held = racer, held

    def __hash__(self) -> int:
        return hash((id(self._racer), self._held.number))


class JSMappedObject(JSObject, MutableMapping[Any, Any]):
    """An object as a mapping of the names of its properties; inherited enumerable ones are among them."""

    __slots__ = ()

    def __hash__(self) -> int:
        return JSObject.__hash__(self)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - a key is a value
        try:
            return self._racer.use(lambda live: live.get(self._held, key))
        except KeyError:
            raise JSKeyError("No such key") from None

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401 - likewise
        self._racer.use(lambda live: live.set(self._held, key, value))

    def __delitem__(self, key: Any) -> None:  # noqa: ANN401 - likewise
        if not self._racer.use(lambda live: live.remove(self._held, key)):
            raise JSKeyError("No such key")

    def __contains__(self, key: object) -> bool:
        return self._racer.use(lambda live: live.has(self._held, key)) is True

    def __iter__(self) -> Iterator[Any]:
        names: list[str] = self._racer.use(lambda live: live.keys(self._held))
        return iter([int(name) if name.isdecimal() and name.isascii() else name for name in names])

    def __len__(self) -> int:
        return len(self._racer.use(lambda live: live.keys(self._held)))


class JSSymbol(JSMappedObject):
    """A symbol. It can be the key of a property."""

    __slots__ = ()


class JSArray(JSObject, MutableSequence[Any]):
    """An array as a sequence."""

    __slots__ = ()

    def __len__(self) -> int:
        return int(self._racer.use(lambda live: live.get(self._held, "length")))

    @overload
    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401 - any value
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        at = self._at(index)
        if not 0 <= at < len(self):
            raise IndexError
        try:
            return self._racer.use(lambda live: live.get(self._held, at))
        except KeyError:
            raise JSKeyError("No such key") from None

    def __setitem__(self, index: Any, value: Any) -> None:  # noqa: ANN401 - any value
        at = self._at(index)
        self._racer.use(lambda live: live.set(self._held, at, value))

    def __delitem__(self, index: Any) -> None:  # noqa: ANN401 - an int
        at = self._at(index)
        if not 0 <= at < len(self):
            raise JSArrayIndexError
        self._racer.use(lambda live: live.splice(self._held, at, 1))

    def insert(self, index: int, value: Any) -> None:  # noqa: ANN401 - any value
        """Put a value before an element."""
        at = self._at(index)
        self._racer.use(lambda live: live.splice(self._held, at, 0, [value]))

    def _at(self, index: object) -> int:
        if not isinstance(index, int):
            raise TypeError("the index of a JSArray is an int")
        return index + len(self) if index < 0 else index


class JSPromise(JSObject):
    """A promise. `get` waits for it, and so does `await`."""

    __slots__ = ()

    def get(self, *, timeout: float | None = None) -> Any:  # noqa: ANN401 - any value
        """Wait for its value.

        Args:
            timeout: For so many seconds at most.

        Raises:
            JSPromiseError: It was rejected.
            JSTimeoutException: It takes longer, or nothing is left that could settle it.
        """
        return self._value(*self._racer.use(lambda live: live.settled(self._held, timeout)))

    def __await__(self) -> Generator[Any, None, Any]:
        return self._later().__await__()

    async def _later(self) -> Any:  # noqa: ANN401 - any value
        return self._value(*await self._racer.use_later(lambda live: live.settled(self._held)))

    def _value(self, fulfilled: bool, value: Any) -> Any:  # noqa: ANN401 - as it is told
        if fulfilled:
            return value
        if isinstance(value, JSObject):
            raise JSPromiseError(self._racer.use(lambda live: live.text(value._held)))
        raise JSPromiseError(_PLAIN.get(repr(value), str(value)))


class JSFunction(JSMappedObject):
    """A function, which can be called and has properties."""

    __slots__ = ()

    def __call__(
        self, *args: object, this: JSObject | JSUndefinedType = JSUndefined, timeout_sec: float | None = None
    ) -> Any:  # noqa: ANN401 - any value
        """Call it.

        Args:
            *args: Plain values, datetimes, and objects of the same context.
            this: Its `this`.
            timeout_sec: How long it may take, in seconds.

        Raises:
            JSEvalException: It threw, or a limit was reached.
            JSConversionException: An argument is none of these.
        """
        owner = this._held if isinstance(this, JSObject) else None
        return self._racer.use(lambda live: live.call(self._held, args, this=owner, timeout=timeout_sec))

    def cancelable(self) -> CancelableJSFunction:
        """The same to be awaited: cancelling the task stops the function."""
        return CancelableJSFunction(self._racer, self._held)


class CancelableJSFunction(JSMappedObject):
    """A function whose calls are awaited, on a worker thread."""

    __slots__ = ()

    async def __call__(self, *args: object, this: JSObject | JSUndefinedType = JSUndefined) -> Any:  # noqa: ANN401 - any value
        """Call it; see `JSFunction`. A cancel point, which stops the guest."""
        owner = this._held if isinstance(this, JSObject) else None
        return await self._racer.use_later(lambda live: live.call(self._held, args, this=owner))


_PLAIN: Final = {"None": "null", "True": "true", "False": "false", "JSUndefined": "undefined"}
KINDS: Final[dict[str, type[JSObject]]] = {
    "object": JSMappedObject,
    "array": JSArray,
    "function": JSFunction,
    "promise": JSPromise,
    "symbol": JSSymbol,
}

PythonJSConvertedTypes: TypeAlias = (
    JSUndefinedType
    | bool
    | int
    | float
    | str
    | JSObject
    | datetime
    | memoryview
    | JSPromise
    | JSFunction
    | CancelableJSFunction
    | JSMappedObject
    | JSSymbol
    | JSArray
    | None
)
PyJsFunctionType: TypeAlias = Callable[..., Awaitable[PythonJSConvertedTypes]]
