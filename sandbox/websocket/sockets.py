"""The WebSockets of one sandbox: where their tasks run, and how many there may be."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from sandbox.network.tasks import Tasks
from sandbox.websocket.connections import Connector, HandlerConnector
from sandbox.websocket.failures import BLOCKED, FAILED, NoConnection
from sandbox.websocket.socket import Socket

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL
    from sandbox.websocket.grant import WebSockets


class Sockets(Tasks[Socket]):
    """Runs WebSockets, each in tasks of its own."""

    def __init__(self, grant: WebSockets, numbers: Iterator[int]) -> None:
        """Begin with none; `numbers` says what they are called, none of them twice in a sandbox's life."""
        super().__init__(numbers)
        self._grant = grant
        self._connector: Connector | None = None

    async def _begin(self) -> None:
        if self._grant.transport is not None:
            self._connector = HandlerConnector(self._grant.transport)
            return
        # It brings a library, which most programs do without, and whose import would hold up the loop.
        module = await anyio.to_thread.run_sync(importlib.import_module, "sandbox.websocket.network")
        self._connector = module.NetworkConnector(self._grant)

    async def open(self, url: WebURL, protocols: list[str]) -> list[Any]:
        """Connect; the guest's number for the socket, and what `Socket.begin` tells.

        Raises:
            NoConnection: There is no connection.
        """
        tasks = await self._group()
        if tasks is None:
            raise NoConnection(FAILED)
        assert self._connector is not None
        self._give_up_undone()
        if len(self._open) >= self._grant.connections:
            raise NoConnection(BLOCKED)
        socket = Socket(next(self._numbers), self._grant, self._connector, url, protocols)
        self._open[socket.number] = socket
        self._use(socket)
        tasks.start_soon(socket.run)
        try:
            return [socket.number, *await socket.begin(), self._grant.max_queued_bytes]
        except BaseException:
            self._give_up(socket)
            raise

    async def receive(self, number: int) -> list[Any] | None:
        """See `Socket.receive`."""
        socket = self.find(number)
        if socket is None:
            return None
        answer = await socket.receive()
        if answer is None or socket.is_done():
            self._give_up(socket)
        return answer

    def find(self, number: int) -> Socket | None:
        """The socket that the guest calls by a number; in a turn as well."""
        socket = self._find(number)
        if socket is not None:
            self._use(socket)
        return socket

    def drop(self, number: int) -> None:
        """Give up a socket."""
        if (socket := self._open.get(number)) is not None:
            self._give_up(socket)
