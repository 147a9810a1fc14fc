"""The client's side: a daemon that lies, memory that is made up, forks, and what is let go."""

from __future__ import annotations

import gc
import socket
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox import Limits, Remote, Sandbox
from sandbox._abi import Control
from sandbox._image import image_digest
from sandbox._memory_copy import MemoryCopy
from sandbox.errors import GuestProtocolError, SandboxError, SnapshotCorrupt
from sandbox.remote import instance, link, memory
from sandbox.remote.books import Bounds
from sandbox.remote.connection import Connection
from sandbox.remote.errors import ProtocolError, RemoteError, SandboxLost
from sandbox.remote.events import Asked, Greeted
from tests.remote.daemons import Running, running
from tests.remote.test_daemon import until

PAGE = 1 << 16
GOOD: dict[str, Any] = {
    "status": 0,
    "trap": None,
    "broken": "",
    "is_full": False,
    "outbox": 0,
    "control": bytes(Control()),
    "memory_bytes": 1 << 22,
    "fuel": 10**9,
}


def received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 16)
    except ConnectionResetError:
        return b""


@contextmanager
def lying(path: Path, answer: Callable[[Connection, Asked], None]) -> Iterator[str]:
    """A daemon of one client, which answers calls as it likes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        sock, _ = listener.accept()
        connection = Connection("server")
        with closing(sock):
            while data := received(sock):
                for event in connection.receive(data):
                    if isinstance(event, Greeted):
                        connection.welcome({"image": image_digest(), "heap_bytes": 1})
                    elif isinstance(event, Asked) and event.method == "call":
                        answer(connection, event)
                    elif isinstance(event, Asked):
                        connection.answer(event.number, {})
                with suppress(OSError):  # the client has had enough
                    sock.sendall(connection.take())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield str(path)
    finally:
        thread.join(20)
        listener.close()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


LIES: list[tuple[str, dict[str, Any], bytes | None, type[SandboxError]]] = [
    *[(f"no {name}", without(name), None, ProtocolError) for name in GOOD],
    *[(f"another {name}", {**GOOD, name: [[]]}, None, ProtocolError) for name in GOOD if name != "trap"],
    (
        "half a frame",
        {**GOOD, "outbox": 5, "control": bytes(Control(outbox_bytes=5, outbox=8))},
        b"12345",
        GuestProtocolError,
    ),
    ("frames that are not there", {**GOOD, "control": bytes(Control(outbox_bytes=50))}, b"", GuestProtocolError),
    (
        "odd frames",
        {**GOOD, "outbox": 12, "control": bytes(Control(outbox_bytes=12, outbox=8))},
        b"\xff" * 12,
        GuestProtocolError,
    ),
    (
        "fewer frames than it says",
        {**GOOD, "outbox": 99, "control": bytes(Control(outbox_bytes=9))},
        b"1",
        GuestProtocolError,
    ),
    (
        "frames before the first",
        {**GOOD, "outbox": -3, "control": bytes(Control(outbox_bytes=9))},
        b"12345",
        GuestProtocolError,
    ),
    ("a trap of nothing", {**GOOD, "trap": [[], {}]}, None, SandboxError),
    ("broken", {**GOOD, "broken": "so"}, None, GuestProtocolError),
    ("nothing happens", GOOD, None, SandboxError),
]


@pytest.mark.parametrize(("result", "frames", "expected"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_daemon_that_lies(
    tmp_path: Path, result: dict[str, Any], frames: bytes | None, expected: type[SandboxError]
) -> None:
    with (
        lying(tmp_path / "s", lambda connection, asked: connection.answer(asked.number, result, frames)) as address,
        sandbox.connect(address) as remote,
        Sandbox(remote=remote) as box,
        pytest.raises(expected),
    ):
        box.eval("1")


def test_a_worker_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is connected by is alive, and answers pings."""
    monkeypatch.setattr(instance, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(link, "_LOOK_MS", 50)
    with (
        lying(tmp_path / "s", lambda _connection, _asked: None) as address,
        sandbox.connect(address) as remote,
        Sandbox(remote=remote, limits=Limits(wall_seconds=0.1)) as box,
    ):
        for _ in range(2):
            with pytest.raises(SandboxLost, match="did not answer"):
                box.eval("1")


def test_a_daemon_that_asks_for_what_was_not_given(tmp_path: Path) -> None:
    """A call of an op that no function is bound to; of a sandbox that is not there; of nothing."""
    told: list[Any] = []

    def answer(connection: Connection, asked: Asked) -> None:
        given = {"control": bytes(Control()), "memory_bytes": 1 << 22, "fuel": 1, "outbox": 0, "op": 300}
        connection.request("ask", {**given, "sandbox": 99}, b"\0\x90")
        connection.request("steal", {**given, "sandbox": 1}, b"\0\x90")
        connection.request("ask", {"sandbox": 1}, None)
        told.append(connection.request("ask", {**given, "sandbox": 1}, b"\0\x90"))
        connection.answer(asked.number, GOOD)

    with (
        lying(tmp_path / "s", answer) as address,
        sandbox.connect(address) as remote,
        pytest.raises(SandboxError),
        Sandbox(remote=remote, functions={"f": lambda: told.append("called")}) as box,
    ):
        box.eval("1")
    assert "called" not in told


def packed(memory_bytes: int, parts: list[tuple[int, int]], pages: bytes) -> bytes:
    head = struct.pack(">QI", memory_bytes, len(parts)) + b"".join(struct.pack(">QQ", *part) for part in parts)
    return head + zlib.compress(pages)


def test_lines_of_a_traced_run_come_along(remote: Remote) -> None:
    with Sandbox(remote=remote) as box:
        assert box.execute("for (let i = 0; i < 3; i++)\n  i;\n'end'", trace={"lines"}).lines == {1: 1, 2: 3, 3: 1}
        assert box.execute("1", trace=set()).lines == {}


def test_memory_as_bytes() -> None:
    copy = MemoryCopy(4 * PAGE, [(PAGE, b"a" * PAGE), (3 * PAGE, b"b" * 4096)])
    again = memory.unpack(memory.pack(copy), 4 * PAGE)
    assert (again.memory_bytes, again.parts) == (copy.memory_bytes, copy.parts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        packed(PAGE + 1, [], b""),
        packed(8 * PAGE, [], b""),
        packed(PAGE, [(0, PAGE + 1)], bytes(PAGE + 1)),
        packed(PAGE, [(10, 10), (15, 5)], bytes(15)),
        packed(PAGE, [(0, 10)], bytes(11)),
        packed(PAGE, [(0, 10)], bytes(9)),
        packed(PAGE, [(0, 10)], bytes(10))[:-8],
        struct.pack(">QI", PAGE, 1 << 31),
        struct.pack(">QI", PAGE, 2) + bytes(16),
    ],
    ids=[
        "nothing",
        "half a header",
        "no pages",
        "too large",
        "beyond",
        "overlap",
        "more",
        "less",
        "cut",
        "count",
        "table",
    ],
)
def test_memory_that_is_made_up(data: bytes) -> None:
    with pytest.raises(SnapshotCorrupt):
        memory.unpack(data, 4 * PAGE)


