"""What a daemon promises: who is let in, what is whose, what is lost when something dies, and that it is told."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme

import sandbox
from sandbox import AsyncSandbox, Limits, Remote, Sandbox
from sandbox.errors import (
    CpuLimitExceeded,
    JSError,
    MemoryLimitExceeded,
    NamespaceInUse,
    SandboxClosed,
    SandboxError,
    UsageError,
    WallLimitExceeded,
)
from sandbox.remote.books import Bounds
from sandbox.remote.connection import Connection
from sandbox.remote.daemon import read_tokens
from sandbox.remote.errors import ConnectionLost, DaemonFull, NamespaceLost, ProtocolError, RemoteError, SandboxLost
from sandbox.remote.events import Answered, Ended, Refused
from sandbox.remote.protocol import Code
from sandbox.remote.statistics import TABLE
from tests.remote.daemons import Running, running

TOKENS = {"a" * 20: "alice", "b" * 20: "bob"}


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something of another process is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture(params=["unix", "tcp", "tls"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, ssl.SSLContext | None]]:
    """A daemon with tokens, and whom its clients trust."""
    server = client = None
    if request.param == "tls":
        authority = trustme.CA()
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(server)
        client = ssl.create_default_context()
        authority.configure_trust(client)
    with running(tmp_path / "s" if request.param == "unix" else None, tokens=TOKENS, tls=server) as daemon:
        yield daemon, client


def test_who_is_let_in(guarded: tuple[Running, ssl.SSLContext | None]) -> None:
    daemon, tls = guarded
    for token in (None, "", "c" * 20, "a" * 19):
        with pytest.raises(RemoteError, match="token") as caught:
            sandbox.connect(daemon.address, token=token, tls=tls).__enter__()
        assert caught.value.code == "UNAUTHORIZED"
    with (
        sandbox.connect(daemon.address, token="a" * 20, tls=tls) as remote,
        remote.sandbox(functions={"f": lambda data: data}) as box,
    ):
        assert box.eval("f(1) + 1") == 2
        assert box.eval("f(new Uint8Array(3_000_000)).length") == 3_000_000
    assert daemon.counts()["connections_refused_total"] == 4


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(server)
    with running(tokens=TOKENS, tls=server) as daemon, pytest.raises(RemoteError, match=r"(?i)certificate"):
        sandbox.connect(daemon.address, token="a" * 20).__enter__()


def test_a_socket_is_its_users(daemon: Running) -> None:
    assert stat.S_IMODE(Path(daemon.address).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("alice " + "a" * 20 + "\n# none\n\nbob " + "b" * 20, 0o600, None),
        ("c" * 20, 0o600, None),
        ("", 0o600, "no token"),
        ("alice short", 0o600, "at least 16"),
        ("a b c", 0o600, "an owner and a token"),
        ("c" * 20, 0o644, "others may read"),
    ],
    ids=["two", "one", "none", "short", "three words", "readable"],
)
def test_token_files(tmp_path: Path, text: str, mode: int, told: str | None) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(mode)
    if told is None:
        assert set(read_tokens(path).values()) in ({"alice", "bob"}, {"local"})
    else:
        with pytest.raises(ValueError, match=told):
            read_tokens(path)


class TestNamespaces:
    def test_they_are_kept_for_their_owner_alone(self, tmp_path: Path) -> None:
        with running(tmp_path / "s", tokens=TOKENS) as daemon:
            alice, bob = (sandbox.connect(daemon.address, token=token) for token in TOKENS)
            with alice, bob:
                for expected in (1, 2, 3):
                    with alice.namespace("n") as box:
                        assert box.eval("globalThis.n = (globalThis.n ?? 0) + 1") == expected
                with bob.namespace("n") as box:
                    assert box.eval("typeof n") == "undefined"
                    with pytest.raises(NamespaceInUse):
                        bob.namespace("n").__enter__()
                    with alice.namespace("n") as other:
                        assert other.eval("n") == 3
                assert (alice.names(), bob.names()) == (["n"], ["n"])
                assert alice.drop("n")
                assert not alice.drop("n")
                assert (alice.names(), bob.names()) == ([], ["n"])

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_either_face_goes_on(self, remote: Remote, backend: str) -> None:
        import anyio

        name = f"faces {backend}"

        async def use() -> Any:
            async with remote.namespace(name, functions={"f": lambda: 5}) as box:
                assert isinstance(box, AsyncSandbox)
                return await box.eval("globalThis.f2 = f; setTimeout(() => n = 99, 1); globalThis.n = 1")

        assert anyio.run(use, backend=backend) == 1
        with remote.namespace(name, functions={"f": lambda: 6}) as box:
            assert isinstance(box, Sandbox)
            assert box.eval("f2() + n") == 7

    def test_the_one_that_was_not_used_goes_first(self, tmp_path: Path) -> None:
        with running(tmp_path / "s", bounds=Bounds(namespaces=2)) as daemon, sandbox.connect(daemon.address) as remote:
            for name in ("a", "b", "a", "c"):
                with remote.namespace(name) as box:
                    box.eval("globalThis.n = 1")
            assert sorted(remote.names()) == ["a", "c"]
            assert remote.statistics()["namespaces_evicted_total"] == 1

    def test_a_use_that_fails_its_sandbox_leaves_it_as_it_was(self, remote: Remote) -> None:
        with remote.namespace("poisoned") as box:
            box.eval("globalThis.n = 1")
        loan = remote.namespace("poisoned", on_limit="poison", limits=Limits(cpu_seconds=0.05))
        with loan as box, pytest.raises(CpuLimitExceeded):
            box.eval("n = 2; for (;;);")
        with remote.namespace("poisoned") as box:
            assert box.eval("n") == 1

    def test_a_client_that_dies_is_told_of_and_what_was_before_comes_back(self, tmp_path: Path) -> None:
        with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as other:
            with other.namespace("n") as box:
                box.eval("globalThis.n = 1")
            dying = sandbox.connect(daemon.address)
            with dying:
                loan = dying.namespace("n")
                lost = loan.__enter__()
                lost.eval("n = 2")
                dying.close()
                with pytest.raises(ConnectionLost):
                    lost.eval("n")
                with pytest.raises(RemoteError):
                    loan.__exit__(None, None, None)
            until(lambda: not daemon.counts()["namespaces_in_use"])
            with pytest.raises(NamespaceLost, match="restore=True"):
                other.namespace("n").__enter__()
            with other.namespace("n", restore=True) as box:
                assert box.eval("n") == 1
            with other.namespace("n") as box:
                assert box.eval("n") == 1
            assert daemon.counts()["namespaces_lost_total"] == 1


class TestWorkers:
    def test_the_death_of_one_loses_only_what_ran_there(self, tmp_path: Path) -> None:
        with running(tmp_path / "s", workers=2) as daemon, sandbox.connect(daemon.address) as remote:
            with remote.namespace("kept") as box:
                box.eval("globalThis.n = 1")
            before = daemon.pids
            boxes = [Sandbox(remote=remote) for _ in range(4)]
            pids = [box.eval("'ready'") for box in boxes]
            assert pids == ["ready"] * 4
            os.kill(before[0], signal.SIGKILL)
            until(lambda: daemon.counts()["workers_lost_total"] == 1)
            told = []
            for box in boxes:
                try:
                    told.append(box.eval("1"))
                except SandboxLost as error:
                    assert error.code == "WORKER_LOST"
                    with pytest.raises(SandboxLost):
                        box.eval("1")
                    told.append("lost")
                box.close()
            assert sorted(map(str, told)) == ["1", "1", "lost", "lost"]
            assert daemon.counts()["sandboxes_lost_total"] == 2
            with remote.namespace("kept") as box:  # it was in no use
                assert box.eval("n") == 1
            until(lambda: len(daemon.pids) == 2)
            assert before[0] not in daemon.pids
            with remote.sandbox() as box:
                assert box.eval("1 + 1") == 2

    @pytest.mark.parametrize("code", ["for (;;);", "ask()", "await later()"], ids=["running", "asking", "waiting"])
    def test_whoever_waits_is_told(self, tmp_path: Path, code: str) -> None:
        """Killed in the middle of a call, of a call of the host, and between two turns."""
        with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote:
            victim = daemon.pids[0]

            def ask() -> None:
                os.kill(victim, signal.SIGKILL)
                until(lambda: daemon.counts()["workers_lost_total"] == 1)

            async def later() -> None:
                await trio.to_thread.run_sync(ask)

            with remote.sandbox(functions={"ask": ask, "later": later}) as box:
                timer = threading.Timer(0.2, os.kill, (victim, signal.SIGKILL))
                if code == "for (;;);":
                    timer.start()

                async def main() -> None:
                    with pytest.raises(SandboxLost):
                        box.eval(code)

                if code != "await later()":
                    trio.run(main)
                if code == "for (;;);":
                    timer.join()
            if code == "await later()":

                async def waiting() -> None:
                    async with remote.sandbox(functions={"later": later}) as other:
                        with pytest.raises(SandboxLost):
                            await other.eval(code)

                trio.run(waiting)

    def test_a_namespace_in_use_comes_back_when_asked_to(self, tmp_path: Path) -> None:
        with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote:
            with remote.namespace("n") as box:
                box.eval("globalThis.n = 1")
            loan = remote.namespace("n")
            box = loan.__enter__()
            box.eval("n = 2")
            os.kill(daemon.pids[0], signal.SIGKILL)
            with pytest.raises(SandboxLost):
                for _ in range(1000):
                    box.eval("n")
            with pytest.raises(SandboxLost):
                loan.__exit__(None, None, None)
            until(lambda: daemon.pids and not daemon.counts()["namespaces_in_use"])
            with remote.namespace("n") as box:
                assert box.eval("n") == 1


class TestConnections:
    def test_what_is_begun_after_a_loss_connects_anew(self, daemon: Running) -> None:
        with sandbox.connect(daemon.address) as remote:
            first = remote.sandbox()
            box = first.__enter__()
            assert remote._sandboxes is not None
            remote._sandboxes.link._socket.shutdown(socket.SHUT_RDWR)
            with pytest.raises(ConnectionLost):
                for _ in range(1000):
                    box.eval("1")
            with pytest.raises(ConnectionLost):
                box.eval("1")
            first.__exit__(None, None, None)
            with remote.sandbox() as box:
                assert box.eval("2") == 2
        with pytest.raises(SandboxClosed):
            remote.sandbox().__enter__()

    def test_a_call_in_progress_hears_of_it(self, daemon: Running) -> None:
        with sandbox.connect(daemon.address) as remote, remote.sandbox() as box:
            timer = threading.Timer(0.2, remote.close)
            timer.start()
            with pytest.raises(ConnectionLost):
                box.eval("for (;;);")
            timer.join()

    def test_nobody_is_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectionLost, match="cannot be reached"):
            sandbox.connect(tmp_path / "none").__enter__()
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionLost, match="cannot be reached"):
                sandbox.connect(f"tcp://127.0.0.1:{free.getsockname()[1]}").__enter__()

    def test_somebody_else_is_there(self, tmp_path: Path) -> None:
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(tmp_path / "s"))
            listener.listen()

            def answer() -> None:
                with closing(listener.accept()[0]) as sock:
                    sock.recv(1000)
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(ProtocolError):
                sandbox.connect(tmp_path / "s").__enter__()
            thread.join()

    def test_one_that_says_nothing(self, tmp_path: Path) -> None:
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(tmp_path / "s"))
            listener.listen()
            with pytest.raises(ConnectionLost, match="in time"):
                sandbox.connect(tmp_path / "s", timeout=0.1).__enter__()

    @pytest.mark.parametrize(
        "address", ["", "unix:", "tcp://", "tcp://host", "http://host:1", "tcp://host:1/path"], ids=repr
    )
    def test_addresses_that_are_none(self, address: str) -> None:
        with pytest.raises(ValueError, match="an address is"):
            sandbox.connect(address)

    def test_it_is_one_face_or_the_other(self, remote: Remote, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="recorded"):
            Sandbox(remote=remote, record=tmp_path / "r")
        with Sandbox(remote=remote) as box, pytest.raises(UsageError, match="recorded"):
            box.record(tmp_path / "r")
        with pytest.raises(TypeError, match="remote must be"):
            Sandbox(remote="there")  # type: ignore[arg-type]

    def test_a_cancelled_task_stops_its_guest(self, remote: Remote, daemon: Running) -> None:
        async def main() -> int:
            async with remote.sandbox(limits=Limits(cpu_seconds=50, wall_seconds=50)) as box:
                with trio.move_on_after(0.2) as scope:
                    await box.eval("for (;;);")
                assert scope.cancelled_caught
                value: int = await box.eval("1 + 1")
                return value

        began = time.monotonic()
        assert trio.run(main) == 2
        assert time.monotonic() - began < 20


class TestBounds:
    def test_sandboxes(self, tmp_path: Path) -> None:
        bounds = Bounds(sandboxes=3, sandboxes_each=2, memory_bytes=64 << 20)
        with running(tmp_path / "s", bounds=bounds, tokens=TOKENS) as daemon:
            alice, bob = (sandbox.connect(daemon.address, token=token) for token in TOKENS)
            with alice, bob, alice.sandbox() as first, alice.sandbox() as second, bob.sandbox() as third:
                assert [box.eval("1") for box in (first, second, third)] == [1, 1, 1]
                for remote, told in ((alice, "an owner has 2"), (bob, "runs 3")):
                    with remote.sandbox() as box, pytest.raises(DaemonFull, match=told):
                        box.eval("1")
            with alice, alice.sandbox(limits=Limits(memory_bytes=128 << 20)) as box:
                with pytest.raises(RemoteError, match="67,108,864 bytes") as caught:
                    box.eval("1")
                assert caught.value.code == "LIMIT"
            until(lambda: not daemon.counts()["sandboxes"])

    def test_memory_that_is_too_small_is_refused_here(self, remote: Remote) -> None:
        with pytest.raises(MemoryLimitExceeded):
            Sandbox(remote=remote, limits=Limits(memory_bytes=4 << 20))

    def test_a_wait_ends_in_time(self, remote: Remote) -> None:
        with remote.sandbox(limits=Limits(wall_seconds=0.1, cpu_seconds=None)) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval("for (;;);")
            assert box.eval("1") == 1


def hostile(daemon: Running) -> tuple[socket.socket, Connection]:
    """A client that does as it likes."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(daemon.address)
    sock.settimeout(20)
    connection = Connection("client")
    connection.hello({})
    sock.sendall(connection.take())
    connection.receive(sock.recv(10_000))
    return sock, connection


