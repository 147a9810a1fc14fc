"""Compiled functions in a live sandbox: answers, limits, snapshots. With SANDBOX_COMPILING=1, which builds a guest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.compiling import cases, command, measure
from benchmarks.compiling.session import Session, prototype
from sandbox import Limits, Sandbox
from sandbox.errors import CpuLimitExceeded, FuelLimitExceeded, MemoryLimitExceeded, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif("SANDBOX_COMPILING" not in os.environ, reason="builds a guest of its own")

SPIN = "let n = 0; function spin() { for (;;) n++; } function step() { return n; } step(); spin.length"
PROGRAM = """
class Account { constructor() { this.total = 0; } add(n) { this.total += n; return this.total; } }
const account = new Account();
function run(n) { let last; for (let i = 0; i < n; i++) last = account.add(i); return last; }
"""


@pytest.fixture(scope="module", autouse=True)
def _guest() -> Iterator[None]:
    with prototype():
        yield


@pytest.mark.parametrize("name", cases.ALL)
def test_answers_are_the_same(name: str) -> None:
    source = cases.ALL[name]
    assert command.answers(source, is_compiled=True) == command.answers(source, is_compiled=False)


@pytest.mark.parametrize(
    ("limits", "error"),
    [(Limits(cpu_seconds=0.05), CpuLimitExceeded), (Limits(fuel=2_000_000), FuelLimitExceeded)],
)
def test_a_loop_without_end(limits: Limits, error: type[SandboxError]) -> None:
    with Sandbox(limits=limits) as box:
        box.eval(SPIN)
        assert Session(box).compile(0).functions
        with pytest.raises(error):
            box.eval("spin()")


def test_a_limit_leaves_the_sandbox_alive() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.05)) as box:
        box.eval(SPIN)
        Session(box).compile(0)
        for _ in range(2):
            with pytest.raises(CpuLimitExceeded):
                box.eval("try { spin() } catch { 'caught' } finally { n = -1e9 }")
        assert box.eval("step()") > 0  # neither catch nor finally ran


def test_memory_that_runs_out() -> None:
    with Sandbox(limits=Limits(memory_bytes=24 << 20)) as box:
        box.eval("function fill() { const all = []; for (;;) all.push([all.length]); } fill.length")
        Session(box).compile(0)
        with pytest.raises((MemoryLimitExceeded, SandboxError)):
            box.eval("fill()")


def test_fuel_is_the_same_every_time() -> None:
    def fuel() -> list[int]:
        with Sandbox(seed=1) as box:
            box.eval(PROGRAM)
            used = []
            for number in range(4):
                if number == 2:
                    Session(box).compile()
                before = box.usage.fuel
                box.eval("run(1000)")
                used.append(box.usage.fuel - before)
            return used

    first = fuel()
    assert first == fuel()
    assert first[3] < first[1] / 2


def test_a_snapshot_goes_on_interpreted_and_is_compiled_again() -> None:
    with Sandbox() as box:
        box.eval(PROGRAM)
        box.eval("run(10)")
        session = Session(box)
        assert session.compile().functions >= 2
        expected = box.eval("run(10)")
        with session.interpreted():
            snapshot = box.snapshot()
        further = box.eval("run(10)")
        with Sandbox.restore(snapshot) as copy:
            assert copy.eval("account.total") == expected
            assert copy.eval("run(10)") == further
            assert Session(copy).compile().functions >= 2
            assert copy.eval("run(10)") == box.eval("run(10)")


# Where texts grow in place, which they do in the interpreter only; all others burn as much fuel, or less.
LEAST_FUEL_RATIO = {"strings": 0.8, "patterns": 0.88}


@pytest.mark.parametrize("name", measure.programs())
def test_programs_of_the_suite(name: str) -> None:
    row = measure.measure(name, 1)
    assert row.compiled.functions
    assert row.fuel_ratio > LEAST_FUEL_RATIO.get(name, 0.9)


def test_a_wrong_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(measure.SMALL, "fib", ("function run() { return 1; }", 2))
    with pytest.raises(measure.WrongResultError, match="fib: 1 in the place of 2"):
        measure.measure("fib", 1)
