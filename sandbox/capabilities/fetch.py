"""fetch: what the guest asks of the network, or of whatever answers in its place. `sandbox.fetch` does the work."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from sandbox.capabilities.base import Capability, Handler, Malformed, Service
from sandbox.fetch.failures import TEXTS, FetchFailure

if TYPE_CHECKING:
    from sandbox.fetch.exchanges import Exchanges
    from sandbox.fetch.grant import Fetch
    from sandbox.fetch.hops import RedirectMode

# What belongs to the event loop of the process this one was forked from is left alone, not closed.
_lost: Final[list[Exchanges]] = []
_NO_NETWORK: Final = ["denied", "this sandbox was given no network"]
_GONE: Final = ["dropped", TEXTS["dropped"]]


class FetchCapability(Capability):
    """Serves the guest's fetch, as its grant says. A failure is an answer as well: a code and a text."""

    stem: ClassVar[str] = "fetch"

    def __init__(self, grant: Fetch | None) -> None:
        """Make the capability; None: there is no network."""
        self._grant = grant
        self._numbers = itertools.count(1)
        self._begun: Exchanges | None = None
        self._process = os.getpid()

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"send": self._send, "write": self._write, "read": self._read, "drop": self._drop}

    def services(self) -> Mapping[str, Service]:
        """See `Capability`."""
        if self._begun is not None and self._process != os.getpid():
            _lost.append(self._begun)
            self._begun = None
        self._process = os.getpid()
        return {} if self._grant is None else {"send": _Fetching(self.exchanges, self.end)}

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`: what the guest will not know of is given up."""
        noted = {} if self._begun is None else self._begun.note()

        def undo() -> None:
            if self._begun is not None:
                self._begun.undo(noted)

        return undo

    def exchanges(self) -> Exchanges:
        """The fetches of this sandbox."""
        if self._begun is None:
            from sandbox.fetch.exchanges import Exchanges  # brings an event loop, which most programs do without

            assert self._grant is not None
            self._begun = Exchanges(self._grant, self._numbers)
        return self._begun

    def end(self) -> None:
        """End all of them, on the event loop."""
        if self._begun is not None:
            self._begun.stop()

    # --- operations ---

    def _send(self, *arguments: object) -> object:
        method, url, pairs, body, size, redirect = _request(*arguments)
        if self._grant is None:
            return _NO_NETWORK
        from sandbox.fetch.hops import first_hop

        try:
            hop = first_hop(method, url, pairs, body, size)
        except FetchFailure as failure:
            return [failure.code, failure.text]
        return _told(self.exchanges().send, hop, redirect)

    def _write(self, number: object, chunk: object) -> object:
        if chunk is not None and not isinstance(chunk, bytes):
            raise TypeError("a chunk of a body must be bytes")
        begun = self._begun
        return _GONE if begun is None else _told(begun.write, _number(number), chunk)

    def _read(self, number: object) -> object:
        begun = self._begun
        return _GONE if begun is None else _told(begun.read, _number(number))

    def _drop(self, number: object) -> object:
        begun = self._begun
        if begun is None:
            return _GONE
        begun.disown(_number(number))
        return _told(begun.drop, _number(number))


class _Fetching:
    """The service behind the first fetch."""

    def __init__(self, exchanges: Callable[[], Exchanges], end: Callable[[], None]) -> None:
        self._exchanges = exchanges
        self.stop = end

    async def serve(self) -> None:
        """See `Service`."""
        await self._exchanges().serve()


async def _told(question: Callable[..., Awaitable[object]], *arguments: object) -> object:
    try:
        return await question(*arguments)
    except FetchFailure as failure:
        return [failure.code, failure.text]


def _number(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("a fetch is known by a number")
    return number


def _request(
    *arguments: object,
) -> tuple[str, str, list[tuple[str, str]], bytes | None, int | None, RedirectMode]:
    """What the guest asks for; the parts have the right types, what they say is found out later."""
    if len(arguments) != 5:
        raise Malformed("a fetch has five parts")
    method, url, headers, body, redirect = arguments
    if not isinstance(method, str) or not isinstance(url, str):
        raise TypeError("a fetch has a method and a URL")
    if redirect != "follow" and redirect != "error" and redirect != "manual":
        raise TypeError("a fetch has a redirect mode")
    if not isinstance(headers, list) or len(headers) % 2 or not all(isinstance(text, str) for text in headers):
        raise TypeError("headers are names and values")
    pairs = list(zip(headers[::2], headers[1::2], strict=True))
    if body is None or isinstance(body, bytes):
        return method, url, pairs, body or b"", None, redirect
    if body is not True and (isinstance(body, bool) or not isinstance(body, int) or body < 0):
        raise TypeError("a body is bytes, or a stream, with its length if that is known")
    return method, url, pairs, None, None if body is True else body, redirect
