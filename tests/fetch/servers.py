"""A server that says exactly what a test wants."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers import accepting


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
    stopped = threading.Event()

    def talk(connection: socket.socket) -> None:
        server.connections += 1
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

    with accepting(talk) as server.port:
        try:
            yield server
        finally:
            stopped.set()


def until(condition: Callable[[], object]) -> bool:
    """Whether something becomes true within seconds."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())
