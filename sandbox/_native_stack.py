"""How much of the calling thread's native stack is left.

The C library tells where the stack lies, and `getcontext` saves the register that says how far it is used. Where the
layout of what it saves is not known, nothing is left as far as this module can tell.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Final

_WORD_BYTES: Final = 8
_CONTEXT_BYTES: Final = 1 << 13  # a ucontext_t of glibc has 968 bytes on x86-64 and 4,560 on AArch64
_ATTRIBUTE_BYTES: Final = 256  # a pthread_attr_t is smaller
# Where glibc's ucontext_t holds the stack pointer, in bytes.
_STACK_POINTER_AT: Final = {"x86_64": 160, "aarch64": 432}


class Gauge:
    """Measures the stack of the thread that made it, and may be used on that thread only."""

    def __init__(self) -> None:
        """Find out where the stack lies."""
        self._lowest, self._highest = _bounds()
        self._words = (ctypes.c_uint64 * (_CONTEXT_BYTES // _WORD_BYTES))()
        self._address = ctypes.addressof(self._words)

    def left_bytes(self) -> int:
        """What is left, nearly to the byte; 0 when the platform does not say."""
        if _save_context is None or _save_context(self._address):
            return 0
        at: int = self._words[_SLOT]
        return at - self._lowest if self._lowest <= at < self._highest else 0


@cache
def _library() -> ctypes.CDLL:
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_ulong
    return libc


def _bounds() -> tuple[int, int]:
    """Lowest and highest address of the calling thread's stack; an empty range when the platform does not say."""
    try:
        libc = _library()
        attributes = ctypes.create_string_buffer(_ATTRIBUTE_BYTES)
        if libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), attributes):
            return 0, 0
        address, size = ctypes.c_void_p(), ctypes.c_size_t()
        found = libc.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size)) == 0
        libc.pthread_attr_destroy(attributes)
    except (AttributeError, OSError, TypeError):
        return 0, 0
    lowest = address.value or 0
    return (lowest, lowest + size.value) if found else (0, 0)


def _machine() -> str | None:
    """The processor, when the C library is glibc on Linux; its layouts are the ones that are known."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != _WORD_BYTES:
        return None
    try:
        is_glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (OSError, ValueError):
        return None
    return os.uname().machine if is_glibc else None


def _find_getcontext() -> Callable[[int], int] | None:
    if _machine() not in _STACK_POINTER_AT:
        return None
    try:
        function: Any = ctypes.PyDLL(None).getcontext  # shorter than giving the interpreter's lock up for it
    except (AttributeError, OSError):
        return None
    function.argtypes = [ctypes.c_void_p]
    found: Callable[[int], int] = function
    return found


_save_context: Final = _find_getcontext()
_SLOT: Final = _STACK_POINTER_AT.get(_machine() or "", 0) // _WORD_BYTES
