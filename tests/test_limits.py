"""Limits: each has its error, tells how much was used, and leaves the sandbox usable unless its heap may be damaged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import JSError, Limits, Sandbox, _store
from sandbox._runs import Run
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    LimitExceeded,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    SandboxPoisoned,
    WallLimitExceeded,
)

if TYPE_CHECKING:
    from sandbox.limits import Metering


@pytest.mark.parametrize(
    ("limits", "options", "code", "error", "unit"),
    [
        ({"cpu_seconds": 0.05}, {}, "while (true);", CpuLimitExceeded, "seconds"),
        ({"cpu_seconds": 0.05, "wall_seconds": None}, {}, "while (true);", CpuLimitExceeded, "seconds"),
        ({"wall_seconds": 0.05}, {}, "while (true);", WallLimitExceeded, "seconds"),
        ({"wall_seconds": 0.05, "cpu_seconds": None}, {}, "while (true);", WallLimitExceeded, "seconds"),
        ({}, {"timeout": 0.05}, "while (true);", WallLimitExceeded, "seconds"),
        ({"cpu_seconds": None, "wall_seconds": None}, {"timeout": 0.05}, "while (true);", WallLimitExceeded, "seconds"),
        ({}, {"timeout": 0.05}, "await new Promise(done => setTimeout(done, 1e6))", WallLimitExceeded, "seconds"),
        ({"memory_bytes": 8 << 20}, {}, "new ArrayBuffer(1 << 24)", MemoryLimitExceeded, "bytes"),
        ({"memory_bytes": 8 << 20}, {}, "[...Array(1e7).keys()]", MemoryLimitExceeded, "bytes"),
        ({"output_bytes": 1000}, {}, "for (;;) console.log('line')", OutputLimitExceeded, "bytes"),
    ],
)
def test_a_soft_limit(
    metering: Metering,
    limits: dict[str, Any],
    options: dict[str, Any],
    code: str,
    error: type[LimitExceeded],
    unit: str,
) -> None:
    with Sandbox(limits=Limits(metering=metering, **limits)) as box:
        with pytest.raises(error) as caught:
            box.eval(code, **options)
        assert type(caught.value) is error
        assert caught.value.unit == unit
        assert caught.value.limit == next(number for number in (*limits.values(), *options.values()) if number)
        assert caught.value.used is not None
        assert caught.value.used > caught.value.limit / 4
        assert isinstance(caught.value, TimeoutError) == (unit == "seconds")
        assert box.eval("1 + 1") == 2


@pytest.mark.parametrize(
    ("limits", "options"),
    [({"fuel": 1_000_000}, {}), ({}, {"fuel": 1_000_000}), ({"fuel": 1 << 40}, {"fuel": 1_000_000})],
)
def test_fuel_ends_the_sandbox(limits: dict[str, Any], options: dict[str, Any]) -> None:
    with Sandbox(limits=Limits(**limits)) as box, Sandbox() as other:
        with pytest.raises(FuelLimitExceeded) as caught:
            box.eval("while (true);", **options)
        assert (caught.value.limit, caught.value.used) == (1_000_000, 1_000_000)
        with pytest.raises(SandboxPoisoned):
            box.eval("1")
        with pytest.raises(SandboxPoisoned):
            box.globals["x"]
        with pytest.raises(SandboxPoisoned):
            box.run_until_idle()
        assert repr(box) == "<Sandbox poisoned>"
        assert other.eval("1") == 1


def test_a_poisoned_sandbox_has_no_time_to_move() -> None:
    with Sandbox(clock="virtual") as box:
        with pytest.raises(FuelLimitExceeded):
            box.eval("while (true);", fuel=100_000)
        with pytest.raises(SandboxPoisoned):
            box.tick(1)


def test_fuel_runs_out_at_the_same_place_every_time() -> None:
    def steps() -> Any:
        seen: list[int] = []
        box = Sandbox(functions={"note": seen.append}, seed=1, clock="virtual")
        with box, pytest.raises(FuelLimitExceeded):
            box.eval("for (let i = 0;; i++) note(i)", fuel=2_000_000)
        return seen

    first = steps()
    assert len(first) > 10
    assert steps() == first


def test_fuel_is_counted_over_the_turns_of_a_run() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval("const work = () => { for (let i = 0; i < 1000; i++); }")
        with pytest.raises(FuelLimitExceeded):
            box.eval("for (;;) { work(); await new Promise(done => setTimeout(done, 1)) }", fuel=1_000_000)
        assert 1_000_000 <= box.usage.fuel < 2_000_000


def test_budgets_begin_anew_with_each_run(metering: Metering) -> None:
    with Sandbox(limits=Limits(metering=metering, cpu_seconds=0.2)) as box:
        for _ in range(5):
            box.eval("const until = Date.now() + 60; while (Date.now() < until);".replace("const ", "var "))


def test_cpu_time_is_counted_over_the_turns_of_a_run(metering: Metering) -> None:
    with Sandbox(limits=Limits(metering=metering, cpu_seconds=0.1)) as box:
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;) { for (let i = 0; i < 1e5; i++); await new Promise(done => setTimeout(done)) }")
        assert box.usage.cpu_seconds < 1


def test_time_in_the_host_is_no_cpu_time(metering: Metering) -> None:
    limits = Limits(metering=metering, cpu_seconds=0.05)
    with Sandbox(functions={"wait": lambda: time.sleep(0.04)}, limits=limits) as box:
        assert box.eval("for (let i = 0; i < 5; i++) wait(); 'done'") == "done"


def test_a_nested_call_has_no_budget_of_its_own(metering: Metering) -> None:
    limits = Limits(metering=metering, cpu_seconds=0.1)
    box = Sandbox(limits=limits, functions={"again": lambda: box.eval("1", timeout=100)})
    with box, pytest.raises(CpuLimitExceeded):
        box.eval("while (true) again()")


@pytest.mark.parametrize("limits", [{"cpu_seconds": 0.05}, {"wall_seconds": 0.05}])
def test_a_limit_in_a_nested_call_ends_both(metering: Metering, limits: dict[str, Any]) -> None:
    caught: list[type[BaseException]] = []

    def inner() -> None:
        try:
            box.eval("while (true);")
        except LimitExceeded as error:
            caught.append(type(error))
            raise

    expected = CpuLimitExceeded if "cpu_seconds" in limits else WallLimitExceeded
    with Sandbox(limits=Limits(metering=metering, **limits), functions={"inner": inner}) as box:
        with pytest.raises(expected):
            box.eval("try { inner() } catch {} 'went on'")
        assert caught == [expected]
        assert box.eval("1") == 1


@pytest.mark.parametrize("answer", [["text"] * 500_000, [ValueError() for _ in range(20_000)]], ids=["texts", "errors"])
def test_a_limit_in_the_middle_of_an_answer(answer: list[Any]) -> None:
    async def ask() -> list[Any]:
        return answer

    limits = Limits(metering="fuel", cpu_seconds=0.01, memory_bytes=512 << 20)
    with Sandbox(limits=limits, functions={"ask": ask}) as box:
        with pytest.raises(CpuLimitExceeded):
            box.eval("(await ask()).length")
        assert box.eval("1 + 1") == 2


def test_fuel_in_a_nested_call_ends_both() -> None:
    def inner() -> None:
        with pytest.raises(FuelLimitExceeded):
            box.eval("while (true);")

    with Sandbox(functions={"inner": inner}) as box:
        with pytest.raises(FuelLimitExceeded):
            box.eval("inner(); 'went on'", fuel=2_000_000)
        with pytest.raises(SandboxPoisoned):
            box.eval("1")


@pytest.mark.parametrize(
    "code",
    [
        "try { while (true); } catch {} finally { while (true); }",
        "const loop = () => { try { for (;;); } catch {} loop() }; loop()",
        "(function f() { Promise.resolve().then(f) })()",
        "(async () => { for (;;) await null })()",
        "new Proxy({}, {get() { while (true); }}).x",
        "({toString() { while (true); }}) + ''",
        "({get x() { while (true); }})",
        "[1, 2].sort(() => { while (true); })",
        "JSON.stringify({toJSON() { while (true); }})",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "new Promise(done => done({then() { while (true); }}))",
        "eval('while (true);')",
        "Function('while (true);')()",
        "function* g() { while (true) yield }; [...g()].length",
        "setTimeout(() => { while (true); }); new Promise(() => {})",
        "queueMicrotask(() => { while (true); }); 1",
        "class A { static { while (true); } }",
        "throw {get message() { while (true); }}",
        "throw Object.defineProperty(new Error(), 'message', {get() { while (true); }})",
    ],
)
def test_nothing_escapes_the_cpu_limit(metering: Metering, code: str) -> None:
    with Sandbox(limits=Limits(metering=metering, cpu_seconds=0.05, memory_bytes=32 << 20)) as box:
        with pytest.raises((CpuLimitExceeded, MemoryLimitExceeded)):
            box.eval(code)
        assert box.eval("1 + 1") == 2


def test_timers_that_never_end(metering: Metering) -> None:
    with Sandbox(clock="virtual", limits=Limits(metering=metering, cpu_seconds=0.1, wall_seconds=0.1)) as box:
        for _ in range(2):
            # One that is stopped in the middle of its callback is not set again.
            box.eval("setInterval(() => {}, 1); 0")
            with pytest.raises((CpuLimitExceeded, WallLimitExceeded)):
                box.run_until_idle()
            box.eval("setInterval(() => {}, 1); 0")
            with pytest.raises((CpuLimitExceeded, WallLimitExceeded)):
                box.tick(1e12)
        assert box.eval("1") == 1


@pytest.mark.parametrize("is_used_again", [False, True])
def test_a_memory_too_small_for_the_guest_itself(is_used_again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _store._shelves["fuel"]
    monkeypatch.setattr(shelf, "stores", [])
    with Sandbox() as box:
        needed = box.usage.memory_bytes
    assert len(shelf.stores) == 1  # where `needed` bytes wait for the next sandbox
    if not is_used_again:
        shelf.stores.pop().delete()
    with pytest.raises(MemoryLimitExceeded) as caught:
        Sandbox(limits=Limits(memory_bytes=needed - 1))
    assert (caught.value.limit, caught.value.used) == (needed - 1, needed)
    for memory_bytes in (needed, needed + 1):
        with Sandbox(limits=Limits(memory_bytes=memory_bytes)) as box:
            assert box.usage.memory_bytes == needed
    for store in shelf.stores:
        store.delete()


def test_what_ended_the_first_globals_is_told() -> None:
    with pytest.raises(FuelLimitExceeded):
        Sandbox(limits=Limits(fuel=100), globals={"a": 1, "b": 2})


def test_caught_memory_failures_are_the_programs_business() -> None:
    with Sandbox(limits=Limits(memory_bytes=16 << 20)) as box:
        code = "const kept = []; let n = 0; try { for (;; n++) kept.push(new ArrayBuffer(1 << 20)) } catch {}"
        assert 5 < box.eval(f"{code} kept.length = 0; n") < 16
        with pytest.raises(JSError, match=r"^(null|None)$"):
            box.eval("throw null")
        assert box.usage.memory_bytes <= 16 << 20


def test_a_full_memory_is_told_as_such_until_there_is_room(metering: Metering) -> None:
    with Sandbox(limits=Limits(metering=metering, memory_bytes=8 << 20)) as box:
        with pytest.raises(MemoryLimitExceeded):
            box.eval("var kept = []; for (;;) kept.push({})")
        for _ in range(3):
            try:
                box.eval("kept.length")
            except MemoryLimitExceeded:
                continue
        box.eval("kept = 0")
        assert box.eval("1") == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("'x'.repeat(200_000)", ConversionError),
        ("Array(2000).fill(0)", ConversionError),
        ("let a = []; for (let i = 0; i < 60; i++) a = [a]; a", ConversionError),
    ],
)
def test_results_are_bounded(code: str, error: type[Exception]) -> None:
    limits = Limits(message_bytes=100_000, max_nodes=1000, max_depth=50)
    with Sandbox(limits=limits, functions={"f": lambda x: 1}) as box:
        with pytest.raises(error):
            box.eval(code)
        assert box.eval(f"try {{ f(eval({code!r})) }} catch (e) {{ e.name }}") == "TypeError"
        assert box.eval("1") == 1


@pytest.mark.parametrize("value", ["x" * 200_000, [0] * 2000])
def test_arguments_are_bounded(value: Any) -> None:
    with Sandbox(limits=Limits(message_bytes=100_000, max_nodes=1000)) as box:
        box.eval("const f = x => x.length")
        with pytest.raises(ConversionError):
            box.call("f", value)
        with pytest.raises(ConversionError):
            box.globals["x"] = value
        assert box.eval("1") == 1


def test_code_that_does_not_fit() -> None:
    with Sandbox(limits=Limits(memory_bytes=8 << 20)) as box:
        with pytest.raises((MemoryLimitExceeded, ConversionError)):
            box.eval(f"'{'x' * (16 << 20)}'.length")
        assert box.eval("1") == 1


class TestOutput:
    def test_what_fits_is_delivered_before_the_limit(self) -> None:
        lines: list[str] = []
        with Sandbox(console=lambda entry: lines.append(entry.text), limits=Limits(output_bytes=1000)) as box:
            with pytest.raises(OutputLimitExceeded):
                box.eval("for (let i = 0;; i++) console.log(i)")
            assert lines[:3] == ["0", "1", "2"]
            assert len(lines) < 20
            box.eval("console.log('next run')")
            assert lines[-1] == "next run"

    def test_output_within_one_turn_counts_as_well(self) -> None:
        with Sandbox(limits=Limits(output_bytes=500)) as box:
            with pytest.raises(OutputLimitExceeded):
                box.eval("for (let i = 0; i < 20; i++) console.log('x'.repeat(10)); 'value'")
            assert box.eval("1") == 1

    @pytest.mark.parametrize("error", [ValueError("sink"), KeyboardInterrupt("sink")])
    def test_what_the_sink_raises_ends_the_run(self, error: BaseException) -> None:
        def sink(_entry: object) -> None:
            raise error

        async def later() -> None:
            await anyio.lowlevel.checkpoint()

        with Sandbox(console=sink, functions={"later": later}) as box:
            for code in (
                "console.log(1); 'value'",
                "later(); console.log(1); await later()",
                "console.log(1); for (;;);",
            ):
                with pytest.raises(type(error)) as caught:
                    box.eval(code, timeout=2)
                assert caught.value is error
            assert box.eval("await later(); 1") == 1

    def test_the_sink_may_use_the_sandbox(self) -> None:
        seen: list[Any] = []
        with Sandbox(console=lambda _: seen.append(box.eval("n++"))) as box:
            box.eval("let n = 0; console.log('a'); console.log('b')")
            box.eval("console.log('c')")
            assert seen == [0, 1, 2]


def test_the_stack_limit_is_an_error_of_the_guest(metering: Metering) -> None:
    depths = []
    for stack_bytes in (64 << 10, 256 << 10):
        with Sandbox(limits=Limits(metering=metering, stack_bytes=stack_bytes)) as box:
            depths.append(box.eval("let n = 0; const dive = () => { n++; dive() }; try { dive() } catch (e) { n }"))
            with pytest.raises(JSError, match="RangeError"):
                box.eval("dive()")
            assert box.eval("1") == 1
    assert 10 < depths[0] < depths[1]


@pytest.mark.parametrize("limits", [{"cpu_seconds": 0.03}, {"wall_seconds": 0.03}])
@pytest.mark.parametrize("use", ["call(g => again())", "call(again)", "again()"])
def test_a_limit_that_a_host_function_hits_first_ends_the_run(limits: dict[str, Any], use: str) -> None:
    """What it raises there is no error of the program."""

    def again(*_: object) -> None:
        box.eval("for (let i = 0; i < 1e4; i++);")

    expected = CpuLimitExceeded if "cpu_seconds" in limits else WallLimitExceeded
    with Sandbox(limits=Limits(**limits), functions={"call": lambda g: g(1), "again": again}) as box:
        for _ in range(10):
            with pytest.raises(expected):
                box.eval(f"for (;;) {use}")
        assert box.eval("1") == 1


def test_a_turn_that_begins_late_has_no_fuel_from_below_zero() -> None:
    """Between the look at the deadline and the turn, a busy machine may take any time."""
    run = Run(1, Limits(wall_seconds=1), None, None)
    seconds, fuel, spare_fuel = run.budget(run.deadline + 5)
    assert seconds == 0
    assert 0 < fuel <= spare_fuel < 100_000_000_000
