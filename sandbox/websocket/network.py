"""The connector that uses the network: RFC 6455 by `websockets`, over connections to checked addresses only.

Of that package it is the sans-IO half, which works on any event loop, undoes compression within a bound, and is kept
by those who wrote the protocol's most used implementation in Python.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import httpcore
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI

from sandbox.network.backend import CheckedBackend, Refused, tls_offering
from sandbox.websocket.failures import ABNORMAL, FAILED, NoConnection

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL
    from sandbox.websocket.grant import WebSockets

_READ_BYTES: Final = 1 << 16
# How long a server may take to end the connection after the closing handshake.
_LINGER_SECONDS: Final = 1.0
# Answers to pings that wait behind a message; a server that sends more is not read from meanwhile.
_MOST_PONG_BYTES: Final = 1 << 16
# Of what the host adds, these are the handshake's to say.
_FRAMING: Final = frozenset({"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding",
                             "upgrade"})  # fmt: skip
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
# What servers and guests say is none of the embedder's log.
_LOGGER: Final = logging.Logger("sandbox.websocket")
_LOGGER.disabled = True


class NetworkConnector:
    """Connects over the network."""

    def __init__(self, grant: WebSockets) -> None:
        """Make one; the grant says which addresses may be connected to, and what is added to the handshake."""
        self._grant = grant
        self._backend = CheckedBackend(grant.addresses)

    @asynccontextmanager
    async def connect(self, url: WebURL, protocols: Sequence[str]) -> AsyncIterator[NetworkConnection]:
        """See `Connector`."""
        stream: httpcore.AsyncNetworkStream | None = None
        try:
            try:
                stream = await self._backend.connect_tcp(url.host, url.port)
                if url.scheme == "wss":
                    context = await tls_offering(("http/1.1",), self._grant.ssl_context)  # not HTTP/2
                    stream = await stream.start_tls(context, url.host)
                connection = NetworkConnection(stream, self._protocol(url, protocols))
                await connection.shake_hands(url.target, self._grant.added_headers(url))
            except (Refused, OSError, httpcore.NetworkError, httpcore.TimeoutException):
                raise NoConnection(FAILED) from None
            yield connection
        finally:
            if stream is not None:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_LINGER_SECONDS), suppress(Exception):
                    await stream.aclose()

    def _protocol(self, url: WebURL, protocols: Sequence[str]) -> ClientProtocol:
        uri = WebSocketURI(url.scheme == "wss", url.host, url.port, url.path, url.query[1:], None, None)
        # Small windows and quick compression: 20 KiB for each socket, and no long work for one message.
        deflate = ClientPerMessageDeflateFactory(
            server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5, "level": 1}
        )
        return ClientProtocol(
            uri,
            extensions=[deflate] if self._grant.compression else None,
            subprotocols=list(protocols) or None,  # type: ignore[arg-type] # texts of a type of their own
            max_size=self._grant.max_message_bytes,
            logger=_LOGGER,
        )


class NetworkConnection:
    """A `Connection` over the network. One task reads, one writes."""

    extensions: str

    def __init__(self, stream: httpcore.AsyncNetworkStream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        self._frames: deque[Frame] = deque()
        self._begun = bytearray()  # of a message in fragments
        self._is_text = False
        self._has_failed = self._is_torn = self._is_ending = self._is_over = False
        self._writing = anyio.Lock(fast_acquire=True)
        self._pending: deque[bytes] = deque()
        self.extensions = ""

    @property
    def subprotocol(self) -> str | None:
        """See `Connection`."""
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int | None:
        """See `Connection`."""
        if not self._is_over:
            return None
        close = self._protocol.close_rcvd
        return ABNORMAL if close is None or self._has_failed else close.code

    @property
    def close_reason(self) -> str | None:
        """See `Connection`."""
        close = self._protocol.close_rcvd
        return "" if close is None or self._has_failed else close.reason

    async def shake_hands(self, target: str, added: Sequence[tuple[str, str]]) -> None:
        """Take the opening handshake.

        Raises:
            NoConnection: The server does not want it, or does it wrong.
        """
        request = self._protocol.connect()
        request.path = target
        pairs = [
            (name, value)
            for name, value in added
            if name.lower() not in _FRAMING and not name.lower().startswith("sec-websocket-")
        ]
        if all(name.lower() != "user-agent" for name, _ in pairs):
            pairs.append(("User-Agent", "quickjs-sandbox"))
        for name, value in pairs:
            request.headers[name] = value
        self._protocol.send_request(request)
        await self._flush()
        line = b""
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            data = await self._stream.read(_READ_BYTES)
            line = line if b"\n" in line else line + data
            if b"\n" in line and b" 101" not in line[:12]:  # else its body would be waited for
                raise NoConnection(FAILED)
            self._feed(data)
        offered = self._protocol.available_subprotocols
        if self._protocol.handshake_exc is not None or (offered and self._protocol.subprotocol is None):
            raise NoConnection(FAILED)
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self.extensions = ", ".join(event.headers.get_all("Sec-WebSocket-Extensions"))
            elif isinstance(event, Frame):
                self._frames.append(event)
        self._notice(b"more")

    # --- as `Connection` says ---

    async def send(self, message: str | bytes) -> None:
        """See `Connection`."""
        await self.send_several((message,))

    async def send_several(self, messages: Sequence[str | bytes]) -> None:
        """Send messages by one write."""
        for message in messages:
            if isinstance(message, str):
                self._protocol.send_text(message.encode("utf-8"))
            else:
                self._protocol.send_binary(message)
        await self._flush()

    async def recv(self) -> str | bytes:
        """See `Connection`.

        Raises:
            EOFError: The connection has ended.
        """
        while True:
            while self._frames:
                message = self._joined(self._frames.popleft())
                if message is not None:
                    return message
            if self._is_over:
                raise EOFError
            if self._is_ending:
                await self._end()
            else:
                await self._read()

    async def close(self, code: int | None = None, reason: str = "") -> None:
        """See `Connection`; without a code, the server is told of none."""
        with suppress(InvalidState):
            self._protocol.send_close(code, reason)
        await self._flush()

    # --- what comes in ---

    async def _read(self) -> None:
        try:
            data = await self._stream.read(_READ_BYTES)
        except (httpcore.NetworkError, OSError):
            data = b""
        self._feed(data)
        self._frames.extend(event for event in self._protocol.events_received() if isinstance(event, Frame))
        await self._answer()
        self._notice(data)

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()

    def _notice(self, data: bytes) -> None:
        """See whether what has come, or that nothing has, is the end."""
        self._has_failed = self._protocol.parser_exc is not None
        self._is_ending = self._has_failed or self._protocol.close_rcvd is not None or not data

    def _joined(self, frame: Frame) -> str | bytes | None:
        """The message that a frame completes."""
        if frame.opcode not in _DATA:
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
            if frame.fin:
                return self._message(frame.data)
        self._begun += frame.data
        if not frame.fin:
            return None
        whole, self._begun = self._begun, bytearray()
        return self._message(whole)

    def _message(self, data: bytes | bytearray | memoryview) -> str | bytes | None:
        if not self._is_text:
            return bytes(data)
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError:
            self._frames.clear()
            self._protocol.fail(CloseCode.INVALID_DATA)
            self._has_failed = self._is_ending = True
            return None

    async def _end(self) -> None:
        """See the connection end; what was failed is not waited for."""
        await self._flush()
        if not self._has_failed:
            with anyio.move_on_after(_LINGER_SECONDS), suppress(httpcore.NetworkError, OSError):
                while await self._stream.read(_READ_BYTES):
                    pass
        self._is_over = True

    # --- what goes out ---

    async def _answer(self) -> None:
        """Send what the protocol answers, pings above all, without waiting for a message that is on its way."""
        self._pending.extend(self._protocol.data_to_send())
        if not self._writing.locked() or sum(map(len, self._pending)) > _MOST_PONG_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        """Write what there is to be written, in order."""
        self._pending.extend(self._protocol.data_to_send())
        async with self._writing:
            while self._pending:
                data = b"".join(self._pending)
                self._pending.clear()
                if self._is_torn:
                    return
                self._is_torn = True  # if this does not end well, nothing can follow
                with suppress(httpcore.NetworkError, OSError):
                    await self._stream.write(data)
                    self._is_torn = False
