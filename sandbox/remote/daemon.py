"""The daemon: lets clients in, gives their sandboxes to worker processes, and hands bytes to and fro between them.

It never looks into a value, a message of a guest or a snapshot, and reads no pickles: what it reads is the protocol.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from sandbox.remote.books import Bounds, Census, Spaces
from sandbox.remote.peers import Peer
from sandbox.remote.protocol import OPEN_BODIES, Code
from sandbox.remote.sessions import House, Session
from sandbox.remote.statistics import Statistics, as_prometheus
from sandbox.remote.workers import WorkerProcess, Workers

if TYPE_CHECKING:
    from sandbox.remote.events import Event

_GREETING_SECONDS: Final = 10.0
_BACKLOG: Final = 128
_CLOSING: Final = 16  # a worker may still be closing sandboxes that are counted no more
_LOCAL: Final = "local"
_CREDENTIALS: Final = struct.Struct("3i")
_MOST_METRICS_BYTES: Final = 8192

log: logging.Logger = logging.getLogger("sandbox.daemon")


class Daemon:
    """A daemon. `run` is a task of trio."""

    def __init__(self, *, workers: int, bounds: Bounds | None = None, tokens: Mapping[str, str] | None = None) -> None:
        """Begin with nothing.

        Args:
            workers: How many processes run guests.
            bounds: What it allows; None: the defaults.
            tokens: Owners by token; None: whoever can connect to its Unix socket is let in.
        """
        bounds = bounds or Bounds()
        statistics = Statistics()
        self._house = House(
            bounds,
            dict(tokens or {}),
            Workers(workers, 2 * bounds.sandboxes + _CLOSING, bounds.body_bytes, self._on_worker_lost),
            Spaces(bounds, lambda: statistics.count("namespaces_evicted_total")),
            Census(bounds),
            statistics,
        )
        self._stop = trio.Event()

    async def run(
        self,
        listeners: list[trio.SocketListener | trio.SSLListener[trio.SocketStream]],
        *,
        metrics: list[trio.SocketListener] | None = None,
        drain_seconds: float = 30.0,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve clients until `drain`; it has begun when they can connect.

        Args:
            listeners: Where they come from.
            metrics: Where the statistics are asked for, over HTTP.
            drain_seconds: How long clients may take to end what they do, once it drains.
            task_status: As trio has it.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(self._house.workers.run)
            async with trio.open_nursery() as serving:
                async with trio.open_nursery() as accepting:
                    for listener in listeners:
                        accepting.start_soon(partial(self._accept, listener, self._serve, serving))
                    for listener in metrics or []:
                        accepting.start_soon(partial(self._accept, listener, self._tell, serving))
                    task_status.started()
                    await self._stop.wait()
                    accepting.cancel_scope.cancel()
                self._house.is_draining = True
                with trio.move_on_after(drain_seconds):
                    await self._until_idle()
                for peer in list(self._house.sessions.values()):
                    peer.close(Code.DRAINING)
                with trio.move_on_after(1):
                    while self._house.sessions:  # noqa: ASYNC110 - they end in tasks of their own
                        await trio.sleep(0.01)
                serving.cancel_scope.cancel()
            self._house.workers.stop()
            nursery.cancel_scope.cancel()

    async def _accept(
        self, listener: trio.abc.Listener[Any], serve: Callable[[Any], Awaitable[object]], nursery: trio.Nursery
    ) -> None:
        await trio.serve_listeners(serve, [listener], handler_nursery=nursery)

    def drain(self) -> None:
        """Let nobody in any more, wait for the sandboxes that there are, and end."""
        if not self._house.is_draining:
            for peer in self._house.sessions.values():
                peer.connection.notice("draining", {})
                peer.flush()
        self._stop.set()

    def counts(self) -> dict[str, int]:
        """The statistics."""
        return self._house.counts()

    @property
    def pids(self) -> list[int]:
        """The worker processes."""
        return [worker.pid for worker in self._house.workers.ready]

    async def _until_idle(self) -> None:
        while len(self._house.census) or self._house.spaces.in_use:  # noqa: ASYNC110 - it happens once
            await trio.sleep(0.02)

    async def _serve(self, stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> None:
        house = self._house
        if len(house.sessions) >= house.bounds.connections:
            house.statistics.count("connections_refused_total")
            await trio.aclose_forcefully(stream)
            return
        peer = Peer(stream, house.bounds.body_bytes, OPEN_BODIES * house.bounds.body_bytes)
        session = Session(house, peer, _owner_of_socket(stream))
        house.sessions[session] = peer
        before = 0, 0

        def on_event(event: Event) -> None:
            nonlocal before
            session.on_event(event)
            house.statistics.count("received_bytes_total", peer.received_bytes - before[0])
            house.statistics.count("sent_bytes_total", peer.sent_bytes - before[1])
            before = peer.received_bytes, peer.sent_bytes

        try:
            async with trio.open_nursery() as nursery:

                async def greet() -> None:
                    await trio.sleep(_GREETING_SECONDS)
                    if not session.owner:
                        house.statistics.count("connections_refused_total")
                        peer.connection.close(Code.TIMEOUT)
                        peer.end()

                nursery.start_soon(greet)
                await peer.run(on_event)
                nursery.cancel_scope.cancel()
        except Exception:  # a defect of ours must not take the other clients along
            log.exception("a connection failed")
        finally:
            del house.sessions[session]
            session.end()

    def _on_worker_lost(self, worker: WorkerProcess) -> None:
        self._house.statistics.count("workers_lost_total")
        log.warning(
            "worker %d has ended with %d sandboxes, status %s", worker.pid, len(worker.sandboxes), worker.status
        )
        for session in list(self._house.sessions):
            session.on_worker_lost(worker)

    async def _tell(self, stream: trio.SocketStream) -> None:
        """Answer one request for the statistics, whatever it is."""
        with trio.move_on_after(_GREETING_SECONDS):
            asked = b""
            try:
                while b"\r\n\r\n" not in asked and len(asked) < _MOST_METRICS_BYTES:
                    data = await stream.receive_some()
                    if not data:
                        return
                    asked += data
                text = as_prometheus(self.counts()).encode()
                head = f"HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {len(text)}\r\n"
                await stream.send_all(f"{head}connection: close\r\n\r\n".encode() + text)
                await stream.aclose()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass


def _owner_of_socket(stream: Any) -> str:  # noqa: ANN401 - of trio
    """Who is at the other end of a Unix socket, as the kernel says."""
    sock = getattr(stream, "socket", None)
    if sock is None or sock.family != socket.AF_UNIX or not hasattr(socket, "SO_PEERCRED"):
        return _LOCAL
    _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return f"uid {uid}"


def listen_unix(path: Path) -> trio.SocketListener:
    """Listen at a path; only this user may connect.

    Raises:
        OSError: It cannot be listened at, or another daemon does.
    """
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise OSError(f"{path} is there already, and no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink()
            else:
                raise OSError(f"another daemon listens at {path}")
    sock = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
    finally:
        os.umask(before)
    sock.listen(_BACKLOG)
    return trio.SocketListener(trio.socket.from_stdlib_socket(sock))


def listen_tcp(
    host: str, port: int, tls: ssl.SSLContext | None
) -> trio.SocketListener | trio.SSLListener[trio.SocketStream]:
    """Listen at an address.

    Raises:
        OSError: It cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    sock.listen(_BACKLOG)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
    return listener if tls is None else trio.SSLListener(listener, tls)


def read_tokens(path: Path) -> dict[str, str]:
    """Owners by token, of a file with one owner and one token a line, or a single token.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such file, others may read it, or a token is shorter than 16 characters.
    """
    if path.stat().st_mode & 0o077 and os.name == "posix":
        raise ValueError(f"{path}: others may read it; chmod 600 it")
    tokens: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            raise ValueError(f"{path}, line {number}: a line is an owner and a token")
        owner, token = words if len(words) == 2 else (_LOCAL, words[0])
        if len(token) < 16:
            raise ValueError(f"{path}, line {number}: a token has at least 16 characters")
        tokens[token] = owner
    if not tokens:
        raise ValueError(f"{path}: there is no token in it")
    return tokens
