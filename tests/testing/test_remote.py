"""Runners over TCP: the bytes, our server and our client, xJet's own command and a server in Node."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme

from sandbox import Limits
from sandbox.testing.remote import links
from sandbox.testing.remote import server as servers
from sandbox.testing.remote.client import TcpRunner, new_id, run_remote, run_remote_async
from sandbox.testing.remote.packets import (
    Frames,
    Kind,
    Packet,
    PacketError,
    Type,
    decode_packet,
    encode_error,
    encode_packet,
    frame,
)
from sandbox.testing.remote.server import RunnerServer
from tests.conftest import _live
from tests.faces import FACES
from tests.servers import accepting

if TYPE_CHECKING:
    from sandbox.testing.results import SuiteResult

IDS: dict[str, Any] = {"suite": "abcdefghijklmn", "runner": "ABCDEFGHIJKLMN", "timestamp": "T1"}
PACKETS = [
    Packet(kind=Kind.LOG, **IDS, level=2, text="hé\ud800", ancestry="A,B", line=3, column=4, source="x.js"),
    Packet(kind=Kind.ERROR, **IDS, text='{"name": "E"}'),
    Packet(kind=Kind.STATUS, **IDS, type=Type.TEST, is_todo=True, duration=7, description="t"),
    Packet(kind=Kind.STATUS, **IDS, type=Type.DESCRIBE, is_skipped=True),
    Packet(kind=Kind.EVENT, **IDS, type=Type.TEST, is_passed=True, text="[]", ancestry="A"),
]


def test_golden_bytes() -> None:
    head = bytes.fromhex("026162636465666768696a6b6c6d6e4142434445464748494a4b4c4d4e02005431")
    assert encode_packet(Packet(kind=Kind.ERROR, **IDS, text="")) == head + bytes(4)
    assert [encode_packet(packet)[33] for packet in PACKETS[2:]] == [0x21, 0x42, 0x21]
    short = encode_packet(Packet(kind=Kind.ERROR, suite="ab", runner="c", timestamp=""))
    assert short[1:29] == b"ab" + bytes(12) + b"c" + bytes(13)
    assert decode_packet(short).suite == "ab"
    assert frame(b"abc") == b"\0\0\0\x03abc"
    assert re.fullmatch("[0-9a-z]{14}", new_id())


@pytest.mark.parametrize("packet", PACKETS, ids=lambda packet: packet.kind.name)
def test_packets_round_trip(packet: Packet) -> None:
    again = decode_packet(encode_packet(packet))
    assert again == packet or again.text == "hé\ufffd\ufffd\ufffd"
    for cut in range(len(encode_packet(packet))):
        with pytest.raises(PacketError):
            decode_packet(encode_packet(packet)[:cut])


def test_frames_however_they_are_cut() -> None:
    data = frame(b"") + frame(b"abc") + frame(b"x" * 300)
    for cut in range(len(data) + 1):
        frames = Frames()
        assert [*frames.feed(data[:cut]), *frames.feed(data[cut:])] == [b"", b"abc", b"x" * 300]
    with pytest.raises(PacketError, match="at most"):
        list(Frames().feed(b"\xff\xff\xff\xff"))
    with pytest.raises(PacketError, match="an id has at most"):
        encode_error("E", "m", "", "x" * 15, "y")


# A suite by hand: packets made of a Buffer, as a framework would make them.
SUITE = """
const { suiteId, runnerId } = globalThis.__XJET.runtime;
const text = (value) => {
  const b = Buffer.from(value), n = Buffer.alloc(4); n.writeUInt32LE(b.length); return [n, b];
};
const id = (value) => { const b = Buffer.alloc(14); b.write(value); return b };
const head = (kind) => [Buffer.from([kind]), id(suiteId), id(runnerId), Buffer.from([2, 0]), Buffer.from("T1")];
const number = Buffer.alloc(4); number.writeUInt32LE(5, 0);
const send = (...parts) => dispatch(Buffer.concat(parts.flat()));
const event = (name, errors) => send(head(4), Buffer.from([1]), number, text("A"), text(name), text(errors));
const end = () => send(head(3), Buffer.from([3]), number, text(""), text(""));
"""
PASSES = SUITE + "setTimeout(() => { event('t1', ''); end() }, 5)"
FAILS = SUITE + "event('t1', JSON.stringify([{name: 'E', message: 'no', stack: '    at x (a.js:1:2)'}])); end()"


@pytest.fixture(autouse=True)
def _settled() -> Iterator[None]:
    """A client hears of a suite's end before its sandbox is closed."""
    yield
    end = time.monotonic() + 10
    while _live and time.monotonic() < end:
        time.sleep(0.001)


@pytest.fixture(scope="module")
def server() -> Iterator[RunnerServer]:
    with RunnerServer(limits=Limits(cpu_seconds=0.5, wall_seconds=5)) as running:
        yield running


