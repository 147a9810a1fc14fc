"""Requests and responses as Python sees them: what `fetch` of a guest asks for, and what answers it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from sandbox._records import field, record

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[^\0\r\n\u0100-\U0010ffff]*")
_REASON: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

HeadersInit: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str]]"


class Headers(Mapping[str, str]):
    """HTTP headers: pairs in order, found by name whatever its case. They do not change.

    As a mapping, a name has all its values, joined by commas; `get_all` gives them one by one, as `Set-Cookie` needs.

        headers = Headers([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        headers["set-cookie"]           # "a=1, b=2"
        headers.get_all("set-cookie")   # ["a=1", "b=2"]
    """

    __slots__ = ("_pairs",)

    def __init__(self, init: HeadersInit = ()) -> None:
        """Make headers.

        Args:
            init: Pairs of name and value, a mapping, or other headers.

        Raises:
            ValueError: A name or a value cannot stand in a message: names are tokens, values are Latin-1 text without
                line breaks.
            TypeError: They are not text.
        """
        if isinstance(init, Headers):
            self._pairs: tuple[tuple[str, str], ...] = init._pairs
        else:
            items = init.items() if isinstance(init, Mapping) else init
            self._pairs = tuple(_checked(name, value) for name, value in items)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values, as they were given."""
        return self._pairs

    def get_all(self, name: str) -> list[str]:
        """All values of a name, in order."""
        lower = name.lower()
        return [value for given, value in self._pairs if given.lower() == lower]

    def __getitem__(self, name: str) -> str:
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._pairs})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return [(n.lower(), v) for n, v in self._pairs] == [(n.lower(), v) for n, v in other._pairs]

    def __hash__(self) -> int:
        return hash(tuple((name.lower(), value) for name, value in self._pairs))

    def __repr__(self) -> str:
        return f"Headers({list(self._pairs)!r})"


def _checked(name: object, value: object) -> tuple[str, str]:
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError("names and values of headers must be str")
    value = value.strip(" \t\r\n")
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot be the name of a header")
    if _VALUE.fullmatch(value) is None:
        raise ValueError(f"the value of the header {name!r} must be Latin-1 text without line breaks")
    return name, value


def checked_chunk(chunk: object) -> bytes:
    """A chunk of a body.

    Raises:
        TypeError: It is not bytes.
    """
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise TypeError(f"the chunks of a body must be bytes, not {type(chunk).__name__}")
    return bytes(chunk)


def is_token(text: str) -> bool:
    """Whether a text can be a method, or the name of a header."""
    return _TOKEN.fullmatch(text) is not None


@record(frozen=True, slots=True)
class Request:
    """A request: one of the program that is to be answered, or one that the program answers.

    Attributes:
        method: Such as `"GET"`.
        url: Absolute, without a fragment, and otherwise as it was written.
        headers: Its headers; a mapping or pairs are converted.
        body: The bytes; or the chunks as they come. Those of the program can be read once, and it goes on only as they
            are read. For `dispatch` anything that gives chunks, asynchronously on the asynchronous face only; it is
            asked for one when the program reads.

    Raises:
        ValueError: A header cannot stand in a message.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes | AsyncIterable[bytes] | Iterable[bytes] = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    async def read(self) -> bytes:
        """All of the body. A cancel point, if it is a stream."""
        return await _read(self.body)


@record(frozen=True, slots=True)
class Response:
    """An answer to a request.

    Attributes:
        status: 200 to 599.
        headers: Its headers; a mapping or pairs are converted.
        body: Text (as UTF-8), bytes, or what gives the chunks one by one, when the program reads them; what has
            `aclose` is closed when nobody reads on.
        status_text: What HTTP/1.1 says beside the status.
        url: Where it came from in the end, if whoever answers has followed redirects; None: from where it was asked.

    Raises:
        ValueError: The status is out of range, or a header or the status text cannot stand in a message.
    """

    status: int = 200
    headers: HeadersInit = ()
    body: bytes | str | AsyncIterable[bytes] | Iterable[bytes] = b""
    status_text: str = ""
    url: str | None = None

    def __post_init__(self) -> None:
        if self.status not in range(200, 600):
            raise ValueError(f"status must be an int from 200 to 599, not {self.status!r}")
        if _REASON.fullmatch(self.status_text) is None:
            raise ValueError("status_text must be Latin-1 text without control characters")
        object.__setattr__(self, "headers", Headers(self.headers))

    async def read(self) -> bytes:
        """All of the body. A cancel point, if it comes in chunks."""
        return await _read(self.body)

    def content(self) -> bytes:
        """All of the body, for code that blocks.

        Raises:
            TypeError: It comes asynchronously.
        """
        if isinstance(self.body, AsyncIterable):
            raise TypeError("this body comes asynchronously: await read()")
        return _content(self.body)

    @property
    def header_pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the headers."""
        assert isinstance(self.headers, Headers)
        return self.headers.pairs


async def _read(body: bytes | str | AsyncIterable[bytes] | Iterable[bytes]) -> bytes:
    return b"".join([chunk async for chunk in body]) if isinstance(body, AsyncIterable) else _content(body)


def _content(body: bytes | str | Iterable[bytes]) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8")
    return body if isinstance(body, bytes) else b"".join(body)
