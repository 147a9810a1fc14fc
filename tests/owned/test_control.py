"""A control block full of lies: what the host believes of it, and what it knows better."""

from __future__ import annotations

import threading
import time
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Limits, Sandbox
from sandbox._abi import Clock, Op, Status
from sandbox.errors import (
    CpuLimitExceeded,
    EngineCrashed,
    LimitExceeded,
    MemoryLimitExceeded,
    RunInterrupted,
    SandboxError,
    WallLimitExceeded,
)
from tests.fake_owner import packed
from tests.owned.attacks import TIGHT, attack, check_poisoned, outcome
from tests.owned.evil import CONTROL, FREE, GROWN, MEMORY_BYTES, NUMBER, PAGE_BYTES, RUN, Script, encoded

SLEEP = encoded((Op.TIMERS_SLEEP, 1, b"\0\x91\0"))
SETTLE = FREE + 0x1000


def turns(each: Script) -> Script:
    """A run that goes on for ever, in one turn after the other: a timer that is due, and the next one."""
    each.add(FREE + 4, 1).outbox(FREE, len(SLEEP))
    return Script().install("settle", each).poke(FREE, SLEEP).outbox(FREE, len(SLEEP))


@pytest.mark.parametrize("told_ns", [0, 1])
def test_a_guest_that_never_uses_time_is_not_believed(told_ns: int) -> None:
    """The clock of the guest stands still; its fuel does not."""
    script = turns(Script(SETTLE).burn(40_000_000).control(cpu_used_ns=told_ns))

    error = attack(script, Limits(memory_bytes=16 << 20, cpu_seconds=0.05, wall_seconds=None))

    assert isinstance(error, CpuLimitExceeded)


def test_nor_one_that_has_used_more_than_there_was() -> None:
    with Sandbox(limits=Limits(memory_bytes=16 << 20)) as box:
        began = time.monotonic()
        assert outcome(box, Script().control(cpu_used_ns=(1 << 64) - 1).finish(b"\0\x01")) == 1
        assert 0 <= box.usage.cpu_seconds <= time.monotonic() - began


def test_turns_without_end_end_with_the_wall_time() -> None:
    limits = Limits(memory_bytes=16 << 20, cpu_seconds=None, wall_seconds=0.2)

    assert isinstance(attack(turns(Script(SETTLE)), limits), WallLimitExceeded)


FIGURES = {
    "nothing": dict.fromkeys(("heap_bytes", "failed_allocations", "live_handles", "pending_requests"), 0),
    "all": dict.fromkeys(("heap_bytes", "failed_allocations", "live_handles", "pending_requests"), 0xFFFF_FFFF),
}


@pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES)
def test_what_is_used_is_what_the_host_knows(figures: dict[str, int]) -> None:
    with Sandbox(limits=TIGHT) as box:
        assert outcome(box, Script().control(**figures).finish(b"\0\x01")) == 1
        usage = box.usage
        assert usage.heap_bytes <= usage.memory_bytes == usage.peak_memory_bytes == MEMORY_BYTES
        assert (usage.live_handles, usage.pending_requests, usage.host_calls) == (0, 0, 0)


def test_budgets_that_the_guest_writes_are_written_anew() -> None:
    fields = ("cpu_budget_ns", "interrupt", "poll_interval", "max_nodes", "heap_limit_bytes", "clock_mode")
    with Sandbox(limits=TIGHT, clock="virtual") as box:
        control = box._driver.guest.instance.control
        assert outcome(box, Script().control(**dict.fromkeys(fields, 0)).finish(b"\0\x01")) == 1
        assert outcome(box, Script().finish(b"\0\x02")) == 2
        assert control.cpu_budget_ns > 0
        assert control.clock_mode == Clock.REAL  # its own world is its own affair


@pytest.mark.parametrize("failures", [0, 1, 0xFFFF_FFFF])
def test_a_trap_is_a_trap_or_a_lack_of_memory(failures: int) -> None:
    with Sandbox(limits=TIGHT) as box:
        error = outcome(box, Script().control(failed_allocations=failures).trap())
        assert isinstance(error, EngineCrashed if failures == 0 else MemoryLimitExceeded)
        check_poisoned(box)