TOKEN = "only who knows this"


def run(face: str, runner: TcpRunner, code: str, path: str = "suite.js") -> SuiteResult:
    if face == "blocking":
        return runner.run(code, path)

    async def main() -> SuiteResult:
        return await runner.run_async(code, path)

    return anyio.run(main, backend=face)


@pytest.fixture(scope="module")
def certificates() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of those who trust it."""
    authority, server = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@pytest.mark.parametrize("face", FACES)
class TestAWayIn:
    def test_with_a_token_over_tls(self, certificates: tuple[ssl.SSLContext, ssl.SSLContext], face: str) -> None:
        ours, theirs = certificates
        with RunnerServer(token=TOKEN, tls=ours) as server:
            there = TcpRunner("there", "localhost", server.port, token=TOKEN, tls=theirs)
            assert TOKEN not in repr(there)
            assert run(face, there, PASSES).is_ok
            big = run(face, there, SUITE + "for (let i = 0; i < 300; i++) event('x'.repeat(5000), ''); end()")
            assert (big.is_ok, len(big.tests)) == (True, 300)
            wrong = [
                (replace(there, token=TOKEN + "!"), "Unauthorized"),
                (replace(there, token="x" * 2000), "Unauthorized"),
                (replace(there, token=None), "Unauthorized"),
                (replace(there, tls=ssl.create_default_context()), "was lost"),
                (replace(there, tls=None), "was lost"),
            ]
            for runner, told in wrong:
                result = run(face, runner, PASSES)
                assert not result.tests
                assert told in result.errors[0].title

    def test_a_runner_that_is_lost_is_a_failure(self, face: str) -> None:
        for talk, text in ((_silent, "has said nothing"), (_leaving, "was lost")):
            with accepting(talk) as port:
                there = TcpRunner("there", port=port, suite_seconds=0.3)
                result = run(face, there, PASSES)
            assert text in result.errors[0].message
            assert not run(face, there, PASSES).is_ok  # it is gone


@pytest.mark.parametrize("token", ["", "short", "x" * 1025], ids=len)
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(ValueError, match="16 characters"):
        RunnerServer(token=token)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_server_and_its_runners_in_tasks(backend: str) -> None:
    async def main() -> list[Any]:
        async with RunnerServer() as server, anyio.create_task_group() as tasks:
            tasks.start_soon(server.wait_async)
            runners = [TcpRunner(name, port=server.port) for name in ("one", "two")]
            spread = await run_remote_async([(f"{n}.js", PASSES) for n in range(4)], runners)
            each = await run_remote_async([("a.js", PASSES), ("b.js", FAILS)], runners, distribute="matrix")
            with anyio.move_on_after(0.3) as scope:
                await runners[0].run_async("for (;;);")
            tasks.cancel_scope.cancel()
        with pytest.raises(ValueError, match="no runners"):
            await run_remote_async([], [])
        return [
            [suite.file for suite in spread.suites],
            [(suite.file, suite.runner, suite.is_ok) for suite in each.suites],
            scope.cancelled_caught,
        ]

    assert anyio.run(main, backend=backend) == [
        ["0.js", "1.js", "2.js", "3.js"],
        [("a.js", "one", True), ("a.js", "two", True), ("b.js", "one", False), ("b.js", "two", False)],
        True,
    ]


class TestClientsThatHoldIt:
    @pytest.mark.parametrize("data", [b"", b"x" * 13, b"x" * 14 + b"\0\0\0\x20half"], ids=len)
    def test_by_saying_nothing(self, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
        monkeypatch.setattr(servers, "_GREETING_SECONDS", 0.2)
        with RunnerServer(token=TOKEN) as running:
            with socket.create_connection(("127.0.0.1", running.port)) as link:
                link.settimeout(20)
                link.sendall(data)
                assert link.recv(1) == b""
            assert TcpRunner("here", port=running.port, token=TOKEN).run(PASSES).is_ok

    def test_by_going_away(self) -> None:
        """What it has asked for is stopped, and what waits for it is not begun."""
        with RunnerServer(workers=1, limits=Limits(cpu_seconds=None, wall_seconds=600)) as running:
            with socket.create_connection(("127.0.0.1", running.port)) as link:
                link.sendall(b"x" * 14 + frame(b"for (;;);" + b"y" * 14) * 20)
                end = time.monotonic() + 20
                while not any(client._running for client in running._clients) and time.monotonic() < end:
                    time.sleep(0.01)
            assert TcpRunner("here", port=running.port, suite_seconds=30).run(PASSES).is_ok

    def test_by_sending_more_than_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What waits has a cap in bytes: no more is read, and all of it is run in the end."""
        monkeypatch.setattr(links, "_MAX_WAITING_BYTES", 1 << 20)
        seen: list[int] = []
        hold = links.Link.hold

        def noted(link: links.Link, size: int) -> None:
            hold(link, size)
            seen.append(link._waiting_bytes)

        monkeypatch.setattr(links.Link, "hold", noted)
        with RunnerServer() as running, socket.create_connection(("127.0.0.1", running.port)) as link:
            link.settimeout(20)
            link.sendall(b"x" * 14 + frame(b"//" + b"-" * 300_000 + b"y" * 14) * 8)
            frames, ended = Frames(), 0
            while ended < 8:
                ended += len(list(frames.feed(link.recv(1 << 16))))
        assert len(seen) == 8
        assert max(seen) <= 1 << 20

    def test_by_not_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(links, "_SEND_SECONDS", 0.2)
        flood = SUITE + "for (let i = 0; i < 400; i++) event('x'.repeat(50_000), ''); end()"
        with RunnerServer(workers=1) as running, socket.socket() as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(("127.0.0.1", running.port))
            head = "globalThis.__XJET = {runtime: {suiteId: '', runnerId: ''}};"
            link.sendall(b"x" * 14 + frame((head + flood).encode() + b"y" * 14))
            assert TcpRunner("here", port=running.port, suite_seconds=20).run(PASSES).is_ok


