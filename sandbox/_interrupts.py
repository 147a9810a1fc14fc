"""Signals during a run on the main thread: Ctrl-C, alarms, and whatever else has a handler in Python.

An exception that a signal handler raises between two of this package's own statements could leave a sandbox locked. So
for the length of a run another handler stands in for those that were there. It only notes the signal, which is
delivered to the original handler where that is safe: in functions of the embedder at once, else at the guest's next
poll, when a wait ends, and when the run is over. What the original handler raises, `KeyboardInterrupt` for one, ends
the run.

For SIGINT an event loop of asyncio or trio has a handler of its own, which is left alone. asyncio's cancels the main
task. trio's raises wherever the main thread is, unless told that a function must be interrupted at its checkpoints
only.
"""

from __future__ import annotations

import os
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

    def __init__(self) -> None:
        # What each of `_SIGNALS` had when that was last seen to be something else, whether any of that is of Python,
        # and those of them that ours is to stand in for.
        self.seen: tuple[tuple[object, ...], bool, Sequence[tuple[int, _Handler]]] = ((), False, ())
        self.originals: Final[dict[int, _Handler]] = {}  # the handlers for which ours stands in
        self.noted: Final[list[int]] = []  # signals that were not yet delivered, each number once
        self.wake: Callable[[], object] = _nothing
        self.ident = threading.main_thread().ident  # it runs signal handlers; in a child, it is the one that forked
        self.is_deferring = False  # whether our handler is in place
        self.is_open = False  # whether a function of the embedder runs, or nothing that must not be interrupted


_main: Final = _MainThread()

# Those that programs give handlers which raise. SIGCHLD and the like only tell; faults are not for Python.
_NAMES: Final = ("INT", "ALRM", "TERM", "HUP", "QUIT", "USR1", "USR2", "VTALRM", "PROF", "XCPU", "BREAK")
_SIGNALS: Final = tuple(int(getattr(signal, f"SIG{name}")) for name in _NAMES if hasattr(signal, f"SIG{name}"))


def _is_main() -> bool:
    return threading.get_ident() == _main.ident


def _forget_parent() -> None:
    _main.ident = threading.get_ident()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _main.is_open:
        # Should the original raise, what it interrupts is left, and the guest goes on unwinding: not to be disturbed.
        _main.is_open = False
        _main.originals[number](number, frame)
        _main.is_open = True
    else:
        if number not in _main.noted:
            _main.noted.append(number)
        _main.wake()


class Deferral:
    """A context in which signals are noted and delivered where that is safe.

    Does nothing on threads other than the main one, which never run signal handlers, and when no Python function
    handles any signal. Contexts nest: a host function of one sandbox may use another.
    """

    __slots__ = ("_before", "_others", "_wake")

    def __init__(self, wake: Callable[[], object] = _nothing) -> None:
        """Make a context.

        Args:
            wake: Ends a wait; called in the signal handler.
        """
        self._before: tuple[bool, bool, Callable[[], object]] | None = None
        self._others: Sequence[tuple[int, _Handler]] = ()
        self._wake = wake

    def __enter__(self) -> None:
        if threading.get_ident() != _main.ident:
            return
        handlers = tuple(map(_get, _SIGNALS))
        seen, is_any, self._others = _main.seen
        if handlers != seen:
            is_any, self._others = _look(handlers)
        if not is_any:
            return
        self._before = _main.is_deferring, _main.is_open, _main.wake
        try:
            _main.is_open, _main.wake, _main.is_deferring = False, self._wake, True
            for number, _ in self._others:
                _set(number, _on_signal)
        except ValueError:  # a subinterpreter, which gets no signals
            self.__exit__()
        except BaseException:  # of a handler whose turn had not yet come
            self.__exit__()
            raise

    def __exit__(self, *_exception: object) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        try:
            self._give_back()  # first: signals are only noted until then
        finally:
            _main.is_deferring, _main.is_open, _main.wake = before
            if _main.noted and (_main.is_open or not _main.is_deferring):
                deliver()

    def _give_back(self) -> None:
        try:
            for number, handler in self._others:
                if _get(number) is _on_signal:  # else it is back, or the embedder has set one meanwhile, which stays
                    _set(number, handler)
        except BaseException:  # of a handler that is back already
            self._give_back()
            raise


def _look(handlers: tuple[Any, ...]) -> tuple[bool, Sequence[tuple[int, _Handler]]]:
    """Take down what handles each of `_SIGNALS`; gives what `_main.seen` then has beside it."""
    found = [(number, handler) for number, handler in zip(_SIGNALS, handlers, strict=True) if callable(handler)]
    others = [(number, handler) for number, handler in found if handler is not _on_signal]
    _main.originals.update(others)
    _main.seen = handlers, bool(found), others
    return bool(found), others


def deliver() -> None:
    """Hand noted signals to their original handlers.

    Raises:
        BaseException: What a handler raises.
    """
    if _main.noted and _is_main():
        number = _main.noted.pop(0)
        try:
            _main.originals[number](number, sys._getframe())
        finally:
            deliver()


def call_open(function: Callable[..., Any], arguments: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - any value
    """Call a function of the embedder's: signals interrupt it as usual."""
    if not _main.is_deferring or threading.get_ident() != _main.ident:
        return function(*arguments)
    _main.is_open = True
    try:
        if _main.noted:
            deliver()
        return function(*arguments)
    finally:
        _main.is_open = False


def call_closed(function: Callable[[], Any]) -> Any:  # noqa: ANN401 - any value
    """Enter the guest again from inside `call_open`: signals are noted until it has returned."""
    if not _main.is_deferring or threading.get_ident() != _main.ident:
        return function()
    _main.is_open = False
    try:
        return function()
    finally:
        _main.is_open = True
        deliver()


def may_be_raised_here() -> bool:
    """Whether a signal handler may raise in what the calling thread does now."""
    return _is_main() and (_main.is_open or not _main.is_deferring)


def at_checkpoints_only(*functions: Callable[..., Any]) -> None:
    """Have trio, if it is there, raise KeyboardInterrupt in these coroutine functions only where they wait."""
    _tell_trio("enable_ki_protection", functions)


def errors_of_a_race() -> tuple[type[Exception], ...]:
    """What waking a task may raise, for asyncio's handler cancels the main task at any instant, also in that one."""
    error: type[Exception] | None = getattr(sys.modules.get("asyncio"), "InvalidStateError", None)
    return () if error is None else (error,)


def as_usual_in(*functions: Callable[..., Any]) -> None:
    """Have trio, if it is there, raise KeyboardInterrupt at once in what functions call, whoever has called them."""
    _tell_trio("disable_ki_protection", functions)


def _tell_trio(name: str, functions: Sequence[Callable[..., Any]]) -> None:
    # Another thread may be importing it; then there is no loop of it yet.
    tell = getattr(sys.modules.get("trio.lowlevel"), name, None)
    if tell is not None:
        for function in functions:
            tell(function)
