"""WebSocket servers on loopback, each on a thread of its own: a real one, and one that says what a test wants."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from websockets.asyncio.server import serve

from tests.servers import accepting

# RFC 6455, section 1.3.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LOG = logging.Logger("tests.websocket")
_LOG.disabled = True


@contextmanager
def server(
    handler: Callable[[Any], Awaitable[None]], context: ssl.SSLContext | None = None, **options: Any
) -> Iterator[int]:
    """A server of `websockets`; gives its port."""
    ready = threading.Event()
    told: dict[str, Any] = {}

    async def main() -> None:
        stop = asyncio.Event()
        listener = await serve(
            handler, "127.0.0.1", 0, ssl=context, logger=_LOG, max_size=None, ping_interval=None, **options
        )
        told.update(loop=asyncio.get_running_loop(), stop=stop, port=listener.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        listener.close()
        await listener.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield told["port"]
    told["loop"].call_soon_threadsafe(told["stop"].set)
    thread.join(10)


@dataclass
class Raw:
    """A server that speaks as the test wants.

    Attributes:
        port: Where it listens.
        requests: The heads of the requests it got.
        received: What each connection has sent after them, as it is on the wire.
        ended: How many connections have ended.
    """

    port: int = 0
    requests: list[str] = field(default_factory=list)
    received: list[bytearray] = field(default_factory=list)
    ended: int = 0


@contextmanager
def raw(
    talk: Callable[[socket.socket], object], *, head: str = "", status: str = "101 Switching Protocols"
) -> Iterator[Raw]:
    """Take the opening handshake, with more lines of a head, have `talk` say what it likes, and read to the end."""
    told = Raw()

    def serve_one(connection: socket.socket) -> None:
        received = bytearray()
        told.received.append(received)
        with connection, suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536) or b"\r\n\r\n"
            told.requests.append(data.decode("latin-1"))
            key = re.search(rb"Sec-WebSocket-Key: (.*)\r\n", data)
            accept = b64encode(sha1((key[1] if key else b"") + _GUID, usedforsecurity=False).digest()).decode()
            connection.sendall(
                f"HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n{head}\r\n".encode("latin-1")
            )
            talk(connection)
            while data := connection.recv(65536):
                received += data
        told.ended += 1

    with accepting(serve_one) as told.port:
        yield told


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, length: int | None = None) -> bytes:
    """A frame of a server, which may say that it is of another length."""
    size = len(payload) if length is None else length
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        return first + bytes([size]) + payload
    if size < 1 << 16:
        return first + b"\x7e" + size.to_bytes(2, "big") + payload
    return first + b"\x7f" + size.to_bytes(8, "big") + payload