def test_memory_ends_where_the_limit_is() -> None:
    """Whatever the guest asks of wasmtime, and however much it touches."""
    pages = (TIGHT.memory_bytes - MEMORY_BYTES) // PAGE_BYTES
    with Sandbox(limits=TIGHT) as box:
        assert outcome(box, Script().grow(pages + 1).finish(b"\0\x01")) == 1
        assert box._driver.guest.instance.read(GROWN, 4) == b"\xff\xff\xff\xff"
        assert outcome(box, Script().grow(pages).fill(MEMORY_BYTES, 1, pages * PAGE_BYTES).finish(b"\0\x02")) == 2
        assert box.usage.memory_bytes == TIGHT.memory_bytes


@pytest.mark.parametrize("clock", [0, 1, 2, 3, 99, 0xFFFF_FFFF])
@pytest.mark.parametrize("address", [FREE, 0, MEMORY_BYTES - 4, MEMORY_BYTES, 0xFFFF_FFFF])
def test_the_clock_of_wasmtime_writes_inside_the_memory(clock: int, address: int) -> None:
    result = attack(Script().clock(clock, address).finish(b"\0\x01"))

    assert result == 1 or isinstance(result, SandboxError)


ENDLESS = {
    "a poll": Script().call(Op.POLL).control(interrupt=0).jump(0),
    "a call": Script().call(256).control(interrupt=0).jump(0),
    "a call that fails": Script().call(257).control(interrupt=0).jump(0),
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
def test_an_interrupt_that_is_taken_back_is_one(script: Script) -> None:
    """Until the guest calls the host again, and then not for long."""
    begun = threading.Event()

    def fail() -> None:
        begun.set()
        raise ValueError("no")

    limits = Limits(memory_bytes=16 << 20, cpu_seconds=None, wall_seconds=None)
    with Sandbox(limits=limits, functions={"f": begun.set, "fail": fail}) as box:
        threading.Timer(0.1, box.interrupt).start()
        assert isinstance(outcome(box, script), RunInterrupted)
        check_poisoned(box)


@pytest.mark.anyio
async def test_a_task_that_is_cancelled_ends_its_guest() -> None:
    limits = Limits(memory_bytes=16 << 20, cpu_seconds=None, wall_seconds=None)
    async with AsyncSandbox(limits=limits, functions={"f": lambda: None}) as box:
        began = anyio.current_time()
        with anyio.move_on_after(0.1) as scope:
            await box.eval(str(ENDLESS["a call"]))
        assert scope.cancelled_caught
        assert anyio.current_time() - began < 3
        with pytest.raises(SandboxError):
            await box.eval(str(Script().finish()))


@pytest.mark.anyio
async def test_the_asynchronous_face_refuses_the_same() -> None:
    attacks = {
        "outside": Script().outbox(0, 0xFFFF_FFFF),
        "twice": Script().frames(*[(256, 1, b"\0\x90")] * 2),
        "a trap": Script().trap(),
        "fuel": Script().spin(),
        "stopped": Script().control(reason=3).finish(),
        "status": Script().finish().give(Status.MALFORMED),
    }
    started: list[int] = []

    async def later() -> None:
        started.append(1)

    for script in attacks.values():
        async with AsyncSandbox(limits=TIGHT, functions={"g": later}) as box:
            with pytest.raises(SandboxError):
                await box.eval(str(script))
            with pytest.raises(SandboxError, match="poisoned"):
                await box.eval(str(Script().finish()))
    assert started == []


def test_several_runs_of_one_sandbox_are_the_guests_to_end() -> None:
    """Which of its own runs it ends, and how, is its own affair; each ends once, with one value."""
    results: dict[str, Any] = {}
    with Sandbox(limits=TIGHT) as box:
        waiting = Script().frames((Op.TIMERS_SLEEP, 1, b"\0" + packed([200.0])))
        waiting.install("settle", Script(SETTLE).frames((Op.FINISH, 1, b"\0\x63"), (Op.FINISH, 1, b"\0\x64")))
        thread = threading.Thread(target=lambda: results.update(first=outcome(box, waiting)))
        thread.start()
        while not box.usage.pending_requests:
            time.sleep(0.001)
        results["second"] = outcome(box, Script().frames((Op.FINISH, 1, b"\0\x0b"), (Op.FINISH, RUN, b"\0\x16")))
        thread.join()

    assert results == {"first": 11, "second": 22}


def test_limits_of_one_run_do_not_reach_another() -> None:
    with Sandbox(limits=TIGHT) as box:
        assert isinstance(outcome(box, Script().call(Op.RANDOM_FILL).spin()), LimitExceeded)
    with Sandbox(limits=TIGHT) as box:
        assert outcome(box, Script().copy(FREE, NUMBER, 4).copy(FREE, CONTROL, 4).finish(b"\0\x01")) == 1
