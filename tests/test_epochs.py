"""Hard stops: what ends code that never looks at its limits, by fuel and by the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import AsyncSandbox, JSFunction, Limits, Sandbox
from sandbox._abi import Status
from sandbox._epochs import GRACE_SECONDS
from sandbox._guest import Guest
from sandbox._instance import Instance, Trap
from sandbox.errors import CpuLimitExceeded, LimitExceeded, SandboxPoisoned, WallLimitExceeded
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
