"""Where guests may run: on threads whose native stack holds the deepest recursion a guest can reach.

wasmtime uses the stack of the calling thread. Running out of it ends the process, so a turn on a thread that has too
little is moved to one that is made with enough.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from sandbox._image import NATIVE_STACK_BYTES

_T = TypeVar("_T")

# What Python itself may have used of the stack when a turn begins, and uses in host functions on top of it.
_RESERVE_BYTES: Final = 768 << 10
_OWN_STACK_BYTES: Final = 16 << 20

_local = threading.local()
_idle: SimpleQueue[_GuestThread] = SimpleQueue()


def run_guest(function: Callable[[], _T]) -> _T:
    """Call a function on a thread with stack enough: on this one if possible. Its exceptions are raised here."""
    if has_room():
        return function()
    try:
        thread = _idle.get_nowait()
    except Exception:  # noqa: BLE001 - queue.Empty; any failure to reuse a thread is answered by a new one
        thread = _GuestThread()
    try:
        return thread.run(function)
    finally:
        _idle.put(thread)


def has_room() -> bool:
    """Whether the calling thread's stack is large enough for a guest."""
    room: bool | None = getattr(_local, "room", None)
    if room is None:
        size = _stack_bytes()
        room = _local.room = size is not None and size >= NATIVE_STACK_BYTES + _RESERVE_BYTES
    return room


def _stack_bytes() -> int | None:
    """Size of the calling thread's stack; None when the platform does not say."""
    try:
        if sys.platform == "linux":
            return _stack_bytes_linux()
        if sys.platform == "darwin":
            return _stack_bytes_macos()
    except (AttributeError, OSError):
        return None
    return None


def _stack_bytes_linux() -> int | None:
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(256)  # pthread_attr_t is smaller on every platform
    libc.pthread_self.restype = ctypes.c_ulong
    if libc.pthread_getattr_np(ctypes.c_ulong(libc.pthread_self()), attributes):
        return None
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    found = libc.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size)) == 0
    libc.pthread_attr_destroy(attributes)
    return size.value if found else None


def _stack_bytes_macos() -> int | None:
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_void_p
    libc.pthread_get_stacksize_np.restype = ctypes.c_size_t
    return int(libc.pthread_get_stacksize_np(ctypes.c_void_p(libc.pthread_self())))


class _GuestThread:
    """A daemon thread with a large stack that runs one function at a time."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        with _stack_size_lock:
            before = threading.stack_size(_OWN_STACK_BYTES)
            try:
                threading.Thread(target=self._serve, name="sandbox-guest", daemon=True).start()
            finally:
                threading.stack_size(before)

    def run(self, function: Callable[[], _T]) -> _T:
        future: Future[_T] = Future()
        self._jobs.put((function, future))
        return future.result()

    def _serve(self) -> None:
        while True:
            function, future = self._jobs.get()
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is raised where the function was asked for
                future.set_exception(error)
            del function, future


_stack_size_lock = threading.Lock()


def _forget_threads() -> None:
    """After a fork only the forking thread is left."""
    global _idle, _stack_size_lock  # noqa: PLW0603 - the child starts with none
    _idle = SimpleQueue()
    _stack_size_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
