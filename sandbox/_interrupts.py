"""Ctrl-C while a guest runs on the main thread.

An exception that a signal handler raises at the very beginning of an import's callback would escape through a wasm frame
and end the process. So while blocking sandboxes live and nobody else handles SIGINT, a handler of ours stands in for
Python's: it only marks the running guest, and `KeyboardInterrupt` is raised when the guest has returned. Everywhere else
it does what Python's does.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeVar

_T = TypeVar("_T")


class _MainThread:
    """What the main thread is doing; only that thread writes here."""

    stop: Callable[[], None] | None = None  # of the guest that runs; None: no guest runs, or it called the host
    signalled = False
    sandboxes = 0


_main: Final = _MainThread()


def _on_sigint(_number: int, _frame: FrameType | None) -> None:
    if _main.stop is None:
        raise KeyboardInterrupt
    _main.signalled = True
    _main.stop()


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def install() -> bool:
    """Count a sandbox in; returns whether `uninstall` must count it out again."""
    if not _is_main() or signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, _on_sigint):
        return False
    if _main.sandboxes == 0:
        signal.signal(signal.SIGINT, _on_sigint)
    _main.sandboxes += 1
    return True


def uninstall() -> None:
    """Count a sandbox out; the last one restores Python's handler."""
    if not _is_main():
        return
    _main.sandboxes -= 1
    if _main.sandboxes == 0 and signal.getsignal(signal.SIGINT) is _on_sigint:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def guest_runs(stop: Callable[[], None]) -> Iterator[None]:
    """While a guest runs on this thread, Ctrl-C calls `stop`; `KeyboardInterrupt` is raised at the end.

    Args:
        stop: Makes the guest return soon; called in the signal handler.
    """
    if not _is_main():
        yield
        return
    before, _main.stop = _main.stop, stop
    try:
        yield
    finally:
        _main.stop = before
        if _main.signalled and before is None:
            _main.signalled = False
            raise KeyboardInterrupt


def in_host_function(function: Callable[[], _T]) -> _T:
    """Call a function of the embedder's: Ctrl-C interrupts it as usual."""
    if _main.stop is None or not _is_main():
        return function()
    before, _main.stop = _main.stop, None
    try:
        return function()
    finally:
        _main.stop = before
