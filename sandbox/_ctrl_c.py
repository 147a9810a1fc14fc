"""Ctrl-C, which a terminal sends to each process of a program, is for the one that made the others to decide about.

What makes a process does so `withheld`: the process is born with SIGINT blocked, so that none reaches it while its
interpreter starts. Once it runs, it calls `leave_to_parent`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

# Windows has no such thing as a mask that is inherited.
HAS_MASKS = hasattr(signal, "pthread_sigmask")


@contextmanager
def withheld() -> Iterator[None]:
    """Make processes here: the calling thread's mask is theirs. Any thread; the others take the signal meanwhile."""
    if not HAS_MASKS:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """Ignore SIGINT in this process, and forget what was withheld. On the main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if HAS_MASKS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
