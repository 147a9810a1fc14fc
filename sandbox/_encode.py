"""Python values into messages, the general way: every type, shared references and cycles, budgets, paths in errors.

`Writer` walks a value once with a stack of its own, so that no nesting can exhaust Python's. Objects are numbered in
the order their encoding begins; an object met again becomes a reference. Immutable values (bytes, datetimes, `RegExp`)
have no identity in Python worth keeping and are written again each time. `_codec` has a quicker way for plain data.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import timedelta
from enum import Enum
from itertools import chain
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Protocol

from sandbox import _failures, exposure
from sandbox._abi import Flag, Mode, Tag
from sandbox._leaves import LEAVES, Pack, in_order
from sandbox._records import parts_of
from sandbox._wire import (
    BYTE_FORMATS,
    ELEMENTS,
    NATIVE_ORDER,
    SCALARS,
    array_head,
    bigint_payload,
    extension,
    map_head,
    path_of,
    path_step,
)
from sandbox.errors import ConversionError, JSError
from sandbox.functions import HostFunction
from sandbox.values import BigInt, Blob, File, JSHandle, JSMap, JSSet

if TYPE_CHECKING:
    import msgpack

    from sandbox._pace import Pace
    from sandbox.errors import ErrorDetail
    from sandbox.limits import Limits


class Labels(Protocol):
    """See `sandbox._labels`."""

    def next(self, function: object, name: str, /) -> str:
        """The label of the next function that is bound, which has such a name."""


class EncodeOwner(Protocol):
    """What the encoder needs of the sandbox that the values go into.

    Attributes:
        served: What the guest gave for the answer that is being written. Coroutines and tracebacks hold on to it.
        pace: Is told of each value, and says when there is no time for the rest.
        labels: Names what is bound, while a global of the embedder is written; None: nothing has such a name.
    """

    served: object
    pace: Pace
    labels: Labels | None

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        """Give a host callable an op: returns op, mode, name and parameter count. The same callable keeps its op.

        Raises:
            ConversionError: The guest holds too many.
        """

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any], /) -> tuple[int, Mode, str, int]:
        """Give the steps of an iterator an op; likewise. It is asynchronous when its mode is `QUEUE`."""

    def unbind(self, op: int, /) -> object:
        """Take back one `bind` or `bind_steps`, whose message is not sent."""

    def promise(self, awaitable: Awaitable[Any], /) -> int:
        """The number of a request that the awaitable will answer.

        Raises:
            ConversionError: Too many are pending.
        """

    def forget(self, request: int, /) -> None:
        """Take back a `promise`, whose message is not sent."""

    def handle_of(self, held: JSHandle, /) -> int:
        """The guest's number of something of its own.

        Raises:
            ConversionError: It belongs to another sandbox, or was released.
        """

    def keep_exception(self, error: BaseException, /) -> int:
        """Keep an exception for as long as the guest may throw it again; returns its id, which is positive."""


class _Refused(Exception):
    """Why a value cannot be encoded; the writer adds the path."""


class _Frame:
    """A container whose items are being written."""

    __slots__ = ("items", "keys", "mark", "position", "width")

    def __init__(
        self, items: Iterator[object], *, width: int = 1, keys: Sequence[str] | None = None, mark: int = 0
    ) -> None:
        self.items = items
        self.position = -1
        self.width = width  # items of one entry: 2 for keys and values in turn
        self.keys = keys
        self.mark = mark  # where the payload of the surrounding extension begins; 0: there is none

    def step(self) -> str:
        if self.keys is not None:
            return path_step(self.keys[self.position])
        return path_step(self.position // self.width)


class Writer:
    """Writes one message. Use it once.

    Args:
        owner: The sandbox.
        limits: Budgets for nodes, depth and bytes.
        packer: For scalars; nobody else may use it meanwhile.
        error_detail: What the guest sees of host exceptions.
    """

    def __init__(
        self, owner: EncodeOwner, limits: Limits, packer: msgpack.Packer, error_detail: ErrorDetail = "message"
    ) -> None:
        self._owner = owner
        self._step = owner.pace.step
        self._limits = limits
        self._pack: Callable[[object], bytes] = packer.pack
        self._error_detail = error_detail
        self._out = bytearray(1)
        self._frames: list[_Frame] = []
        self._numbers: dict[int, int] = {}  # id of an object -> its number
        self._alive: list[object] = []  # keeps those ids from being used again
        self._bound: list[int] = []
        self._requests: list[int] = []
        self._objects = 0
        self._nodes = 0
        self._flags = 0

    def write(self, values: Sequence[object]) -> bytes:
        """Encode values as one message.

        Raises:
            ConversionError: A value cannot cross, or a budget is exceeded; the path says where.
        """
        try:
            self._walk(values)
        except BaseException as error:
            for op in self._bound:
                self._owner.unbind(op)
            for request in self._requests:
                self._owner.forget(request)
            if not isinstance(error, _Refused):
                raise
            raise ConversionError(path_of([frame.step() for frame in self._frames[1:]]), str(error)) from None
        self._out[0] = self._flags
        return bytes(self._out)

    def _walk(self, values: Sequence[object]) -> None:
        frames, out = self._frames, self._out
        frames.append(_Frame(iter(values)))
        self._count(len(values))
        while frames:
            frame = frames[-1]
            for value in frame.items:
                frame.position += 1
                self._step()
                child = self._begin(value)
                self._check_size(0)
                if child is not None:
                    frames.append(child)
                    break
            else:
                if frame.mark:
                    out[frame.mark - 5 : frame.mark - 1] = (len(out) - frame.mark).to_bytes(4, "big")
                frames.pop()

    def _check_size(self, more: int) -> None:
        """Refuse before anything larger than the budget is built."""
        if len(self._out) + more > self._limits.message_bytes:
            raise _Refused(f"larger than the message_bytes limit of {self._limits.message_bytes:,}")

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.max_nodes:
            raise _Refused(f"more values than the max_nodes limit of {self._limits.max_nodes:,}")

    def _number(self, value: object) -> bool:
        """Number an object; or write a reference and return False when it has a number."""
        number = self._numbers.get(id(value))
        if number is not None:
            self._out += extension(Tag.REFERENCE, self._pack(number))
            self._flags = Flag.REFERENCES
            return False
        if len(self._frames) > self._limits.max_depth:  # one frame is the message itself
            raise _Refused(f"nested deeper than the max_depth limit of {self._limits.max_depth}")
        self._numbers[id(value)] = self._objects
        self._alive.append(value)
        self._objects += 1
        return True

    def _begin(self, value: object) -> _Frame | None:
        """Write a value; return a frame when its items follow."""
        kind = type(value)
        if kind in SCALARS:
            self._out += self._scalar(value)
            return None
        if kind is list or kind is tuple:
            return self._list(value)  # type: ignore[arg-type] # one of the two
        if kind is dict:
            return self._map(value, value)  # type: ignore[arg-type] # a dict
        for types, write in _WRITERS:
            if isinstance(value, types):
                return write(self, value)
        return self._by_protocol(value)

    def _scalar(self, value: object) -> bytes:
        if type(value) is str:
            self._check_size(len(value))
        try:
            return self._pack(value)
        except OverflowError:
            return _bigint(value)  # type: ignore[arg-type] # only an int overflows

    def _list(self, value: Sequence[object]) -> _Frame | None:
        if type(value) is tuple and not value:
            self._value(array_head(0), numbered=True)  # all empty tuples are one object, which means nothing
            return None
        if not self._number(value):
            return None
        self._count(len(value))  # before anything is made of it: a range may be very long
        items = list(value)
        if SCALARS.issuperset(map(type, items)) and self._packed(items, items):
            return None
        self._out += array_head(len(items))
        return _Frame(iter(items))

    def _map(self, value: object, source: Mapping[Any, object]) -> _Frame | None:
        if not self._number(value):
            return None
        entries = [(self._key(key), item) for key, item in source.items()]
        self._count(len(entries))
        plain = dict(entries)
        if SCALARS.issuperset(map(type, plain.values())) and len(plain) == len(entries):
            self._check_size(sum(map(len, plain)))
            if self._packed(plain, plain.values()):
                return None
        self._out += map_head(len(entries))
        return self._properties(entries)

    def _packed(self, container: object, items: Iterable[object]) -> bool:
        """Write a container that holds nothing but scalars in one step; False when there is a bigint among them."""
        self._check_size(sum([len(item) for item in items if type(item) is str]))
        try:
            self._out += self._pack(container)
        except OverflowError:
            return False
        return True

    def _properties(self, entries: list[tuple[str, object]], mark: int = 0) -> _Frame:
        """A frame whose items are written each after its key."""
        keys = [key for key, _ in entries]
        if len(set(keys)) != len(keys):
            raise _Refused("a mapping with two keys of the same text")
        return _Frame(self._after_keys(entries), keys=keys, mark=mark)

    def _after_keys(self, entries: list[tuple[str, object]]) -> Iterator[object]:
        for key, value in entries:
            self._out += self._scalar(key)
            yield value

    def _key(self, key: object) -> str:
        if isinstance(key, Enum):
            key = key.value
        if isinstance(key, str):
            return str.__str__(key)
        if isinstance(key, int) and not isinstance(key, bool):
            return str(BigInt(key))
        raise _Refused(f"a mapping with a key of type {_type_name(key)}; keys are strings or ints, or use JSMap")

    def _open(self, tag: Tag, start: bytes) -> int:
        """Begin an extension whose length is filled in when its frame ends; returns where its payload begins."""
        self._out += b"\xc9\0\0\0\0" + bytes((tag,))
        mark = len(self._out)
        self._out += start
        return mark

    def _js_map(self, value: JSMap) -> _Frame | None:
        if not self._number(value):
            return None
        items = list(chain.from_iterable(value.items()))
        self._count(len(items))
        return _Frame(iter(items), width=2, mark=self._open(Tag.MAP, array_head(len(items))))

    def _set(self, value: Set[object]) -> _Frame | None:
        if type(value) is frozenset and not value:
            self._value(extension(Tag.SET, array_head(0)), numbered=True)  # as with empty tuples
            return None
        if not self._number(value):
            return None
        members = list(value) if type(value) is JSSet else in_order(value)
        self._count(len(members))
        return _Frame(iter(members), mark=self._open(Tag.SET, array_head(len(members))))

    def _error(self, error: BaseException) -> _Frame | None:
        if not self._number(error):
            return None
        properties: Mapping[str, object] = {}
        parts: tuple[str | None, ...]
        if isinstance(error, JSError):
            host = error.__cause__
            parts = (_failures.guest_class(error), error.name, error.message, error.stack or None)
            properties = error.properties
        else:
            host = error
            row = _failures.failure_of(error)
            parts = (row.js_class, row.name, _failures.text_of(error, self._error_detail), None)
            properties = _failures.properties_of(error, self._error_detail)
            if isinstance(error, BaseExceptionGroup):
                parts = ("AggregateError", *parts[1:])
        kept = None if host is None or isinstance(host, JSError) else self._owner.keep_exception(host)
        entries = [(self._key(key), item) for key, item in properties.items()]
        self._count(len(entries))
        start = b"\x96" + b"".join(self._pack(part and _failures.cut(part)) for part in parts) + self._pack(kept)
        return self._properties(entries, self._open(Tag.ERROR, start + map_head(len(entries))))

    def _value(self, data: bytes, *, numbered: bool) -> None:
        """Write what has no identity."""
        self._out += data
        self._objects += numbered

    def _enum(self, value: Enum) -> _Frame | None:
        return self._begin(value.value)

    def _blob(self, value: Blob) -> _Frame | None:
        if not self._number(value):
            return None
        self._check_size(len(value.data))
        parts: list[object] = [value.data, value.type]
        if isinstance(value, File):
            parts += [value.name, value.last_modified_ms]
        return _Frame(iter([parts]), mark=self._open(Tag.FILE if isinstance(value, File) else Tag.BLOB, b""))

    def _handle(self, value: JSHandle) -> None:
        try:
            handle = self._owner.handle_of(value)
        except ConversionError as error:
            raise _Refused(error.reason) from None
        self._value(extension(Tag.HANDLE, self._pack(handle)), numbered=False)

    def _bytes(self, value: bytes) -> None:
        self._check_size(len(value))
        self._value(self._pack(value if type(value) is bytes else bytes(value)), numbered=True)

    def _view(self, value: memoryview) -> None:
        self._buffer(value, value)

    def _buffer(self, value: object, view: memoryview) -> None:
        # Views of NumPy's dates, texts and records show bytes that mean nothing without their dtype.
        if getattr(getattr(value, "dtype", None), "kind", "b") not in "biufc":
            raise _Refused(f"an array of type {_type_name(value)} whose elements are no numbers")
        layout = view.format[1:] if view.format[0] in NATIVE_ORDER else view.format
        if view.ndim == 0 and layout in ELEMENTS.keys() | BYTE_FORMATS:
            self._value(self._scalar(_number_of(view)), numbered=False)
            return
        if view.ndim != 1:
            raise _Refused(f"a buffer of {view.ndim} dimensions; flatten it, or send its rows")
        if layout not in ELEMENTS and layout not in BYTE_FORMATS:
            raise _Refused(f"a buffer of format {view.format!r}, which no typed array has")
        if not self._number(value):
            return
        self._check_size(view.nbytes)
        data = view.tobytes()
        if layout in BYTE_FORMATS:
            self._out += self._pack(data)
        else:
            self._out += extension(Tag.TYPED_ARRAY, bytes((ELEMENTS[layout],)) + data)

    def _by_protocol(self, value: object) -> _Frame | None:
        if exposure.is_exposed(value):
            return self._host_object(value)
        if isinstance(value, Mapping):
            return self._map(value, value)
        if (parts := parts_of(value)) is not None:
            return self._map(value, parts)
        try:
            view = memoryview(value)  # type: ignore[arg-type] # asks whether it has the buffer protocol
        except (TypeError, ValueError, BufferError):
            pass
        else:
            self._buffer(value, view)
            return None
        if isinstance(value, Sequence):
            return self._list(value)
        if isinstance(value, Set):
            return self._set(value)
        from inspect import isawaitable  # takes long to import

        if isawaitable(value):
            self._promise(value)
        elif isinstance(value, AsyncIterable):
            self._bind(value, Tag.HOST_STREAM, self._owner.bind_steps)
        elif isinstance(value, Iterator):
            self._bind(value, Tag.HOST_ITERATOR, self._owner.bind_steps)
        elif callable(value):
            self._host_function(value)
        else:
            raise _Refused(f"a value of type {_type_name(value)}{_ADVICE.get(type(value), _OTHERWISE)}")
        return None

    def _promise(self, value: Awaitable[Any]) -> None:
        if self._number(value):
            try:
                request = self._owner.promise(value)
            except ConversionError as error:
                raise _Refused(error.reason) from None
            self._requests.append(request)
            self._out += extension(Tag.HOST_PROMISE, self._pack(request))

    def _host_function(self, value: Callable[..., Any]) -> None:
        self._bind(value, Tag.HOST_FUNCTION, self._owner.bind)

    def _bind(self, value: Any, tag: Tag, bind: Callable[[Any], tuple[int, Mode, str, int]]) -> None:  # noqa: ANN401 - what `bind` takes
        if self._number(value):
            try:
                op, mode, name, parameters = bind(value)
            except ConversionError as error:
                raise _Refused(error.reason) from None
            self._bound.append(op)
            payload = b"\x94" + b"".join(map(self._pack, (op, int(mode), name, parameters)))
            self._out += extension(tag, payload)

    def _host_object(self, value: object) -> _Frame | None:
        if not self._number(value):
            return None
        return _Frame(iter([exposure.parts(value)]), mark=self._open(Tag.HOST_OBJECT, b""))


def _leaf(write: Callable[[Any, Pack], bytes], *, numbered: bool) -> Callable[[Writer, Any], None]:
    def put(writer: Writer, value: object) -> None:
        try:
            data = write(value, writer._scalar)
        except ValueError as error:
            raise _Refused(str(error)) from None
        writer._value(data, numbered=numbered)

    return put


# The first row whose types fit; special ones before the classes they derive from.
_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Writer, Any], _Frame | None]], ...]] = (
    (bytes, Writer._bytes),
    (Enum, Writer._enum),
    (JSHandle, Writer._handle),
    ((FunctionType, MethodType, type, HostFunction, exposure.Anchor), Writer._host_function),
    (exposure.Exposure, Writer._host_object),
    *((types, _leaf(write, numbered=numbered)) for types, write, numbered in LEAVES),
    (Blob, Writer._blob),
    (JSMap, Writer._js_map),
    ((set, frozenset, JSSet), Writer._set),
    (BaseException, Writer._error),
    (memoryview, Writer._view),
)
_ADVICE: Final[dict[type, str]] = {
    timedelta: "; send value.total_seconds()",
    complex: "; send its two parts",
}
_OTHERWISE: Final = "; send its parts, or expose its methods"


def _bigint(value: int) -> bytes:
    try:
        return extension(Tag.BIGINT, bigint_payload(value))
    except ValueError as error:
        raise _Refused(str(error)) from None


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _number_of(view: memoryview) -> object:
    """The one item of a buffer without dimensions, such as a NumPy scalar."""
    try:
        item = view.tolist()
    except NotImplementedError:
        raise _Refused(f"a buffer of format {view.format!r}") from None
    return item if type(item) in SCALARS else bytes(item)  # a `c` item
