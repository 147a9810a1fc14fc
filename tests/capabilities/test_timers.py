"""Timers: order, repetition and clearing, on the virtual clock; what the capability answers."""

from __future__ import annotations

import math
from typing import Any, Literal

import anyio
import pytest

from sandbox import AsyncSandbox, Sandbox, undefined
from sandbox._clock import Alarms, RealClock, VirtualClock
from sandbox.capabilities import Due, Timers


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("setTimeout(note, 20, 'b'); setTimeout(note, 10, 'a')", ["a", "b"]),
        ("setTimeout(note, 5, 1); setTimeout(note, 5, 2); setTimeout(note, 5, 3)", [1, 2, 3]),
        (
            "setTimeout(note, 0, 'timer'); Promise.resolve().then(() => note('micro')); note('now')",
            ["now", "micro", "timer"],
        ),
        ("const id = setTimeout(note, 5, 1); clearTimeout(id); setTimeout(note, 6, 2)", [2]),
        ("let n = 0; const id = setInterval(() => { note(++n); if (n === 3) clearInterval(id) }, 10)", [1, 2, 3]),
        ("setTimeout(() => { note(1); setTimeout(note, 0, 2) })", [1, 2]),
        ("setTimeout(note); clearTimeout(99); clearTimeout(undefined)", [undefined]),
        (
            "setTimeout(note, -5, 'negative'); setTimeout(note, NaN, 'nan'); setTimeout(note, '3', 'text')",
            ["negative", "nan", "text"],
        ),
    ],
)
def test_order(code: str, seen: list[Any]) -> None:
    with Sandbox(clock="virtual") as box:
        box.eval(f"const seen = []; const note = (...args) => seen.push(...(args.length ? args : [undefined])); {code}")
        box.run_until_idle()
        assert box.eval("seen") == seen


def test_a_cleared_timer_is_not_waited_for() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval("clearTimeout(setTimeout(() => {}, 1e6))")
        box.run_until_idle()
        assert box.eval("performance.now()") == 0
        assert box.usage.pending_requests == 0


def test_a_timer_stopped_by_a_limit_leaves_the_others_in_order() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval("const seen = []; setTimeout(() => { while (true); }, 1); setTimeout(() => seen.push('next'), 2)")
        with pytest.raises(TimeoutError):
            box.run_until_idle(timeout=0.05)
        box.run_until_idle()
        assert box.eval("seen") == ["next"]


def test_the_answer_comes_when_its_time_has_come() -> None:
    sleep = Timers().handlers()["sleep"]
    assert sleep(5) == Due(5.0, undefined)
    for wrong in (math.nan, "5", None, True, [5]):
        with pytest.raises(TypeError):
            sleep(wrong)


class TestAlarms:
    def test_they_ring_in_order(self) -> None:
        alarms = Alarms()
        assert not alarms
        assert alarms.next() == (math.inf, 0)
        for at_ms, request in [(5.0, 1), (3.0, 2), (5.0, 3), (9.0, 4)]:
            alarms.add(at_ms, request, f"value {request}")
        assert alarms
        assert alarms.next() == (3.0, 2)
        assert alarms.pop_due(2.9) == []
        assert alarms.pop_due(5.0) == [(2, "value 2"), (1, "value 1"), (3, "value 3")]
        assert alarms.pop_due(math.inf) == [(4, "value 4")]
        assert not alarms

    def test_discarded_ones_do_not(self) -> None:
        alarms = Alarms()
        for request in range(1, 101):
            alarms.add(float(request), request, None)
        for request in range(1, 100):
            alarms.discard(request)
        alarms.discard(5)
        alarms.discard(1000)
        assert alarms.next() == (100.0, 100)
        assert alarms.pop_due(1000.0) == [(100, None)]

    def test_one_that_never_rings(self) -> None:
        alarms = Alarms()
        alarms.add(math.inf, 1, None)
        assert alarms.pop_due(1e300) == []


def test_clocks() -> None:
    virtual = VirtualClock()
    assert virtual.now_ms() == 0
    virtual.move_to(5)
    virtual.move_to(3)
    assert virtual.now_ms() == 5
    real = RealClock()
    assert 0 <= real.now_ms() < 60_000


_CHAIN = """
let isDone = false, callbacks = 0;
later().then(() => { isDone = true; });
(async () => {
  while (!isDone && callbacks < 1e6) {
    await new Promise((done) => setTimeout(done, 0));
    callbacks++;
  }
  return isDone;
})()
"""


async def _later() -> None:
    await anyio.sleep(0.002)


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_a_chain_of_timers_that_are_due_holds_no_answer_up(clock: Literal["real", "virtual"]) -> None:
    with Sandbox(functions={"later": _later}, clock=clock) as box:
        assert box.eval(_CHAIN) is True


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_chain_of_timers_that_are_due_holds_no_answer_up_on_a_loop(backend: str) -> None:
    async def main() -> None:
        async with AsyncSandbox(functions={"later": _later}) as box:
            assert await box.eval(_CHAIN) is True

    anyio.run(main, backend=backend)


def test_a_chain_of_timers_runs_in_order_beside_others() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval(
            "const seen = []; setTimeout(() => seen.push('later'), 1); setTimeout(() => seen.push('first'));"
            "let left = 200; const next = () => { seen.push(left); if (--left) setTimeout(next); }; setTimeout(next)"
        )
        box.run_until_idle()
        assert box.eval("seen") == ["first", *range(200, 0, -1), "later"]
        assert box.eval("performance.now()") == 1
