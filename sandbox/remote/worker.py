"""A worker of a daemon: a process that runs instances, as the clients behind the daemon tell it to.

It knows of an instance what its export calls and its control block are, and nothing of values. Most is told by the
daemon. Clients whose sandboxes are here may have a line: a connection of their own, which the daemon has handed over
after it had let them in, for the calls of those sandboxes that the daemon names.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from sandbox import _ctrl_c
from sandbox._instance import Instance
from sandbox.limits import Limits
from sandbox.remote.connection import Connection
from sandbox.remote.hosted import Hosted, Job
from sandbox.remote.link import Link
from sandbox.remote.protocol import MAX_GREETING_BYTES, OPEN_BODIES, Code, Refusal, check_parameters
from sandbox.remote.statistics import OF_LINES, count_line

if TYPE_CHECKING:
    from sandbox.remote.events import Asked

_STACK_BYTES: Final = 16 << 20
_LINE: Final = struct.Struct(">Q")


class Worker:
    """The sandboxes of one process, by the daemon's numbers."""

    def __init__(self, sock: socket.socket, most: int, counts: mmap.mmap | None = None) -> None:
        """Connect to the daemon.

        Args:
            sock: The connection.
            most: How many sandboxes there may be; so many may run at one time.
            counts: Where the daemon reads what went over lines.
        """
        threading.stack_size(_STACK_BYTES)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="sandbox-remote")
        self._here = threading.local()
        self._sandboxes: dict[int, Hosted] = {}
        self._lock = threading.Lock()
        self._lines: dict[int, tuple[Link | None, set[int]]] = {}
        self._most = most
        self._counts = counts
        self.gone: SimpleQueue[None] = SimpleQueue()
        probe = Instance(Limits().memory_bytes, _nobody)
        facts = {"pid": os.getpid(), "image": probe.image.sha256, "heap_bytes": probe.control.heap_bytes}
        probe.close()
        self.link: Link = Link(
            sock,
            facts,
            on_asked=self._on_asked,
            on_cancelled=lambda number: self._on_cancelled(self.link, number),
            on_lost=lambda _error: self.gone.put(None),
        )
        self.link.start()

    # --- the daemon ---

    def _on_asked(self, asked: Asked) -> None:
        """Look at a request and hand it to its sandbox; on whichever thread reads, so it waits for nothing."""
        job = Job(self.link, asked)
        try:
            check_parameters(asked.method, asked.parameters)
            if asked.method in ("grant", "cut"):
                self._change_line(asked)
                self.link.answer(asked.number, {})
                return
            number = asked.parameters["sandbox"]
            hosted = self._sandboxes.get(number)
            if asked.method == "open":
                if hosted is not None:
                    raise Refusal(Code.BAD_PARAMETERS, "there is a sandbox of that number")
                if len(self._sandboxes) >= self._most:
                    raise Refusal(Code.FULL)
                hosted = self._sandboxes[number] = Hosted(self, number)
                source = asked.parameters["of"]
                if len(source) == 2 and source[0] == "sandbox":  # in order with what that one does
                    other = self._sandboxes.get(source[1])
                    if other is None:
                        del self._sandboxes[number]
                        raise Refusal(Code.NO_SANDBOX)
                    hosted.hold_back()
                    other.take(partial(hosted.open_twin, job, other), self.link)
                    return
            elif hosted is None:
                raise Refusal(Code.NO_SANDBOX)
            if asked.method == "abandon":
                hosted.abandon(self.link)
                self.link.answer(asked.number, {})
            else:
                hosted.take(job, self.link)
        except Refusal as refusal:
            job.refuse(refusal)
        except KeyError:
            job.refuse(Refusal(Code.UNKNOWN_METHOD))

    def _on_cancelled(self, link: Link, number: int) -> None:
        for hosted in self._sandboxes.copy().values():
            if hosted.interrupt(link, number):
                return

    def run(self, job: Callable[[], None], link: Link) -> None:
        """Do something on a thread where guests may run: this one, if it is one that has nothing else to do."""
        found: list[Callable[[], None]] | None = getattr(self._here, "found", None)
        if found is not None and not found:
            found.append(job)
        else:
            self._threads.submit(self._run, job, link)

    def _run(self, job: Callable[[], None], link: Link) -> None:
        """Do something, and then what comes next, which this thread reads itself if no other one does."""
        while True:
            job()
            found: list[Callable[[], None]] = []
            self._here.found = found
            link.read_until(found.__len__)
            self._here.found = None
            if not found:
                return
            (job,) = found

    def forget(self, number: int) -> None:
        """A sandbox was closed."""
        self._sandboxes.pop(number, None)

    # --- lines ---

    def _change_line(self, asked: Asked) -> None:
        """A client may call one more of its sandboxes over its line, or is gone."""
        number = asked.parameters["line"]
        with self._lock:
            if asked.method == "grant":
                self._lines.setdefault(number, (None, set()))[1].add(asked.parameters["sandbox"])
            elif (line := self._lines.pop(number, None)) is not None and line[0] is not None:
                line[0].close()

    def take_lines(self, channel: socket.socket) -> None:
        """Take over connections that the daemon hands over, until it is gone.

        Args:
            channel: Where each comes: a number and what the client said first, and a socket.
        """
        while True:
            data, descriptors, _, _ = socket.recv_fds(channel, _LINE.size + MAX_GREETING_BYTES, 1)
            if not data:
                return
            (number,) = _LINE.unpack_from(data)
            if descriptors:  # else there are too many open files
                self._open_line(number, data[_LINE.size :], socket.socket(fileno=descriptors[0]))

    def _open_line(self, number: int, greeting: bytes, sock: socket.socket) -> None:
        most = self.link.peer_body_bytes  # as the daemon has told it
        connection = Connection("server", max_body_bytes=most, max_open_bytes=OPEN_BODIES * most)
        connection.receive(greeting)
        connection.welcome({})
        with self._lock:
            before, granted = self._lines.get(number, (None, None))
            if granted is None or before is not None:
                sock.close()
                return
            link: Link = Link(
                sock,
                connection,
                on_asked=lambda asked: self._on_asked_by_client(link, granted, asked),
                on_cancelled=lambda request: self._on_cancelled(link, request),
                on_lost=lambda _error: self._end_line(number),
            )
            self._lines[number] = link, granted
        link.start()

    def _end_line(self, number: int) -> None:
        """The connection has ended. What its client may call is still the client's."""
        with self._lock:
            if (line := self._lines.get(number)) is not None:
                self._lines[number] = None, line[1]

    def _on_asked_by_client(self, link: Link, granted: set[int], asked: Asked) -> None:
        """As `_on_asked`: only calls, and only of what the daemon has named."""
        job = Job(link, asked)
        try:
            check_parameters(asked.method, asked.parameters)
            if asked.method != "call":
                raise Refusal(Code.UNKNOWN_METHOD)
            number = asked.parameters["sandbox"]
            hosted = self._sandboxes.get(number) if number in granted else None
            if hosted is None:
                granted.discard(number)
                raise Refusal(Code.NO_SANDBOX)
            hosted.take(job, link)
        except Refusal as refusal:
            job.refuse(refusal)

    def count(self, name: str, link: Link) -> None:
        """Count what the daemon does not see."""
        if self._counts is not None and link is not self.link:
            count_line(self._counts, name)


def _nobody(_op: int, _message: bytes | memoryview) -> tuple[int, bytes | None]:
    raise AssertionError


def main() -> None:
    """Run a worker: `python -m sandbox.remote.worker`, with what it has inherited.

    Arguments: the descriptors of its connection to the daemon, of the channel for lines, and of the file for counts;
    and how many sandboxes it may have.
    """
    descriptor, channel, counts, most = map(int, sys.argv[1:5])
    _ctrl_c.leave_to_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the daemon ends its workers when it is done with them
    worker = Worker(socket.socket(fileno=descriptor), most, mmap.mmap(counts, OF_LINES.size))
    lines = socket.socket(fileno=channel)
    threading.Thread(target=worker.take_lines, args=(lines,), name="sandbox-lines", daemon=True).start()
    worker.gone.get()
    os._exit(0)  # guests may still run, and nobody wants them


if __name__ == "__main__":
    main()
