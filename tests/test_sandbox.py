"""The blocking face: evaluations, calls, time, life and death of a sandbox."""

from __future__ import annotations

import contextlib
import gc
import math
import threading
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import BigInt, ConsoleEntry, JSError, JSFunction, Limits, Sandbox, undefined
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    JSSyntaxError,
    SandboxBusy,
    SandboxClosed,
    Stalled,
    UnhandledRejection,
    WallLimitExceeded,
)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", 2),
        ("", undefined),
        ("undefined", undefined),
        ("null", None),
        ("'a' + 1", "a1"),
        ("1.5", 1.5),
        ("2n ** 64n", BigInt(2**64)),
        ("({a: [1, {b: true}]})", {"a": [1, {"b": True}]}),
        ("new Uint8Array([1, 2])", b"\x01\x02"),
        ("let x = 3; x * 2", 6),
        ("if (true) { 'block' }", "block"),
        ("await 5", 5),
        ("await (async () => 7)()", 7),
        ("(await (async () => ({json: () => [1]}))()).json()", [1]),
        ("await [Promise.resolve(1)].pop()", 1),
        ("let text\nawait\n(text = 'next line', 1)", 1),
        ("try { await (async () => { throw 3 })() } catch (thrown) { thrown }", 3),
        ("function await(n) { return n + 1 } await (1)", 2),
        ("var await = n => [n]; async function f() { return await (1) } await (2)", [2]),
        ("async function f() { return await (1) } f.name", "f"),
        ("typeof await", "undefined"),
        ("await Promise.resolve('later')", "later"),
        ("Promise.resolve([1])", [1]),
        ("new Promise(done => setTimeout(done, 1, 'timer'))", "timer"),
        ("const p = (async () => 7)(); await p + 1", 8),
        ("'use strict'; this === globalThis", True),
    ],
)
def test_eval_returns_the_completion_value(code: str, value: Any) -> None:
    with Sandbox() as box:
        result = box.eval(code)
    assert result == value
    assert type(result) is type(value)


def test_declarations_persist() -> None:
    with Sandbox() as box:
        box.eval("const a = 1; let b = 2; var c = 3; function d() { return 4 } class E {}")
        assert box.eval("[a, b, c, d(), typeof E]") == [1, 2, 3, 4, "function"]
        with pytest.raises(JSSyntaxError):
            box.eval("const a = 2")
        assert box.eval("b += 1") == 3


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        ("throw new TypeError('no')", JSError, "TypeError: no"),
        ("throw 42", JSError, "42"),
        ("missing", JSError, "ReferenceError: missing is not defined"),
        ("1 +", JSSyntaxError, "SyntaxError"),
        ("await Promise.reject(new Error('late'))", JSError, "Error: late"),
        ("Promise.reject(new Error('value'))", JSError, "Error: value"),
        ("Promise.reject(new Error('nobody')); 1", UnhandledRejection, "Error: nobody"),
        ("setTimeout(() => { throw new Error('task') }); new Promise(done => setTimeout(done, 5))", JSError, "task"),
        ("queueMicrotask(() => { throw new Error('micro') }); 1", JSError, "micro"),
        ("new Promise(() => {})", Stalled, "never settle"),
        ("await new Promise(() => {})", Stalled, "never settle"),
        ("Symbol('s')", ConversionError, "symbol"),
        ("throw new Date(NaN)", ConversionError, "invalid Date"),
    ],
)
def test_failures_are_typed_and_leave_the_sandbox_usable(code: str, error: type[Exception], text: str) -> None:
    with Sandbox() as box:
        with pytest.raises(error, match=text) as caught:
            box.eval(code)
        assert type(caught.value) is error
        assert box.eval("1 + 1") == 2


def test_a_handled_rejection_is_no_failure() -> None:
    with Sandbox() as box:
        assert box.eval("Promise.reject(1).catch(() => {}); 5") == 5


def test_errors_know_the_sources_they_point_into() -> None:
    with Sandbox() as box:
        box.eval("function fail() {\n  throw new Error('here')\n}", filename="lib.js")
        with pytest.raises(JSError) as caught:
            box.eval("fail()", filename="main.js")
    error = caught.value
    assert [(frame.file, frame.line) for frame in error.frames[:2]] == [("lib.js", 2), ("main.js", 1)]
    assert error.sources["lib.js"].startswith("function fail")
    assert "lib.js:2" in error.render()


def test_file_names_of_evaluations_are_counted() -> None:
    with Sandbox() as box:
        box.eval("1")
        with pytest.raises(JSError) as caught:
            box.eval("throw new Error('x')")
    assert caught.value.frames[0].file == "<eval 2>"


