"""The sandboxes of one connection: where what concerns each of them arrives, and lines to the workers that have them.

A line is a connection to a worker, which spares the way through the daemon: see `docs/protocol.md`. Who uses a sandbox
a few times gets one, where the daemon offers it; if it cannot be had, calls go by way of the daemon.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from sandbox._abi import Status
from sandbox.errors import SandboxError
from sandbox.remote.errors import SandboxLost
from sandbox.remote.events import Asked
from sandbox.remote.link import Link
from sandbox.remote.protocol import Code

if TYPE_CHECKING:
    from sandbox.remote.answers import Answer

OpenLine = Callable[[str, Callable[[Link, Asked], None]], Link]
"""Connects with a ticket; what is asked over the connection goes to the function."""


class Sandboxes:
    """The sandboxes of one connection, by number: each gets the requests that its guest makes.

    Attributes:
        link: The connection.
        heap_bytes: What the engine's heap holds from the start, in the daemon's image.
    """

    def __init__(self, open_line: OpenLine | None = None) -> None:
        """Begin with none; `link` is set when there is one.

        Args:
            open_line: Opens lines; None: there are none.
        """
        self.link: Link
        self.heap_bytes = 0
        self._numbers = itertools.count(1)
        self._mailboxes: weakref.WeakValueDictionary[int, Mailbox] = weakref.WeakValueDictionary()
        self._open_line = open_line
        self._lock = threading.Lock()
        self._lines: dict[int, Link] = {}
        self._there: weakref.WeakValueDictionary[tuple[int, int], Mailbox] = weakref.WeakValueDictionary()

    def enter(self) -> Mailbox:
        """A number, and where what concerns it arrives."""
        mailbox = Mailbox(next(self._numbers))
        self._mailboxes[mailbox.number] = mailbox
        return mailbox

    def on_asked(self, asked: Asked) -> None:
        """Hand a request to the sandbox that it is of; on the thread that reads."""
        self._hand(self.link, self._mailboxes.get(asked.parameters.get("sandbox", 0)), asked)

    def on_noticed(self, name: str, facts: dict[str, Any]) -> None:
        """A sandbox was lost with its worker; on the thread that reads."""
        mailbox = self._mailboxes.get(facts.get("sandbox", 0)) if name == "lost" else None
        if mailbox is not None:
            mailbox.put(SandboxLost(str(facts.get("text", "")), Code.WORKER_LOST.name))
            for line in list(self._lines.values()):
                line.nudge()

    def _hand(self, link: Link, mailbox: Mailbox | None, asked: Asked) -> None:
        if mailbox is None or asked.method != "ask":
            link.answer(asked.number, {"status": int(Status.STOP), "control": {}, "fuel": None, "halt": True})
        else:
            mailbox.put(asked)

    def line(self, mailbox: Mailbox) -> tuple[Link, int] | None:
        """A line to the worker that has a sandbox, and its number there; None: there is none. It waits."""
        with self._lock:
            if self._open_line is None:
                return None
            try:
                told, _ = self.link.request("line", {"sandbox": mailbox.number})
            except SandboxError:  # there are too many, or the sandbox is lost, which its next call says
                return None
            try:
                worker, number, ticket = int(told["worker"]), int(told["sandbox"]), str(told["ticket"])
                line = self._lines.get(worker)
                if line is None or line.is_ending:
                    line = self._lines[worker] = self._open_line(ticket, partial(self._on_asked_there, worker))
            except (SandboxError, LookupError, TypeError, ValueError):
                self._open_line = None
                return None
            self._there[worker, number] = mailbox
            return line, number

    def _on_asked_there(self, worker: int, line: Link, asked: Asked) -> None:
        self._hand(line, self._there.get((worker, asked.parameters.get("sandbox", 0))), asked)

    def close_lines(self) -> None:
        """They end with the connection."""
        for line in list(self._lines.values()):
            line.close()


class Mailbox:
    """Where answers for a sandbox arrive, and what its guest asks."""

    __slots__ = ("__weakref__", "empty", "get", "number", "put")

    def __init__(self, number: int) -> None:
        """Begin with nothing in it."""
        queue: SimpleQueue[Answer | Asked] = SimpleQueue()
        self.number: int = number
        self.put: Callable[[Answer | Asked], None] = queue.put
        self.get: Callable[..., Answer | Asked] = queue.get
        self.empty: Callable[[], bool] = queue.empty
