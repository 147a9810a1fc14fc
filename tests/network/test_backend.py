"""The way to the network: what connections of a context that is shared are made with."""

from __future__ import annotations

import ssl
import threading
from typing import Any

from sandbox import Fetch, Limits, Sandbox, WebSockets
from tests.fetch.app import app
from tests.servers import running


class Watched(ssl.SSLContext):
    """Takes its time for a connection, as OpenSSL may, which reads meanwhile what is to be offered."""

    def __init__(self, _protocol: int) -> None:
        self.offered: list[str] = []
        self.made: list[list[str]] = []
        self.is_disturbed = self._is_reading = False
        self._set = threading.Event()

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        self.is_disturbed |= self._is_reading
        self.offered = alpn_protocols
        self._set.set()

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        self._is_reading = True
        self._set.clear()
        self._set.wait(0.2)
        self.made.append(self.offered)
        self._is_reading = False
        return super().wrap_bio(*arguments, **options)


def test_what_is_offered_stays_while_a_connection_is_made() -> None:
    """Requests and WebSockets may share a context: each makes its connections with its own protocols."""
    context = Watched(ssl.PROTOCOL_TLS_CLIENT)
    options: dict[str, Any] = {"private": ["127.0.0.0/8"], "ssl_context": context}
    code = """
        const request = fetch(`https://localhost:${port}`).catch(error => error.cause.code);
        const socket = new WebSocket(`wss://localhost:${port}`);
        await new Promise(done => { socket.onclose = done });
        await request
    """
    with (
        running("hypercorn-asyncio", app) as port,
        Sandbox(
            fetch=Fetch(["localhost:*"], **options),
            websocket=WebSockets(["localhost:*"], **options),
            globals={"port": port},
            limits=Limits(wall_seconds=20),
        ) as box,
    ):
        assert box.eval(code) == "tls"  # that server speaks none
    assert not context.is_disturbed
    assert sorted(context.made) == [["http/1.1"], ["http/1.1", "h2"]]
