"""With a seed and a virtual clock, a program does the same wherever and whenever it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from sandbox import AsyncSandbox, JSSet, Sandbox
from tests.replay.programs import PROGRAMS

# trio runs tasks that are ready in random order, on purpose; so do answers come, where several are asked for.
ASKS_FOR_SEVERAL = {"promises", "async host functions"}


def outcomes(face: str, **environment: str) -> dict[str, Any]:
    """What all programs end with in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tests.replay.repeat", face]
    result = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **environment})
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def first() -> dict[str, Any]:
    return outcomes("blocking", PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C")


@pytest.mark.parametrize(
    ("face", "environment"),
    [
        ("blocking", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONMALLOC": "malloc"}),
        ("asyncio", {"PYTHONHASHSEED": "3", "TZ": "America/Lima"}),
        ("trio", {"PYTHONHASHSEED": "4", "TZ": "Europe/Berlin"}),
    ],
)
def test_another_process_does_the_same(first: dict[str, Any], face: str, environment: dict[str, str]) -> None:
    second = outcomes(face, **environment)
    assert list(second) == list(PROGRAMS)
    names = [name for name in PROGRAMS if face != "trio" or name not in ASKS_FOR_SEVERAL]
    assert {name: second[name] for name in names} == {name: first[name] for name in names}


def test_the_programs_do_something(first: dict[str, Any]) -> None:
    failed = {
        name
        for name, result in first.items()
        if isinstance(result["value"], list) and "Error" in str(result["value"][:1])
    }
    assert failed == {"thrown", "no program", "exceptions"}
    assert all(result["fuel"] > 100_000 for result in first.values())
    assert len({result["fuel"] for result in first.values()}) == len(PROGRAMS)


def test_another_seed_is_another_run() -> None:
    def numbers(seed: int) -> Any:
        with Sandbox(seed=seed) as box:
            return box.eval("[Math.random(), crypto.randomUUID()]")

    assert numbers(1) == numbers(1) != numbers(2)


def test_a_nan_has_no_sign_and_no_payload() -> None:
    """Processors differ in the bits of what they compute."""
    with Sandbox() as box:
        bits = box.eval(PROGRAMS["bits of NaN"])
    assert bits == [[0, 0, 0, 0, 0, 0, 0xF8, 0x7F, 0, 0, 0xC0, 0x7F]] * 6


@pytest.mark.parametrize(
    ("members", "order"),
    [
        ({"b", "a", "ä", "\ud800", "B"}, ["B", "a", "b", "ä", "\ud800"]),
        ({3, None, "x", 1.5, True, b"b"}, [None, True, 1.5, 3, "x", b"b"]),
        (frozenset({"y", "x"}), ["x", "y"]),
        (JSSet(["y", "x"]), ["y", "x"]),
    ],
    ids=["texts", "scalars", "frozen", "ordered"],
)
def test_sets_have_an_order_in_the_guest(members: Any, order: list[Any]) -> None:
    """Python's depends on the process."""
    with Sandbox(globals={"members": members}) as box:
        assert box.eval("[...members]") == order


TIMERS = """
    const seen = [];
    const note = name => seen.push([name, performance.now()]);
    setTimeout(() => { note('b'); setTimeout(note, 5, 'd') }, 20);
    setTimeout(note, 10, 'a');
    setTimeout(note, 20, 'c');
    let count = 0;
    const every = setInterval(() => ++count == 3 && clearInterval(every), 1000);
"""
SEEN = [["a", 10], ["b", 20], ["c", 20], ["d", 25]]


def test_until_idle() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval(TIMERS)
        box.run_until_idle()
        assert (box.eval("seen"), box.eval("[count, performance.now()]")) == (SEEN, [3, 3000])
        assert box.usage.pending_requests == 0


@pytest.mark.anyio
async def test_until_idle_on_an_event_loop() -> None:
    async with AsyncSandbox(clock="virtual") as box:
        await box.eval(TIMERS)
        await box.run_until_idle()
        assert (await box.eval("seen"), await box.eval("[count, performance.now()]")) == (SEEN, [3, 3000])
        assert box.usage.pending_requests == 0


def test_ticks() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval(TIMERS)
        fuel = box.usage.fuel
        for milliseconds in (9.5, 0.5, 10, 5):
            box.tick(milliseconds)
        assert box.eval("[...seen, performance.now()]") == [*SEEN, 25]
        assert box.usage.fuel > fuel
