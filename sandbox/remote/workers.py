"""The worker processes of a daemon: started, watched, replaced when they end, and what is in progress on each."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any, Final, Protocol

import trio

from sandbox import _ctrl_c
from sandbox.remote.events import Answered, Asked, Event, Greeted, Refused
from sandbox.remote.peers import Peer
from sandbox.remote.protocol import Code
from sandbox.remote.statistics import OF_LINES, of_lines

_AGAIN_SECONDS: Final = 0.2
_LONGEST_AGAIN_SECONDS: Final = 5.0
_LAST_SECONDS: Final = 0.2
_LINE: Final = struct.Struct(">Q")


class Asker(Protocol):
    """Whose sandboxes a worker has."""

    def ask(self, worker: WorkerProcess, asked: Asked, given: int) -> None:
        """Hand a call of a guest on; `given` is the sandbox's number there."""


class WorkerProcess:
    """One process and what it was asked.

    Attributes:
        peer: The connection to it.
        pid: Its number.
        status: With which it ended, negative for a signal; None: it runs.
        facts: What it said of itself; empty until it is ready.
        sandboxes: Its sandboxes: whose each is, and under which number.
        lines: Numbers of the clients who may have a connection to it.
    """

    _numbers = itertools.count(1)  # of all workers: a number is never given twice

    def __init__(self, most: int, max_body_bytes: int) -> None:
        """Start it.

        Args:
            most: How many sandboxes it may have.
            max_body_bytes: Of one message.
        """
        ours, theirs = socket.socketpair()
        self._channel, channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        with theirs, channel, tempfile.TemporaryFile() as counts:
            counts.truncate(OF_LINES.size)
            self._counts = mmap.mmap(counts.fileno(), OF_LINES.size)
            given = [theirs.fileno(), channel.fileno(), counts.fileno()]
            command = [sys.executable, "-m", "sandbox.remote.worker", *map(str, given), str(most)]
            with _ctrl_c.withheld():
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                    command, pass_fds=given, stdin=subprocess.DEVNULL
                )
        self.pid: int = self._process.pid
        self.peer: Peer = Peer(trio.SocketStream(trio.socket.from_stdlib_socket(ours)), max_body_bytes)
        self.status: int | None = None
        self.facts: dict[str, Any] = {}
        self.sandboxes: dict[int, tuple[Asker, int]] = {}
        self.lines: set[int] = set()
        self._answers: dict[int, Callable[[Answered | Refused | None], None]] = {}

    async def run(self, on_ready: Callable[[WorkerProcess], None]) -> None:
        """Serve it until it has ended, by whatever hand. Then it is dead, and whoever waits for it has been told."""

        def on_event(event: Event) -> None:
            if isinstance(event, Greeted):
                self.facts = event.facts
                self.peer.connection.welcome({})
                on_ready(self)
            elif isinstance(event, Answered | Refused):
                if (answer := self._answers.pop(event.number, None)) is not None:
                    answer(event)
                elif isinstance(event, Answered):
                    self.peer.refuse_body(event.body)
            elif isinstance(event, Asked):
                self._on_asked(event)

        try:
            await self.peer.run(on_event)
        finally:
            self._channel.close()
            with trio.CancelScope(shield=True):
                with trio.move_on_after(_LAST_SECONDS):  # its status says why it has ended
                    while self._process.poll() is None:  # noqa: ASYNC110 - nobody tells
                        await trio.sleep(0.001)
                if self._process.poll() is None:
                    self._process.send_signal(signal.SIGKILL)
                self.status = await trio.to_thread.run_sync(self._process.wait)
            answers, self._answers = self._answers, {}
            for answer in answers.values():
                answer(None)

    def _on_asked(self, asked: Asked) -> None:
        owner = self.sandboxes.get(asked.parameters.get("sandbox", 0)) if asked.method == "ask" else None
        if owner is None:
            self.peer.connection.refuse(asked.number, Code.NO_SANDBOX)
            self.peer.refuse_body(asked.body)
        else:
            session, number = owner
            session.ask(self, asked, number)

    def number(self) -> int:
        """A number for another sandbox."""
        return next(WorkerProcess._numbers)

    def send(
        self,
        method: str,
        parameters: dict[str, Any],
        body: bytes | int | None,
        on_answer: Callable[[Answered | Refused | None], None],
    ) -> int:
        """Ask it for something; returns the number of the request.

        Args:
            method: What for.
            parameters: With which.
            body: Bytes, or how many will be handed on.
            on_answer: Called with what it answered; None: it has ended.

        Raises:
            ValueError: As `Connection.request`.
        """
        number = self.peer.connection.request(method, parameters, body)
        self._answers[number] = on_answer
        self.peer.flush()
        return number

    def cancel(self, number: int) -> None:
        """Say that an answer is no longer wanted."""
        if not self.peer.is_gone:
            self.peer.connection.cancel(number)
            self.peer.flush()

    def hand_over(self, line: int, greeting: bytes, descriptor: int) -> None:
        """Give it a client's connection, for its calls of sandboxes that were granted to that line.

        Args:
            line: Whose.
            greeting: What the client said first.
            descriptor: Of the connection; it stays open here.

        Raises:
            OSError: It takes no more of them.
        """
        socket.send_fds(self._channel, [_LINE.pack(line) + greeting], [descriptor])

    def of_lines(self) -> tuple[int, int]:
        """Calls, and calls of guests, that went over lines."""
        return of_lines(self._counts)