def test_a_sandbox_that_nobody_has_any_more_is_closed_there(daemon: Running, remote: Remote) -> None:
    gc.collect()
    until(lambda: not daemon.counts()["sandboxes"])  # those of other tests
    box = Sandbox(remote=remote)
    box.eval("1")
    assert daemon.counts()["sandboxes"] == 1
    del box
    gc.collect()
    until(lambda: not daemon.counts()["sandboxes"])


def test_what_is_let_go_is_let_go_before_what_is_begun_next(tmp_path: Path) -> None:
    """Also where the finalizer that lets go comes in the middle of something that is being sent."""
    with running(tmp_path / "s", bounds=Bounds(sandboxes=1)) as daemon, sandbox.connect(daemon.address) as remote:
        for _ in range(20):
            with remote.sandbox() as box:
                assert box.eval("1") == 1
        link: Any = remote._ready().link
        with link._lock:
            link.tell("statistics", {})
            link.cancel(1)
            assert link._posted
        with remote.sandbox() as box:
            assert box.eval("1") == 1
        assert not link._posted


def test_a_forked_child_connects_anew(daemon: Running) -> None:
    program = """
import os, sys, sandbox
from sandbox.remote.errors import ConnectionLost
with sandbox.connect(sys.argv[1]) as remote, sandbox.Sandbox(remote=remote) as box:
    box.eval("globalThis.n = 1")
    pid = os.fork()
    if not pid:
        try:
            box.eval("n")
        except ConnectionLost as error:
            with remote.sandbox() as other:
                print("forked" in str(error), other.eval("typeof n"), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print(box.eval("n"))
"""
    done = subprocess.run([sys.executable, "-c", program, daemon.address], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True undefined\n1\n", "")


def test_an_exception_out_of_nowhere_leaves_the_sandbox_unusable_and_the_connection_alive(remote: Remote) -> None:
    """One that a signal handler raises while the call is under way."""
    with remote.sandbox() as box:
        instance: Any = box._driver.guest.instance
        instance._mailbox.get = raising = Raising(instance._mailbox.get)
        with pytest.raises(KeyboardInterrupt):
            box.eval("for (;;);")
        assert raising.has_raised
        with pytest.raises(RemoteError):
            box.eval("1")
    with remote.sandbox() as box:
        assert box.eval("2") == 2


class Raising:
    def __init__(self, get: Callable[..., Any]) -> None:
        self.get, self.has_raised = get, False

    def __call__(self, timeout: float | None = None) -> Any:
        if self.has_raised:
            return self.get(timeout=timeout)
        self.has_raised = True
        raise KeyboardInterrupt
