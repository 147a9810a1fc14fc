"""A sandbox without a guest, for tests of the codec, and messages made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack

from sandbox._abi import Mode
from sandbox._codec import Codec
from sandbox._decode import Reader
from sandbox._encode import Writer
from sandbox._wire import new_packer
from sandbox.errors import ConversionError
from sandbox.limits import Limits
from sandbox.values import JSFunction


class Owner:
    """A sandbox without a guest."""

    def __init__(self) -> None:
        self.bound: list[Callable[..., Any]] = []
        self.kept: dict[int, BaseException] = {}
        self.released: list[int] = []

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        self.bound.append(function)
        return 300, Mode.QUEUE, "f", 2

    def function(self, handle: int, name: str, /) -> JSFunction:
        return JSFunction(self, handle, name)

    def handle_of(self, function: JSFunction, /) -> int:
        if function.owner is not self:
            raise ConversionError("$", "a function of another sandbox")
        return function.handle

    def exception(self, key: int, /) -> BaseException | None:
        return self.kept.get(key)

    def keep_exception(self, error: BaseException, /) -> int:
        self.kept[len(self.kept) + 1] = error
        return len(self.kept)

    def call(self, handle: int, args: tuple[object, ...], this: object) -> object:
        raise NotImplementedError

    def release(self, handle: int) -> None:
        self.released.append(handle)


def codec(**limits: Any) -> Codec:
    return Codec(Owner(), Limits(**limits))


def round_trip(value: object) -> Any:
    converter = codec()
    return converter.decode(converter.encode(value))


def generally_encoded(*values: object) -> bytes:
    """The message as the general way writes it."""
    return Writer(Owner(), Limits(), new_packer(), show_error_text=True).write(values)


def generally_decoded(message: bytes) -> Any:
    """The value as the general way reads it."""
    return Reader(Owner(), Limits(), message[1:], references=bool(message[0])).read()


def ext(tag: int, payload: bytes) -> bytes:
    return bytes((0xC7, len(payload), tag)) + payload


def packed(value: object) -> bytes:
    return bytes(msgpack.packb(value))