class Workers:
    """So many processes as there should be.

    Attributes:
        ready: Those that can be asked.
        facts: What they say of the guest that they all run.
    """

    def __init__(self, count: int, most: int, max_body_bytes: int, on_lost: Callable[[WorkerProcess], None]) -> None:
        """Start none yet.

        Args:
            count: How many there should be.
            most: How many sandboxes each may have.
            max_body_bytes: Of one message.
            on_lost: Called when one has ended on its own.
        """
        self.ready: list[WorkerProcess] = []
        self.facts: dict[str, Any] = {}
        self._count, self._most, self._max_body_bytes = count, most, max_body_bytes
        self._on_lost = on_lost
        self._is_stopping = False
        self._of_ended = 0, 0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run them until cancelled; it has begun when all are ready."""
        first = trio.Event()

        def on_ready(worker: WorkerProcess) -> None:
            self.ready.append(worker)
            self.facts = {name: worker.facts.get(name) for name in ("image", "heap_bytes")}
            if len(self.ready) == self._count:
                first.set()

        async with trio.open_nursery() as nursery:
            for _ in range(self._count):
                nursery.start_soon(self._keep_one, on_ready)
            await first.wait()
            task_status.started()

    async def _keep_one(self, on_ready: Callable[[WorkerProcess], None]) -> None:
        pause = _AGAIN_SECONDS
        while True:
            worker = WorkerProcess(self._most, self._max_body_bytes)
            try:
                await worker.run(on_ready)
            finally:
                if worker in self.ready:
                    self.ready.remove(worker)
                    pause = _AGAIN_SECONDS
                self._of_ended = _sum(self._of_ended, worker.of_lines())
                if not self._is_stopping:
                    self._on_lost(worker)
            await trio.sleep(pause)
            pause = min(2 * pause, _LONGEST_AGAIN_SECONDS)

    def stop(self) -> None:
        """Say that they are about to be ended, and are not lost."""
        self._is_stopping = True

    def of_lines(self) -> tuple[int, int]:
        """Calls, and calls of guests, that went over lines to any worker so far."""
        total = self._of_ended
        for worker in self.ready:
            total = _sum(total, worker.of_lines())
        return total

    def idlest(self) -> WorkerProcess | None:
        """The one with the fewest sandboxes; None: none is ready."""
        alive = [worker for worker in self.ready if not worker.peer.is_gone]
        return min(alive, key=lambda worker: len(worker.sandboxes), default=None)


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def processors() -> int:
    """How many workers make sense here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
