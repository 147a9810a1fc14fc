"""The clocks of a guest, when they are made coarse: nothing it can read, and nothing that wakes it, is finer."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from sandbox import AsyncSandbox, Sandbox
from sandbox._clock import RealClock, VirtualClock, make_clock

STEP_MS = 20

# Notes what every clock says, over and over, for some steps.
READ = """
  const seen = [];
  let last;
  do {
    last = [performance.now(), Date.now(), new Date().getTime(), +new Date(), performance.timeOrigin];
    seen.push(last);
  } while (last[0] - seen[0][0] < 100);
  seen
"""


def steps_of(values: list[float]) -> set[float]:
    """The differences of neighbours."""
    return {after - before for before, after in itertools.pairwise(values)}


def test_no_clock_moves_by_less_than_a_step() -> None:
    with Sandbox(clock_resolution_seconds=STEP_MS / 1000) as box:
        seen = box.eval(READ)
    clocks = list(zip(*seen, strict=True))
    for values in clocks:
        assert all(value % STEP_MS == 0 for value in values)
        assert min(steps_of(list(values))) >= 0
    for values in clocks[:4]:
        assert len(set(values)) >= 4
        assert len(values) > 10 * len(set(values))


def test_all_clocks_agree() -> None:
    """Unless a step fell between two of the readings."""
    with Sandbox(clock_resolution_seconds=STEP_MS / 1000) as box:
        seen = box.eval(READ)
    agreeing = [now + origin == date == made == converted for now, date, made, converted, origin in seen]
    assert sum(agreeing) >= len(agreeing) - 10
    assert all(0 <= date - (now + origin) <= STEP_MS * 2 for now, date, _, _, origin in seen)


def test_it_is_the_time() -> None:
    before = time.time() * 1000
    with Sandbox(clock_resolution_seconds=0.05) as box:
        now = box.eval("Date.now()")
    assert before - 50 <= now <= time.time() * 1000


# Counts how often a chain of timers, and an interval, are called at each time.
TIMERS = """
  const calls = {};
  const note = (what) => { const at = what + performance.now(); calls[at] = (calls[at] ?? 0) + 1 };
  const from = performance.now();
  const chain = (ms) => setTimeout(() => { note("chain "); if (performance.now() - from < 100) chain(ms) }, ms);
  chain(1);
  const id = setInterval(() => { note("interval "); if (performance.now() - from >= 100) clearInterval(id) }, 1);
"""


def test_timers_fire_at_steps() -> None:
    """Otherwise a chain of them would count milliseconds."""
    with Sandbox(clock_resolution_seconds=STEP_MS / 1000) as box:
        box.eval(TIMERS)
        began = time.monotonic()
        box.run_until_idle()
        took_ms = (time.monotonic() - began) * 1000
        calls = box.eval("calls")
    assert set(calls.values()) == {1}
    assert all(float(key.split()[1]) % STEP_MS == 0 for key in calls)
    assert len(calls) <= 2 * (took_ms / STEP_MS + 1)


def test_the_console_knows_no_other_time() -> None:
    durations: list[Any] = []
    with Sandbox(
        clock_resolution_seconds=0.001, console=lambda entry: durations.append(entry.fields["duration_ms"])
    ) as box:
        box.eval("console.time(); for (let i = 0; i < 20; i++) console.timeLog()")
    assert len(durations) >= 20
    assert all(duration % 1 == 0 for duration in durations)


@pytest.mark.anyio
async def test_on_the_asynchronous_face() -> None:
    async with AsyncSandbox(clock_resolution_seconds=0.01) as box:
        assert await box.eval("await new Promise(done => setTimeout(done, 1)); performance.now() % 10") == 0


def test_another_sandbox_has_its_own() -> None:
    with Sandbox(clock_resolution_seconds=3600) as coarse:
        assert coarse.eval("performance.now()") == 0
        assert coarse.eval("Date.now() % 3_600_000") == 0
    with Sandbox() as exact:  # in the memory of the first
        code = "const from = performance.now(); while (performance.now() === from); performance.now() - from < 1000"
        assert exact.eval(code) is True
        assert exact.eval("performance.timeOrigin % 3_600_000") != 0


# --- the host's side ---


def test_alarms_are_for_the_next_step() -> None:
    clock = RealClock(20)
    assert clock.origin_ms % 20 == 0
    assert [clock.alarm_ms(at) for at in (0, 0.5, 19.9, 20, 20.1, -5)] == [0, 20, 20, 20, 40, 0]
    assert clock.alarm_ms(float("inf")) == float("inf")
    assert RealClock().alarm_ms(0.5) == 0.5
    assert VirtualClock().alarm_ms(0.5) == 0.5


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(None, 0), (0.001, 1), (0.007, 7), (0.1, 100), (1, 1000), (1.001, 1001)]
)
def test_resolutions(seconds: float | None, milliseconds: int) -> None:
    clock = make_clock("real", seconds)
    assert isinstance(clock, RealClock)
    assert clock.resolution_ms == milliseconds


@pytest.mark.parametrize("seconds", [0, -0.1, 0.0005, 0.0011, 3601, float("inf"), float("nan"), 10**400])
def test_resolutions_that_cannot_be(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^clock_resolution_seconds must be "):
        Sandbox(clock_resolution_seconds=seconds)


@pytest.mark.parametrize("seconds", [True, "0.1", b"1", [1]])
def test_resolutions_of_the_wrong_type(seconds: Any) -> None:
    with pytest.raises(TypeError, match=r"^clock_resolution_seconds must be a number of seconds or None, not "):
        Sandbox(clock_resolution_seconds=seconds)


def test_a_virtual_clock_has_none() -> None:
    with pytest.raises(ValueError, match=r'^clock_resolution_seconds needs clock="real"'):
        Sandbox(clock="virtual", clock_resolution_seconds=0.1)
    with Sandbox(clock="virtual") as box:
        box.tick(0.25)
        assert box.eval("performance.now()") == 0.25