class TestCall:
    def test_by_name_and_path(self) -> None:
        with Sandbox() as box:
            box.eval("function add(a, b) { return a + b }; const app = {base: 10, at(n) { return this.base + n }}")
            assert box.call("add", 1, 2) == 3
            assert box.call("app.at", 5) == 15
            assert box.call("Math.max", 1, 9, 4) == 9

    def test_a_function_value(self) -> None:
        with Sandbox() as box:
            double = box.eval("n => n * 2")
            assert isinstance(double, JSFunction)
            assert box.call(double, 4) == double(4) == 8

    def test_this(self) -> None:
        with Sandbox() as box:
            name = box.eval("(function () { return this.name })")
            assert box.call(name, this={"name": "x"}) == "x"
            assert name(this={"name": "y"}) == "y"

    def test_a_promise_is_waited_for(self) -> None:
        with Sandbox() as box:
            box.eval("const later = async n => { await null; return n + 1 }")
            assert box.call("later", 1) == 2

    @pytest.mark.parametrize("path", ["missing", "app.missing", "app.n", "", "1 + 1"])
    def test_what_is_no_function(self, path: str) -> None:
        with Sandbox() as box:
            box.eval("var app = {n: 1}")
            with pytest.raises(JSError):
                box.call(path)
            assert box.eval("app.n") == 1

    def test_functions_of_other_sandboxes(self) -> None:
        with Sandbox() as one, Sandbox() as other:
            function = one.eval("() => 1")
            with pytest.raises(ConversionError, match="another sandbox"):
                other.call(function)
            one.eval("const call = f => f()")
            with pytest.raises(ConversionError, match="another sandbox"):
                one.call("call", other.eval("() => 2"))
            assert one.call("call", function) == 1

    def test_a_released_function(self) -> None:
        with Sandbox() as box:
            function = box.eval("() => 1")
            function.release()
            with pytest.raises(ConversionError, match="released"):
                box.call(function)
            assert box.eval("1") == 1
            assert box.usage.live_handles == 0

    def test_functions_are_released_when_they_are_collected(self) -> None:
        with Sandbox() as box:
            functions = box.eval("[() => 1, () => 2, () => 3]")
            assert box.usage.live_handles == 3
            del functions
            gc.collect()
            box.eval("1")
            assert box.usage.live_handles == 0


