"""Converting long messages is time of the run they are for: it ends there, wherever that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox import Limits, Sandbox
from sandbox._pace import Pace
from sandbox.errors import CpuLimitExceeded, JSError, WallLimitExceeded
from tests.fake_owner import Owner, codec

pytestmark = pytest.mark.alone

# Values that Python's side takes microseconds for, each.
SLOW = {
    "holes": "Array(900000)",
    "dates": "Array.from({length: 300000}, () => new Date(0))",
    "bigints": "Array.from({length: 300000}, () => 2n ** 70n)",
    "Maps": "Array.from({length: 150000}, () => new Map)",
    "shared": "Array(900000).fill([])",
}
LIMIT_SECONDS = 0.1
LATE_SECONDS = 0.5  # on a busy machine; without a look at the time it is seconds


def late(run: Callable[[], object]) -> float:
    """How long after its limit it ended, by the time of this process; it is ended by the CPU or by the wall time."""
    began = time.process_time()
    with pytest.raises((CpuLimitExceeded, WallLimitExceeded)):
        run()
    return time.process_time() - began - LIMIT_SECONDS


@pytest.fixture
def box() -> Any:
    limits = Limits(memory_bytes=256 << 20, cpu_seconds=20, wall_seconds=60)
    functions = {"echo": lambda value: value, "take": lambda _: None, "later": _later}
    with Sandbox(limits=limits, functions=functions) as box:
        yield box


async def _later(_value: object) -> None: ...


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("program", ["for (;;) echo(v)", "for (;;) take(v)", "for (;;) later(v)"])
def test_calls(box: Sandbox, name: str, program: str) -> None:
    box.eval(f"globalThis.v = {SLOW[name]}; 0")
    assert late(lambda: box.eval(program, timeout=LIMIT_SECONDS)) < LATE_SECONDS
    assert box.eval("1") == 1


@pytest.mark.parametrize("name", ["Maps", "dates"])
def test_results(box: Sandbox, name: str) -> None:
    box.eval(f"globalThis.v = {SLOW[name]}; 0")
    assert late(lambda: box.eval("[v, v]", timeout=LIMIT_SECONDS)) < LATE_SECONDS
    assert late(lambda: box.eval("throw {v, w: [...v]}", timeout=LIMIT_SECONDS)) < LATE_SECONDS
    assert box.eval("1") == 1


def test_arguments(box: Sandbox) -> None:
    box.eval("f = () => 0; 0")
    dates = [datetime.fromtimestamp(second, UTC) for second in range(300_000)]
    assert late(lambda: box.call("f", {1: {2: dates}}, timeout=LIMIT_SECONDS)) < LATE_SECONDS
    assert box.eval("1") == 1


def test_it_counts_as_cpu_time() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.5, wall_seconds=60), functions={"take": lambda _: None}) as box:
        box.eval("globalThis.v = Array.from({length: 50000}, () => new Date(0)); 0")
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;) take(v)")


def test_a_pace() -> None:
    seen: list[str] = []
    pace = Pace()
    pace.begin()
    for _ in range(5000):
        pace.step()  # nobody looks
    pace.on_begin, pace.on_steps = lambda: seen.append("begin"), lambda: seen.append("steps")
    pace.begin()
    for _ in range(5000):
        pace.step()
    assert seen == ["begin", "steps", "steps"]


@pytest.mark.parametrize("value", [[datetime(2026, 1, 1, tzinfo=UTC)] * 5000, [{1}] * 5000])
def test_whoever_looks_may_end_a_conversion(value: object) -> None:
    converter = codec()
    message = converter.encode(value)

    def refuse() -> None:
        raise WallLimitExceeded(1, 2)

    owner = converter._owner
    assert isinstance(owner, Owner)
    owner.pace.on_steps = refuse
    with pytest.raises(WallLimitExceeded):
        converter.encode(value)
    with pytest.raises(WallLimitExceeded):
        converter.encode_answer(value)
    with pytest.raises(WallLimitExceeded):
        converter.decode(message)


@pytest.mark.parametrize("program", ["throw v", "Promise.reject(v); 1", "v", "take(v)", "later(v); 1"])
def test_only_its_own_time_counts(program: str) -> None:
    with Sandbox(functions={"take": lambda _: None, "later": _later}) as box, suppress(JSError):
        box.eval(f"const v = {{w: Array.from({{length: 6000}}, () => new Map)}}; {program}")
