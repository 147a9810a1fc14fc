"""Lines between clients and workers: who has one, what may be said over it, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import Remote, Sandbox
from sandbox.remote import instance, sessions
from sandbox.remote import link as links
from sandbox.remote.books import Bounds
from sandbox.remote.connection import Connection
from sandbox.remote.errors import ConnectionLost, RemoteError, SandboxLost
from sandbox.remote.events import Answered, Ended, Failed, Greeted, Refused
from sandbox.remote.link import Link
from sandbox.remote.protocol import Code, Kind, pack
from tests.remote.daemons import Running, running
from tests.remote.test_daemon import CALL, OPEN, answers, hostile, until


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sandbox get a line when it is called for the second time."""
    monkeypatch.setattr(instance, "_USES", 1)


def lines_of(remote: Remote) -> list[Link]:
    assert remote._sandboxes is not None
    return list(remote._sandboxes._lines.values())


def descriptors(pid: int) -> int:
    """Sockets and pipes of a process."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            found += each.readlink().name.startswith(("socket:", "pipe:"))
    return found


@pytest.fixture(params=["unix", "tcp"])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, Remote]]:
    with (
        running(tmp_path / "s" if request.param == "unix" else None, workers=1, tokens={"a" * 20: "alice"}) as daemon,
        sandbox.connect(daemon.address, token="a" * 20) as remote,
    ):
        yield daemon, remote


def test_who_calls_again_has_one_and_the_daemon_hears_no_more_of_it(reached: tuple[Running, Remote]) -> None:
    daemon, remote = reached
    with remote.sandbox(functions={"f": lambda n: n + 1}) as box, remote.sandbox() as other:
        assert [box.eval(f"f({n})") for n in range(3)] == [1, 2, 3]
        assert len(lines_of(remote)) == 1
        before = daemon.counts()
        for n in range(20):
            assert box.eval(f"f({n})") == n + 1
        assert box.eval("f(new Uint8Array([7]).at(0)) + 'x'.repeat(300_000).length") == 300_008
        after = daemon.counts()
        assert after["calls_total"] - before["calls_total"] == 21
        assert after["asks_total"] - before["asks_total"] >= 21  # and polls
        assert after["received_bytes_total"] == before["received_bytes_total"]
        assert [other.eval("1"), other.eval("2")] == [1, 2]
        assert len(lines_of(remote)) == 1  # of the one worker
    until(lambda: not daemon.counts()["sandboxes"])


def test_what_goes_another_way_finds_a_guest_that_waits_over_the_line(reached: tuple[Running, Remote]) -> None:
    _, remote = reached
    sizes = []

    def look() -> int:
        sizes.append(box._driver.guest.instance.copy().memory_bytes)
        nested: int = box.eval("20 + 1")
        return nested

    with remote.sandbox(functions={"look": look}) as box:
        assert [box.eval("look() * 2") for _ in range(3)] == [42] * 3
        assert len(set(sizes)) == 1
        assert lines_of(remote)


def test_none_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_LINES", 0)
    with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote, remote.sandbox() as box:
        assert [box.eval(str(n)) for n in range(5)] == list(range(5))
        assert not lines_of(remote)


class TestEnds:
    @pytest.mark.parametrize("code", ["for (;;);", "1"], ids=["running", "idle"])
    def test_of_the_worker(self, reached: tuple[Running, Remote], code: str) -> None:
        daemon, remote = reached
        with remote.sandbox() as box:
            assert [box.eval("1"), box.eval("2")] == [1, 2]
            assert lines_of(remote)
            (victim,) = daemon.pids
            timer = threading.Timer(0.0 if code == "1" else 0.2, os.kill, (victim, signal.SIGKILL))
            timer.start()
            with pytest.raises(SandboxLost) as caught:
                for _ in range(100_000):
                    box.eval(code)
            timer.join()
            assert caught.value.code == "WORKER_LOST"
        assert remote.is_connected
        until(lambda: set(daemon.pids) - {victim})
        with remote.sandbox() as box:
            assert [box.eval(str(n)) for n in range(4)] == list(range(4))
        assert sum(line.lost is None for line in lines_of(remote)) == 1

    def test_of_the_client(self, reached: tuple[Running, Remote]) -> None:
        daemon, remote = reached
        (pid,) = daemon.pids
        before = descriptors(pid)
        boxes = [Sandbox(remote=remote) for _ in range(3)]
        for box in boxes:
            assert [box.eval("1"), box.eval("2")] == [1, 2]
        assert descriptors(pid) > before
        remote.close()
        for box in boxes:
            with pytest.raises(ConnectionLost):
                box.eval("1")
            box.close()
        until(lambda: not daemon.counts()["sandboxes"])
        until(lambda: descriptors(pid) <= before)
        assert not daemon.ask(lambda: daemon.daemon._house.tickets)
        assert daemon.pids == [pid]

    def test_of_a_client_whose_thread_has_not_come_to_it(
        self, reached: tuple[Running, Remote], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection is closed for whoever closed it, at once."""
        _, remote = reached
        with remote.sandbox() as box:
            assert [box.eval("1"), box.eval("2")] == [1, 2]
            (line,) = lines_of(remote)
            with monkeypatch.context() as patch:
                patch.setattr(line, "_ring", lambda: None)
                remote.close()
                with pytest.raises(ConnectionLost, match="was closed"):
                    box.eval("1")
            line.close()

    def test_of_a_call_in_progress(self, reached: tuple[Running, Remote]) -> None:
        _, remote = reached
        with remote.sandbox() as box:
            assert [box.eval("1"), box.eval("2")] == [1, 2]
            timer = threading.Timer(0.1, remote.close)
            timer.start()
            with pytest.raises(ConnectionLost):
                box.eval("for (;;);")
            timer.join()