class TestTime:
    def test_run_until_idle(self) -> None:
        with Sandbox(clock="virtual") as box:
            box.eval("const seen = []; setTimeout(() => { seen.push(1); setTimeout(() => seen.push(2), 1e6) }, 1e6)")
            assert box.eval("seen") == []
            box.run_until_idle()
            assert box.eval("seen") == [1, 2]
            assert box.usage.pending_requests == 0

    def test_nothing_to_run(self) -> None:
        with Sandbox() as box:
            box.run_until_idle()
            box.run_until_idle(timeout=1)

    def test_run_until_idle_raises_what_nobody_caught_and_can_go_on(self) -> None:
        with Sandbox(clock="virtual") as box:
            box.eval("let n = 0; setTimeout(() => { throw new Error('first') }, 1); setTimeout(() => n++, 2)")
            with pytest.raises(JSError, match="first"):
                box.run_until_idle()
            box.run_until_idle()
            assert box.eval("n") == 1

    def test_the_virtual_clock_jumps_when_nothing_else_is_waited_for(self) -> None:
        with Sandbox(clock="virtual") as box:
            assert box.eval("await new Promise(done => setTimeout(done, 86_400_000)); performance.now()") == 86_400_000
            assert box.eval("new Date().toISOString()") == "2000-01-02T00:00:00.000Z"
            assert box.usage.wall_seconds < 10

    def test_tick_runs_timers_in_order_each_at_its_time(self) -> None:
        with Sandbox(clock="virtual") as box:
            box.eval(
                "const log = []; const note = name => log.push([name, performance.now()]);"
                "setTimeout(note, 30, 'c'); setTimeout(note, 10, 'a');"
                "setTimeout(() => { note('b'); setTimeout(note, 5, 'b2') }, 20); setTimeout(note, 100, 'never')"
            )
            box.tick(30)
            assert box.eval("log") == [["a", 10], ["b", 20], ["b2", 25], ["c", 30]]
            assert box.eval("performance.now()") == 30
            box.tick(0.5)
            assert box.eval("performance.now()") == 30.5

    def test_tick_raises_what_a_timer_throws_and_stops_there(self) -> None:
        with Sandbox(clock="virtual") as box:
            box.eval("let n = 0; setTimeout(() => { throw new Error('t') }, 10); setTimeout(() => n++, 20)")
            with pytest.raises(JSError, match="t"):
                box.tick(100)
            assert box.eval("[n, performance.now()]") == [0, 10]
            box.tick(10)
            assert box.eval("n") == 1

    @pytest.mark.parametrize(
        ("milliseconds", "error"), [(-1, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)]
    )
    def test_tick_takes_a_duration(self, milliseconds: Any, error: type[Exception]) -> None:
        with Sandbox(clock="virtual") as box, pytest.raises(error, match="milliseconds"):
            box.tick(milliseconds)

    def test_tick_needs_the_virtual_clock(self) -> None:
        with Sandbox() as box, pytest.raises(TypeError, match="virtual"):
            box.tick(1)

    def test_timers_of_an_earlier_run_go_on_in_later_ones(self) -> None:
        with Sandbox(clock="virtual") as box:
            box.eval("let ticks = 0; setInterval(() => ticks++, 10)")
            assert box.eval("await new Promise(done => setTimeout(done, 35)); ticks") == 3

    def test_real_timers(self) -> None:
        with Sandbox() as box:
            box.eval("const begun = performance.now()")
            assert box.eval("await new Promise(done => setTimeout(done, 20)); performance.now() - begun") >= 20


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"clock": "fast"}, ValueError, "clock"),
            ({"seed": 1.5}, TypeError, "seed"),
            ({"seed": True}, TypeError, "seed"),
            ({"limits": 5}, TypeError, "limits"),
            ({"functions": {"f": 1}}, TypeError, r"functions\['f'\] must be callable.*; give objects .* as globals"),
            ({"functions": [print]}, TypeError, "functions"),
            ({"functions": {1: print}}, TypeError, "names in functions"),
            ({"globals": {1: 1}}, TypeError, "names in globals"),
            ({"globals": {"x": object()}}, ConversionError, "object"),
            ({"console": "stdout"}, TypeError, "console"),
            ({"modules": "node_modules"}, TypeError, "not str; SourceTree and NodeModules serve folders"),
            ({"modules": Path("src")}, TypeError, "Path; SourceTree and NodeModules serve folders"),
            ({"modules": 5}, TypeError, "not int$"),
            ({"memory": 1}, TypeError, "memory"),
        ],
    )
    def test_bad_options(self, options: dict[str, Any], error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text):
            Sandbox(**options)

    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"timeout": 0}, ValueError, "timeout"),
            ({"timeout": -1}, ValueError, "timeout"),
            ({"timeout": math.inf}, ValueError, "timeout"),
            ({"timeout": math.nan}, ValueError, "timeout"),
            ({"timeout": "1"}, TypeError, "timeout"),
            ({"timeout": True}, TypeError, "timeout"),
            ({"fuel": 0}, ValueError, "fuel"),
            ({"fuel": 1 << 63}, ValueError, "fuel"),
            ({"fuel": 1.5}, TypeError, "fuel"),
            ({"filename": 3}, TypeError, "filename"),
        ],
    )
    def test_bad_options_of_a_call(self, options: dict[str, Any], error: type[Exception], text: str) -> None:
        with Sandbox() as box:
            with pytest.raises(error, match=text):
                box.eval("1", **options)
            assert box.eval("1") == 1

    @pytest.mark.parametrize("code", [b"1", 1, None])
    def test_code_is_text(self, code: Any) -> None:
        with Sandbox() as box, pytest.raises(TypeError, match="code must be a str"):
            box.eval(code)

    @pytest.mark.parametrize("function", [1, None, len])
    def test_what_can_be_called(self, function: Any) -> None:
        with Sandbox() as box, pytest.raises(TypeError, match="function must be"):
            box.call(function)

    def test_a_seed_makes_random_numbers_repeatable(self) -> None:
        code = "[Math.random(), crypto.randomUUID(), ...crypto.getRandomValues(new Uint8Array(4))]"

        def draw(seed: int | None) -> Any:
            with Sandbox(seed=seed) as box:
                return box.eval(code)

        assert draw(1) == draw(1)
        assert draw(1) != draw(2)
        assert draw(0) == draw(0)
        assert draw(None) != draw(None)

    def test_console_entries_arrive_in_order_as_they_happen(self) -> None:
        seen: list[Any] = []
        with Sandbox(console=seen.append, functions={"mark": lambda: seen.append("mark")}) as box:
            box.eval("console.log('a', 1); mark(); console.warn('b')")
        assert [entry.text if isinstance(entry, ConsoleEntry) else entry for entry in seen] == ["a 1", "mark", "b"]

    def test_limits_are_visible(self) -> None:
        limits = Limits(cpu_seconds=1)
        with Sandbox(limits=limits) as box:
            assert box.limits is limits
        with Sandbox() as box:
            assert box.limits == Limits()


