"""Servers on loopback, each on a thread of its own: a real one, and one that says exactly what a test wants."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.fetch.app import app


@contextmanager
def hypercorn(certificate: Path | None = None) -> Iterator[int]:
    """`app` under hypercorn: HTTP/1.1, or with a certificate also HTTP/2. Gives its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.errorlog = logging.getLogger("tests.fetch")
    config.errorlog.disabled = True
    if certificate is not None:
        config.certfile = config.keyfile = str(certificate)
    stop: dict[str, Any] = {}
    ready = threading.Event()

    async def main() -> None:
        stop["loop"], stop["event"] = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await serve(app, config, shutdown_trigger=stop["event"].wait)  # type: ignore[arg-type] # typed for its own dicts

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    ready.wait()
    yield port
    stop["loop"].call_soon_threadsafe(stop["event"].set)
    thread.join(10)
    listener.detach()


@dataclass
class Scripted:
    """A server that answers every connection with the same bytes.

    Attributes:
        port: Where it listens.
        heads: The heads of the requests it got.
        connections: How many there were.
        ended: How many were closed by the other side, before everything was sent.
    """

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0


@contextmanager
def scripted(
    answer: bytes | Callable[[bytes], bytes], *, endless: bytes = b"", close: bool = False
) -> Iterator[Scripted]:
    """Answer each request with bytes; then with a piece again and again, without end, if there is one."""
    server = Scripted()
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    stopped = threading.Event()
    held: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        buffer = b""
        with connection:
            try:
                while data := connection.recv(65536):
                    buffer += data
                    while b"\r\n\r\n" in buffer:
                        head, _, buffer = buffer.partition(b"\r\n\r\n")
                        server.heads.append(head)
                        connection.sendall(answer(head) if callable(answer) else answer)
                        while endless and not stopped.is_set():
                            connection.sendall(endless)
                        if close:
                            return
            except OSError:
                server.ended += 1
                return
            server.ended += 1

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            held.append(connection)
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in held:
            connection.close()


def until(condition: Callable[[], object]) -> bool:
    """Whether something becomes true within seconds."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())
