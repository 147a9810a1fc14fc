"""Rows 29 to 32: the embedder's side: re-entry, signals, threads, forks, and functions that do not return."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING

from tests.corpus.case import Case, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(
        29,
        "closing, evaluating, or changing thread inside a host function",
        beside="tests/test_hostile.py",
    ),
    Row(30, "Ctrl-C at random moments", beside="tests/test_interrupts.py"),
    Row(31, "one sandbox from eight threads, garbage collection and forks", beside="tests/test_threads.py"),
    Row(32, "host functions that outlast the deadline", beside="tests/test_budgets.py"),
]

_INTERRUPTS = 4
_THREADS = 8
_USES = 10


def _closing(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    def close() -> str:
        return stage.caught(stage.session.close)

    return {"act": close}


def _evaluating(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    return {"act": lambda: stage.session.eval("1 + 1")}


def _taking(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    stage.snapshots()  # so that an engine without snapshots says so here

    def take() -> str:
        return stage.caught(stage.snapshot)

    return {"act": take}


def _on_another_thread(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    def use() -> str:
        outcomes: list[str] = []
        thread = threading.Thread(target=lambda: outcomes.append(stage.caught(lambda: stage.session.eval("1"))))
        thread.start()
        stage.threads.append(thread)
        thread.join(stage.case.limit_seconds / 2)
        return outcomes[0] if outcomes else "waits"

    return {"act": use}


def _another_sandbox(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    def use() -> object:
        inner = stage.open()
        try:
            return inner.eval("6 * 7")
        finally:
            inner.close()

    return {"act": use}


def _interrupted(code: str) -> Callable[[Stage], object]:
    """Send SIGINT at random moments of an evaluation; how often it came through as KeyboardInterrupt."""

    def drive(stage: Stage) -> object:
        moments = random.Random(30)
        came = 0
        for _ in range(_INTERRUPTS):
            delay = moments.uniform(0, 0.02)
            timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                with contextlib.suppress(Exception):
                    stage.session.eval(code)
                timer.join()
                time.sleep(0.001)
            except KeyboardInterrupt:
                came += 1
                timer.join()
        return came

    return drive


def _eight_threads(stage: Stage) -> object:
    """Every use of every thread gives the right value, or is refused with a typed error."""
    kinds: set[str] = set()

    def use(number: int) -> None:
        for turn in range(_USES):
            code = f"(() => {{ let n = 0; for (let i = 0; i < 2000; i++) n += {number}; return n + {turn} }})()"
            value: list[object] = []
            kind = stage.caught(lambda code=code, value=value: value.append(stage.session.eval(code)))  # type: ignore[misc]
            kinds.add("wrong" if kind == "value" and value != [2000 * number + turn] else kind)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return kinds <= {"value", "busy"}


def _collected_elsewhere(stage: Stage) -> object:
    """Functions of the guest are let go of on another thread, while the guest runs."""
    session = stage.session
    held = [session.function("x => x") for _ in range(100)]

    def let_go() -> None:
        while held:
            held.pop()

    thread = threading.Thread(target=let_go)
    thread.start()
    for _ in range(50):
        session.eval("[1, 2, 3].map(x => x + 1).length")
    thread.join()
    return session.function("x => x")({"a": 1}) == {"a": 1}


def _forking(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    def fork() -> bool:
        return _answers_in_child(stage)

    return {"act": fork}


def _forked_while_running(stage: Stage) -> object:
    """Fork while another thread's guest runs; the child can use a sandbox of its own, the parent goes on."""
    runner = threading.Thread(target=stage.caught, args=(lambda: stage.session.eval("for (;;);"),))
    runner.start()
    time.sleep(0.05)
    alive = _answers_in_child(stage)
    runner.join()
    return alive


