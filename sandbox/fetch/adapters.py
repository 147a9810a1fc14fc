"""What answers requests: the contract of adapters, and the one that has a function of the embedder do it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread

from sandbox._records import record
from sandbox.http import Headers, Request, Response, checked_chunk

if TYPE_CHECKING:
    from sandbox.fetch.grant import Handler
    from sandbox.fetch.hops import Hop


@record(frozen=True, slots=True)
class Answer:
    """What an adapter gives.

    Attributes:
        status: As a server says it.
        reason: Likewise; may be empty.
        headers: All of them, in order.
        chunks: The body, decoded; it can be read once.
        url: Where it came from, if not from the URL that was asked for.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    chunks: AsyncGenerator[bytes]
    url: str | None = None


class Adapter(Protocol):
    """Answers requests of one sandbox. Both adapters pass `tests/fetch/test_conformance.py`."""

    def exchange(
        self, hop: Hop, headers: Headers, body: AsyncIterator[bytes] | None
    ) -> AbstractAsyncContextManager[Answer]:
        """Send a request; its answer can be read inside the context, by the task that entered it.

        Args:
            hop: The request, whose policy was checked.
            headers: All of its headers, but for those that frame it.
            body: The chunks of a body that is a stream; None: `hop.body` has the bytes.

        Raises:
            FetchFailure: There is no answer; or, in the context, no more of it.
            BaseException: What a function of the embedder raised.
        """

    async def aclose(self) -> None:
        """Close what is kept for further requests."""


class HandlerAdapter:
    """Has a function of the embedder answer."""

    def __init__(self, handler: Handler, timeout: float) -> None:
        """Make one; `timeout` is for the function's answer, and for each step of a body that it gives."""
        self._handler = handler
        self._timeout = timeout

    @asynccontextmanager
    async def exchange(self, hop: Hop, headers: Headers, body: AsyncIterator[bytes] | None) -> AsyncIterator[Answer]:
        """See `Adapter`."""
        request = Request(hop.method, str(hop.url), headers, body if body is not None else hop.body or b"")
        with anyio.fail_after(None if body is not None else self._timeout):
            response = await self._ask(request)
        if not isinstance(response, Response):
            raise TypeError(f"what answers a fetch must give a Response, not {type(response).__name__}")
        chunks = chunks_of(response.body, self._timeout)
        try:
            yield Answer(response.status, response.status_text, response.header_pairs, chunks, response.url)
        finally:
            await close_body(response.body)

    async def _ask(self, request: Request) -> object:
        if inspect.iscoroutinefunction(self._handler):
            return await self._handler(request)
        answer: Any = await anyio.to_thread.run_sync(self._handler, request, abandon_on_cancel=True)
        return await answer if inspect.isawaitable(answer) else answer

    async def aclose(self) -> None:
        """See `Adapter`. What the function keeps is its own affair."""


async def chunks_of(body: object, step_seconds: float | None = None) -> AsyncGenerator[bytes]:
    """The chunks of a body that the embedder gives, whatever it is made of.

    Raises:
        TypeError: It is not made of bytes.
        TimeoutError: It took too long to give one.
    """
    if isinstance(body, str):
        yield body.encode("utf-8")
    elif isinstance(body, bytes | bytearray | memoryview):
        yield bytes(body)
    elif isinstance(body, AsyncIterable):
        iterator = aiter(body)
        while True:
            with anyio.fail_after(step_seconds):
                try:
                    chunk = await anext(iterator)
                except StopAsyncIteration:
                    return
            yield checked_chunk(chunk)
    elif isinstance(body, Iterable):
        for chunk in body:
            yield checked_chunk(chunk)
    else:
        raise TypeError(f"a body must be bytes, str or an iterable of bytes, not {type(body).__name__}")


async def close_body(body: object) -> None:
    """Tell what gives the chunks of a body that nobody wants the rest."""
    if hasattr(body, "aclose"):
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await body.aclose()
    elif hasattr(body, "close"):
        body.close()
