"""What moves the epoch of an engine: its thread, which sleeps while no guest runs, in every process, until its end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from sandbox import Sandbox, _epochs, _wasmtime
from sandbox._epochs import Deadline, Epochs
from sandbox.errors import CpuLimitExceeded, SandboxError
from tests.test_epochs import CLOCK, deaf

__all__ = ["deaf"]


class _Time:
    """Stands in for the module `time` on one thread: it passes when somebody sleeps, and may be late."""

    def __init__(self, late: dict[int, float] | None = None, sleeps: int = 1000) -> None:
        self.thread = threading.get_ident()
        self.now = 50.0
        self.late = late or {}
        self.sleeps = 0
        self.most = sleeps
        self.on_end: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now if threading.get_ident() == self.thread else time.monotonic()

    def sleep(self, seconds: float) -> None:
        if threading.get_ident() != self.thread:
            time.sleep(seconds)
            return
        self.sleeps += 1
        self.now += seconds + 1e-9 + self.late.get(self.sleeps, 0.0)
        if self.sleeps >= self.most:
            self.on_end()


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The moves of the epoch of an engine that does not exist, at address 7; its stores are at 0."""
    moved: list[int] = []
    increment, set_deadline = _wasmtime.increment_epoch, _wasmtime.set_epoch_deadline
    monkeypatch.setattr(_wasmtime, "increment_epoch", lambda at: moved.append(at) if at == 7 else increment(at))
    monkeypatch.setattr(
        _wasmtime, "set_epoch_deadline", lambda context, ticks: set_deadline(context, ticks) if context else None
    )
    return moved


def tick(monkeypatch: pytest.MonkeyPatch, clock: _Time, *, guests: bool = True) -> Epochs:
    """Let a ticker run on this thread until the time is over."""
    monkeypatch.setattr(_epochs, "time", clock)
    epochs = Epochs(7)
    ticker = epochs._ticker = _epochs._Ticker(epochs)
    clock.on_end = epochs.forget
    if guests:
        epochs._running[Deadline(0, epochs)] = None
    ticker.wake()
    ticker.run()
    return epochs


def test_it_moves_as_time_does(monkeypatch: pytest.MonkeyPatch, ticks: list[int]) -> None:
    clock = _Time(sleeps=200)
    tick(monkeypatch, clock)

    assert len(ticks) == pytest.approx((clock.now - 50) / _epochs._TICK_SECONDS, abs=2)


def test_a_ticker_that_was_late_catches_up_step_by_step(monkeypatch: pytest.MonkeyPatch, ticks: list[int]) -> None:
    clock = _Time({10: 0.2}, sleeps=12)
    tick(monkeypatch, clock)
    assert len(ticks) <= 9 + 2 * _epochs._MAX_TICKS_AT_ONCE

    ticks.clear()
    clock = _Time({10: 0.2}, sleeps=100)
    tick(monkeypatch, clock)
    assert len(ticks) == pytest.approx((clock.now - 50) / _epochs._TICK_SECONDS, abs=2)


def test_it_stands_still_while_no_guest_runs(monkeypatch: pytest.MonkeyPatch, ticks: list[int]) -> None:
    rests: list[float] = []
    monkeypatch.setattr(_epochs._Ticker, "_sleep", lambda self: rests.append(clock.now))
    clock: _Time = _Time(sleeps=_epochs._IDLE_TICKS + 1)
    tick(monkeypatch, clock, guests=False)
    assert rests == []

    clock = _Time(sleeps=_epochs._IDLE_TICKS + 2)
    tick(monkeypatch, clock, guests=False)
    assert len(rests) == 1


@pytest.mark.alone
def test_a_ticker_that_sleeps_costs_nothing_and_is_woken(deaf: None) -> None:
    with Sandbox(limits=CLOCK) as box:
        box.eval("1")
        epochs = box._driver.guest.instance.image.epochs
        assert epochs is not None
        ticker = epochs._ticker
        for _ in range(2):
            assert ticker is not None
            until = time.monotonic() + 20
            while ticker.reached is not None and time.monotonic() < until:
                time.sleep(0.01)
            assert ticker.reached is None
            box.eval("var end = Date.now() + 20; while (Date.now() < end);")
            assert ticker.reached is not None
        assert epochs._ticker is ticker
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;);")


