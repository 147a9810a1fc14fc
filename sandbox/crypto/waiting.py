"""What takes long, done on a thread of its own, so that the guest's limits hold: nothing can stop it on its way."""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from sandbox.crypto.failures import operation_error

# Threads that nobody waits for any more end by themselves, after some seconds. So many may be at it at one time.
_MOST_AT_ONCE: Final = 8
_SLICE_SECONDS: Final = 0.02


class _Work:
    """A call on its way, and its outcome. It takes a place until nobody has it any more."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()

    def __call__(self) -> None:
        try:
            self.value = self._function()
        except BaseException as error:  # noqa: BLE001 - raised where the outcome is waited for
            self.error = error
        finally:
            self.done.set()


class _Places:
    """Who is at it. An exception may come at any moment, from a signal handler; no place is lost then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: weakref.WeakSet[_Work] = weakref.WeakSet()

    def take(self, function: Callable[[], Any]) -> _Work | None:
        """Work that has a place; None: there is none."""
        with self._lock:
            if len(self._taken) >= _MOST_AT_ONCE:
                return None
            work = _Work(function)
            self._taken.add(work)
            return work


_places = _Places()


def _after_fork() -> None:
    global _places
    _places = _Places()  # the threads that had them are not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def call(function: Callable[[], Any], seconds_left: Callable[[], float]) -> Any:  # noqa: ANN401 - any value
    """Call a function, and wait for it as long as there is time.

    Args:
        function: It must end by itself, and release Python's lock meanwhile.
        seconds_left: How long the guest may still wait.

    Raises:
        Failure: There is no more time. The guest is going to be stopped.
    """
    while (work := _places.take(function)) is None:
        time.sleep(_slice(seconds_left()))
    # No daemon: the interpreter cannot end in the middle of it.
    threading.Thread(target=work, name="sandbox-crypto").start()
    while not work.done.wait(_slice(seconds_left())):
        pass
    if work.error is not None:
        raise work.error
    return work.value


def _slice(left: float) -> float:
    if left <= 0:
        raise operation_error("The time of the run is up.")
    return min(left, _SLICE_SECONDS) if left < math.inf else _SLICE_SECONDS
