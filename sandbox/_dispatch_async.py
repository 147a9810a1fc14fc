"""Requests and events that are handed to the guest of an asynchronous sandbox.

Each request is a task, which takes the steps of its run, whoever waits for the response: so a request that was given up
is aborted in the guest, and not killed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel

from sandbox import _portal
from sandbox._dispatch import command_of, enter, evaluate, pieces_of, whole_body
from sandbox.errors import NotServing, SandboxClosed, SandboxError
from sandbox.fetch.adapters import chunks_of, close_body
from sandbox.http import Request, Response
from sandbox.serve.served import UPGRADED

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AsyncExitStack

    from sandbox._asynchronous import AsyncRunner
    from sandbox._commands import Command
    from sandbox._driver import Driver
    from sandbox._languages import Language
    from sandbox.capabilities.serve import Serve
    from sandbox.serve.served import Head, Served
    from sandbox.serve.sockets import ServerSocket

# What an event has begun and not ended, for each WebSocket; then the next one waits.
_MOST_EVENTS: Final = 64


def _nobody(_error: BaseException) -> None:
    """Nobody wants to know."""


class _News:
    """Lets tasks wait for news of a request. They do not keep alive what reads its response."""

    def __init__(self, served: Served) -> None:
        self._changed = anyio.Event()
        served.notify = self._tell

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until this is so. A cancel point."""
        while not is_so():
            await self._changed.wait()


class AsyncServed:
    """A request in progress, and then the body of its response; on the event loop.

    Attributes:
        served: The request, as the capability has it.
    """

    def __init__(self, dispatches: AsyncDispatches, *, may_upgrade: bool) -> None:
        """Begin with nothing done; see `AsyncDispatches.begin`."""
        self.served = dispatches.serve.begin(may_upgrade=may_upgrade)
        self._dispatches = dispatches
        self._news = _News(self.served)

    async def feed(self, chunks: AsyncGenerator[bytes]) -> None:
        """Give the chunks of the request's body as the guest wants them. A cancel point."""
        await _feed(self.served, self._news, chunks)

    async def is_over_at_once(self) -> bool:
        """Wait for the guest's first turn: whether it was the last. A cancel point."""
        served = self.served
        await self._news.until(lambda: served.has_begun or served.is_over)
        return served.is_over

    async def head(self) -> Head:
        """Wait for the beginning of the response. A cancel point.

        Raises:
            ConnectionAbortedError: It was aborted.
            BaseException: There is none.
        """
        served = self.served
        await self._news.until(lambda: served.head is not None or served.is_over or served.is_aborted)
        if served.head is not None and served.head.body is not None and served.head.status != UPGRADED:
            await self._news.until(lambda: served.is_over)  # then it is known whether something went wrong
        head = served.answer()
        assert head is not None
        return head

    async def response(self) -> Response:
        """Wait for the response; as `head`."""
        head = await self.head()
        return Response(head.status, head.headers, self if head.body is None else head.body, head.status_text)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await self._news.until(lambda: self.served.has_chunk)
        chunk = self.served.take()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def abort(self) -> None:
        """Nobody wants the response any more: the guest is told. On the event loop."""
        self.served.abort()

    async def aclose(self) -> None:
        """Nobody wants the rest of the body; no cancel point."""
        self.abort()

    def __del__(self) -> None:
        served = self.served
        if not (served.is_over or served.is_aborted):
            self._dispatches.runner.soon(served.abort)


