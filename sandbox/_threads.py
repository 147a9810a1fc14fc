"""Where guests may run: on threads whose native stack holds the deepest recursion a guest can reach.

wasmtime uses the stack of the calling thread. Running out of it ends the process, so a turn on a thread that has too
little is moved to one that is made with enough. A guest must also have returned before the interpreter is gone, so
guests that still run at its exit, on daemon threads, are stopped.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, Unpack

from sandbox import _interrupts
from sandbox._image import NATIVE_STACK_BYTES
from sandbox._native_stack import Gauge

if TYPE_CHECKING:
    from concurrent.futures import Future

_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")

# What Python may use in host functions, on top of a guest that has used all it may.
_RESERVE_BYTES: Final = 768 << 10
_NEEDED_BYTES: Final = NATIVE_STACK_BYTES + _RESERVE_BYTES
_OWN_STACK_BYTES: Final = 16 << 20
_EXIT_SECONDS: Final = 2.0

_local = threading.local()
_idle: SimpleQueue[_GuestThread] = SimpleQueue()


def run_guest(
    function: Callable[[Unpack[_Arguments]], _T],
    stop: Callable[[BaseException], object],
    *arguments: *_Arguments,
) -> _T:
    """Call a function that runs a guest, on a thread with stack enough: on this one if possible.

    Args:
        function: What to call. Its exceptions are raised here.
        stop: Makes it return soon; called from other threads.
        *arguments: Of the function.

    Raises:
        SystemExit: The interpreter is exiting, and this is not the main thread.
    """
    if _exit.begun and threading.current_thread() is not threading.main_thread():
        raise SystemExit
    mark = object()
    _exit.running[mark] = stop
    try:
        return function(*arguments) if has_room() else _run_elsewhere(partial(function, *arguments), stop)
    finally:
        _exit.running.pop(mark, None)  # a child that was forked meanwhile has begun anew
        if _exit.begun and not _exit.running:
            _exit.all_stopped.set()


def _run_elsewhere(function: Callable[[], _T], stop: Callable[[BaseException], object]) -> _T:
    try:
        thread = _idle.get_nowait()
    except Empty:
        thread = _GuestThread()
    future = thread.start(partial(copy_context().run, function))
    try:
        result: _T = _interrupts.call_open(future.result)
    except BaseException as error:
        if not future.done():
            # A signal handler raised it, and the guest still runs.
            stop(error)
            future.exception()  # waits
        raise
    else:
        return result
    finally:
        _idle.put(thread)


def mark_loop_thread() -> None:
    """Say that the calling thread runs an event loop that answers host calls, so nothing may wait on it."""
    _local.is_loop = True


def is_loop_thread() -> bool:
    """Whether the calling thread was marked so."""
    return getattr(_local, "is_loop", False)


def has_room() -> bool:
    """Whether what is left of the calling thread's stack is enough for a guest."""
    try:
        gauge: Gauge = _local.gauge
    except AttributeError:
        gauge = _local.gauge = Gauge()
    return gauge.left_bytes() >= _NEEDED_BYTES


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

    def start(self, function: Callable[[], _T]) -> Future[_T]:
        from concurrent.futures import Future  # brings `logging`, and few programs need a thread of ours

        future: Future[_T] = Future()
        self._jobs.put((function, future))
        return future

    def _serve(self) -> None:
        process = os.getpid()
        while True:
            function, future = self._jobs.get()
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is raised where the function was asked for
                future.set_exception(error)
            leave_fork_of(process)
            del function, future


def leave_fork_of(process: int) -> None:
    """End a child that a host function has forked on a thread of ours: whoever waits for it was left in the parent.

    Args:
        process: The one in which the thread began what it does.
    """
    if os.getpid() == process:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(0)


_stack_size_lock = threading.Lock()


class _Exit:
    """The guests that run, and whether the interpreter is about to be gone."""

    def __init__(self) -> None:
        self.begun = False
        self.running: dict[object, Callable[[BaseException], object]] = {}
        self.all_stopped = threading.Event()


_exit = _Exit()


def _stop_all() -> None:
    """At exit: a wasm frame that comes back to an interpreter that is gone would end the process with a crash."""
    _exit.begun = True
    for stop in list(_exit.running.values()):
        stop(SystemExit())
    if _exit.running:
        _exit.all_stopped.wait(_EXIT_SECONDS)


def _forget_threads() -> None:
    """After a fork only the forking thread is left."""
    global _exit, _idle, _stack_size_lock
    _exit = _Exit()
    _idle = SimpleQueue()
    _stack_size_lock = threading.Lock()


atexit.register(_stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
