"""Ctrl-C at random instants of everything a sandbox does, as a program of its own: a crash must not end the tests.

Each run arms a timer of the kernel that sends SIGINT once, somewhere within the time the work takes, and does the work.
It must end in exactly one KeyboardInterrupt, in the work or, when that was over first, just after it. Then the sandbox
must work, its lock must be free and its books empty.

    python -m tests.interrupt_storm --runs 10000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import faulthandler
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import anyio
import anyio.lowlevel
import trio

from sandbox import AsyncSandbox, Sandbox, _interrupts
from tests.interrupted_work import ASYNC, BLOCKING, options

_HANG_SECONDS: Final = 30

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _Alarm:
    """A timer of the kernel that sends SIGINT to the process, as a terminal does: to no thread in particular."""

    def __init__(self) -> None:
        event = (ctypes.c_uint64 * 8)()  # struct sigevent: a value, the signal and how to notify, 0 for a signal
        event[1] = int(signal.SIGINT)
        self._timer = ctypes.c_void_p()
        assert _libc.timer_create(time.CLOCK_MONOTONIC, event, ctypes.byref(self._timer)) == 0

    def arm(self, seconds: float) -> None:
        nanoseconds = max(1, int(seconds * 1e9))
        times = (ctypes.c_long * 4)(0, 0, *divmod(nanoseconds, 1_000_000_000))
        assert _libc.timer_settime(self._timer, 0, times, None) == 0


class Failed(Exception):
    """What must not be."""


def _check(condition: object, text: str) -> None:
    if not condition:
        raise Failed(text)


# What Python dropped of KeyboardInterrupts that were raised in finalizers or callbacks of weak references.
_dropped: Final[list[object]] = []


def _on_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        _dropped.append(unraisable.object)
    else:
        sys.__unraisablehook__(unraisable)


def _wait_for_signal() -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if _dropped:
            _dropped.clear()
            raise KeyboardInterrupt
        time.sleep(0.0005)
    raise Failed("the signal was lost")


def _idle() -> None:
    main = _interrupts._main
    _check(signal.getsignal(signal.SIGINT) is signal.default_int_handler, "the handler was not put back")
    _check(not main.noted, "a signal was noted and never delivered")


def _interrupted(alarm: _Alarm, seconds: float, work: Callable[[], object]) -> bool:
    """Do something and have it interrupted; whether it was over by then."""
    is_over = False
    try:
        alarm.arm(seconds)
        work()
        is_over = True
        _wait_for_signal()
    except KeyboardInterrupt:
        return is_over
    raise AssertionError


def _probe(box: Sandbox) -> None:
    _check(box.eval("[1 + 1, f(1), await later(3)]", timeout=20) == [2, 2, 3], "the sandbox does not work")
    _check(not box._driver.runs, "a run was left in the book")
    _check(box._runner._turn.acquire(blocking=False), "the lock was left taken")
    box._runner._turn.release()
    box.eval("0")


# --- the asynchronous face ---


async def _async_probe(box: AsyncSandbox) -> None:
    with anyio.fail_after(20):
        _check(await box.eval("[1 + 1, f(1), await later(3)]") == [2, 2, 3], "the sandbox does not work")
    _check(not box._driver.runs, "a run was left in the book")
    _check(not box._runner._turn.locked(), "the lock was left taken")
    await box.eval("0")


def _on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio cancels the main task inside the signal handler, so between any two instructions of the loop's thread.

    One such place is in anyio's report of a thread's result, after it saw that the future was not cancelled: the result
    finds it cancelled. Nothing is lost by it; the loop would write it to standard error.
    """
    if isinstance(context.get("exception"), asyncio.InvalidStateError) and "_report_result" in context["message"]:
        _Async.late_results += 1
    else:
        loop.default_exception_handler(context)


def _run(backend: str, function: Callable[[], Any]) -> None:
    if backend == "trio":
        trio.run(function)
        return
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(_on_loop_error)
        runner.run(function())


def _is_of_this_file(error: BaseException | None) -> bool:
    """Whether a KeyboardInterrupt was raised in one of the functions here, and not in what they call."""
    frames = traceback.extract_tb(error.__traceback__) if isinstance(error, KeyboardInterrupt) else []
    places = [frame.filename for frame in frames if not frame.filename.endswith("_ki.py")]
    return bool(places) and places[-1] == __file__