class TestLife:
    def test_close_is_idempotent_and_final(self) -> None:
        box = Sandbox(globals={"x": 1})
        function = box.eval("() => 1")
        assert not box.closed
        box.close()
        box.close()
        assert box.closed
        for use in (
            lambda: box.eval("1"),
            lambda: box.call("f"),
            lambda: box.globals["x"],
            lambda: box.globals.__setitem__("x", 1),
            lambda: box.function(abs),
            lambda: box.run_until_idle(),
            lambda: box.tick(1),
            lambda: function(),
            lambda: box.__enter__(),
        ):
            with pytest.raises(SandboxClosed):
                use()
        assert box.usage.runs == 2
        assert box.usage.memory_bytes == 0
        assert box.usage.peak_memory_bytes > 0

    def test_what_the_body_raises_passes_through(self) -> None:
        with pytest.raises(KeyError), Sandbox() as box:
            raise KeyError("mine")
        assert box.closed

    def test_repr_tells_the_state(self) -> None:
        box = Sandbox(functions={"show": lambda: repr(box)})
        assert repr(box) == "<Sandbox ready>"
        assert box.eval("show()") == "<Sandbox running>"
        box.close()
        assert repr(box) == "<Sandbox closed>"

    def test_a_sandbox_nobody_holds_is_freed(self) -> None:
        box = Sandbox(functions={"f": lambda: 1})
        keep = box.eval("() => f()")
        box.eval("setTimeout(() => {}, 1e9)")
        del box, keep
        # The fixture of all tests sees that nothing is left.

    @pytest.mark.parametrize(
        "code",
        [
            "later(); 0",
            "Promise.all([later(), later()]); 0",
            "globalThis.steps = stream(); steps.next().then(() => steps.next()); 0",
            "globalThis.steps = stream(); (await steps.next()).value",
            "later(); throw new Error('its traceback holds the frame of this test')",
            "nested('later(); throw 1')",
            "later(); await soon(); for (;;);",
        ],
    )
    def test_host_calls_of_a_sandbox_nobody_holds_are_cancelled(self, code: str) -> None:
        began, ended = threading.Semaphore(0), threading.Semaphore(0)

        async def later() -> None:
            began.release()
            try:
                await anyio.sleep_forever()
            finally:
                ended.release()

        async def soon() -> None:
            """What was asked for before has begun."""

        async def stream() -> AsyncIterator[int]:
            began.release()
            try:
                yield 1
                await anyio.sleep_forever()
            finally:
                ended.release()

        def nobodys() -> weakref.ref[Sandbox]:
            functions: dict[str, Any] = {"later": later, "soon": soon, "stream": stream}
            box = Sandbox(functions=functions, limits=Limits(cpu_seconds=0.05))
            box.globals["nested"] = lambda code: box.eval(code)
            with contextlib.suppress(JSError, CpuLimitExceeded):
                assert box.eval(code) in (0, 1)
            return weakref.ref(box)

        nobody = nobodys()
        assert began.acquire(timeout=10)
        gc.collect()
        assert nobody() is None
        assert ended.acquire(timeout=10)

    def test_closing_with_host_calls_pending_cancels_them(self) -> None:
        began, ended = threading.Event(), threading.Event()

        async def slow() -> None:
            try:
                began.set()
                await anyio.sleep_forever()
            finally:
                ended.set()

        box = Sandbox(functions={"slow": slow})
        box.eval("slow(); 1")
        assert began.wait(10)
        assert box.usage.pending_requests == 1
        box.close()
        assert ended.wait(10)
        assert box.usage.pending_requests == 0

    def test_closing_in_a_host_function(self) -> None:
        box = Sandbox(functions={"close": lambda: box.close()})
        with pytest.raises(JSError) as caught:
            box.eval("close()")
        assert isinstance(caught.value.__cause__, SandboxBusy)
        assert box.eval("1") == 1
        box.close()


class TestUsage:
    def test_counts(self) -> None:
        with Sandbox(functions={"f": lambda: 1}) as box:
            before = box.usage
            box.eval("f(); f(); for (let i = 0; i < 1e5; i++);")
            after = box.usage
        assert after.host_calls - before.host_calls == 2
        assert after.runs - before.runs == 1
        assert after.turns - before.turns == 1
        assert after.fuel > before.fuel
        assert after.cpu_seconds > before.cpu_seconds
        assert after.wall_seconds > before.wall_seconds

    def test_fuel_is_the_same_every_time(self) -> None:
        def burn() -> int:
            with Sandbox(seed=1, clock="virtual") as box:
                box.eval("let s = 0; for (let i = 0; i < 1000; i++) s += i; s")
                return box.usage.fuel

        assert burn() == burn()

    def test_time_in_the_host_is_not_cpu_time(self) -> None:
        with Sandbox(functions={"wait": lambda: time.sleep(0.05)}) as box:
            box.eval("wait()")
            assert box.usage.cpu_seconds < 0.04
            assert box.usage.wall_seconds >= 0.05

    def test_a_program_that_was_stopped_is_counted(self) -> None:
        with Sandbox(limits=Limits(wall_seconds=0.05)) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval("while (true);")
            assert 0.04 < box.usage.cpu_seconds < 5
