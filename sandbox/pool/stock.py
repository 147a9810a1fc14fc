"""Sandboxes that are made before somebody wants them, by a thread that does nothing else.

To make one takes as long as a small program does. On the taker's thread that would be felt by whoever waits for the
program's answer, before it or after it; on a thread of its own it is done while the next request is on its way.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from contextlib import suppress
from contextvars import Context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox._face import Face
    from sandbox.pool.template import Template

_EXIT_SECONDS: Final = 2.0


class Stock:
    """The sandboxes of one pool that wait for a taker. Thread-safe.

    Attributes:
        warm: How many there should be, of each face that was asked for.
        made: How many were made, for the stock or for a taker.
    """

    made: int

    def __init__(self, template: Template, warm: int) -> None:
        """Begin with none."""
        self.warm = warm
        self.made = 0
        self._template = template
        self._ready: dict[bool, deque[Face]] = {}  # by whether they are asynchronous
        self._lock, self._filling = threading.RLock(), threading.RLock()
        self._is_closed = False

    def __len__(self) -> int:
        return sum(map(len, list(self._ready.values())))

    def take(self, *, is_async: bool) -> tuple[Face, bool]:
        """A sandbox that nobody else has or had, and whether it was ready.

        Raises:
            BaseException: As `Template.spawn`.
        """
        ready = self._ready.setdefault(is_async, deque())
        try:
            box, was_ready = ready.popleft(), True
        except IndexError:
            box, was_ready = self._make(is_async), False
        if self.warm and not self._is_closed:
            _keeper.ask(self)
        return box, was_ready

    def fill(self) -> None:
        """Make as many as are missing; on the keeper's thread."""
        with self._filling:
            for is_async, ready in list(self._ready.items()):
                while not self._is_closed and len(ready) < self.warm:
                    ready.append(self._make(is_async))

    def clear(self) -> None:
        """Close those that there are."""
        for ready in list(self._ready.values()):
            with suppress(IndexError):
                while True:
                    close(ready.popleft())

    def close(self) -> None:
        """Close all, and make no more; idempotent."""
        self._is_closed = True
        with self._filling:  # one may be on its way
            self.clear()

    def after_fork(self) -> None:
        """In a forked child: the parent has the same ones, with the same random numbers before them."""
        self._lock, self._filling = threading.RLock(), threading.RLock()
        self.clear()

    def _make(self, is_async: bool) -> Face:
        box: Face = self._template.spawn_async() if is_async else self._template.spawn()
        with self._lock:
            self.made += 1
        return box


def close(box: Face) -> None:
    """Close a sandbox of either face in which nothing runs, and nothing has begun."""
    if not box.closed:
        box._closed = True
        box._driver.close()


class _Keeper:
    """One daemon thread a process, started when the first sandbox is taken. It makes sandboxes, and runs no program."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[weakref.ref[Stock] | None] = SimpleQueue()
        self._pending: set[weakref.ref[Stock]] = set()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ask(self, stock: Stock) -> None:
        """Have the thread fill a stock, soon; any thread."""
        asker = weakref.ref(stock)
        if asker in self._pending or not self._is_there():
            return
        self._pending.add(asker)
        self._asked.put(asker)

    def _is_there(self) -> bool:
        if self._thread is None:
            with self._lock, suppress(RuntimeError):  # no more threads, or the interpreter ends: takers make their own
                if self._thread is None:
                    thread = threading.Thread(
                        target=Context().run, args=(self._serve,), name="sandbox-pool", daemon=True
                    )
                    thread.start()
                    self._thread = thread
        return self._thread is not None

    def _serve(self) -> None:
        while (asker := self._asked.get()) is not None:
            self._pending.discard(asker)
            stock = asker()
            if stock is not None:
                with suppress(BaseException):  # who takes one next makes it, and is told why that is impossible
                    stock.fill()
            del stock

    def stop(self) -> None:
        """At exit, before the interpreter is gone that the thread would come back to."""
        thread = self._thread
        if thread is not None:
            self._asked.put(None)
            thread.join(_EXIT_SECONDS)


_keeper = _Keeper()


def _forget_keeper() -> None:
    global _keeper
    _keeper = _Keeper()


atexit.register(lambda: _keeper.stop())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_keeper)
