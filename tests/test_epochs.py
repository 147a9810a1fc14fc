"""Hard stops: what ends code that never looks at its limits, by fuel and by the clock, and what moves the epoch."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import AsyncSandbox, JSFunction, Limits, Sandbox, _epochs, _wasmtime
from sandbox._abi import Status
from sandbox._epochs import GRACE_SECONDS, Deadline, Epochs
from sandbox._guest import Guest
from sandbox._instance import Instance, Trap
from sandbox.errors import CpuLimitExceeded, LimitExceeded, SandboxError, SandboxPoisoned, WallLimitExceeded
from tests.bare_guest import Bare
from tests.fake_owner import packed

pytestmark = pytest.mark.alone

if TYPE_CHECKING:
    from sandbox.limits import Metering

CLOCK = Limits(metering="clock", cpu_seconds=0.1)
LATE_SECONDS = 2.0  # for a machine that does ten other things; what is usual is measured by the benchmarks


def make_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no engine look at its limits, as if all code were a loop inside it: only hard stops are left."""
    arm = Guest.arm

    def deaf(self: Guest, cpu_seconds: float | None, *rest: Any) -> None:
        arm(self, cpu_seconds, *rest)
        self.instance.control.cpu_budget_ns = self.instance.control.poll_interval = 0

    monkeypatch.setattr(Guest, "arm", deaf)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `make_deaf`."""
    make_deaf(monkeypatch)


# --- what ends such code ---


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize(
    ("limits", "options", "error"),
    [
        ({"cpu_seconds": 0.1}, {}, CpuLimitExceeded),
        ({"cpu_seconds": 0.1, "wall_seconds": None}, {}, CpuLimitExceeded),
        ({"wall_seconds": 0.1}, {}, WallLimitExceeded),
        ({"wall_seconds": 0.1, "cpu_seconds": None}, {}, WallLimitExceeded),
        ({"wall_seconds": None, "cpu_seconds": None}, {"timeout": 0.1}, WallLimitExceeded),
    ],
)
def test_the_limit_it_is_is_told_and_the_sandbox_is_marked(
    metering: Metering, limits: dict[str, Any], options: dict[str, Any], error: type[LimitExceeded]
) -> None:
    with Sandbox(limits=Limits(metering=metering, **limits)) as box, Sandbox(limits=CLOCK) as other:
        with pytest.raises(error) as caught:
            box.eval("for (;;);", **options)
        assert type(caught.value) is error
        assert caught.value.limit == 0.1
        assert caught.value.used is not None
        assert caught.value.used > 0.1
        with pytest.raises(SandboxPoisoned):
            box.eval("1")
        assert other.eval("1") == 1


@pytest.mark.usefixtures("deaf")
def test_the_clock_stops_shortly_after_the_limit() -> None:
    with Sandbox(limits=CLOCK) as box:
        began = time.monotonic()
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;);")
        took = time.monotonic() - began
    assert 0.1 + GRACE_SECONDS <= took < 0.1 + GRACE_SECONDS + LATE_SECONDS


def test_what_looks_at_its_limits_ends_softly() -> None:
    with Sandbox(limits=Limits(metering="clock", cpu_seconds=0.02)) as box:
        for _ in range(5):
            with pytest.raises(CpuLimitExceeded):
                box.eval("for (;;);")
        assert box.eval("1") == 1


@pytest.mark.usefixtures("deaf")
def test_time_in_the_host_moves_the_deadline() -> None:
    slept: list[float] = []

    def wait() -> None:
        slept.append(0.12)
        time.sleep(0.12)

    with Sandbox(functions={"wait": wait}, limits=CLOCK) as box:
        assert box.eval("for (let i = 0; i < 4; i++) wait(); 'done'") == "done"
        with pytest.raises(CpuLimitExceeded):
            box.eval("wait(); for (;;);")


@pytest.mark.usefixtures("deaf")
def test_time_in_the_host_does_not_move_the_end_of_the_wall_time() -> None:
    limits = Limits(metering="clock", wall_seconds=0.6)
    with Sandbox(functions={"wait": lambda: time.sleep(0.5)}, limits=limits) as box:
        with pytest.raises(WallLimitExceeded) as caught:
            box.eval("wait(); for (;;);")
        assert caught.value.used is not None
        assert caught.value.used < 1.1  # and not the 0.6 seconds after the call that were left before it


def test_a_function_that_outlasts_the_wall_time_leaves_room_to_unwind() -> None:
    limits = Limits(metering="clock", wall_seconds=0.1)
    with Sandbox(functions={"wait": lambda: time.sleep(0.3)}, limits=limits) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("wait(); for (;;);")
        assert box.eval("1") == 1


@pytest.mark.usefixtures("deaf")
def test_time_in_the_host_is_not_the_time_of_a_guest_it_calls() -> None:
    def inner() -> None:
        for _ in range(3):
            time.sleep(0.04)
            box.eval("1 + 1")

    with Sandbox(functions={"inner": inner}, limits=CLOCK) as box:
        box.eval("for (let i = 0; i < 3; i++) inner()")


@pytest.mark.usefixtures("deaf")
def test_in_a_nested_call_it_ends_both(metering: Metering) -> None:
    def inner() -> None:
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;);")

    with Sandbox(functions={"inner": inner}, limits=Limits(metering=metering, cpu_seconds=0.1)) as box:
        with pytest.raises(CpuLimitExceeded):
            box.eval("inner(); for (;;);")
        with pytest.raises(SandboxPoisoned):
            box.eval("1")


@pytest.mark.usefixtures("deaf")
def test_without_limits_of_time_there_is_no_deadline() -> None:
    unlimited = Limits(metering="clock", cpu_seconds=None, wall_seconds=None)
    with Sandbox(limits=unlimited) as box, Sandbox(limits=CLOCK) as other, ThreadPoolExecutor(1) as pool:
        running = pool.submit(box.eval, "const end = Date.now() + 500; while (Date.now() < end); 'done'")
        with pytest.raises(CpuLimitExceeded):  # meanwhile the epoch moves
            other.eval("for (;;);")
        assert running.result(20) == "done"


@pytest.mark.usefixtures("deaf")
def test_each_run_has_a_deadline_of_its_own() -> None:
    with Sandbox(limits=CLOCK) as box:
        for _ in range(4):
            box.eval("var end = Date.now() + 60; while (Date.now() < end);")


@pytest.mark.usefixtures("deaf")
def test_guests_on_many_threads_end_at_their_own_times() -> None:
    def run(seconds: float) -> tuple[float, float]:
        with Sandbox(limits=Limits(metering="clock", cpu_seconds=seconds)) as box:
            began = time.monotonic()
            with pytest.raises(CpuLimitExceeded):
                box.eval("for (;;);")
            return seconds, time.monotonic() - began

    with ThreadPoolExecutor(4) as pool:
        for seconds, took in pool.map(run, [0.4, 0.05, 0.2, 0.1]):
            assert seconds + GRACE_SECONDS <= took < seconds + GRACE_SECONDS + LATE_SECONDS


@pytest.mark.anyio
@pytest.mark.usefixtures("deaf")
async def test_on_the_asynchronous_face(metering: Metering) -> None:
    async with AsyncSandbox(limits=Limits(metering=metering, cpu_seconds=0.1)) as box:
        with pytest.raises(CpuLimitExceeded):
            await box.eval("for (;;);")
        with pytest.raises(SandboxPoisoned):
            await box.eval("1")


# --- one instance ---


@pytest.fixture
def instance(metering: Metering) -> Iterator[Instance]:
    made = Instance(64 << 20, lambda op, message: (Status.OK, b"\0\xc0"), metering)
    made.call("start")
    yield made
    made.close()


def run(instance: Instance, code: str) -> int:
    message = b"\0" + packed("main.js") + packed(code)
    instance.write(message)
    return instance.call("eval", (1, len(message)))


def test_an_engine_that_is_told_of_no_budget_is_stopped(instance: Instance) -> None:
    """Loops inside the engine as well: with no budget its polls find nothing, wherever they are."""
    instance.arm(1 << 30, 0.05, time.monotonic() + 10)
    instance.control.cpu_budget_ns = 0

    with pytest.raises(Trap) as caught:
        run(instance, "[].reverse.call({length: 2 ** 53 - 1})")
    assert caught.value.code == ("OUT_OF_FUEL" if instance.deadline is None else "INTERRUPT")
    assert instance.depth == 0


def test_a_budget_that_the_guest_forges_changes_nothing() -> None:
    with Bare(metering="clock") as bare:
        control = bare.guest.instance.control

        def forge() -> None:
            control.cpu_used_ns, control.cpu_budget_ns = 0, 1 << 62

        bare.define("forge", forge)
        (event,) = bare.eval("for (;;) forge()", cpu_seconds=0.05)
        assert repr(event).startswith("Crashed(out_of_budget=True")


def test_before_it_is_armed_it_has_no_limit(instance: Instance) -> None:
    assert run(instance, "const end = Date.now() + 100; while (Date.now() < end);") == Status.OK


def test_halted_it_traps_at_once(instance: Instance) -> None:
    instance.arm(1 << 40, None, float("inf"))
    assert run(instance, "1") == Status.OK
    instance.halt()

    with pytest.raises(Trap):
        run(instance, "1")


# --- both at once ---


def test_both_ways_of_metering_live_in_one_process() -> None:
    code = "const all = []; for (let i = 0; i < 1000; i++) all.push(Math.random().toString(36)); all.join()"
    with Sandbox(seed=3) as fuelled, Sandbox(seed=3, limits=CLOCK) as clocked:
        assert fuelled.eval(code) == clocked.eval(code)
        inner: JSFunction = clocked.eval("x => x + 1")
        fuelled.globals["f"] = lambda x: inner(x)
        assert fuelled.eval("f(1)") == 2
        assert fuelled.usage.fuel > 10_000
        assert clocked.usage.fuel == 0


def test_fuel_for_one_call_is_refused() -> None:
    with Sandbox(limits=CLOCK) as box:
        function: JSFunction = box.eval("() => 1")
        for call in (
            lambda: box.eval("1", fuel=10**9),
            lambda: box.module("export default 1", fuel=10**9),
            lambda: box.call("f", fuel=10**9),
            lambda: function(fuel=10**9),
        ):
            with pytest.raises(ValueError, match=r'^fuel is not counted with metering="clock"$'):
                call()
        assert function() == 1


# --- the epoch ---


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
