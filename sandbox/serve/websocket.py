"""One WebSocket between an ASGI server and the guest: events go in, in order, and what the guest sends goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio

from sandbox.errors import ConversionError

if TYPE_CHECKING:
    from sandbox.serve.sockets import ServerSocket

_INTERNAL_ERROR: Final = 1011
_TOO_BIG: Final = 1009
_GOING_AWAY: Final = 1001
_ABNORMAL: Final = 1006
_NO_STATUS: Final = 1005
_LOST: Final = "the connection was lost"
_FAREWELL_SECONDS: Final = 1.0
# What is taken while the guest has a turn; one message more may come, however large.
_MOST_TOGETHER: Final = 64
_MOST_TOGETHER_BYTES: Final = 1 << 20


class Channel(Protocol):
    """The guest's end.

    Attributes:
        socket: What it sends.
    """

    socket: ServerSocket

    async def tell(self, name: str, *arguments: object, failed: Callable[[BaseException], object]) -> None:
        """Tell the guest of an event, and wait until it has had a turn."""


class Connection:
    """One accepted WebSocket."""

    def __init__(
        self,
        channel: Channel,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        on_error: Callable[[BaseException], object],
    ) -> None:
        """Make one; `on_error` gets what a handler of the program throws and does not deal with."""
        self._channel = channel
        self._socket = channel.socket
        self._receive = receive
        self._send = send
        self._on_error = on_error
        self._news = anyio.Event()
        self._has_come, self._has_room = anyio.Event(), anyio.Event()
        self._inbox: list[object] = []
        self._inbox_bytes = 0
        self._is_telling = False
        self._sent: tuple[int, str, str | None] | None = None  # how it was closed from here
        self._socket.notify = self._notify

    async def serve(self, accept: MutableMapping[str, Any]) -> None:
        """Accept it, and go on until it is closed. When this is cancelled the guest is told that it is."""
        ended: tuple[int, str, str | None] = _GOING_AWAY, "", None
        try:
            await self._send(accept)
            await self._tell("open")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write, tasks.cancel_scope)
                tasks.start_soon(self._tell_messages)
                code, reason = await self._read()
                ended = code, reason, _LOST if code == _ABNORMAL else None
                tasks.cancel_scope.cancel()
            if self._sent is not None:
                ended = self._sent
        except OSError:  # some servers say so when they send to somebody who has gone
            ended = _ABNORMAL, "", _LOST
        finally:
            self._socket.drop()
            with anyio.move_on_after(_FAREWELL_SECONDS, shield=True):
                await self._channel.tell("closed", *ended, failed=self._on_error)

    async def _read(self) -> tuple[int, str]:
        """Take what comes; the code and the reason with which the client closes, once the guest has had all before."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                while self._inbox or self._is_telling:
                    await self._wait_for_room()
                code = message.get("code")
                return _NO_STATUS if code is None else code, message.get("reason") or ""
            data = message.get("bytes")
            data = message.get("text") if data is None else data
            if self._socket.closing is None:
                self._inbox.append(data)
                self._inbox_bytes += len(data or "")
                self._has_come.set()
            while len(self._inbox) >= _MOST_TOGETHER or self._inbox_bytes >= _MOST_TOGETHER_BYTES:
                await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        self._has_room = anyio.Event()
        await self._has_room.wait()

    async def _tell_messages(self) -> None:
        """Hand messages to the guest, all that have come while it had a turn in one."""
        while True:
            self._has_come = anyio.Event()
            while self._inbox:
                messages, self._inbox, self._inbox_bytes = self._inbox, [], 0
                self._is_telling = True
                self._has_room.set()
                await self._tell("message", messages)
                self._is_telling = False
                self._has_room.set()
            await self._has_come.wait()

    async def _write(self, scope: anyio.CancelScope) -> None:
        """Send what the guest sends, until it closes; then cancel the scope."""
        try:
            self._sent = await self._write_all()
        except OSError:
            self._sent = _ABNORMAL, "", _LOST
        scope.cancel()

    async def _write_all(self) -> tuple[int, str, str | None]:
        socket = self._socket
        while True:
            self._news = anyio.Event()
            while (message := socket.take()) is not None:
                kind = "text" if isinstance(message, str) else "bytes"
                await self._send({"type": "websocket.send", kind: message})
            if socket.is_lost or socket.closing is not None:
                code, reason = socket.closing or (_INTERNAL_ERROR, "")
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return code, reason, None
            if socket.has_drained():
                await self._tell("drain")
            else:
                await self._news.wait()

    async def _tell(self, name: str, *arguments: object) -> None:
        try:
            await self._channel.tell(name, *arguments, failed=self._fail)
        except ConversionError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """A handler of the program has failed: that ends the connection."""
        self._on_error(error)
        self._socket.close(_TOO_BIG if isinstance(error, ConversionError) else _INTERNAL_ERROR, "")
        self._notify()

    def _notify(self) -> None:
        self._news.set()
