"""Every limit of time on every path by which guest code can run, or by which a caller can wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import (
    CpuLimitExceeded,
    FuelLimitExceeded,
    LimitExceeded,
    SandboxPoisoned,
    Stalled,
    WallLimitExceeded,
)

pytestmark = pytest.mark.alone

SECONDS = 0.05
MEMORY_BYTES = 256 << 20
LATE_SECONDS = 1.0  # the machine may be busy; how exact the limits are is test_native_loops' subject

Use = Callable[[Sandbox], object]

_LOOPING = "{get x() { for (;;); }}"
_SETUP = "var spin = () => { for (;;); }; var never = () => new Promise(() => {})"


def _evaluate(code: str) -> Use:
    return lambda box: box.eval(code)


def _idle(box: Sandbox) -> None:
    box.eval("setTimeout(() => {}, 1e7)")
    box.run_until_idle()


# What runs: a program that prepares, and then the use that never ends.
RUNS: dict[str, tuple[str, Use]] = {
    "parsing": ("", lambda box: box.eval("1 +" * 1_000_000 + "1")),
    "parsing in eval": ("", _evaluate("for (;;) eval('1 +'.repeat(1000) + '1')")),
    "running": ("", _evaluate("for (;;);")),
    "microtasks": ("", _evaluate("(function f() { Promise.resolve().then(f) })()")),
    "awaits": ("", _evaluate("for (;;) await 0")),
    "a result's getter": ("", _evaluate(f"({_LOOPING})")),
    "a result's proxy": ("", _evaluate("new Proxy({}, {ownKeys() { for (;;); }})")),
    "a result's then": ("", _evaluate("({then() { for (;;); }})")),
    "an error's message": ("", _evaluate("throw {get message() { for (;;); }}")),
    "an error's property": ("", _evaluate("throw Object.assign(new Error('x'), {get x() { for (;;); }})")),
    "an error's cause": ("", _evaluate("throw new Error('x', {cause: {get y() { for (;;); }}})")),
    "an argument of a host function": ("", _evaluate(f"host({_LOOPING})")),
    "an answer of a host function": (
        "",
        _evaluate("Object.prototype.__defineGetter__('then', spin); await later({a: 1})"),
    ),
    "what waits for an answer": ("", _evaluate("await later(1); for (;;);")),
    "a call by path": ("", lambda box: box.call("spin")),
    "a path's getter": (f"var deep = {_LOOPING}", lambda box: box.call("deep.x")),
    "a function's handle": ("", lambda box: box.globals["spin"]()),
    "a class's handle": ("class Endless { constructor() { spin() } }", lambda box: box.eval("Endless").new()),
    "a promise's handle": (
        "var slow = {p: new Promise(done => setTimeout(() => { spin(); done() }, 20))}",
        lambda box: box.globals["slow"]["p"].result(),
    ),
    "an iterator's step": ("", lambda box: next(box.eval("(function* () { spin() })()"))),
    "an iterator without end": (
        "",
        lambda box: next(box.eval("Iterator.from(function* () { for (;;) yield }()).drop(9**9)")),
    ),
    "reading a global": ("Object.defineProperty(globalThis, 'g', {get: spin})", lambda box: box.globals["g"]),
    "writing a global": (
        "Object.defineProperty(globalThis, 'g', {set: spin})",
        lambda box: box.globals.__setitem__("g", 1),
    ),
    "asking for a global": (
        "Object.setPrototypeOf(globalThis, new Proxy({}, {has: spin}))",
        lambda box: "nothing" in box.globals,
    ),
    "timers": ("", _evaluate("setTimeout(spin); await new Promise(() => setInterval(() => {}, 1))")),
    "timers without end": (
        "",
        _evaluate("await new Promise(() => setInterval(() => { for (let i = 0; i < 1e4; i++); }))"),
    ),
    "timers when idle": ("setTimeout(spin, 20)", lambda box: box.run_until_idle()),
    "a listener of rejections": ("", _evaluate("addEventListener('unhandledrejection', spin); Promise.reject(1); 1")),
    "collected objects": ("", _evaluate("var r = new FinalizationRegistry(spin); (() => r.register({}, 1))(); 1")),
    "the console": (
        "",
        _evaluate("console.log(new Proxy({}, {ownKeys: spin, get: spin})); for (;;) console.debug('')"),
    ),
    "structuredClone": ("", _evaluate(f"structuredClone({_LOOPING})")),
    "a module": ("", lambda box: box.module("for (;;);")),
    "a module that waits": ("", lambda box: box.module("for (;;) await 0")),
    "an import": ("", lambda box: box.import_module("endless")),
    "a dynamic import": ("", _evaluate("await import('endless')")),
    "imports without end": ("", _evaluate("for (let i = 0;; i++) await import('chain' + i)")),
    "a nested eval": ("", _evaluate("nested('for (;;);')")),
    "nested evals without end": ("", _evaluate("for (;;) nested('1')")),
    "what a nested eval returns": ("", _evaluate(f"nested({f'({_LOOPING})'!r})")),
    "a catch": ("", _evaluate("for (;;) try { for (;;); } catch { for (;;); } finally { for (;;); }")),
    "a host function's iterator": ("", _evaluate("for (const x of numbers());")),
    "a host function's stream": ("", _evaluate("for await (const x of stream());")),
    "an exposed callback": ("", _evaluate("back(spin)")),
}

# What waits, by the wall clock alone.
WAITS: dict[str, Use] = {
    "a host function": _evaluate("for (;;) nap()"),
    "an asynchronous host function": _evaluate("await forever()"),
    "one that ignores being cancelled": _evaluate("await stubborn()"),
    "several": _evaluate("await Promise.all([forever(), forever()])"),
    "a timer": _evaluate("await new Promise(done => setTimeout(done, 1e7))"),
    "timers when idle": _idle,
    "an iterator": _evaluate("for (const x of naps());"),
    "a stream": _evaluate("for await (const x of silence());"),
    "a promise's handle": lambda box: box.eval("({p: forever()})")["p"].result(),
    "a source of modules": lambda box: box.import_module("slow"),
    "a module that waits": lambda box: box.module("await forever()"),
    "a nested eval": _evaluate("for (;;) nested('nap()')"),
}

STALLS: dict[str, Use] = {
    "a promise": _evaluate("await new Promise(() => {})"),
    "a module": lambda box: box.module("await new Promise(() => {})"),
    "a function": lambda box: box.call("never"),
    "a handle": lambda box: box.eval("({p: never()})")["p"].result(),
    "a thenable": _evaluate("await {then() {}}"),
    "a global": lambda box: (box.eval("var g = never(); 0"), box.globals["g"]),
}


class _Slow:
    async def __call__(self, specifier: str, _importer: object) -> str | None:
        if specifier == "slow":
            await asyncio.Event().wait()
        return {"endless": "for (;;);"}.get(specifier, "export {}")


def _sandbox(limits: Limits) -> Sandbox:
    async def later(value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def forever() -> None:
        await asyncio.Event().wait()

    async def stubborn() -> None:
        until = time.monotonic() + 4 * SECONDS
        while time.monotonic() < until:
            try:
                await asyncio.sleep(SECONDS)
            except asyncio.CancelledError:
                continue

    async def stream() -> AsyncIterator[int]:
        while True:
            yield 1

    async def silence() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    def numbers() -> Iterator[int]:
        while True:
            yield 1

    def nap() -> None:
        threading.Event().wait(SECONDS / 5)

    def naps() -> Iterator[int]:
        while True:
            nap()
            yield 1

    functions: list[Callable[..., Any]] = [later, forever, stubborn, stream, silence, numbers, nap, naps]
    box = Sandbox(limits=limits, modules=_Slow(), functions={function.__name__: function for function in functions})
    box.function(lambda value: value, name="host")
    box.function(lambda function: function(), name="back")
    box.function(lambda code: box.eval(code), name="nested")
    box.eval(_SETUP)
    return box


def _ends(box: Sandbox, use: Use, expected: type[LimitExceeded | Stalled]) -> None:
    began = time.monotonic()
    with pytest.raises(expected) as caught:
        use(box)
    if not isinstance(caught.value, CpuLimitExceeded):  # which does not count waits, of which some of these have many
        assert time.monotonic() - began < SECONDS + LATE_SECONDS


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(cpu_seconds=SECONDS, memory_bytes=MEMORY_BYTES, output_bytes=None), CpuLimitExceeded),
        (
            Limits(cpu_seconds=None, wall_seconds=SECONDS, memory_bytes=MEMORY_BYTES, output_bytes=None),
            WallLimitExceeded,
        ),
    ],
    ids=["cpu", "wall"],
)
@pytest.mark.parametrize(("setup", "use"), RUNS.values(), ids=RUNS)
def test_time_ends_what_runs(setup: str, use: Use, limits: Limits, expected: type[LimitExceeded]) -> None:
    with _sandbox(limits) as box:
        box.eval(setup)
        _ends(box, use, expected)
        assert box.eval("1 + 1") == 2


@pytest.mark.parametrize(("setup", "use"), RUNS.values(), ids=RUNS)
def test_fuel_ends_what_runs(setup: str, use: Use) -> None:
    with _sandbox(Limits(fuel=50_000_000, memory_bytes=MEMORY_BYTES)) as box:
        box.eval(setup)
        with pytest.raises(FuelLimitExceeded):
            use(box)
        with pytest.raises(SandboxPoisoned):
            box.eval("1 + 1")


@pytest.mark.parametrize("use", WAITS.values(), ids=WAITS)
def test_time_ends_what_waits(use: Use) -> None:
    with _sandbox(Limits(wall_seconds=SECONDS)) as box:
        _ends(box, use, WallLimitExceeded)
        assert box.eval("1 + 1") == 2


@pytest.mark.parametrize("use", STALLS.values(), ids=STALLS)
def test_what_can_never_happen_is_not_waited_for(use: Use) -> None:
    with _sandbox(Limits(wall_seconds=30)) as box:
        _ends(box, use, Stalled)
        assert box.eval("1 + 1") == 2
