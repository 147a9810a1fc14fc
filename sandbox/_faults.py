"""wasmtime's handlers of faults, which turn a guest's trap into an error, stay in front of `faulthandler`'s.

A guest that overflows the wasm stack or reads outside its memory raises a signal. wasmtime's handler knows it for a
trap, and hands on any other fault. That of `faulthandler` ends the process, so where it was enabled after the first
sandbox, a guest could do so. It knows nobody to hand on to either: enabled in time, it still tells of what is no trap.
"""

from __future__ import annotations

import ctypes
import faulthandler
import signal
from typing import Any, Final

_SIGNALS: Final = tuple(
    int(getattr(signal, name)) for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE") if hasattr(signal, name)
)
_ACTION_BYTES: Final = 256  # a struct sigaction of glibc has 152


def _find_sigaction() -> Any:  # noqa: ANN401 - a ctypes function, or None
    try:
        return ctypes.CDLL(None).sigaction
    except (AttributeError, OSError, TypeError):
        return None


class _Handlers:
    """The handlers as wasmtime has set them.

    Attributes:
        actions: Of each signal; empty until there is an engine.
        is_enabled: Whether `faulthandler` was, when they were last known to be in front.
    """

    def __init__(self) -> None:
        self.actions: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self.is_enabled = False
        self.sigaction = _find_sigaction()


_handlers: Final = _Handlers()


def remember() -> None:
    """Take down what wasmtime has set; called when there is an engine, and of interest the first time."""
    if _handlers.actions or _handlers.sigaction is None:
        return
    _handlers.is_enabled = faulthandler.is_enabled()
    for number in _SIGNALS:
        action = ctypes.create_string_buffer(_ACTION_BYTES)
        if _handlers.sigaction(number, None, action) == 0:
            _handlers.actions[number] = action


def put_in_front() -> None:
    """Before a guest runs: put them back where `faulthandler` was enabled since; any thread."""
    is_enabled = faulthandler.is_enabled()
    if is_enabled is not _handlers.is_enabled:
        _handlers.is_enabled = is_enabled
        if is_enabled:
            for number, action in _handlers.actions.items():
                _handlers.sigaction(number, action, None)