def test_who_enters_while_it_falls_asleep_is_seen(monkeypatch: pytest.MonkeyPatch, ticks: list[int]) -> None:
    epochs = Epochs(7)
    ticker = epochs._ticker = _epochs._Ticker(epochs)
    ticker.reached = 1.0
    guest = Deadline(0, epochs)

    class Guests(dict[Deadline, None]):
        def __bool__(self) -> bool:
            epochs.enter(guest)  # the very moment at which the ticker looks
            return False

    epochs._running = Guests()
    ticker._sleep()  # does not block: it was rung
    assert ticker.reached is None


def test_a_finalizer_on_the_tickers_own_thread_may_run_a_guest(ticks: list[int]) -> None:
    epochs = Epochs(7)
    ticker = epochs._ticker = _epochs._Ticker(epochs)
    ticker.ident = threading.get_ident()
    guest = Deadline(0, epochs)
    guest.arm(1.0, float("inf"))
    before = set(threading.enumerate())

    guest.resume()
    assert not epochs.is_served_by(ticker)
    guest.pause()
    epochs.forget()
    (thread,) = set(threading.enumerate()) - before
    thread.join()  # it must not look at an engine that does not exist when the test is over


@pytest.mark.alone
def test_a_ticker_that_is_slow_to_start_takes_no_deadline_away(deaf: None, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def slow(self: threading.Thread) -> None:
        start(self)
        time.sleep(0.3)

    with Sandbox(limits=CLOCK) as box:
        box.eval("1")
        epochs = box._driver.guest.instance.image.epochs
        assert epochs is not None
        epochs.forget()
        monkeypatch.setattr(threading.Thread, "start", slow)
        box.eval("var end = Date.now() + 60; while (Date.now() < end);")
        epochs.forget()
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;);")


def test_without_a_thread_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with Sandbox(limits=CLOCK) as box:
        box.eval("var n = 0")
        epochs = box._driver.guest.instance.image.epochs
        assert epochs is not None
        epochs.forget()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(SandboxError, match="no thread to watch the guest's time: can't start"):
                box.eval("n++")
        assert box.eval("n") == 0


def test_an_engine_lives_as_long_as_its_ticker(ticks: list[int]) -> None:
    """Whoever drops the image does not know whether the epoch is moved at this very moment."""

    class Engine:
        pass

    engine = Engine()
    alive = weakref.ref(engine)
    ticker = _epochs._Ticker(Epochs(7, engine))
    del engine
    gc.collect()
    assert alive() is not None
    del ticker
    gc.collect()
    assert alive() is None


def test_epochs_are_collected() -> None:
    epochs = Epochs(7)
    epochs.leave(Deadline(0, epochs))
    assert epochs in _epochs._all
    address = id(epochs)
    del epochs
    gc.collect()
    assert address not in {id(kept) for kept in _epochs._all}


# --- processes ---

PRELUDE = """
import os, sys, threading, time
import pytest
from sandbox import Limits, Sandbox
from sandbox.errors import CpuLimitExceeded
from tests.test_epochs import CLOCK, make_deaf

def ends(box, code="for (;;);"):
    try:
        box.eval(code)
    except CpuLimitExceeded:
        return True
"""


def script(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PRELUDE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("where", ["between runs", "in a host function"])
def test_a_forked_child_has_a_ticker_of_its_own(where: str) -> None:
    assert (
        script(
            f"""
            make_deaf(pytest.MonkeyPatch())
            child = None

            def fork():
                global child
                child = os.fork()

            box = Sandbox(limits=CLOCK, functions={{"fork": fork}})
            box.eval("1")
            other = threading.Thread(target=ends, args=[Sandbox(limits=CLOCK)])
            other.start()
            if {where!r} == "between runs":
                fork()
            assert ends(box, "for (;;);" if {where!r} == "between runs" else "fork(); for (;;);")
            assert ends(Sandbox(limits=CLOCK))
            if child:
                other.join()
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            print("parent" if child else "child", flush=True)
            """
        )
        == "child\nparent\n"
    )


@pytest.mark.parametrize(
    "code",
    [
        "Sandbox(limits=CLOCK).eval('1')",
        "threading.Thread(target=Sandbox(limits=CLOCK).eval, args=['for (;;);'], daemon=True).start()",
        "import atexit; atexit.register(lambda: print(ends(Sandbox(limits=CLOCK))))",
        "box = Sandbox(limits=CLOCK); box.me = box; box.eval('1'); del box",
    ],
    ids=["asleep", "running", "in an exit handler", "in a cycle"],
)
def test_the_end_of_the_interpreter(code: str) -> None:
    began = time.monotonic()
    assert script(code) in ("", "True\n")
    assert time.monotonic() - began < 20
