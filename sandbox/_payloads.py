"""Payloads of extensions that hold scalars only: dates, handles, texts, the parts of errors."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from sandbox import _failures
from sandbox._abi import Tag
from sandbox._cursor import Cursor, malformed
from sandbox._wire import MAX_BIGINT_BYTES, typed_array_from
from sandbox.errors import JSError
from sandbox.values import URL, BigInt, Blob, File, JSHandle, RegExp, undefined

if TYPE_CHECKING:
    from sandbox._pace import Pace

# What stays in the guest and is held by handle.
HELD: Final = frozenset({Tag.FUNCTION, Tag.PROMISE, Tag.ITERATOR, Tag.ASYNC_ITERATOR})

# What exists in the table but has no Python type; the text says what a program can do instead.
UNSUPPORTED: Final[Mapping[int, str]] = {
    Tag.HEADERS: "Headers; send their entries",
    Tag.REQUEST: "a Request; send its parts",
    Tag.RESPONSE: "a Response; send its parts",
    Tag.FORM_DATA: "FormData; send its entries",
    Tag.CRYPTO_KEY: "a CryptoKey; send what exportKey gives",
}

_FLOAT64: Final = struct.Struct(">d")


class DecodeOwner(Protocol):
    """What the decoder needs of the sandbox that the values come from.

    Attributes:
        pace: Is told of each value, and says when there is no time for the rest.
    """

    pace: Pace

    def held(self, tag: Tag, handle: int, name: str, /) -> JSHandle:
        """A new function, promise or iterator, as the tag says; each handle in a message is met once.

        Raises:
            ConversionError: There are too many; the guest is told that nobody holds this one.
        """

    def target(self, op: int, /) -> object:
        """The exposed object behind an op.

        Raises:
            LookupError: There is none.
        """

    def exception(self, key: int, /) -> BaseException | None:
        """The host exception kept under an id, None when there is none."""


class _Payload(Cursor):
    def part(self) -> Any:  # noqa: ANN401 - a scalar
        """All of it, as one scalar."""
        value = self._scalar(self._byte())
        self._close()
        return value

    def parts(self, *types: type) -> list[Any]:
        """All of it, as an array of scalars of known types."""
        if self._count(self._byte(), 0x90, 0xDC) != len(types):
            raise malformed("an extension with the wrong parts")
        values = [self._scalar(self._byte()) for _ in types]
        if [type(value) for value in values] != list(types):
            raise malformed("an extension with the wrong parts")
        self._close()
        return values

    def _close(self) -> None:
        if self._at != self._end:
            raise malformed("bytes after the payload of an extension")


def reference_number(payload: bytes) -> object:
    """What a reference names."""
    return _Payload(payload).part()


def date_ms(payload: bytes) -> float:
    """Milliseconds of a Date; NaN for an invalid one."""
    if len(payload) != 9 or payload[0] != 0xCB:
        raise malformed("a Date without a time")
    milliseconds: float = _FLOAT64.unpack_from(payload, 1)[0]
    return milliseconds


def target_of(payload: bytes, owner: DecodeOwner) -> object:
    """The object of the host that the guest gives back."""
    op = _Payload(payload).part()
    try:
        if type(op) is int:
            return owner.target(op)
    except LookupError:
        pass
    raise malformed("an object of the host that there is not")


def held_parts(tag: int, payload: bytes) -> tuple[int, str]:
    """Handle and name of what stays in the guest; only a function has a name."""
    name = ""
    if tag == Tag.FUNCTION:
        handle, name = _Payload(payload).parts(int, str)
    else:
        handle = _Payload(payload).part()
    if type(handle) is not int or not 0 < handle < 1 << 32:
        raise malformed("a handle that is no number of one")
    return handle, name


def leaf(tag: int, payload: bytes) -> object:
    """The value of an extension that holds no other values and needs no sandbox.

    Raises:
        GuestProtocolError: The tag is unknown, never sent by a guest, or the payload is malformed.
    """
    if tag == Tag.UNDEFINED:
        if payload:
            raise malformed("undefined with a payload")
        return undefined
    if tag == Tag.BIGINT:
        if len(payload) > MAX_BIGINT_BYTES:
            raise malformed("a bigint longer than the engine has any")
        return BigInt(int.from_bytes(payload, "little", signed=True))
    if tag == Tag.ARRAY_BUFFER:
        return payload
    try:
        if tag == Tag.TYPED_ARRAY:
            return typed_array_from(payload)
        if tag == Tag.REGEXP:
            return RegExp(*_Payload(payload).parts(str, str))
        if tag == Tag.BLOB:
            return Blob(*_Payload(payload).parts(bytes, str))
        if tag == Tag.FILE:
            return File(*_Payload(payload).parts(bytes, str, str, int))
        if tag == Tag.URL:
            return _url(_Payload(payload).part())
    except ValueError as error:
        raise malformed(str(error)) from None
    raise malformed(f"a value of unknown type {tag}")


def _url(href: object) -> URL:
    if type(href) is not str:
        raise ValueError("a URL that is no text")
    return URL(href)


def new_error(parts: list[Any], owner: DecodeOwner) -> JSError:
    """An Error from its first five parts: class, name, message, stack, id of the host exception."""
    js_class, name, message, stack, key = parts
    if type(js_class) is not str or any(type(text) not in (str, type(None)) for text in (name, message, stack)):
        raise malformed("an Error with the wrong parts")
    visible = "TypeError" if js_class == _failures.CONVERSION_CLASS else js_class
    error = JSError(message or "", name=visible if name is None else name, stack=stack or "", js_class=js_class)
    if key is not None:
        if type(key) is not int:
            raise malformed("an Error with the wrong parts")
        error.__cause__ = owner.exception(key)
    return error


def adopt_cause(error: JSError) -> None:
    """Let Python show the guest's own cause, unless a host exception is the better one."""
    cause = error.properties.get("cause")
    if error.__cause__ is None and isinstance(cause, JSError) and cause is not error:
        error.__cause__ = cause
