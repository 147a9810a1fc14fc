"""One connection of the daemon's, to a client or to a worker, as a task of trio; and streams that are handed on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, Protocol

import trio

from sandbox.remote.connection import Connection
from sandbox.remote.events import Body, Event, Granted, Received, Reset, Stream
from sandbox.remote.protocol import MAX_NUMBER, MAX_OUTGOING_BYTES, Code

_READ_BYTES: Final = 1 << 17
PING_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 20.0


class Handler(Protocol):
    """Whose connection it is."""

    def on_event(self, event: Event) -> None:
        """Something came; nothing is waited for."""


class Peer:
    """The other side of a connection.

    Attributes:
        connection: Its state; `flush` after each change.
        is_gone: Whether it has ended.
        received_bytes: What came so far.
        sent_bytes: What was sent so far.
        descriptor: Of its socket, where bytes can be written without a task; -1: there is none, or it is of TLS.
    """

    def __init__(self, stream: trio.abc.Stream, max_body_bytes: int, max_open_bytes: int = MAX_NUMBER) -> None:
        """Take over a stream; `run` serves it. The bounds are those of `Connection`."""
        self.connection: Connection = Connection("server", max_body_bytes=max_body_bytes, max_open_bytes=max_open_bytes)
        self.is_gone: bool = False
        self.received_bytes: int = 0
        self.sent_bytes: int = 0
        self._stream = stream
        # Most messages are short, and a socket takes them at once.
        self.descriptor: int = stream.socket.fileno() if isinstance(stream, trio.SocketStream) else -1
        self._rest = b""
        self._is_sending = False
        self._heard = time.monotonic()
        self._has_more = trio.Event()
        self._scope = trio.CancelScope()
        self._relays: dict[int, tuple[Peer, int]] = {}

    async def run(self, on_event: Callable[[Event], None]) -> None:
        """Serve it until it ends, for whatever reason; never raises for what the other side does."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._watch)
                    try:
                        await self._read(on_event)
                    finally:
                        if self._rest or self.connection.outgoing_bytes:  # why it was closed, above all
                            with trio.move_on_after(1, shield=True):
                                await self._send()
                        nursery.cancel_scope.cancel()
        finally:
            self.is_gone = True
            self.connection.close(Code.GONE)
            for stream, (other, number) in list(self._relays.items()):
                other._unlink(number)
                other.connection.reset(number)
                other.flush()
                self._relays.pop(stream, None)
            with trio.move_on_after(1, shield=True):
                await trio.aclose_forcefully(self._stream)

    def end(self) -> None:
        """End it now."""
        self._scope.cancel()

    def close(self, code: Code, text: str = "") -> None:
        """End it in good order: the other side is told why."""
        self.connection.close(code, text)
        self.flush()

    def flush(self) -> None:
        """Send what there is to send, soon."""
        if self.connection.outgoing_bytes > MAX_OUTGOING_BYTES:
            self.connection.close(Code.TOO_SLOW)
            self._scope.cancel()
        if not self.connection.outgoing_bytes and self.connection.state != "closed":
            return
        if self.descriptor >= 0 and not (self._is_sending or self._rest or self.is_gone):
            self._rest = self._take()
            try:
                self._rest = self._rest[os.write(self.descriptor, self._rest) :]
            except BlockingIOError:
                pass
            except OSError:  # its reader hears of it
                self._rest = b""
            if not self._rest and self.connection.state != "closed":
                return
        self._has_more.set()

    def _take(self) -> bytes:
        data = self.connection.take()
        self.sent_bytes += len(data)
        return data

    async def _read(self, on_event: Callable[[Event], None]) -> None:
        while self.connection.state != "closed":
            try:
                data = await self._stream.receive_some(_READ_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            self.received_bytes += len(data)
            self._heard = time.monotonic()
            for event in self.connection.receive(bytes(data)):
                if not self._relay(event):
                    on_event(event)
            self.flush()

    async def _write(self) -> None:
        while True:
            await self._has_more.wait()
            self._has_more = trio.Event()
            if not await self._send():
                self._scope.cancel()
                return
            if self.connection.state == "closed":
                self._scope.cancel()
                return

    async def _send(self) -> bool:
        data, self._rest = self._rest + self._take(), b""
        self._is_sending = True
        try:
            if data:
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            return False
        finally:
            self._is_sending = False
        return True

    async def _watch(self) -> None:
        """End a connection of which nothing is heard."""
        while True:
            await trio.sleep(PING_SECONDS)
            silent = time.monotonic() - self._heard
            if silent > SILENCE_SECONDS:
                self.connection.close(Code.TIMEOUT)
                self._scope.cancel()
            elif silent > PING_SECONDS and self.connection.state == "open":
                self.connection.ping(b"")
                self.flush()

    # --- streams ---

    def hand_on(self, body: Body, other: Peer, send: Callable[[bytes | int | None], None]) -> None:
        """Send a body of this side's to another one, as it comes.

        Args:
            body: What came.
            other: Where to.
            send: Sends the message that it is the body of.
        """
        if not isinstance(body, Stream):
            send(body)
            return
        send(body.size)
        number = other.connection.last_stream()
        self._relays[body.number] = other, number
        other._relays[number] = self, body.number

    def refuse_body(self, body: Body) -> None:
        """Nobody wants it."""
        if isinstance(body, Stream):
            self.connection.reset(body.number)

    def _unlink(self, stream: int) -> None:
        self._relays.pop(stream, None)

    def _relay(self, event: Event) -> bool:
        """Hand on what concerns a stream; whether it did."""
        if not isinstance(event, Received | Granted | Reset) or event.stream not in self._relays:
            return False
        other, number = self._relays[event.stream]
        if isinstance(event, Received):
            other.connection.push(number, event.data)
            if event.is_last:
                self._unlink(event.stream)
                other._unlink(number)
        elif isinstance(event, Granted):
            other.connection.grant(number, event.size)
        else:
            self._unlink(event.stream)
            other._unlink(number)
            other.connection.reset(number)
        other.flush()
        return True
