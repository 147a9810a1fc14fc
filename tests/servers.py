"""Servers on loopback, each on a thread of its own: those of ASGI applications, and what speaks as a test says."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import trio
import uvicorn
from hypercorn.asyncio import serve as serve_asyncio
from hypercorn.config import Config
from hypercorn.trio import serve as serve_trio

SERVERS = ("uvicorn", "hypercorn-asyncio", "hypercorn-trio")


@contextmanager
def running(server: str, app: Any, certificate: Path | None = None) -> Iterator[int]:
    """Run an application; gives the port. With a certificate hypercorn speaks HTTP/2."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    started = threading.Event()
    stop = _uvicorn if server == "uvicorn" else _hypercorn
    run, end = stop(server, _announcing(app, started), listener, certificate)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert started.wait(20)
        yield port
    finally:
        end()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def accepting(talk: Callable[[socket.socket], object]) -> Iterator[int]:
    """Talk to each connection on a thread of its own; gives the port. At the end all of them are shut."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in held:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        thread.join(10)


def _announcing(app: Any, started: threading.Event) -> Any:
    async def announcing(scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            await send(message)
            if message["type"].startswith("lifespan.startup"):
                started.set()

        await app(scope, receive, tell)

    return announcing


def _uvicorn(_name: str, app: Any, listener: socket.socket, _certificate: Path | None) -> Any:
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, ws="websockets-sansio"))
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

    def run() -> None:
        with listener:
            asyncio.run(server.serve([listener]))

    return run, lambda: setattr(server, "should_exit", True)


def _hypercorn(name: str, app: Any, listener: socket.socket, certificate: Path | None) -> Any:
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = config.shutdown_timeout = 1
    config.keep_alive_timeout = 1  # over HTTP/2, what broke off is only said when the connection is idle for so long
    config.errorlog = logging.getLogger("tests.serve")
    config.errorlog.disabled = True
    if certificate is not None:
        config.certfile = config.keyfile = str(certificate)
    ended = threading.Event()

    async def stopped_asyncio() -> None:
        while not ended.is_set():  # noqa: ASYNC110 - another thread ends it
            await asyncio.sleep(0.02)

    async def stopped_trio() -> None:
        while not ended.is_set():  # noqa: ASYNC110 - another thread ends it
            await trio.sleep(0.02)

    async def main_asyncio() -> None:
        await serve_asyncio(app, config, shutdown_trigger=stopped_asyncio)

    async def main_trio() -> None:
        await serve_trio(app, config, shutdown_trigger=stopped_trio)

    if name == "hypercorn-trio":
        return (lambda: trio.run(main_trio)), ended.set
    return (lambda: asyncio.run(main_asyncio())), ended.set
