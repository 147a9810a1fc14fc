"""Requests that are handed to the guest: how each begins and ends, and how the blocking face goes through one.

A request is one run, from its first turn to the last byte of its response. Until then somebody takes its steps: on the
blocking face whoever reads the response, on the asynchronous one a task; see `_dispatch_async`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from sandbox._commands import ENTRY
from sandbox.http import Request, Response, checked_chunk, is_token

if TYPE_CHECKING:
    from sandbox._blocking import BlockingRunner, OpenRun
    from sandbox._commands import Command
    from sandbox._driver import Driver
    from sandbox._events import Event
    from sandbox._languages import Language
    from sandbox.capabilities.serve import Serve
    from sandbox.serve.served import Served


WHOLE_BYTES: Final = 1 << 20
"""Longer bodies of requests are given in pieces of this size, and so are all that come in chunks."""


def check_request(request: object, *, may_wait: bool) -> None:
    """See whether a request can be handed to a guest.

    Args:
        request: The request.
        may_wait: Whether its body may come asynchronously.

    Raises:
        TypeError: It is none, or its body is not made of bytes.
        ValueError: Its method or its URL is none.
    """
    if not isinstance(request, Request):
        raise TypeError(f"request must be a Request, not {type(request).__name__}")
    if not is_token(request.method):
        raise ValueError(f"{request.method!r} cannot be the method of a request")
    if not request.url.lower().startswith(("http://", "https://")):
        raise ValueError(f"the URL of a request must begin with http:// or https://, not {request.url!r}")
    if isinstance(request.body, AsyncIterable):
        if not may_wait:
            raise TypeError("a body that comes asynchronously needs an AsyncSandbox")
    elif not isinstance(request.body, Iterable):
        raise TypeError(f"a body is bytes or an iterable of bytes, not {type(request.body).__name__}")


def enter(driver: Driver, name: str, *arguments: object) -> Command:
    """Ask a binding for what it answers to the host under a name."""
    return lambda number: driver.guest.call(number, ENTRY, None, (name, *arguments))


def evaluate(driver: Driver, code: str, filename: str | None, language: Language | None = None) -> Command:
    """Evaluate a source as a module whose exports stay where they are."""

    def command(number: int) -> list[Event]:
        name = filename if filename is not None else f"<module {number}>"
        return enter(driver, "modules.evaluate", driver.compile(name, code, language), name)(number)

    return command


def command_of(driver: Driver, served: Served, request: Request, *, is_stream: bool) -> Command:
    """What has the guest answer a request, whose body comes in chunks or is `whole_body`."""
    pairs = [text for pair in request.headers.pairs for text in pair]
    body: bytes | bool | None = True if is_stream else whole_body(request) or None
    if request.method in ("GET", "HEAD"):
        body = None  # a Request of these has none
    arguments = (request.method, request.url, pairs, body, served.may_upgrade)
    return enter(driver, "serve.fetch", served.number, *arguments)


def whole_body(request: Request) -> bytes | None:
    """The body, if it crosses in one piece; None: it is given in chunks."""
    body = request.body
    return body if isinstance(body, bytes) and len(body) <= WHOLE_BYTES else None


def pieces_of(chunk: bytes) -> Iterator[bytes]:
    """A chunk in pieces of a bounded size; an empty one is left out."""
    for start in range(0, len(chunk), WHOLE_BYTES):
        yield chunk[start : start + WHOLE_BYTES]


class BlockingDispatch:
    """A request of the blocking face, and then the body of its response: an iterator that takes the run's steps."""

    def __init__(self, runner: BlockingRunner, driver: Driver, serve: Serve, request: Request) -> None:
        """Begin with nothing done; see `response`."""
        self._chunks = None if whole_body(request) is not None else _chunks(request.body)
        self._driver = driver
        self._serve = serve
        self._request = request
        self._runner = runner
        self._served = serve.begin()
        self._run: OpenRun | None = None

    def response(self, timeout: float | None, fuel: int | None) -> Response:
        """Go on until the guest has responded.

        Raises:
            BaseException: It has not.
        """
        served = self._served
        command = command_of(self._driver, served, self._request, is_stream=self._chunks is not None)
        try:
            self._run = self._runner.open(lambda run: self._driver.drive(run, command), timeout, fuel)
            served.notify = self._run.wake
            while served.answer() is None:
                self._advance()
            head = served.answer()
            assert head is not None
            if head.body is not None:
                self._finish()
        except BaseException:
            self.close()
            raise
        return Response(head.status, head.headers, self if head.body is None else head.body, head.status_text)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        served = self._served
        try:
            while not served.has_chunk:
                self._advance()
            chunk = served.take()
            if chunk is None:
                self._finish()
        except BaseException:
            self.close()
            raise
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Nobody wants the rest: the guest is told, and has a turn to act on it; what it then waits for is given up."""
        self._served.abort()
        try:
            self._finish()
        except Exception:  # noqa: BLE001 - the answer of a request that nobody wants
            return

    def __del__(self) -> None:
        # What a finalizer interrupts may be a turn of this sandbox.
        if getattr(self, "_run", None) is not None and not self._served.is_over:
            self._runner.abandoned.append(self)

    def _advance(self) -> None:
        """Go on until there is news, or the run is over."""
        assert self._run is not None
        served = self._served
        had_head = served.head is not None
        self._take(lambda: served.wants_chunk or served.has_chunk or (served.head is not None and not had_head))
        if served.wants_chunk:
            self._feed()

    def _finish(self) -> None:
        """Take the steps that are left, as far as nothing has to be waited for; then the run is over."""
        try:
            if not self._served.is_over:
                self._take(None)
        finally:
            self._end(ConnectionAbortedError("the response was closed"))

    def _take(self, is_so: Callable[[], object] | None) -> None:
        run = self._run
        if run is None:  # it could not begin
            return
        try:
            run.advance(is_so)
        except BaseException as error:
            self._end(error)
            raise
        if run.is_over:
            self._end(None, run.value)

    def _end(self, error: BaseException | None, value: object = None) -> None:
        """The run is over; the first end counts."""
        self._serve.end(self._served, error, value)
        if self._run is not None:
            self._run.close()

    def _feed(self) -> None:
        assert self._chunks is not None
        try:
            chunk = next(self._chunks, None)
        except Exception as error:  # noqa: BLE001 - it is the program's to deal with, like a connection that breaks
            self._served.fail_body(error)
        else:
            self._served.give(chunk)


def _chunks(body: object) -> Iterator[bytes]:
    assert isinstance(body, Iterable)
    for chunk in [body] if isinstance(body, bytes | bytearray | memoryview) else body:
        yield from pieces_of(checked_chunk(chunk))
