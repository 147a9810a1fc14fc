"""fetch: what the guest asks of the network, or of whatever answers in its place. `sandbox.fetch` does the work."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Handler, Malformed, WorkingCapability
from sandbox.errors import CapabilityDenied
from sandbox.fetch.failures import TEXTS, FetchFailure
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox.fetch.exchanges import Exchanges
    from sandbox.fetch.grant import Fetch
    from sandbox.fetch.hops import RedirectMode

    _Working = WorkingCapability[Exchanges]
else:
    _Working = WorkingCapability  # what it works with is imported when it begins

_DIGESTS: Final = ("sha256", "sha384", "sha512")
_NO_NETWORK: Final = ["denied", "this sandbox was given no network"]
_GONE: Final = ["dropped", TEXTS["dropped"]]
_LEFT_BEHIND: Final = ["dropped", "the sandbox was restored from a snapshot, without its connections"]


def _nobody(_nanoseconds: int) -> None:
    """Nobody is charged."""


class FetchCapability(_Working):
    """Serves the guest's fetch, as its grant says. A failure is an answer as well: a code and a text."""

    stem: ClassVar[str] = "fetch"
    begins: ClassVar[str] = "send"
    titles: ClassVar[Mapping[str, str]] = {"send": "fetch"}
    quiet: ClassVar[frozenset[str]] = frozenset({"drop", "digest"})

    def __init__(self, grant: Fetch | None, charge: Callable[[int], object] = _nobody) -> None:
        """Make the capability.

        Args:
            grant: What may be fetched; None: there is no network.
            charge: Gets the nanoseconds that digests took: they are the guest's, which could compute them as well.
        """
        super().__init__(is_granted=grant is not None)
        self._grant = grant
        self._charge = charge

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {
            "send": self._send,
            "write": self._write,
            "read": self._read,
            "drop": self._drop,
            "digest": self._digest,
        }

    def _begin(self, numbers: Iterator[int]) -> Exchanges:
        from sandbox.fetch.exchanges import Exchanges

        assert self._grant is not None
        return Exchanges(self._grant, numbers)

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """See `Capability`: as a program calls `fetch`, with a URL and options."""
        if operation != "send":
            return arguments
        method, url, headers, body, redirect = arguments
        fields = dict(zip(headers[::2], headers[1::2], strict=True))
        return [url, {"method": method, "headers": fields, "body": body, "redirect": redirect}]

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: of a response what came before its body."""
        if not isinstance(answer, list) or not answer:
            return undefined  # it goes on
        if isinstance(answer[0], str):
            code, text = answer
            return CapabilityDenied("fetch", text) if code == "denied" else FetchFailure(code, text)
        if operation == "read":
            return answer[0]
        _, status, status_text, headers, url, redirected, _ = answer
        fields = dict(zip(headers[::2], headers[1::2], strict=True))
        return {"status": status, "statusText": status_text, "headers": fields, "url": url, "redirected": redirected}

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: the program's promise is rejected with a TypeError."""
        return _LEFT_BEHIND

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
        return _told(self.work().send, hop, redirect)

    def _write(self, number: object, chunk: object) -> object:
        if chunk is not None and not isinstance(chunk, bytes):
            raise TypeError("a chunk of a body must be bytes")
        begun = self._begun
        return _GONE if begun is None else _told(begun.write, _number(number), chunk)

    def _read(self, number: object) -> object:
        begun = self._begun
        return _GONE if begun is None else _told(begun.read, _number(number))

    def _digest(self, algorithm: object, data: object) -> bytes:
        """For the integrity of a body, wherever it came from: that is no use of the network."""
        if not isinstance(algorithm, str) or algorithm not in _DIGESTS or not isinstance(data, bytes):
            raise TypeError("a digest is one of some algorithms, of bytes")
        import hashlib  # programs that fetch want it, and no others

        began = time.perf_counter_ns()
        try:
            return hashlib.new(algorithm, data).digest()
        finally:
            self._charge(time.perf_counter_ns() - began)

    def _drop(self, number: object) -> object:
        begun = self._begun
        if begun is None:
            return _GONE
        begun.disown(_number(number))
        return _told(begun.drop, _number(number))


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
