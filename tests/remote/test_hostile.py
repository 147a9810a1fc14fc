"""Clients that hold a daemon without breaking its protocol, and workers that lie to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import Sandbox
from sandbox._image import image_digest
from sandbox.remote import daemon as daemons
from sandbox.remote import peers
from sandbox.remote.connection import Connection
from sandbox.remote.errors import RemoteError
from sandbox.remote.events import Asked, Ended
from sandbox.remote.protocol import Code, Kind, pack
from tests.remote.daemons import running
from tests.remote.test_daemon import answers, hostile, until


def last_words(sock: socket.socket, connection: Connection) -> Code:
    """Why the daemon has ended a connection."""
    told = next(answers(sock, connection, Ended))
    assert not sock.recv(1)
    return Code(told.code)


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\1\0\x92\1"], ids=len)
def test_who_says_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(daemons, "_GREETING_SECONDS", 0.2)
    with running(tmp_path / "s") as daemon, closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.connect(daemon.address)
        sock.settimeout(20)
        sock.sendall(data)
        assert last_words(sock, Connection("client")) is Code.TIMEOUT
        until(lambda: daemon.counts()["connections_refused_total"] == 1)


def test_who_is_heard_no_more_leaves_what_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "s") as daemon:
        monkeypatch.setattr(peers, "PING_SECONDS", 0.1)
        monkeypatch.setattr(peers, "SILENCE_SECONDS", 0.3)
        sock, connection = hostile(daemon)
        with closing(sock):
            connection.request("namespace.take", {"name": "n", "restore": False})
            sock.sendall(connection.take())
            assert last_words(sock, connection) is Code.TIMEOUT  # its answers to pings were not sent
        until(lambda: not daemon.counts()["namespaces_in_use"])
        assert daemon.counts()["namespaces_lost_total"] == 1


def test_who_does_not_read_is_left_and_the_others_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MAX_OUTGOING_BYTES", 1 << 20)
    with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote, remote.sandbox() as box:
        sock, _ = hostile(daemon)
        pings = pack([Kind.PING, bytes(32)]) * 1000
        with closing(sock), pytest.raises(OSError, match=r"Broken pipe|reset"):
            for _ in range(10_000):
                sock.sendall(pings)
        assert box.eval("1 + 1") == 2
        until(lambda: daemon.counts()["connections"] == 1)


def lying(how: str) -> None:
    """A worker that does not do as it should, once it has a sandbox."""
    sock = socket.socket(fileno=int(sys.argv[2]))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = Connection("client")
    connection.hello({"image": image_digest(), "heap_bytes": 1})
    sock.sendall(connection.take())
    while data := sock.recv(1 << 16):
        for event in connection.receive(data):
            if not isinstance(event, Asked):
                continue
            if how == "garbage":
                connection._outgoing.append(b"\xff" * 100)
            elif how == "the answer of another":
                connection._theirs[event.number + 50] = 0
                connection.answer(event.number + 50, {})
        with suppress(OSError):  # the daemon has had enough
            sock.sendall(connection.take())


LIES = ["garbage", "the answer of another"]


@pytest.mark.parametrize("how", LIES)
def test_a_worker_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """One that lies and one that is honest, whose client hears nothing of it."""
    start, started = subprocess.Popen, list[Any]()

    def start_one_liar(command: list[str], **options: Any) -> Any:
        if not started:
            command = [sys.executable, "-m", "tests.remote.test_hostile", how, *command[3:]]
        started.append(start(command, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start_one_liar)
    called: list[str] = []

    def use(_number: int) -> str:
        try:
            with Sandbox(remote=remote, functions={"f": lambda: called.append("f")}) as box:
                return str(box.eval("1 + 1"))
        except RemoteError as error:
            return type(error).__name__

    with running(tmp_path / "s", workers=2) as daemon, sandbox.connect(daemon.address) as remote:
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(use, range(2))) == ["2", "SandboxLost"]
        assert not called
        until(lambda: started[0].pid not in daemon.pids and len(daemon.pids) == 2)
        assert [use(0), use(1)] == ["2", "2"]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="processes have no mask of signals")
def test_ctrl_c_while_a_worker_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is the daemon's to heed."""

    def start(command: list[str], **options: Any) -> Any:
        process = real(command, **options)
        process.send_signal(signal.SIGINT)  # its interpreter has not begun
        return process

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as remote, Sandbox(remote=remote) as box:
        assert box.eval("1 + 1") == 2
        assert daemon.counts()["workers_lost_total"] == 0
    assert capfd.readouterr() == ("", "")


def test_statuses_of_workers_say_why_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not with which signal the daemon has cleared them away."""

    def start(command: list[str], **options: Any) -> Any:
        return real([*command[:1], "-c", "import os; os._exit(7)"] if started else command, **options)

    real, started = subprocess.Popen, list[bool]()
    monkeypatch.setattr(subprocess, "Popen", start)
    with running(tmp_path / "s") as daemon:
        started.append(True)
        os.kill(daemon.pids[0], signal.SIGKILL)
        until(lambda: daemon.counts()["workers_lost_total"] >= 2)
    statuses = [record.args[2] for record in caplog.records if record.name == "sandbox.daemon"]  # type: ignore[index]
    assert statuses[:2] == [-9, 7]


if __name__ == "__main__":
    how_it_lies = sys.argv[1]
    lying(how_it_lies)
