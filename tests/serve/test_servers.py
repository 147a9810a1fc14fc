"""The same application under real servers, spoken to by real clients over loopback."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpcore
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sandbox import AsyncSandbox, Limits
from tests.serve.conftest import PROGRAM
from tests.servers import SERVERS, running


@dataclass
class Site:
    """An application under a server.

    Attributes:
        base: Its origin.
        pool: A client for it.
        make_pool: Makes another one.
        errors: What went wrong in it.
    """

    base: str
    pool: httpcore.ConnectionPool
    make_pool: Callable[[], httpcore.ConnectionPool]
    errors: list[BaseException]

    def ask(self, method: str, path: str, **more: object) -> httpcore.Response:
        return self.pool.request(method, self.base + path, **more)  # type: ignore[arg-type] # as httpcore has them

    def until(self, text: str) -> None:
        """Wait until `/seen` tells this."""
        deadline = time.monotonic() + 5
        while text not in self.ask("GET", "/seen").content.decode():
            assert time.monotonic() < deadline
            time.sleep(0.01)


_SEEN = PROGRAM.replace("const routes = {", "const routes = {\n  seen: () => Response.json(seen),", 1)


@pytest.fixture(scope="module", params=[*SERVERS, "http2-asyncio", "http2-trio"])
def site(request: pytest.FixtureRequest, trusting: ssl.SSLContext, certificate: Path) -> Iterator[Site]:
    name: str = request.param
    is_2 = name.startswith("http2")
    errors: list[BaseException] = []
    app = AsyncSandbox(limits=Limits(cpu_seconds=0.5)).asgi(_SEEN, filename="program.js", on_error=errors.append)

    def make_pool() -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(ssl_context=trusting, http2=is_2, http1=not is_2)

    server = name.replace("http2", "hypercorn")
    with running(server, app, certificate if is_2 else None) as port, make_pool() as pool:
        yield Site(f"https://localhost:{port}" if is_2 else f"http://127.0.0.1:{port}", pool, make_pool, errors)


def test_a_response(site: Site) -> None:
    response = site.ask("PUT", "/hello?c=%2F", headers={"X-A": "a"}, content=b"")
    assert (response.status, response.content) == (201, f"PUT {site.base}/hello?c=%2F a".encode())
    assert dict(response.headers)[b"x-b"] == b"b"


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_bodies_both_ways(site: Site, size: int) -> None:
    sent = bytes(index % 251 for index in range(size))
    assert site.ask("POST", "/echo", content=sent).content == sent
    assert site.ask("POST", "/echo", content=(sent[at : at + 9999] for at in range(0, size, 9999))).content == sent


def test_a_large_response(site: Site) -> None:
    assert site.ask("GET", "/big").content == b"\7" * 7_000_000


@pytest.mark.parametrize(
    ("method", "path", "status"), [("HEAD", "/hello", 201), ("GET", "/status?204", 204), ("GET", "/status?304", 304)]
)
def test_no_body(site: Site, method: str, path: str, status: int) -> None:
    response = site.ask(method, path)
    assert (response.status, response.content) == (status, b"")
    assert site.ask("GET", "/unread").content == b"I did not look"


def test_cookies(site: Site) -> None:
    headers = site.ask("GET", "/cookies").headers
    assert [value for name, value in headers if name.lower() == b"set-cookie"] == [b"a=1", b"b=2", b"c=3"]


def test_chunks_come_one_by_one(site: Site) -> None:
    times = []
    with site.pool.stream("GET", f"{site.base}/paused") as response:
        for chunk in response.iter_stream():
            times += [time.monotonic()] * len(chunk)
    assert len(times) == 5
    assert times[-1] - times[0] > 0.08


def test_what_breaks_off_is_seen_to(site: Site) -> None:
    with pytest.raises(httpcore.RemoteProtocolError):
        site.ask("GET", "/breaks")
    assert str(site.errors.pop()) == "Error: broken off"
    assert site.ask("GET", "/unread").content == b"I did not look"


def test_failures(site: Site) -> None:
    for path in ("/throws", "/spins"):
        response = site.ask("GET", path)
        assert (response.status, response.content) == (500, b"Internal Server Error")
        site.errors.pop()


def test_a_client_that_goes_away(site: Site) -> None:
    with site.make_pool() as pool, pool.stream("GET", f"{site.base}/endless") as response:
        next(iter(response.iter_stream()))
    site.until('"cancelled":"AbortError"')
    assert site.errors == []


@pytest.fixture
def address(site: Site) -> str:
    if site.base.startswith("https"):
        pytest.skip("WebSockets are tried over HTTP/1.1")
    return site.base.replace("http", "ws", 1)


def test_websockets(site: Site, address: str) -> None:
    with connect(f"{address}/socket?greet", subprotocols=["chat"]) as socket:  # type: ignore[list-item] # plain text
        assert (socket.subprotocol, socket.response and socket.response.headers["x-socket"]) == ("chat", "yes")
        assert socket.recv() == "hello"
        for message in ("text", b"\x89PNG", "", "x" * 100_000):
            socket.send(message)
            assert socket.recv() == message
        socket.send("close")
        with pytest.raises(ConnectionClosed):
            socket.recv()
        assert (socket.close_code, socket.close_reason) == (4001, "as asked")
    site.until('"closed":[5,4001,"as asked",3,0]')


def test_a_websocket_that_the_client_closes(site: Site, address: str) -> None:
    with connect(f"{address}/socket") as socket:
        socket.send("a")
        assert socket.recv() == "a"
        socket.close(4321)
    site.until('"closed":[1,')  # hypercorn does not say with which code


def test_a_websocket_that_is_refused(site: Site, address: str) -> None:
    with pytest.raises(InvalidStatus):
        connect(f"{address}/refuse")
    assert site.ask("GET", "/socket").status == 426