def test_suites_by_our_server_and_our_client(server: RunnerServer) -> None:
    runner = TcpRunner("here", port=server.port, suite_seconds=20)
    settings = 'globalThis.__XJET = {"runtime":{"suiteId":"of another run","runnerId":""}}; \n'
    assert runner.run(f"{settings}\n{PASSES}").is_ok
    passed, failed = runner.run(PASSES, "a.js"), runner.run(FAILS, "b.js")
    assert [(test.path, test.status, test.duration_ms) for test in passed.tests] == [(("A", "t1"), "passed", 5.0)]
    assert (passed.is_ok, passed.runner, passed.file) == (True, "here", "a.js")
    (error,) = failed.tests[0].errors
    assert (error.name, error.message, error.frames[0].line) == ("E", "no", 1)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("let x = ;", "SyntaxError"),
        ("1", "has not said that it ended"),
        ("throw new TypeError('at the top')", "TypeError: at the top"),
        ("for (;;);", "CpuLimitExceeded"),
        ("require('fs')", "no module 'fs'"),
        ("dispatch('text')", "dispatch takes a Buffer"),
        (SUITE + "end()", "at least one test"),
        ("dispatch(Buffer.from([1, 2]))", "was lost: no packet"),
    ],
)
def test_a_suite_that_fails(server: RunnerServer, code: str, text: str) -> None:
    result = TcpRunner("here", port=server.port, suite_seconds=20).run(code)
    assert not result.is_ok
    assert text in result.errors[0].title
    assert "sandbox/" not in result.errors[0].render()


def _silent(link: socket.socket) -> None:
    while link.recv(1 << 16):
        pass


def _leaving(link: socket.socket) -> None:
    link.recv(1 << 16)
    link.close()


def test_a_runner_that_is_not_there() -> None:
    with accepting(_silent) as port:
        pass
    report = run_remote([("a.js", PASSES), ("b.js", PASSES)], [TcpRunner("gone", port=port)])
    assert [suite.is_ok for suite in report.suites] == [False, False]
    assert report.exit_code == 2


def test_suites_are_spread_over_runners_or_run_on_each(server: RunnerServer) -> None:
    runners = [TcpRunner("one", port=server.port), TcpRunner("two", port=server.port)]
    suites = [(f"{number}.js", PASSES) for number in range(6)]
    balanced = run_remote(suites, runners)
    assert [suite.file for suite in balanced.suites] == [path for path, _ in suites]
    matrix = run_remote(suites[:2], runners, distribute="matrix")
    assert [(suite.file, suite.runner) for suite in matrix.suites] == [
        ("0.js", "one"), ("0.js", "two"), ("1.js", "one"), ("1.js", "two"),
    ]  # fmt: skip
    assert balanced.is_ok
    assert matrix.is_ok
    with pytest.raises(ValueError, match="no runners"):
        run_remote(suites, [])


def test_clients_come_and_go(server: RunnerServer) -> None:
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", server.port)) as link:
            link.sendall(b"x" * 14 + b"\xff\xff\xff\xff")
    assert TcpRunner("here", port=server.port).run(PASSES).is_ok
    end = time.monotonic() + 10
    while server._clients and time.monotonic() < end:
        time.sleep(0.01)
    assert not server._clients


def test_closing_ends_all_threads() -> None:
    with RunnerServer() as running:
        assert TcpRunner("x", port=running.port).run(PASSES).is_ok
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("sandbox runner")]
    end = time.monotonic() + 10
    while names and time.monotonic() < end:
        time.sleep(0.01)
        names = [thread.name for thread in threading.enumerate() if thread.name == "sandbox runner client"]
    assert not [name for name in names if name == "sandbox runner client"]