class _Async:
    """One kind of work on one kind of event loop.

    Attributes:
        seconds: How long the life of a sandbox with it takes.
        use_seconds: How long the work itself takes.
    """

    merged = gaps = late_results = 0

    def __init__(self, backend: str, work: Callable[[AsyncSandbox], Any]) -> None:
        self._backend, self._work = backend, work
        self.seconds = self.use_seconds = 0.0
        for _ in range(2):
            _run(backend, self._measure)

    async def _measure(self) -> None:
        began = time.perf_counter()
        async with AsyncSandbox(**options()) as box:
            entered = time.perf_counter()
            await self._work(box)
            self.use_seconds = time.perf_counter() - entered
        self.seconds = time.perf_counter() - began

    async def _forget_cancellation(self) -> None:
        """asyncio's Ctrl-C cancels the main task, once more when it came at the very end of a timeout."""
        if self._backend == "asyncio":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            while task.cancelling():
                task.uncancel()

    async def _wait_for_signal(self) -> None:
        """Until it comes; or Python has dropped it, or asyncio merged the cancellation with one of anyio's own."""
        for _ in range(5000):
            task = asyncio.current_task() if self._backend == "asyncio" else None
            if _dropped or (task is not None and task.cancelling()):
                _Async.merged += not _dropped
                _dropped.clear()
                return
            await anyio.sleep(0.001)
        raise Failed("the signal was lost")

    def end(self, alarm: _Alarm, seconds: float) -> bool:
        """Interrupt the life of a sandbox, which ends with its loop; whether the block was over by then."""
        is_over = False

        async def main() -> None:
            nonlocal is_over
            alarm.arm(seconds)
            async with AsyncSandbox(**options()) as box:
                await self._work(box)
            is_over = True
            await self._wait_for_signal()

        self._run(main)
        return is_over

    def interrupt(self, alarm: _Alarm, seconds: float) -> bool:
        """Interrupt the use of a sandbox that lives on; whether it was over by then."""
        is_over = False

        async def main() -> None:
            nonlocal is_over
            async with AsyncSandbox(**options()) as box:
                try:
                    alarm.arm(seconds)
                    await self._work(box)
                    is_over = True
                    await self._wait_for_signal()
                except (KeyboardInterrupt, asyncio.CancelledError):
                    await self._forget_cancellation()
                await _async_probe(box)

        self._run(main)  # trio's may come in a task of a host call, where it ends the whole block
        return is_over

    def _run(self, main: Callable[[], Any]) -> None:
        try:
            _run(self._backend, main)
        except KeyboardInterrupt:
            return
        except RuntimeError as error:
            # Python may raise between the call of `__aexit__` and its first step, in the frame with the `async with`.
            if not _is_of_this_file(error.__context__):
                raise
            _Async.gaps += 1


# --- the first use in a process ---


def _first_use(alarm: _Alarm, seconds: float, cache: str | None) -> bool:
    """In a forked child, where nothing was used: the image, the pages, the portal's thread; whether it was over."""
    if cache is not None:
        os.environ["SANDBOX_CACHE"] = cache

    def work() -> None:
        with Sandbox(**options()) as box:
            box.eval("await later(1)")

    is_over = _interrupted(alarm, seconds, work)
    with Sandbox(**options()) as box:
        _probe(box)
    _idle()
    return is_over


def _in_child(function: Callable[[], bool]) -> bool:
    child = os.fork()
    if not child:
        status = 2
        try:
            signal.alarm(_HANG_SECONDS)
            status = int(function())
        except BaseException:  # noqa: BLE001 - told by the status
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _check(code in (0, 1), f"the first use ended with status {code}")
    return bool(code)


# --- all of it ---


def _first_uses(runs: int, draw: random.Random) -> Iterator[tuple[str, bool]]:
    for number in range(runs):
        if number % 4:
            yield "first use", _in_child(lambda: _first_use(_Alarm(), draw.random() * 0.04, None))
        else:
            with tempfile.TemporaryDirectory() as cache:
                yield "first use, cold cache", _in_child(lambda: _first_use(_Alarm(), draw.random(), cache))


def _seconds(work: Callable[[], object]) -> float:
    """How long something takes; a first time is left out."""
    work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _blocking(runs: int, draw: random.Random, alarm: _Alarm) -> Iterator[tuple[str, bool]]:
    with Sandbox(**options(lambda _: None)) as box:
        rows = {name: (work, _seconds(lambda work=work: work(box))) for name, work in BLOCKING.items()}  # type: ignore[misc]
        for _ in range(runs):
            name, (work, seconds) = draw.choice(list(rows.items()))
            yield name, _interrupted(alarm, draw.random() * seconds * 1.1, lambda work=work: work(box))  # type: ignore[misc]
            _idle()
            _probe(box)


def _asynchronous(runs: int, draw: random.Random, alarm: _Alarm) -> Iterator[tuple[str, bool]]:
    rows = {
        f"{backend}: {name}": _Async(backend, work) for backend in ("asyncio", "trio") for name, work in ASYNC.items()
    }
    for number in range(runs):
        name, row = draw.choice(list(rows.items()))
        if number % 2:
            name += ", to its end"
            yield name, row.end(alarm, draw.random() * row.seconds * 1.1)
        else:
            yield name, row.interrupt(alarm, draw.random() * row.use_seconds * 1.1)
        _idle()


def main() -> None:
    """Run the storm and print how many runs each kind of work had, and in how many the signal came in its midst."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.register(signal.SIGALRM, chain=True)  # a hang tells where, and ends
    sys.unraisablehook = _on_unraisable
    # Between a coroutine's making and its first step Python may raise, also in anyio's own part of a task under trio.
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited")
    draw, hit, late = random.Random(asked.seed), Counter[str](), Counter[str]()
    first, alarm = max(4, asked.runs // 100), _Alarm()
    blocking = (asked.runs - first) * 2 // 3
    began = time.monotonic()
    name = "the start"
    try:
        for stage in (
            _first_uses(first, draw),
            _blocking(blocking, draw, alarm),
            _asynchronous(asked.runs - first - blocking, draw, alarm),
        ):
            signal.alarm(_HANG_SECONDS)
            for name, is_over in stage:
                (late if is_over else hit)[name] += 1
                signal.alarm(_HANG_SECONDS)
    except Failed as failure:
        sys.exit(f"after {name}, {sum(hit.values()) + sum(late.values())} runs (seed {asked.seed}): {failure!r}")
    signal.alarm(0)
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join(5)  # of a loop that ended a moment ago
            if thread.is_alive():
                sys.exit(f"a thread was left: {thread.name}")
    for name in sorted({*hit, *late}):
        print(f"{name}: {hit[name]} interrupted, {late[name]} over before")
    print(
        f"{_Async.merged} cancellations merged by asyncio, {_Async.gaps} between a call and its first step, "
        f"{_Async.late_results} during the report of a thread's result"
    )
    print(f"{sum(hit.values())} of {asked.runs} runs interrupted in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
