"""Who reads a connection, and what a worker knows before it hears anything."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from queue import SimpleQueue
from typing import Any

import pytest

from sandbox import _interrupts
from sandbox.remote.connection import Connection
from sandbox.remote.errors import ConnectionLost
from sandbox.remote.events import Asked, Greeted
from sandbox.remote.link import Link
from sandbox.remote.protocol import LENGTH, Kind, pack, unpack
from sandbox.remote.worker import Worker

OPEN = {"sandbox": 1, "memory_bytes": 64 << 20, "metering": "fuel", "control": {}, "of": ["image"]}


def kinds(sock: socket.socket) -> Iterator[int]:
    """Of the messages that come."""
    data = b""
    while part := sock.recv(1 << 16):
        data += part
        while len(data) >= 4 and len(data) - 4 >= (size := LENGTH.unpack_from(data)[0]):
            yield unpack(data[4 : 4 + size])[0]
            data = data[4 + size :]


def test_a_worker_is_whole_before_it_hears_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon may ask it for a sandbox before its constructor has returned."""
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    ours.sendall(pack([Kind.WELCOME, {"version": 1, "max_body_bytes": 1 << 20}]))
    ours.sendall(pack([Kind.REQUEST, 1, "open", OPEN, None]))
    start, heard = threading.Thread.start, []

    def start_and_be_late(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "sandbox-link":
            heard.append(next((kind for kind in kinds(ours) if kind in (Kind.RESULT, Kind.ERROR)), None))

    before = threading.stack_size()
    monkeypatch.setattr(threading.Thread, "start", start_and_be_late)
    try:
        worker = Worker(theirs, 4)
    finally:
        threading.stack_size(before)
    assert heard == [Kind.RESULT]
    worker.link.close()
    worker.link.join(20)
    worker._threads.shutdown()
    ours.close()


class Echo:
    """The other side of a link: it answers with who asked, and says when it was asked."""

    def __init__(self) -> None:
        ours, self.sock = socket.socketpair()
        self.asked: SimpleQueue[Asked] = SimpleQueue()
        self.connection = Connection("server")
        self.link = Link(ours, {}, on_asked=lambda _asked: None)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        self.link.start()
        self.link.wait_until_open(20)

    def serve(self) -> None:
        with closing(self.sock):
            while data := self.sock.recv(1 << 16):
                for event in self.connection.receive(data):
                    if isinstance(event, Greeted):
                        self.connection.welcome({})
                    elif isinstance(event, Asked) and event.method == "echo":
                        self.connection.answer(event.number, event.parameters)
                    elif isinstance(event, Asked):
                        self.asked.put(event)
                with suppress(OSError):  # it is gone
                    self.sock.sendall(self.connection.take())

    def answer(self, asked: Asked) -> None:
        self.connection.answer(asked.number, asked.parameters)
        self.sock.sendall(self.connection.take())


@pytest.fixture
def echo() -> Iterator[Echo]:
    found = Echo()
    yield found
    found.link.close()
    found.link.join(20)
    found.thread.join(20)


def reads_itself(link: Link, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that have read."""
    read, readers = link._read, []

    def seen() -> Any:
        readers.append(threading.current_thread().name)
        return read()

    monkeypatch.setattr(link, "_read", seen)
    return readers


def in_thread(function: Any) -> Any:
    results: SimpleQueue[Any] = SimpleQueue()
    thread = threading.Thread(target=lambda: results.put(function()), name="asker")
    thread.start()
    thread.join(20)
    return results.get(timeout=1)


class TestWhoReads:
    def test_who_waits(self, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
        readers = reads_itself(echo.link, monkeypatch)
        assert in_thread(lambda: echo.link.request("echo", {"n": 1})) == ({"n": 1}, None)
        assert set(readers) <= {"asker", "sandbox-link"}
        assert not echo.link._is_read_elsewhere
        assert echo.link._watched  # and then its own thread again

    def test_on_the_main_thread_only_where_no_handler_can_raise(
        self, echo: Echo, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell left to its children
        request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
        assert _interrupts.may_be_raised_here()
        readers = reads_itself(echo.link, monkeypatch)
        assert echo.link.request("echo", {}) == ({}, None)
        assert set(readers) == {"sandbox-link"}
        with _interrupts.Deferral():
            assert not _interrupts.may_be_raised_here()
            assert echo.link.request("echo", {}) == ({}, None)

    def test_who_reads_serves_the_others(self, echo: Echo) -> None:
        """Two that wait: the answers come in the other order."""
        answers: SimpleQueue[Any] = SimpleQueue()
        threads = [
            threading.Thread(target=lambda n=n: answers.put(echo.link.request("later", {"n": n}))) for n in range(2)
        ]
        asked = []
        for thread in threads:
            thread.start()
            asked.append(echo.asked.get(timeout=20))
        for each in reversed(asked):
            echo.answer(each)
            assert answers.get(timeout=20) == (each.parameters, None)
        for thread in threads:
            thread.join(20)

    @pytest.mark.parametrize("who", ["here", "there"])
    def test_the_end_reaches_who_reads(self, echo: Echo, who: str) -> None:
        failures: SimpleQueue[BaseException] = SimpleQueue()

        def ask() -> None:
            try:
                echo.link.request("later", {})
            except ConnectionLost as error:
                failures.put(error)

        thread = threading.Thread(target=ask)
        thread.start()
        echo.asked.get(timeout=20)
        if who == "here":
            echo.link.close()
        else:
            echo.sock.shutdown(socket.SHUT_RDWR)
        assert isinstance(failures.get(timeout=20), ConnectionLost)
        thread.join(20)


def test_who_closes_is_told_so_though_the_other_side_was_first(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of the link hears of the other side's end before it hears of its own."""
    with monkeypatch.context() as patch:
        patch.setattr(echo.link, "_ring", lambda: None)
        echo.link.close()
        echo.sock.shutdown(socket.SHUT_RDWR)
        echo.link.join(20)
    assert str(echo.link.lost) == "the connection was closed"
