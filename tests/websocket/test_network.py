"""The connector that uses the network: what is sent, which addresses are reached, and servers that misbehave."""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Limits, Sandbox, WebSockets
from sandbox.websocket import network
from tests.fetch.servers import until
from tests.websocket.servers import frame, raw
from tests.websocket.test_conformance import OPEN

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LIMITS = Limits(wall_seconds=20)
FAILED = [1006, "", False]


def ended(port: int, code: str = "", **grant: Any) -> Any:
    """How a socket ends, and what came before."""
    grant = {"private": True, **grant}
    with Sandbox(websocket=WebSockets(["*:*"], **grant), limits=LIMITS, globals={"port": port}) as box:
        return box.eval(
            OPEN.replace("base + path", "`ws://127.0.0.1:${port}${path}`")
            + "const ws = open('/'); ws.onmessage = e => log.push(e.data);"
            + code
            + "; const end = await ws.ended; [end, log]"
        )


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers wait for the client to end a connection, which waits for the server first."""
    monkeypatch.setattr(network, "_LINGER_SECONDS", 0.1)


def sends(*frames: bytes) -> Callable[[socket.socket], object]:
    return lambda connection: connection.sendall(b"".join(frames))


def test_the_handshake() -> None:
    headers = {
        "127.0.0.1:*": {"X-Secret": "no: this is ws", "Authorization": "no"},
        "ws://127.0.0.1:*": {
            "Authorization": "Bearer secret",
            "Origin": "https://app.test",
            "Host": "evil",
            "Upgrade": "x",
            "Sec-WebSocket-Key": "mine",
        },
    }
    with raw(sends(frame(CLOSE, b"\x03\xe8"))) as server:
        told = ended(server.port, headers=headers)
        head = server.requests[0]

    assert told == [[1000, "", True], ["open", "close"]]
    first, *lines = head.strip().split("\r\n")
    sent = dict(line.split(": ", 1) for line in lines)
    assert first == "GET / HTTP/1.1"
    assert sent["Host"] == f"127.0.0.1:{server.port}"
    assert sent["Authorization"] == "Bearer secret"
    assert sent["Origin"] == "https://app.test"
    assert sent["Sec-WebSocket-Version"] == "13"
    assert sent["User-Agent"] == "quickjs-sandbox"
    assert "mine" not in head
    assert "X-Secret" not in head
    assert len(lines) == len(sent)


@pytest.mark.parametrize(
    ("status", "head"),
    [
        ("200 OK", ""),
        ("302 Found", "Location: ws://127.0.0.1/\r\n"),
        ("401 Unauthorized", "WWW-Authenticate: Basic\r\n"),
        ("101 Switching Protocols", "Sec-WebSocket-Protocol: chat\r\n"),
        ("101 Switching Protocols", "Sec-WebSocket-Extensions: x-unknown\r\n"),
        ("101 Switching Protocols", "Sec-WebSocket-Accept: c\r\n"),
        ("101 Switching Protocols", "X: y\r\n" * 200),
        ("101 Switching Protocols", "X: " + "y" * 100_000 + "\r\n"),
    ],
)
def test_handshakes_that_fail(status: str, head: str) -> None:
    with raw(sends(), status=status, head=head) as server:
        assert ended(server.port) == [[1006, "Connection failed", False], ["error", "close"]]
        assert len(server.requests) == 1
        assert until(lambda: server.ended)


def test_a_server_that_chooses_no_subprotocol_is_none_to_talk_to() -> None:
    with raw(sends()) as server, Sandbox(websocket=WebSockets(["*:*"], private=True), limits=LIMITS) as box:
        code = f"new Promise(done => {{ new WebSocket('ws://127.0.0.1:{server.port}', 'chat').onclose = done }})"
        assert box.eval(f"(await {code}).code") == 1006


@pytest.mark.parametrize(
    "frames",
    [
        frame(3),  # no such opcode
        frame(TEXT, b"x", rsv=1),  # no extension says so
        frame(TEXT, b"\xff"),
        frame(TEXT, b"\xe2\x82", fin=False) + frame(0, b""),  # a character that is cut off
        frame(0, b"x"),  # goes on with nothing
        frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
        frame(PING, b"x" * 126),
        frame(PING, fin=False),
        frame(CLOSE, b"x"),
        frame(CLOSE, b"\x03\xed"),  # 1005 is for nobody to send
        frame(CLOSE, b"\x03\xe8\xff"),
        b"\x81\x81abcdx",  # masked
        frame(BINARY, length=1 << 62),
        frame(BINARY, length=(4 << 20) + 1),
        frame(BINARY, bytes(3 << 20), fin=False) + frame(0, bytes(2 << 20)),
    ],
)
def test_frames_that_are_none(frames: bytes) -> None:
    with raw(sends(frame(TEXT, b"first"), frames)) as server:
        assert ended(server.port) == [FAILED, ["open", "first", "error", "close"]]
        assert until(lambda: server.ended)


def _deflated(data: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-12)
    return (compress.compress(data) + compress.flush(zlib.Z_SYNC_FLUSH))[:-4]


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12; client_max_window_bits=12\r\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (_deflated(b"hello"), [[1000, "", True], ["open", "hello", "close"]]),
        (_deflated(bytes(64 << 20)), [FAILED, ["open", "error", "close"]]),
        (b"\xff\xff\xff", [FAILED, ["open", "error", "close"]]),
    ],
)
def test_compression(data: bytes, told: object) -> None:
    with raw(sends(frame(TEXT, data, rsv=4), frame(CLOSE, b"\x03\xe8")), head=DEFLATE) as server:
        assert ended(server.port) == told
        assert "permessage-deflate" in server.requests[0]


def test_without_compression() -> None:
    with raw(sends(frame(CLOSE))) as server:
        assert ended(server.port, compression=False)[0] == [1005, "", True]
        assert "Extensions" not in server.requests[0]
    with raw(sends(), head=DEFLATE) as server:  # not offered
        assert ended(server.port, compression=False)[0][0] == 1006


def test_messages_in_fragments() -> None:
    parts = [frame(TEXT, "ä".encode()[:1], fin=False), frame(PING, b"p"), *[frame(0, fin=False)] * 20_000]
    parts += [frame(0, "ä".encode()[1:], fin=False), frame(0, b"!"), frame(PONG), frame(CLOSE, b"\x0b\xb8bye")]
    with raw(sends(*parts)) as server:
        assert ended(server.port) == [[3000, "bye", True], ["open", "ä!", "close"]]
        assert until(lambda: len(server.received[0]) >= 2 + 4 + 1)
        assert server.received[0][0] == 0x80 | PONG


def test_pings_without_end_are_answered_at_their_pace() -> None:
    """A server that reads no answers is not read from."""
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.settimeout(0.5)
        pings = frame(PING, b"x" * 100) * 1000
        try:
            while sent < 100 << 20:
                sent += connection.send(pings)
        except TimeoutError:
            connection.settimeout(None)

    with raw(flood) as server:
        code = "await ws.opened; await new Promise(done => setTimeout(done, 1500)); ws.close()"
        assert ended(server.port, code, timeout=0.5)[0] == FAILED
    assert 0 < sent < 100 << 20


def test_a_server_that_never_closes() -> None:
    with raw(sends()) as server:
        began = time.monotonic()
        told = ended(server.port, "await ws.opened; ws.close(1000)", timeout=0.3)

    assert told == [FAILED, ["open", "error", "close"]]
    assert time.monotonic() - began < 10


def test_a_server_that_keeps_the_connection_after_the_handshake() -> None:
    """It is closed from here, and that was clean."""
    with raw(sends(frame(CLOSE, b"\x0f\xa0"))) as server:
        assert ended(server.port)[0] == [4000, "", True]
        assert until(lambda: server.ended)


def test_a_server_that_never_answers() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        assert ended(listener.getsockname()[1], timeout=0.2)[0] == [1006, "Connection failed", False]


@pytest.mark.parametrize("private", [False, ["10.0.0.0/8"]])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_private_addresses_are_refused(host: str, private: Any) -> None:
    with raw(sends()) as server:
        with Sandbox(websocket=WebSockets(["*:*"], private=private), limits=LIMITS) as box:
            code = f"new Promise(done => {{ new WebSocket('ws://{host}:{server.port}').onclose = done }})"
            told = box.eval(f"const e = await {code}; [e.code, e.reason, e.wasClean]")
        assert told == [1006, "Connection failed", False]
        assert server.received == []


def test_a_name_that_resolves_to_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was looked up is the one that is judged."""

    def resolve(host: object, port: int, *_: object, **__: object) -> list[Any]:
        assert host in ("public.test", b"public.test")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with raw(sends()) as server, Sandbox(websocket=WebSockets(["*:*"]), limits=LIMITS) as box:
        code = f"new Promise(done => {{ new WebSocket('ws://public.test:{server.port}').onclose = done }})"
        assert box.eval(f"(await {code}).code") == 1006
        assert server.received == []