def _answers_in_child(stage: Stage) -> bool:
    """Whether a new sandbox works in a fork of this process, or says that it does not; it is given two seconds."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(2)
            value: list[object] = []
            kind = stage.caught(lambda: value.append(stage.adapter.open_session({}).eval("6 * 7")))
            status = 0 if value == [42] or (kind != "foreign" and not value) else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _slow(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    async def sleep_long() -> None:
        import asyncio

        await asyncio.sleep(3)

    async def ignore_cancellation() -> None:
        import asyncio

        until = time.monotonic() + 2
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(left)

    def block() -> None:
        time.sleep(0.05)

    return {"sleep": sleep_long, "ignore": ignore_cancellation, "block": block}


def _late(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    async def late() -> str:
        import asyncio

        await asyncio.sleep(0.2)
        return "late"

    return {"late": late}


def _answered_after_closing(stage: Stage) -> object:
    """A host call is still under way when its sandbox is closed; its answer goes nowhere."""
    session = stage.session
    stage.caught(lambda: session.settle("(async () => { late().catch(() => {}); return 1 })()"))
    session.close()
    time.sleep(0.3)
    return stage.caught(lambda: session.eval("1"))


_REENTRY = frozenset({"value", "js", "busy"})
_VALUE = frozenset({"value"})

CASES = [
    Case(
        29, "close", "act()", frozenset({"value", "busy", "js"}), values=("busy", "js", "refused"), functions=_closing
    ),
    Case(29, "close in a callback", "[1].map(() => act())[0]", _REENTRY, values=("busy", "js"), functions=_closing),
    Case(
        29, "close in a getter", "({get x() { return act() }}).x", _REENTRY, values=("busy", "js"), functions=_closing
    ),
    Case(29, "eval", "act()", _REENTRY, values=(2,), functions=_evaluating),
    Case(29, "eval, then a loop", "act(); for (;;);", frozenset({"cpu"}), functions=_evaluating),
    Case(
        29,
        "another thread",
        "act()",
        _REENTRY | {"wall"},
        values=("busy", "waits"),
        functions=_on_another_thread,
        seconds=0.6,
    ),
    Case(29, "a snapshot", "act()", _REENTRY, values=("busy", "js", "refused"), functions=_taking),
    Case(29, "another sandbox", "act()", _VALUE, values=(42,), functions=_another_sandbox),
    *(
        Case(
            30,
            name,
            ends=_VALUE,
            values=(_INTERRUPTS,),
            driver=_interrupted(code),
            seconds=0.3,
            timed=False,
            functions=functions,
        )
        for name, code, functions in (
            ("a loop", "for (;;);", None),
            ("a native loop", "for (;;) [5, 3, 1].sort().join().split(',')", None),
            ("allocation", "(() => { for (;;) { const a = []; for (let i = 0; i < 1e4; i++) a.push({i}) } })()", None),
            ("host calls", "for (;;) act()", lambda stage: {"act": lambda: 1}),
            ("conversion", "(() => { for (;;) act([1, {a: 'x'}]) })()", lambda stage: {"act": lambda value: value}),
        )
    ),
    Case(31, "eight threads", ends=_VALUE, values=(True,), driver=_eight_threads, seconds=5, timed=False),
    Case(31, "collected elsewhere", ends=_VALUE, values=(True,), driver=_collected_elsewhere, seconds=5, timed=False),
    Case(31, "a fork in a host function", "act()", _VALUE, values=(True,), functions=_forking, seconds=3, timed=False),
    Case(31, "a fork while running", ends=_VALUE, values=(True,), driver=_forked_while_running, timed=False),
    Case(32, "sleeping", "sleep()", frozenset({"wall"}), how="settle", functions=_slow, waits=True),
    Case(32, "ignoring cancellation", "ignore()", frozenset({"wall"}), how="settle", functions=_slow, waits=True),
    Case(
        32,
        "caught and called again",
        "(async () => { for (;;) try { await sleep() } catch {} })()",
        frozenset({"wall"}),
        how="settle",
        functions=_slow,
        waits=True,
    ),
    Case(32, "short blocking calls without end", "for (;;) block()", frozenset({"wall"}), functions=_slow, waits=True),
    Case(
        32,
        "answering after the end",
        ends=_VALUE,
        values=("closed", "dead"),
        driver=_answered_after_closing,
        functions=_late,
        timed=False,
        closes=True,
    ),
]