class AsyncDispatches:
    """The requests of one asynchronous sandbox, what happens to its WebSockets, and what earlier runs have left.

    Attributes:
        runner: Takes steps.
        driver: Makes them.
        serve: The capability.
    """

    def __init__(self, runner: AsyncRunner, driver: Driver, serve: Serve) -> None:
        """Begin with none."""
        self.runner = runner
        self.driver = driver
        self.serve = serve
        self._events: dict[int, int] = {}
        self._event_over: anyio.Event | None = None

    def begin(
        self,
        request: Request,
        timeout: float | None,
        fuel: int | None,
        *,
        is_stream: bool = False,
        may_upgrade: bool = False,
        late: Callable[[BaseException], object] = _nobody,
    ) -> AsyncServed:
        """Have the guest begin to answer a request, in a task.

        Args:
            request: The request.
            timeout: The run's wall time, if less than the limit.
            fuel: In place of the limit.
            is_stream: Whether the body is not in the request: it is to be given by `feed`.
            may_upgrade: Whether it can become a WebSocket.
            late: Gets what goes wrong after the answer was given.

        Raises:
            UsageError: The sandbox was not entered.
        """
        served = AsyncServed(self, may_upgrade=may_upgrade)
        try:
            command = command_of(self.driver, served.served, request, is_stream=is_stream)
            self.runner.spawn(_run, self, served.served, command, timeout, fuel, late)
        except BaseException as error:
            self.serve.end(served.served, error)
            raise
        return served

    async def dispatch(
        self,
        request: Request,
        timeout: float | None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None,
    ) -> Response:
        """Have the guest answer a request. A cancel point; see `AsyncSandbox.dispatch`."""
        is_stream = whole_body(request) is None
        served = self.begin(request, timeout, fuel, is_stream=is_stream)
        if is_stream:
            self.runner.spawn(_feed_body, served.served, served._news, request.body)
        try:
            return await served.response()
        except BaseException:
            served.abort()
            raise

    async def evaluate(self, code: str, filename: str | None, language: Language | None = None) -> None:
        """Evaluate a program that is going to answer requests. A cancel point.

        Raises:
            NotServing: It does not.
            BaseException: As `AsyncSandbox.module`.
        """
        await self._ask(evaluate(self.driver, code, filename, language))
        if not await self._ask(enter(self.driver, "serve.ready")):
            raise NotServing

    async def _ask(self, command: Command) -> object:
        answer: object = await self.runner.run(lambda run: self.driver.drive(run, command))
        return answer

    # --- WebSockets ---

    async def tell(
        self, socket: ServerSocket, name: str, *arguments: object, failed: Callable[[BaseException], object]
    ) -> None:
        """Tell the guest of an event, which is a run of its own, and wait for its first turn. A cancel point.

        Args:
            socket: Whose event it is.
            name: Which one.
            arguments: What the guest is told.
            failed: Gets what the run has failed with.
        """
        command = enter(self.driver, f"serve.{name}", socket.number, *arguments)
        begun = anyio.Event()
        while self._events.get(socket.number, 0) >= _MOST_EVENTS:
            self._event_over = self._event_over or anyio.Event()
            await self._event_over.wait()
        self._events[socket.number] = self._events.get(socket.number, 0) + 1
        self.runner.spawn(self._event, socket.number, command, begun, failed)
        await begun.wait()

    async def _event(
        self, number: int, command: Command, begun: anyio.Event, failed: Callable[[BaseException], object]
    ) -> None:
        try:
            await self.runner.run(lambda run: self.driver.drive(run, command), on_turn=begun.set)
        except BaseException as error:
            if _portal.is_cancellation(error):
                raise
            failed(error)
        finally:
            begun.set()
            self._events[number] -= 1
            if not self._events[number]:
                del self._events[number]
            over, self._event_over = self._event_over, None
            if over is not None:
                over.set()

    # --- what earlier runs have left ---

    async def attend(self, failed: Callable[[BaseException], object]) -> None:
        """Answer what no run in progress waits for, such as timers that an earlier one has set; until it is cancelled.

        Args:
            failed: Gets what was thrown meanwhile. Each round is a run of its own.
        """
        changed = anyio.Event()

        def notice() -> None:
            changed.set()

        self.driver.on_leftovers = notice
        try:
            while True:
                changed = anyio.Event()
                seconds = await self.runner.seconds_to_leftovers()
                if seconds > 0:
                    with anyio.move_on_after(seconds):
                        await changed.wait()
                    continue
                try:
                    await self.runner.run(self.driver.settle_leftovers)
                except SandboxError as error:
                    failed(error)
                    await anyio.lowlevel.checkpoint()
        finally:
            self.driver.on_leftovers = None


