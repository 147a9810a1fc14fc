"""One connection of a runner server, with TLS or without: one thread reads it, and several write to it."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sandbox.testing.remote.packets import frame

if TYPE_CHECKING:
    from sandbox._sandbox import Sandbox

_CHUNK_BYTES: Final = 1 << 16
# What waits to be run for one client, where each suite counts for as much more.
_MAX_WAITING_BYTES = 64 << 20
_SUITE_BYTES: Final = 256 << 10
# How long a client may take to read what it is sent: who does not read holds a worker of the server's.
_SEND_SECONDS = 20.0


class Link:
    """A connection; the sandboxes that run for its client are stopped when it ends.

    OpenSSL has one thread at a time do something, so nobody waits for the network under the lock, but who sends.
    """

    def __init__(self, sock: socket.socket) -> None:
        """Take over a socket that is connected."""
        self._socket = sock
        self._lock = threading.Lock()
        self._is_shut = False
        self._running: set[Sandbox] = set()
        self._room = threading.Condition()
        self._waiting_bytes = 0
        sock.setblocking(False)

    def secure(self, context: ssl.SSLContext, seconds: float) -> None:
        """Begin with TLS, as a server.

        Raises:
            OSError: The other side does not, or not in time.
        """
        wrapped = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self._socket = wrapped
        end = time.monotonic() + seconds
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, end)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, end)
            else:
                return

    def receive(self, most: int = _CHUNK_BYTES, end: float | None = None) -> bytes:
        """What comes next; nothing, if no more will.

        Args:
            most: Bytes.
            end: Until when to wait, on the monotonic clock; None: for ever.

        Raises:
            OSError: The connection has failed, or nothing came in time.
        """
        while True:
            try:
                with self._lock:
                    return self._socket.recv(most)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, end)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, end)

    def receive_exactly(self, count: int, end: float | None = None) -> bytes:
        """So many bytes.

        Raises:
            EOFError: The connection ends before.
            OSError: As for `receive`.
        """
        data = b""
        while len(data) < count:
            part = self.receive(count - len(data), end)
            if not part:
                raise EOFError
            data += part
        return data

    def send(self, payload: bytes) -> None:
        """A frame. One that cannot be sent is dropped with the connection, for nobody is there."""
        view = memoryview(frame(payload))
        with self._lock:
            try:
                self._send_all(view, time.monotonic() + _SEND_SECONDS)
            except OSError:
                self.shut()

    def _send_all(self, view: memoryview, end: float) -> None:
        while view:
            try:
                view = view[self._socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, end)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, end)

    def _wait(self, event: int, end: float | None) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        left = None if end is None else max(end - time.monotonic(), 0.0)
        if not poll.poll(None if left is None else left * 1000):
            raise TimeoutError("the other side takes too long")

    def shut(self) -> None:
        """End the connection for whoever reads or writes it; from any thread."""
        self._is_shut = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not TLS's own, which would wait for an answer
        for box in list(self._running):
            box.interrupt()

    def hold(self, size: int) -> None:
        """Note that so many bytes wait to be run; waits while there are too many, and so nothing more is read."""
        weight = size + _SUITE_BYTES
        with self._room:
            self._room.wait_for(lambda: not self._waiting_bytes or self._waiting_bytes + weight <= _MAX_WAITING_BYTES)
            self._waiting_bytes += weight

    def let_go(self, size: int) -> None:
        """They wait no more; from any thread."""
        with self._room:
            self._waiting_bytes -= size + _SUITE_BYTES
            self._room.notify_all()

    @contextlib.contextmanager
    def running(self, box: Sandbox) -> Iterator[bool]:
        """While a sandbox runs for the client; whether there still is one."""
        self._running.add(box)
        try:
            yield not self._is_shut
        finally:
            self._running.discard(box)

    def close(self) -> None:
        """Free it; nobody else uses it any more."""
        self._socket.close()