def line_of(daemon: Running, sock: socket.socket, connection: Connection) -> dict[str, Any]:
    """What a client is told who has a sandbox 1 and wants a line."""
    result: dict[str, Any] = {}
    for method, parameters in (("open", {"sandbox": 1, **OPEN}), ("line", {"sandbox": 1})):
        number = connection.request(method, parameters)
        sock.sendall(connection.take())
        result = next(each for each in answers(sock, connection, Answered) if each.number == number).result
    assert daemon.pids == [result["worker"]]
    return result


def greeted(daemon: Running, facts: dict[str, Any], more: bytes = b"") -> tuple[socket.socket, Connection, Any]:
    """A second connection, and what it is told."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(daemon.address)
    sock.settimeout(20)
    connection = Connection("client")
    connection.hello(facts)
    sock.sendall(connection.take() + more)
    return sock, connection, next(answers(sock, connection, (Greeted, Ended, Failed)))


def test_a_ticket_is_good_once_and_as_long_as_its_client_is_there(tmp_path: Path) -> None:
    with running(tmp_path / "s") as daemon:
        sock, connection = hostile(daemon)
        with closing(sock):
            ticket = line_of(daemon, sock, connection)["ticket"]
            for wrong in ("", "0" * 64, 5, None, [ticket], ticket.encode()):
                other, _, told = greeted(daemon, {"line": wrong})
                other.close()
                assert isinstance(told, Ended)
                assert Code(told.code) is Code.UNAUTHORIZED
            first, _, told = greeted(daemon, {"line": ticket})
            assert isinstance(told, Greeted)
            again, _, told = greeted(daemon, {"line": ticket})
            again.close()
            assert isinstance(told, Ended)
            connection.request("line", {"sandbox": 1})
            sock.sendall(connection.take())
            newer = next(answers(sock, connection, Answered)).result["ticket"]
            assert newer != ticket
        until(lambda: not daemon.counts()["connections"])
        late, _, told = greeted(daemon, {"line": newer})
        late.close()
        assert isinstance(told, Ended)
        with closing(first):
            while first.recv(1000):  # it ends, for its client is gone
                pass


def test_nothing_may_come_before_the_welcome(tmp_path: Path) -> None:
    with running(tmp_path / "s") as daemon:
        for more in (pack([Kind.PING, b""]), b"\0\0"):
            sock, connection = hostile(daemon)
            with closing(sock):
                ticket = line_of(daemon, sock, connection)["ticket"]
                other, _, told = greeted(daemon, {"line": ticket}, more)
                with closing(other):
                    assert isinstance(told, Ended)
                    assert Code(told.code) is Code.UNEXPECTED


FORBIDDEN: list[tuple[str, dict[str, Any], bytes | None, Code]] = [
    ("open", {"sandbox": 7, **OPEN}, None, Code.UNKNOWN_METHOD),
    ("close", {"sandbox": 1, "sound": True}, None, Code.UNKNOWN_METHOD),
    ("memory", {"sandbox": 1}, None, Code.UNKNOWN_METHOD),
    ("abandon", {"sandbox": 1}, None, Code.UNKNOWN_METHOD),
    ("grant", {"line": 1, "sandbox": 2}, None, Code.UNKNOWN_METHOD),
    ("cut", {"line": 1}, None, Code.UNKNOWN_METHOD),
    ("namespace.names", {}, None, Code.UNKNOWN_METHOD),
    ("call", {**CALL, "sandbox": 1 << 40}, None, Code.NO_SANDBOX),
    ("call", {**CALL, "export": "memory"}, None, Code.BAD_PARAMETERS),
    ("call", {**CALL, "export": "install", "numbers": [1, 2]}, None, Code.BAD_PARAMETERS),
    ("call", {**CALL, "control": {"x": 1}}, None, Code.BAD_PARAMETERS),
]


def test_only_calls_of_what_was_granted(tmp_path: Path) -> None:
    """Another client's sandbox is on the same worker, and has a number that is easily guessed."""
    with running(tmp_path / "s", bounds=Bounds(body_bytes=1 << 20)) as daemon:
        sock, connection = hostile(daemon)
        with closing(sock), sandbox.connect(daemon.address) as remote, remote.sandbox() as victim:
            assert [victim.eval("globalThis.n = 1"), victim.eval("n")] == [1, 1]
            told = line_of(daemon, sock, connection)
            line, state, welcome = greeted(daemon, {"line": told["ticket"]})
            with closing(line):
                assert welcome.facts["max_body_bytes"] == 1 << 20
                others = [("call", {**CALL, "sandbox": told["sandbox"] - n}, None, Code.NO_SANDBOX) for n in (1, 2)]
                for method, parameters, body, code in (*FORBIDDEN, *others):
                    if method == "call":
                        parameters = {"sandbox": told["sandbox"], **parameters}
                    number = state.request(method, parameters, body)
                    line.sendall(state.take())
                    event = next(each for each in answers(line, state, (Refused, Answered)) if each.number == number)
                    assert isinstance(event, Refused), method
                    assert Code(event.code) is code, method
                line.sendall(b"\xff" * 100)
                assert isinstance(next(answers(line, state, Ended)), Ended)
            assert victim.eval("n") == 1
            assert daemon.pids == [told["worker"]]


def test_whoever_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    link = Link(ours, {}, on_asked=lambda _asked: None)
    link.start()
    with closing(theirs):
        server = Connection("server")
        server.receive(theirs.recv(1000))
        server.welcome({})
        theirs.sendall(server.take())
        link.wait_until_open(20)
        monkeypatch.setattr(links, "MAX_OUTGOING_BYTES", 100_000)
        with pytest.raises(RemoteError, match="does not read") as caught:
            for _ in range(1000):
                link.send("echo", {}, bytes(50_000))
            link.join(20)  # its thread says so, which may take it longer than all of these
            link.send("echo", {})
        assert caught.value.code == "TOO_SLOW"
        link.join(20)