class AsgiServer:
    """A sandbox as `sandbox.serve.asgi` needs it; see `AsyncSandbox.asgi` for the arguments."""

    def __init__(
        self,
        sandbox: AbstractAsyncContextManager[object],
        dispatches: AsyncDispatches,
        program: tuple[str, str | None, Language | None] | None,
        timeout: float | None,
        fuel: int | None,
    ) -> None:
        """Make one; it begins with `open`."""
        self._sandbox = sandbox
        self._dispatches = dispatches
        self._program = program
        self._budget = timeout, fuel
        self.attend = dispatches.attend

    async def open(self, stack: AsyncExitStack) -> None:
        """See `Server`."""
        if not self._dispatches.runner.entered:
            await stack.enter_async_context(self._sandbox)
        if self._program is None:
            return
        await self._dispatches.evaluate(*self._program)

    def begin(
        self, request: Request, failed: Callable[[BaseException], object], *, is_stream: bool, may_upgrade: bool
    ) -> AsyncServed:
        """See `Server`."""
        return self._dispatches.begin(request, *self._budget, is_stream=is_stream, may_upgrade=may_upgrade, late=failed)

    def channel(self, exchange: AsyncServed) -> AsyncChannel:
        """See `Server`."""
        return AsyncChannel(self._dispatches, exchange.served.number)


class AsyncChannel:
    """A WebSocket as `sandbox.serve.websocket` needs it."""

    def __init__(self, dispatches: AsyncDispatches, number: int) -> None:
        """Find it, or what stands for one that a rollback has undone."""
        sockets = dispatches.serve.sockets
        socket = sockets.find(number)
        if socket is None:
            socket = sockets.open(number)
            socket.lose()
        self.socket = socket
        self._dispatches = dispatches

    async def tell(self, name: str, *arguments: object, failed: Callable[[BaseException], object]) -> None:
        """See `Channel`."""
        await self._dispatches.tell(self.socket, name, *arguments, failed=failed)


# Functions, and what they work on: tasks do not keep alive what reads the response.
async def _run(
    dispatches: AsyncDispatches,
    served: Served,
    command: Command,
    timeout: float | None,  # noqa: ASYNC109 - the run's wall time
    fuel: int | None,
    late: Callable[[BaseException], object],
) -> None:
    driver, serve = dispatches.driver, dispatches.serve
    try:
        value = await dispatches.runner.run(
            lambda run: driver.drive(run, command), timeout, fuel, on_turn=served.had_turn
        )
    except BaseException as error:
        if _portal.is_cancellation(error):
            serve.end(served, SandboxClosed())
            raise
        is_late = served.is_complete and served.head is not None and served.head.status == UPGRADED
        serve.end(served, error)
        if is_late:
            late(error)
    else:
        serve.end(served, None, value)


async def _feed_body(served: Served, news: _News, body: object) -> None:
    try:
        await _feed(served, news, chunks_of(body))
    finally:
        await close_body(body)


async def _feed(served: Served, news: _News, chunks: AsyncGenerator[bytes]) -> None:
    def is_wanted() -> bool:
        return served.wants_chunk or served.is_over or served.is_aborted

    try:
        async with aclosing(chunks):
            await news.until(is_wanted)
            while not (served.is_over or served.is_aborted):
                chunk = await anext(chunks, None)
                for piece in [None] if chunk is None else pieces_of(chunk):
                    await news.until(is_wanted)
                    served.give(piece)
                if chunk is None:
                    return
                await news.until(is_wanted)
    except Exception as error:  # noqa: BLE001 - it is the program's to deal with, like a connection that breaks
        await news.until(is_wanted)
        served.fail_body(error)