def answers(sock: socket.socket, connection: Connection, kinds: Any) -> Iterator[Any]:
    while data := sock.recv(1 << 16):
        yield from (event for event in connection.receive(data) if isinstance(event, kinds))


OPEN: dict[str, Any] = {"memory_bytes": 64 << 20, "metering": "fuel", "control": {}, "of": ["image"]}
CALL: dict[str, Any] = {"export": "eval", "numbers": [1, 0], "control": {}, "fuel": None, "seconds": []}
HOSTILE: list[tuple[str, str, dict[str, Any], bytes | None, Code]] = [
    ("no such method", "steal", {}, None, Code.UNKNOWN_METHOD),
    ("a worker's method", "ask", {}, None, Code.BAD_PARAMETERS),
    ("the daemon's method", "abandon", {"sandbox": 1}, None, Code.UNKNOWN_METHOD),
    ("no sandbox", "call", {"sandbox": 99, **CALL}, None, Code.NO_SANDBOX),
    ("the same number", "open", {"sandbox": 1, **OPEN}, None, Code.BAD_PARAMETERS),
    ("a twin of none", "open", {"sandbox": 2, **OPEN, "of": ["sandbox", 99]}, None, Code.NO_SANDBOX),
    ("of nothing", "open", {"sandbox": 2, **OPEN, "of": []}, None, Code.BAD_PARAMETERS),
    ("no metering", "open", {"sandbox": 2, **OPEN, "metering": "none"}, None, Code.BAD_PARAMETERS),
    ("memory that is none", "open", {"sandbox": 2, **OPEN, "of": ["memory"]}, b"\0" * 50, Code.BAD_PARAMETERS),
    ("memory beyond all", "open", {"sandbox": 2, **OPEN, "of": ["memory"]}, b"\xff" * 50, Code.BAD_PARAMETERS),
    ("too much memory", "open", {"sandbox": 2, **OPEN, "memory_bytes": 1 << 40}, None, Code.LIMIT),
    ("too little memory", "open", {"sandbox": 2, **OPEN, "memory_bytes": 1}, None, Code.LIMIT),
    ("no such export", "call", {"sandbox": 1, **CALL, "export": "memory"}, None, Code.BAD_PARAMETERS),
    ("the build's export", "call", {"sandbox": 1, **CALL, "export": "boot", "numbers": []}, None, Code.BAD_PARAMETERS),
    ("too many numbers", "call", {"sandbox": 1, **CALL, "numbers": [1, 2, 3]}, None, Code.BAD_PARAMETERS),
    ("numbers that are none", "call", {"sandbox": 1, **CALL, "numbers": ["1", 0]}, None, Code.BAD_PARAMETERS),
    ("numbers of 33 bits", "call", {"sandbox": 1, **CALL, "numbers": [1 << 40, 0]}, None, Code.BAD_PARAMETERS),
    ("no such field", "call", {"sandbox": 1, **CALL, "control": {"x": 1}}, None, Code.BAD_PARAMETERS),
    ("no such value", "call", {"sandbox": 1, **CALL, "control": {"interrupt": "1"}}, None, Code.BAD_PARAMETERS),
    ("no such copy", "restore", {"sandbox": 1, "copy": 5}, None, Code.BAD_PARAMETERS),
    ("no use", "namespace.keep", {"name": "x"}, b"x", Code.NO_NAMESPACE),
    ("no use to leave", "namespace.leave", {"name": "x"}, None, Code.NO_NAMESPACE),
    ("nothing to keep", "namespace.keep", {"name": "x"}, None, Code.BAD_PARAMETERS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "parameters", "body", "code"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_a_client_that_asks_for_what_it_may_not(
    daemon: Running, method: str, parameters: dict[str, Any], body: bytes | None, code: Code
) -> None:
    sock, connection = hostile(daemon)
    with closing(sock):
        connection.request("open", {"sandbox": 1, **OPEN})
        number = connection.request(method, parameters, body)
        sock.sendall(connection.take())
        event = next(event for event in answers(sock, connection, (Refused, Answered)) if event.number == number)
        assert isinstance(event, Refused)
        assert Code(event.code) is code
        connection.request("statistics", {})  # and the connection lives
        sock.sendall(connection.take())
        assert next(event for event in answers(sock, connection, Answered) if event.result)
    until(lambda: not daemon.counts()["sandboxes"])


MADE_UP = [("eval", [1, 1 << 31]), ("call", [1, 50]), ("settle", [1, 0, 5]), ("resume", [9])]


def test_guests_messages_that_are_none_and_memory_that_is_made_up(daemon: Running) -> None:
    """A client may do to its guest what the guest may do to itself; the worker outlives it."""
    before = daemon.pids
    sock, connection = hostile(daemon)
    with closing(sock):
        connection.request("open", {"sandbox": 1, **OPEN})
        for message in (b"", b"\xff" * 100, os.urandom(5000)):
            for export, numbers in MADE_UP:
                parameters = {"sandbox": 1, **CALL, "export": export, "numbers": numbers, "fuel": 10_000_000}
                fields = {"inbox": 1 << 31, "outbox": 7, "outbox_bytes": 99}
                connection.request("call", {**parameters, "control": fields}, message)
        sock.sendall(connection.take())
        told = answers(sock, connection, (Answered, Refused))
        assert len([next(told) for _ in range(13)]) == 13
    assert daemon.pids == before


@pytest.mark.parametrize("data", [b"\xff" * 100, b"\0\0\0\1\xc1", b"GET / HTTP/1.1\r\n\r\n"], ids=repr)
def test_bytes_that_are_no_protocol(daemon: Running, data: bytes) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.connect(daemon.address)
        sock.settimeout(20)
        sock.sendall(data)
        reader, events = Connection("client"), []
        reader._was_greeted = True
        while part := sock.recv(1000):
            events += reader.receive(part)
        assert isinstance(events[-1], Ended)


def test_a_client_that_asks_for_the_answers_of_another(daemon: Running) -> None:
    """An answer to what nobody has asked ends the connection, and no guest hears of it."""
    sock, connection = hostile(daemon)
    with closing(sock), sandbox.connect(daemon.address) as remote:

        def f() -> str:
            connection._theirs[1] = 0
            connection.answer(1, {"status": 0, "control": {}, "fuel": None, "halt": False}, b"\xa1x")
            sock.sendall(connection.take())
            assert next(answers(sock, connection, Ended))
            return "mine"

        with remote.sandbox(functions={"f": f}) as box:
            assert box.eval("f()") == "mine"


def test_statistics(tmp_path: Path) -> None:
    with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote:
        with remote.sandbox(functions={"f": lambda: 1}) as box:
            box.eval("f(); f()")
            counts = remote.statistics()
        assert list(counts) == list(TABLE)
        assert (counts["connections"], counts["sandboxes"], counts["asks_total"], counts["owners"]) == (1, 1, 2, 1)
        text = remote.prometheus()
        for name, (kind, _) in TABLE.items():
            assert f"# TYPE sandbox_{name} {kind}\nsandbox_{name} " in text


def test_draining_waits_for_what_runs(tmp_path: Path) -> None:
    with running(tmp_path / "s", drain_seconds=20) as daemon, sandbox.connect(daemon.address) as remote:
        with remote.sandbox() as box:
            box.eval("1")
            daemon.ask(daemon.daemon.drain)
            until(lambda: daemon.daemon._house.is_draining)
            assert box.eval("2") == 2
            with remote.sandbox() as other, pytest.raises(ConnectionLost, match="about to stop"):
                other.eval("1")
            with pytest.raises(SandboxError):
                sandbox.connect(daemon.address, timeout=2).__enter__()
        until(lambda: remote._sandboxes is None or remote._sandboxes.link.lost is not None)
        with pytest.raises(RemoteError):
            remote.statistics()


def test_what_a_program_throws_is_its_own(remote: Remote) -> None:
    with remote.sandbox() as box, pytest.raises(JSError, match="mine") as caught:
        box.eval("function f() { throw new TypeError('mine') } f()", filename="f.js")
    assert next(frame.function for frame in caught.value.frames) == "f"
