"""Connections within the process, for tests: a pair of ends, and a function that answers WebSockets with such pairs."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import anyio

from sandbox.network.tasks import Signal
from sandbox.websocket.failures import ABNORMAL

_NO_CODE: Final = 1005
_FAILED: Final = 1011
# Messages that an end has been sent and has not read; more wait.
_MOST_WAITING: Final = 16


class MemoryConnection:
    """One end of a connection in memory; see `memory_pair`. Both ends are used on one event loop.

    Attributes:
        url: Where the other end wanted to connect to.
        protocols: The subprotocols that it offered.
        subprotocol: What was agreed on.
        close_code: Why the connection has ended, as the other end said; None: it has not.
        close_reason: Likewise.
    """

    protocols: list[str]

    def __init__(self, url: str, protocols: Sequence[str], subprotocol: str | None) -> None:
        self.url = url
        self.protocols = list(protocols)
        self.subprotocol = subprotocol
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._inbox: deque[str | bytes] = deque()
        self._changed = Signal()
        self.other: MemoryConnection

    async def send(self, message: str | bytes) -> None:
        """Send a message; waits while the other end does not read on.

        Raises:
            EOFError: The connection has ended.
        """
        other = self.other
        while not self._has_ended() and len(other._inbox) >= _MOST_WAITING:
            await other._changed.wait()
        if self._has_ended():
            raise EOFError
        other._inbox.append(message)
        other._changed.set()

    async def recv(self) -> str | bytes:
        """Wait for the next message.

        Raises:
            EOFError: The connection has ended, and all messages were read.
        """
        while not self._inbox:
            if self.close_code is not None:
                raise EOFError
            await self._changed.wait()
        message = self._inbox.popleft()
        self._changed.set()
        return message

    async def close(self, code: int = _NO_CODE, reason: str = "") -> None:
        """Close the connection; the other end answers with the same code, after what was sent before."""
        if not self._has_ended():
            self._end(code, reason)
            self.other._end(code, reason)

    def lose(self) -> None:
        """Lose the connection: both ends see it break, without a closing handshake."""
        self._inbox.clear()
        self.other._inbox.clear()
        self._end(ABNORMAL, "")
        self.other._end(ABNORMAL, "")

    def __aiter__(self) -> MemoryConnection:
        """The messages until the end. A loop over them may be left, and others take the rest."""
        return self

    async def __anext__(self) -> str | bytes:
        """The next of them."""
        try:
            return await self.recv()
        except EOFError:
            raise StopAsyncIteration from None

    def _has_ended(self) -> bool:
        return self.close_code is not None

    def _end(self, code: int, reason: str) -> None:
        if self.close_code is None:
            self.close_code, self.close_reason = code, reason
            self._changed.set()


def memory_pair(
    url: str = "", protocols: Sequence[str] = (), subprotocol: str | None = None
) -> tuple[MemoryConnection, MemoryConnection]:
    """Two ends of one connection: what the one sends the other receives. The first is for the guest."""
    client, server = (MemoryConnection(url, protocols, subprotocol) for _ in range(2))
    client.other, server.other = server, client
    return client, server


def memory_server(
    handler: Callable[[MemoryConnection], Awaitable[object]], *, subprotocols: Iterable[str] = ()
) -> Callable[[str, Sequence[str]], AbstractAsyncContextManager[MemoryConnection]]:
    """A server without a network: what the option `websocket` of a sandbox, or `transport` of a grant, may be.

    Args:
        handler: Called for each connection with the server's end. When it returns, the connection is closed with the
            code 1000, when it raises, with 1011.
        subprotocols: Those that it speaks; the first one that is offered is agreed on.

    Returns:
        A function that takes a URL and subprotocols, and gives a connection.
    """
    spoken = list(subprotocols)

    async def serve(server: MemoryConnection) -> None:
        try:
            await handler(server)
        except Exception:  # noqa: BLE001 - as servers do
            await server.close(_FAILED)
        else:
            await server.close(1000)

    @asynccontextmanager
    async def connect(url: str, protocols: Sequence[str]) -> AsyncIterator[MemoryConnection]:
        client, server = memory_pair(url, protocols, next((each for each in spoken if each in protocols), None))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, server)
            try:
                yield client
            finally:
                tasks.cancel_scope.cancel()

    return connect
