"""Garbage: whenever and wherever Python collects, no guest is disturbed and nothing is left."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import anyio.lowlevel
import pytest

from sandbox import (
    AsyncSandbox,
    JSError,
    Limits,
    MemoryFiles,
    Sandbox,
    _blocking,
    _driver,
    _guest,
    _instance,
    _turns,
)
from sandbox.errors import ConversionError, LimitExceeded, SandboxClosed


def test_sandboxes_in_cycles() -> None:
    def make() -> None:
        box = Sandbox(functions={"me": lambda: box})
        box.eval("() => me")

    for _ in range(20):
        make()
    gc.collect()


def test_calls_that_wait_for_their_turn_go_with_their_sandbox() -> None:
    def make() -> None:
        box: Sandbox = Sandbox(
            functions={"me": lambda: box, "never": anyio.sleep_forever}, limits=Limits(concurrent_calls=1)
        )
        box.eval("for (let i = 0; i < 10; i++) never(); 1")

    make()
    gc.collect()


def test_a_function_keeps_its_sandbox() -> None:
    function = Sandbox(globals={"n": 4}).eval("() => n")
    gc.collect()
    assert function() == 4
    del function
    gc.collect()


async def _later(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n


def _fork(box: Sandbox) -> None:
    with box.fork() as twin:
        twin.eval("1")
    with Sandbox.restore(box.snapshot()) as other:
        other.eval("1")


def _throw(box: Sandbox) -> None:
    with pytest.raises(JSError):
        box.eval("null.x")


def _reach_a_limit(box: Sandbox) -> None:
    with pytest.raises(LimitExceeded):
        box.eval("for (;;);", fuel=10**7)


# What a sandbox is made of, and what is done with it until it is closed.
LIVES: dict[str, tuple[dict[str, Any], Callable[[Sandbox], object]]] = {
    "nothing": ({}, lambda _box: None),
    "an eval": ({}, lambda box: box.eval("({a: [1, new Map([[1, 2n]])]})")),
    "an error": ({}, _throw),
    "a limit": ({}, _reach_a_limit),
    "a limit that poisons": ({"on_limit": "poison"}, _reach_a_limit),
    "a limit that is undone": ({"on_limit": "rollback"}, _reach_a_limit),
    "a host function": ({"functions": {"f": lambda n: n}}, lambda box: box.eval("f(1)")),
    "an async host function": ({"functions": {"later": _later}}, lambda box: box.eval("later(1)")),
    "values that are extensions": ({"globals": {"x": {"a": [1, 2**70]}}}, lambda box: box.call("String", b"x", {1: 2})),
    "a function of the guest": ({}, lambda box: box.eval("x => x")(1)),
    "console": ({"console": lambda _entry: None}, lambda box: box.eval("console.log(1)")),
    "a timer": ({"clock": "virtual"}, lambda box: box.eval("new Promise(done => setTimeout(done, 1000))")),
    "modules": ({"modules": {"m": "export default 1"}}, lambda box: box.module("import m from 'm'; export {m}")),
    "hooks": ({"on_call": lambda _call: None, "functions": {"f": lambda n: n}}, lambda box: box.eval("f(1)")),
    "files": ({"files": {"/": MemoryFiles()}}, lambda box: box.eval("1")),
    "copies": ({}, _fork),
}


@pytest.mark.parametrize("life", LIVES)
def test_what_is_closed_is_freed_with_its_last_reference(life: str) -> None:
    options, use = LIVES[life]

    def live() -> weakref.ref[Sandbox]:
        with Sandbox(**options) as box:
            use(box)
        return weakref.ref(box)

    for _ in range(3):  # what is imported late, and made with the second one
        live()
    gc.collect()
    gc.disable()
    try:
        assert live()() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.anyio
async def test_an_asynchronous_one_that_is_closed_is_freed_as_well() -> None:
    async def live() -> weakref.ref[AsyncSandbox]:
        async with AsyncSandbox(functions={"later": _later}) as box:
            assert await box.eval("later(1)") == 1
        return weakref.ref(box)

    await live()
    gc.disable()
    try:
        made = await live()
        await anyio.lowlevel.checkpoint()
        assert made() is None
    finally:
        gc.enable()


def test_who_still_has_one_that_is_closed_is_told_so() -> None:
    box = Sandbox(functions={"later": _later})
    function = box.eval("x => later(x)")
    box.close()
    assert box.usage.runs == 2
    for ask in (lambda: box.eval("1"), lambda: function(1), lambda: box.snapshot(), lambda: box.globals["x"]):
        with pytest.raises(SandboxClosed):
            ask()
    box.close()
    with Sandbox() as other, pytest.raises(ConversionError, match="of another sandbox"):
        other.call("String", function)


def test_collection_in_a_host_function() -> None:
    with Sandbox(functions={"collect": gc.collect}) as box:
        for _ in range(5):
            Sandbox().eval("[() => 1]")
        box.eval("collect()")


@pytest.fixture
def eager() -> Iterator[None]:
    """Collect whenever anything is made."""
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


def _drop(box: Sandbox) -> None:
    """Leave functions of the guest to the collector."""
    cycle: list[Any] = [box.eval("[() => 1, (function* () {})(), Promise.resolve(1)]")]
    cycle.append(cycle)


def _none_left(box: Sandbox) -> bool:
    gc.collect()
    box.eval("0")
    return box.usage.live_handles == 0


@pytest.mark.usefixtures("eager")
def test_a_collection_at_every_allocation() -> None:
    with Sandbox(functions={"call": lambda f: f(1), "later": _later, "steps": lambda: iter([1, 2])}) as box:
        for _ in range(3):
            _drop(box)
            assert box.eval("call(x => x + 1)") == 2
            assert box.eval("[...steps(), await later(3)]") == [1, 2, 3]
            assert box.eval("({a: [new Map([[1, {}]])]})")["a"][0][1] == {}
        assert _none_left(box)


def test_a_finalizer_of_a_function_at_every_line_of_a_turn() -> None:
    files = {module.__file__ for module in (_blocking, _driver, _guest, _instance, _turns)}
    lines = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename not in files:
            return None
        if event == "line" and held:
            held.pop()  # its finalizer runs here
            lines += 1
        return trace

    with Sandbox(functions={"f": lambda x: [x]}) as box:
        held = box.eval("Array.from({length: 1000}, () => () => 1)")
        sys.settrace(trace)
        try:
            while held:
                assert box.call("f", "one") == ["one"]
        finally:
            sys.settrace(None)
        assert _none_left(box)
    assert lines == 1000


def test_sandboxes_are_collected_on_a_thread_while_others_run() -> None:
    stop = threading.Event()

    def make() -> None:
        box = Sandbox(functions={"me": lambda: box})
        box.eval("() => me")

    def collect() -> int:
        rounds = 0
        while not stop.is_set():
            make()
            gc.collect()
            rounds += 1
        return rounds

    def use(n: int) -> list[int]:
        with Sandbox(functions={"f": lambda x: x + n}) as box:
            found = []
            for i in range(20):
                _drop(box)
                found.append(box.eval(f"f({i})") - n)
            return found

    with ThreadPoolExecutor(6) as pool:
        collecting = [pool.submit(collect) for _ in range(2)]
        results = list(pool.map(use, range(4)))
        stop.set()
        assert all(future.result(30) > 0 for future in collecting)
    assert results == [list(range(20))] * 4
    gc.collect()


def test_a_sandbox_nobody_holds_is_not_collected_in_its_own_callback() -> None:
    assert Sandbox(functions={"collect": gc.collect}).eval("collect(); 2") == 2

    def forget() -> None:
        boxes.clear()
        gc.collect()

    boxes = [Sandbox(functions={"forget": forget, "later": _later})]
    assert boxes[0].eval("forget(); 1 + await later(1)") == 2
    gc.collect()
