"""A sandbox without a guest, for tests of the codec, and messages made by hand."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from typing import Any

import msgpack

from sandbox._abi import CAP_FIRST_HOST_REQUEST, Mode, Tag
from sandbox._codec import Codec
from sandbox._decode import Reader
from sandbox._encode import Labels, Writer
from sandbox._pace import Pace
from sandbox._wire import new_packer
from sandbox.errors import ConversionError
from sandbox.limits import Limits
from sandbox.values import Generation, JSAsyncIterator, JSFunction, JSHandle, JSIterator, JSPromise, Question


class Owner:
    """A sandbox without a guest."""

    def __init__(self) -> None:
        self.bound: list[Callable[..., Any]] = []
        self.served: object = None
        self.pace = Pace()
        self.labels: Labels | None = None
        self.kept: dict[int, BaseException] = {}
        self.released: list[int] = []
        self.unbound: list[int] = []
        self.awaited: list[Awaitable[Any]] = []
        self.forgotten: list[int] = []

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        self.bound.append(function)
        return 300, Mode.QUEUE, "f", 2

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any], /) -> tuple[int, Mode, str, int]:
        return 301, Mode.CALL, "next", 0

    def unbind(self, op: int, /) -> None:
        self.unbound.append(op)

    def promise(self, awaitable: Awaitable[Any], /) -> int:
        self.awaited.append(awaitable)
        return CAP_FIRST_HOST_REQUEST + len(self.awaited)

    def forget(self, request: int, /) -> None:
        self.forgotten.append(request)

    def held(self, tag: Tag, handle: int, name: str, /) -> JSHandle:
        if tag is Tag.FUNCTION:
            return JSFunction(self, handle, name)
        return {Tag.PROMISE: JSPromise, Tag.ITERATOR: JSIterator, Tag.ASYNC_ITERATOR: JSAsyncIterator}[tag](
            self, handle
        )

    def handle_of(self, held: JSHandle, /) -> int:
        if held.owner is not self:
            raise ConversionError("$", f"a {type(held).__name__} of another sandbox")
        return held.handle

    def target(self, op: int, /) -> object:
        raise LookupError(op)

    def exception(self, key: int, /) -> BaseException | None:
        return self.kept.get(key)

    def keep_exception(self, error: BaseException, /) -> int:
        self.kept[len(self.kept) + 1] = error
        return len(self.kept)

    def call(
        self, held: JSHandle, args: tuple[object, ...], this: object, timeout: float | None, fuel: int | None
    ) -> object:
        raise NotImplementedError

    def construct(self, held: JSHandle, args: tuple[object, ...], timeout: float | None, fuel: int | None) -> object:
        raise NotImplementedError

    def ask(self, held: JSHandle, question: Question, value: object, timeout: float | None) -> object:
        raise NotImplementedError

    def ask_later(self, held: JSHandle, question: Question, value: object) -> Awaitable[Any]:
        raise NotImplementedError

    def release(self, handle: int, generation: Generation) -> None:
        self.released.append(handle)


def codec(**limits: Any) -> Codec:
    return Codec(Owner(), Limits(**limits))


def round_trip(value: object) -> Any:
    converter = codec()
    return converter.decode(converter.encode(value))


def generally_encoded(*values: object) -> bytes:
    """The message as the general way writes it."""
    return Writer(Owner(), Limits(), new_packer()).write(values)


def generally_decoded(message: bytes) -> Any:
    """The value as the general way reads it."""
    return Reader(Owner(), Limits(), message[1:], references=bool(message[0])).read()


def ext(tag: int, payload: bytes) -> bytes:
    return bytes((0xC7, len(payload), tag)) + payload


def packed(value: object) -> bytes:
    return bytes(msgpack.packb(value))
