"""Ctrl-C during a run on the main thread.

An exception that a signal handler raises at the very beginning of an import's callback would escape through a wasm
frame and end the process; one raised between two of this package's own statements could leave a sandbox locked. So for
the length of a run another SIGINT handler stands in for the one that was there. It only notes the signal, which is
delivered to the original handler where that is safe: in functions of the embedder at once, else at the guest's next
poll, when a wait ends, and when the run is over. What the original handler raises, usually `KeyboardInterrupt`, ends
the run.

An event loop of asyncio or trio has a handler of its own, which is left alone. asyncio's cancels the main task. trio's
raises wherever the main thread is, unless told that a function must be interrupted at its checkpoints only.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

try:  # the plain functions behind those of `signal`, which spend microseconds on looking for enum members
    from _signal import getsignal as _get  # type: ignore[import-not-found]
    from _signal import signal as _set
except ImportError:
    _get, _set = signal.getsignal, signal.signal

_Handler = Callable[[int, FrameType | None], Any]


def _nothing() -> None:
    """Nobody waits."""


class _MainThread:
    """What the main thread is doing; only that thread writes here."""

    original: _Handler = signal.default_int_handler
    wake: Callable[[], object] = _nothing
    ident = 0  # the thread that runs signal handlers, once our handler was set
    is_deferring = False  # whether our handler is in place
    is_open = False  # whether a function of the embedder runs, or nothing that must not be interrupted
    is_signalled = False


_main: Final = _MainThread()

_SIGINT: Final = int(signal.SIGINT)


def _is_main() -> bool:
    return threading.get_ident() == threading.main_thread().ident


def _on_sigint(number: int, frame: FrameType | None) -> None:
    if _main.is_open:
        # Should the original raise, what it interrupts is left, and the guest goes on unwinding: not to be disturbed.
        _main.is_open = False
        _main.original(number, frame)
        _main.is_open = True
    else:
        _main.is_signalled = True
        _main.wake()


class Deferral:
    """A context in which SIGINT is noted and delivered where that is safe.

    Does nothing on threads other than the main one, which never run signal handlers, and when no Python function
    handles the signal. Contexts nest: a host function of one sandbox may use another.
    """

    __slots__ = ("_before", "_is_outermost", "_wake")

    def __init__(self, wake: Callable[[], object] = _nothing) -> None:
        """Make a context.

        Args:
            wake: Ends a wait; called in the signal handler.
        """
        self._before: tuple[bool, Callable[[], object]] | None = None
        self._is_outermost = False
        self._wake = wake

    def __enter__(self) -> None:
        if not _is_main():
            return
        handler = _get(_SIGINT)
        if handler is _on_sigint:
            before = _main.is_open, _main.wake
            _main.is_open, _main.wake = False, self._wake
            self._before = before
        elif callable(handler):
            _main.original, _main.wake = handler, self._wake
            _main.is_open = _main.is_signalled = False
            _main.is_deferring, _main.ident = True, threading.get_ident()
            try:
                _set(_SIGINT, _on_sigint)
            except ValueError:  # a subinterpreter, which gets no signals
                _main.is_deferring = False
            else:
                # No signal raises anything from the call above on, so these statements are reached.
                self._is_outermost = True
                self._before = False, _nothing

    def __exit__(self, *_exception: object) -> None:
        if self._before is None:
            return
        _main.is_open, _main.wake = self._before
        if self._is_outermost:
            _main.is_deferring = False
            if _get(_SIGINT) is _on_sigint:  # else the embedder has set a handler meanwhile, which stays
                _set(_SIGINT, _main.original)
            deliver()
        elif _main.is_open:
            deliver()


def deliver() -> None:
    """Hand a noted signal to the original handler.

    Raises:
        BaseException: What that handler raises.
    """
    if _main.is_signalled and _is_main():
        _main.is_signalled = False
        _main.original(_SIGINT, sys._getframe())


def call_open(function: Callable[..., Any], arguments: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - any value
    """Call a function of the embedder's: SIGINT interrupts it as usual."""
    if not _main.is_deferring or threading.get_ident() != _main.ident:
        return function(*arguments)
    _main.is_open = True
    try:
        if _main.is_signalled:
            deliver()
        return function(*arguments)
    finally:
        _main.is_open = False


def call_closed(function: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
    """Enter the guest again from inside `call_open`: SIGINT is noted until it has returned."""
    if not _main.is_deferring or threading.get_ident() != _main.ident:
        return function()
    _main.is_open = False
    try:
        return function()
    finally:
        _main.is_open = True
        deliver()


def at_checkpoints_only(*functions: Callable[..., Any]) -> None:
    """Have trio, if it is there, raise KeyboardInterrupt in these coroutine functions only where they wait."""
    if (lowlevel := sys.modules.get("trio.lowlevel")) is not None:
        for function in functions:
            lowlevel.enable_ki_protection(function)


def errors_of_a_race() -> tuple[type[Exception], ...]:
    """What waking a task may raise, for asyncio's handler cancels the main task at any instant, also in that one."""
    asyncio = sys.modules.get("asyncio")
    return () if asyncio is None else (asyncio.InvalidStateError,)


def as_usual_in(function: Callable[..., Any]) -> None:
    """Have trio, if it is there, raise KeyboardInterrupt at once in what a function calls, whoever has called it."""
    if (lowlevel := sys.modules.get("trio.lowlevel")) is not None:
        lowlevel.disable_ki_protection(function)
