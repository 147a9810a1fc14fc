"""Runs that end by force are recorded as all others: limits, interrupts, signals, and what a function raises."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

import sandbox
from sandbox import Limits, Sandbox
from sandbox.errors import (
    CpuLimitExceeded,
    FuelLimitExceeded,
    LimitExceeded,
    MemoryLimitExceeded,
    RecordTruncated,
    RunInterrupted,
    SandboxPoisoned,
    WallLimitExceeded,
)
from tests.replay.records import again

ENDS: dict[str, tuple[Limits, str, type[Exception]]] = {
    "cpu": (Limits(cpu_seconds=0.05), "for (n = 0;;) n++", CpuLimitExceeded),
    "wall": (Limits(wall_seconds=0.05), "await new Promise(() => setInterval(() => n++, 1))", WallLimitExceeded),
    "fuel": (Limits(fuel=300_000_000), "for (n = 0;;) n++", FuelLimitExceeded),
    "memory": (
        Limits(memory_bytes=8 << 20),
        "{ const all = []; for (;;) all.push(new Array(1000).fill(n++)) }",
        MemoryLimitExceeded,
    ),
    "handles": (Limits(handles=10), "add(Array.from({length: 30}, () => () => n))", LimitExceeded),
    "clock": (Limits(cpu_seconds=0.05, metering="clock"), "for (n = 0;;) n++", CpuLimitExceeded),
    "output": (Limits(output_bytes=5000), "for (;;) console.log(n++)", LimitExceeded),
}


@pytest.mark.parametrize("on_limit", ["keep", "poison", "rollback"])
@pytest.mark.parametrize("name", ENDS)
def test_limits(name: str, on_limit: Any, tmp_path: Path) -> None:
    limits, code, kind = ENDS[name]
    path = tmp_path / "x.record"
    after: list[object] = []
    with Sandbox(limits=limits, functions={"add": lambda all: len(all)}, on_limit=on_limit, record=path) as box:
        box.eval("let n = 7")
        for _ in range(2):
            with pytest.raises((kind, SandboxPoisoned)):
                box.eval(code)
        try:
            after.append(box.eval("n"))
        except SandboxPoisoned:
            assert on_limit == "poison" or name == "fuel"
    replayed = again(path)
    assert replayed.results[-1:] == after or on_limit == "poison" or name == "fuel"
    assert (on_limit == "rollback") == any(event.what == "rollback" for event in sandbox.replay(path).events())


def test_a_hard_stop_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the guest did after it had last read the clock is not known, and gone."""
    monkeypatch.setattr("sandbox._epochs.GRACE_SECONDS", -0.04)  # before it would notice by itself
    path = tmp_path / "x.record"
    with Sandbox(limits=Limits(cpu_seconds=0.05, metering="clock"), on_limit="rollback", record=path) as box:
        box.eval("let n = 1")
        with pytest.raises(CpuLimitExceeded):
            box.eval("n = 2; for (;;) n++")
        assert box.eval("n") == 1
    events = list(sandbox.replay(path).events())
    assert [event.text for event in events if event.what == "crash"] == ["interrupt"]
    assert again(path).results[-1] == 1


def test_interrupts(tmp_path: Path) -> None:
    """From another thread, at whatever instant."""
    path = tmp_path / "x.record"
    timers: list[threading.Timer] = []

    def soon(seconds: float) -> None:
        timers.append(threading.Timer(seconds, box.interrupt))
        timers[-1].start()

    with Sandbox(record=path, functions={"soon": soon}) as box:
        box.eval("let n = 0")
        for seconds in (0.0, 0.002, 0.01):
            with pytest.raises(RunInterrupted):
                box.eval(f"soon({seconds}); for (;;) n++")
            timers[-1].join()
        count = box.eval("n")
    assert again(path).results[-1] == count
    assert count > 0


def test_an_interrupt_in_a_function_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"stop": lambda: box.interrupt()}) as box:
        with pytest.raises(RunInterrupted):
            box.eval("try { stop() } finally { globalThis.n = 1 }")
        assert box.eval("typeof n") == "undefined"
    assert again(path).results == [sandbox.undefined, "undefined"]
    assert [e.depth for e in sandbox.replay(path).events() if e.what == "interrupt"] == [2]


class Alarm(BaseException):
    """What a signal handler raises."""


def test_signals_at_any_instant(tmp_path: Path) -> None:
    """In the functions that tell the time and write things down as well; the record says it where it has lost track."""

    def ring(_number: int, _frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    lost = complete = 0
    try:
        for index in range(40):
            path = tmp_path / f"{index}.record"
            with Sandbox(functions={"f": lambda n: n + 1}) as box:
                recording = box.record(path)
                with suppress(Alarm):
                    signal.setitimer(signal.ITIMER_REAL, 0.001 + index / 20_000)
                    for _ in range(50):
                        box.eval("var n = 0; for (let i = 0; i < 200; i++) n = f(n)")
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert box.eval("var n = 0; for (let i = 0; i < 200; i++) n = f(n); n") == 200
            if recording.error is None:
                complete += 1
                assert again(path).results[-1] == 200
            else:
                lost += 1
                with pytest.raises(RecordTruncated):
                    sandbox.replay(path).run()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert complete + lost == 40
    assert complete > 10


class Cut(BaseException):
    """Ends a run from a host function."""


def test_a_host_function_that_ends_the_run(tmp_path: Path) -> None:
    def cut() -> None:
        raise Cut

    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"cut": cut, "back": lambda f: f(1)}) as box:
        with pytest.raises(Cut):
            box.eval("let n = 1; back(() => { try { cut() } finally { n = 2 } })")
        assert box.eval("n") == 1
    assert again(path).results[-1] == 1
    assert "stops the guest" in [event.text for event in sandbox.replay(path).events()]


def test_closed_while_things_are_pending(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"never": anyio.sleep_forever}) as box:
        box.eval("never(); setTimeout(() => 1, 1e6); 1")
    assert again(path).results[-1] == 1
