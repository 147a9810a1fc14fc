"""One fetch, from its request to the last byte of its response.

A task of its own takes all steps, since what an adapter holds belongs to the task that entered it. The guest asks one
question at a time, and none of them waits for anything but this task: what comes next of the request, then of the
response. Between two answers the task goes ahead by a bounded number of bytes, and then waits.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any, Final

import anyio

from sandbox.fetch.failures import FetchFailure
from sandbox.fetch.hops import Hop, RedirectMode, has_body, is_redirect, next_hop, sent_headers
from sandbox.network.tasks import Signal
from sandbox.network.urls import BadURL, parse

if TYPE_CHECKING:
    from sandbox.fetch.adapters import Adapter, Answer
    from sandbox.fetch.grant import Fetch

# What the task reads ahead of the guest.
_AHEAD_BYTES: Final = 1 << 17
# Short bodies usually come with their headers; then one answer says all.
_TOGETHER_SECONDS: Final = 0.002
# What is read of a redirect's own body, so that its connection can be used again.
_DRAINED_BYTES: Final = 1 << 16
_DRAIN_SECONDS: Final = 1.0

Said = int | list[Any]
"""An answer to the guest: a number asks for the next chunk of its body, a list is a response or a failure."""


class Exchange:
    """A fetch in progress. All of it happens on the event loop.

    Attributes:
        number: What the guest calls it.
        used: When it was last asked for something, as a count; see `Exchanges`.
        asked: Whether a question waits for its answer.
        is_undone: Whether the guest has forgotten of it what it was told; any thread may set it, between turns.
    """

    asked: bool

    def __init__(self, number: int, grant: Fetch, adapter: Adapter, hop: Hop, redirect: RedirectMode) -> None:
        """Make one; `run` begins it."""
        self.number = number
        self.used = 0
        self.asked = self.is_undone = False
        self._grant = grant
        self._adapter = adapter
        self._hop = hop
        self._redirect: RedirectMode = redirect
        self._scope = anyio.CancelScope()
        self._changed = Signal()
        self._failure: BaseException | None = None
        self._wants_chunk = self._ended = self._over = False
        self._given: bytes | None = None  # the guest's next chunk
        self._has_given = False
        self._head: tuple[Any, ...] | None = None
        self._ahead: deque[bytes] = deque()
        self._ahead_bytes = 0

    # --- what the guest asks; each raises what ends the fetch ---

    async def begin(self) -> Said:
        """Wait until the fetch wants a chunk of the guest's body, or has a response."""
        await self._until(lambda: self._wants_chunk or self._head is not None)
        if self._head is None:
            return self.number
        with anyio.move_on_after(_TOGETHER_SECONDS):
            while not (self._ended or self._over or self._ahead_bytes >= _AHEAD_BYTES):
                await self._changed.wait()
        head, chunk = self._head, self._take()
        return [0 if self.is_done() else self.number, *head, chunk]

    async def write(self, chunk: bytes | None) -> Said:
        """Give the next chunk of the body, None at its end; then as `begin`."""
        if self._wants_chunk:  # else the answer came before the body's end, and nobody wants the rest
            self._given, self._has_given, self._wants_chunk = chunk, True, False
            self._changed.set()
        return await self.begin()

    async def read(self) -> list[Any]:
        """Wait for more of the response's body: what there is, and whether that was all."""
        await self._until(lambda: self._ahead or self._ended)
        return [self._take(), self.is_done()]

    def cancel(self) -> None:
        """Nobody is interested any more."""
        self._scope.cancel()

    def is_done(self) -> bool:
        """Whether there is nothing left to ask for."""
        return self._ended and not self._ahead

    async def _until(self, is_so: Callable[[], object]) -> None:
        self.asked = True
        try:
            while not is_so():
                if self._failure is not None:
                    raise self._failure
                if self._over:
                    raise FetchFailure("dropped")
                await self._changed.wait()
        finally:
            self.asked = False

    def _take(self) -> bytes:
        chunk = self._ahead[0] if len(self._ahead) == 1 else b"".join(self._ahead)
        self._ahead.clear()
        self._ahead_bytes = 0
        self._changed.set()
        return chunk

    # --- the task ---

    async def run(self) -> None:
        """Take all steps."""
        try:
            with self._scope:
                await self._run()
        except anyio.get_cancelled_exc_class():
            raise
        except TimeoutError:
            self._failure = FetchFailure("timeout")
        except BaseException as error:
            self._failure = error
            if isinstance(error, KeyboardInterrupt) and not self.asked:
                raise
        finally:
            self._over = True
            self._changed.set()

    async def _run(self) -> None:
        hop, is_redirected = self._hop, False
        for count in itertools.count(1):
            self._check(hop, is_redirected=is_redirected)
            async with AsyncExitStack() as stack:
                body = await stack.enter_async_context(aclosing(self._uploaded())) if hop.body is None else None
                headers = sent_headers(hop, self._grant)
                answer = await stack.enter_async_context(self._adapter.exchange(hop, headers, body))
                location = next((value for name, value in answer.headers if name.lower() == "location"), None)
                if not is_redirect(answer.status) or (location is None and self._redirect == "follow"):
                    await self._deliver(hop, answer, is_redirected=is_redirected)
                    return
                if self._redirect == "error":
                    raise FetchFailure("redirect", "there is a redirect, and the request wants none")
                if self._redirect == "manual":
                    self._head, self._ended = (0, "", [], str(hop.url), False), True
                    return
                if count > self._grant.redirects:
                    raise FetchFailure("redirect", "there are too many redirects")
                assert location is not None
                hop, is_redirected = next_hop(hop, answer.status, location), True
                await _drain(answer.chunks)

    def _check(self, hop: Hop, *, is_redirected: bool) -> None:
        try:
            self._grant.check(hop.method, hop.url)
        except FetchFailure:
            if is_redirected:  # where that leads is not for the guest to know
                raise FetchFailure("denied", "the grant does not allow where the redirect leads") from None
            raise
        most = self._grant.max_request_bytes
        size = hop.body_bytes if hop.body is None else len(hop.body)
        if most is not None and size is not None and size > most:
            raise FetchFailure("too-large", "the body of the request is larger than the grant allows")

    async def _uploaded(self) -> AsyncGenerator[bytes]:
        """The body that the guest gives, chunk by chunk, each when it is wanted."""
        most, total = self._grant.max_request_bytes, 0
        while True:
            self._has_given, self._wants_chunk = False, True
            self._changed.set()
            await self._wait_for_guest(lambda: self._has_given)
            chunk, self._given = self._given, None
            total += 0 if chunk is None else len(chunk)
            if most is not None and total > most:
                raise FetchFailure("too-large", "the body of the request is larger than the grant allows")
            if self._hop.body_bytes is not None and (
                total > self._hop.body_bytes or (chunk is None and total != self._hop.body_bytes)
            ):
                raise FetchFailure("request", "the body of the request has another length than was announced")
            if chunk is None:
                return
            if chunk:
                yield chunk

    async def _deliver(self, hop: Hop, answer: Answer, *, is_redirected: bool) -> None:
        url = str(hop.url)
        if answer.url is not None:
            is_redirected = is_redirected or answer.url != url
            url = _checked_url(answer.url)
        flat = [text for pair in answer.headers for text in pair]
        self._wants_chunk = False
        self._head = (answer.status, answer.reason, flat, url, is_redirected)
        self._changed.set()
        if has_body(hop.method, answer.status):
            await self._read(answer.chunks)
        self._ended = True
        self._changed.set()

    async def _read(self, chunks: AsyncGenerator[bytes]) -> None:
        most, total = self._grant.max_response_bytes, 0
        async with aclosing(chunks):
            async for chunk in chunks:
                total += len(chunk)
                if most is not None and total > most:
                    raise FetchFailure("too-large")
                for start in range(0, len(chunk), _AHEAD_BYTES):
                    await self._keep(chunk[start : start + _AHEAD_BYTES])

    async def _keep(self, piece: bytes) -> None:
        """Have bytes ready for the guest, as soon as there is room."""
        await self._wait_for_guest(lambda: not self._ahead or self._ahead_bytes + len(piece) <= _AHEAD_BYTES)
        self._ahead.append(piece)
        self._ahead_bytes += len(piece)
        self._changed.set()

    async def _wait_for_guest(self, is_so: Callable[[], object]) -> None:
        with anyio.fail_after(self._grant.timeout):
            while not is_so():
                await self._changed.wait()


async def _drain(chunks: AsyncGenerator[bytes]) -> None:
    total = 0
    with anyio.move_on_after(_DRAIN_SECONDS):
        async with aclosing(chunks):
            async for chunk in chunks:
                total += len(chunk)
                if total > _DRAINED_BYTES:
                    return


def _checked_url(text: str) -> str:
    try:
        return str(parse(text))
    except BadURL:
        raise ValueError("the url of a Response must be one of http or https") from None
