"""Host functions: what they get, give and raise, sync and async, and how they call back into the guest."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSError, JSFunction, Limits, Sandbox, undefined
from sandbox.errors import (
    ConversionError,
    FuelLimitExceeded,
    LimitExceeded,
    SandboxBusy,
    UnhandledRejection,
    WallLimitExceeded,
)
from tests.faces import evaluate


async def _double(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n * 2


class _Tool:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def times(self, n: int) -> int:
        return n * self.factor

    async def later(self, n: int) -> int:
        return await _double(n)

    def __call__(self, n: int) -> int:
        return n + self.factor


class _AsyncTool:
    async def __call__(self, n: int) -> int:
        return await _double(n)


@pytest.mark.parametrize(
    ("function", "code", "value"),
    [
        (lambda a, b: a + b, "f(1, 2)", 3),
        (lambda *args: list(args), "f(1, 'x', null, undefined)", [1, "x", None, undefined]),
        (lambda: None, "f()", None),
        (_Tool(3).times, "f(2)", 6),
        (_Tool(3), "f(2)", 5),
        (functools.partial(_Tool.times, _Tool(4)), "f(2)", 8),
        (max, "f(1, 5)", 5),
        (dict, "f()", {}),
        (_double, "await f(4)", 8),
        (_double, "f(4) instanceof Promise", True),
        (_Tool(1).later, "await f(4)", 8),
        (functools.partial(_double, 5), "await f()", 10),
        (_AsyncTool(), "await f(3)", 6),
        (_double, "(await Promise.all([f(1), f(2), f(3)])).join()", "2,4,6"),
    ],
)
def test_calls(function: Callable[..., Any], code: str, value: Any) -> None:
    with Sandbox(functions={"f": function}) as box:
        assert box.eval(code) == value


def test_name_and_parameter_count_of_a_host_function() -> None:
    def add(a: int, b: int, c: int = 0) -> int:
        return a + b + c

    with Sandbox(functions={"sum": add}) as box:
        assert box.eval("[sum.name, sum.length, typeof sum]") == ["add", 2, "function"]


class TestDecorator:
    def test_under_its_own_name_and_another(self) -> None:
        with Sandbox() as box:

            @box.function
            def greet(name: str) -> str:
                return f"hello {name}"

            @box.function(name="later")
            async def _later(n: int) -> int:
                return n + 1

            assert box.eval("greet('x')") == "hello x"
            assert box.eval("await later(1)") == 2
            assert greet("y") == "hello y"

    def test_it_is_there_for_calls_and_globals_as_well(self) -> None:
        with Sandbox() as box:
            box.function(name="one")(lambda: 1)
            assert box.call("one") == 1
            box.function(name="two")(lambda: 2)
            assert "two" in box.globals

    @pytest.mark.parametrize(
        ("function", "error"), [(lambda: 1, ValueError), (5, TypeError), (functools.partial(abs), ValueError)]
    )
    def test_what_cannot_be_bound(self, function: Any, error: type[Exception]) -> None:
        with Sandbox() as box, pytest.raises(error):
            box.function(function)

    def test_a_global_that_cannot_be_set(self) -> None:
        with Sandbox() as box:
            box.eval("Object.defineProperty(globalThis, 'fixed', {value: 1})")
            box.function(name="fixed")(lambda: 2)
            with pytest.raises(JSError, match="read-only"):
                box.eval("var ran = 1")
            assert box.eval("fixed") == 1
            assert "ran" not in box.globals


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "name", "message"),
        [
            (ValueError("bad"), "RangeError", "bad"),
            (TypeError("bad"), "TypeError", "bad"),
            (KeyError("key"), "Error", "key"),
            (PermissionError(13, "denied", "/secret/path"), "NotAllowedError", "denied"),
            (FileNotFoundError(2, "missing", "/secret/path"), "NotFoundError", "missing"),
            (TimeoutError("slow"), "TimeoutError", "slow"),
            (ZeroDivisionError("zero"), "RangeError", "zero"),
            (RuntimeError(), "Error", ""),
            (StopIteration("stop"), "Error", "stop"),
        ],
    )
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_an_exception_becomes_an_error_of_the_guest(
        self, error: Exception, name: str, message: str, asynchronous: bool
    ) -> None:
        def fail() -> None:
            raise error

        async def fail_later() -> None:
            raise error

        if asynchronous and isinstance(error, StopIteration):
            pytest.skip("a coroutine cannot raise StopIteration")
        with Sandbox(functions={"f": fail_later if asynchronous else fail}) as box:
            code = "try { await f() } catch (e) { [e.name, e.message, e instanceof Error, e.stack.includes('secret')] }"
            assert box.eval(code) == [name, message, True, False]

    def test_the_exception_comes_back_as_the_cause(self) -> None:
        original = ValueError("mine")

        def fail(*_: Any) -> None:
            raise original

        with Sandbox(functions={"f": fail}) as box:
            for code in ("f()", "(async () => f())()", "Promise.resolve().then(f)"):
                with pytest.raises(JSError, match="mine") as caught:
                    box.eval(code)
                assert caught.value.__cause__ is original

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_what_is_no_exception_reaches_python(self, kind: type[BaseException], asynchronous: bool) -> None:
        error = kind("mine")

        def fail() -> None:
            raise error

        async def fail_later() -> None:
            raise error

        with Sandbox(functions={"f": fail_later if asynchronous else fail}) as box:
            with pytest.raises(kind) as caught:
                box.eval("try { await f() } catch { } finally { globalThis.ran = 1 }; 'caught'")
            assert caught.value is error
            assert box.eval("1 + 1") == 2
            if not asynchronous:
                assert "ran" not in box.globals

    def test_it_reaches_python_through_nested_calls(self) -> None:
        def fail() -> None:
            raise KeyboardInterrupt

        seen: list[type[BaseException]] = []

        def outer(callback: JSFunction) -> None:
            try:
                callback()
            except BaseException as error:
                seen.append(type(error))
                raise

        with Sandbox(functions={"fail": fail, "outer": outer}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("try { outer(() => { try { fail() } catch {} }) } catch {}")
            assert seen == [KeyboardInterrupt]
            assert box.eval("1") == 1

    def test_it_reaches_python_even_when_a_host_function_swallows_it_on_the_way(self) -> None:
        def fail() -> None:
            raise KeyboardInterrupt

        def outer(callback: JSFunction) -> None:
            with pytest.raises(KeyboardInterrupt):
                callback()

        with Sandbox(functions={"fail": fail, "outer": outer}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("outer(fail); while (true);")
            assert box.eval("1") == 1

    @pytest.mark.parametrize("value", [object(), {1: object()}, 1j])
    def test_a_value_that_cannot_cross(self, value: Any) -> None:
        async def later() -> Any:
            return value

        with Sandbox(functions={"now": lambda: value, "later": later}) as box:
            for call in ("now()", "later()"):
                assert box.eval(f"try {{ await {call} }} catch (e) {{ e.name }}") == "TypeError"

    def test_arguments_that_cannot_cross(self) -> None:
        calls: list[Any] = []

        async def later(value: Any) -> None:
            calls.append(value)

        with Sandbox(functions={"now": calls.append, "later": later}) as box:
            for call in ("now(Symbol())", "later(Symbol())", "now(new Date(NaN))", "later(new Date(NaN))"):
                assert box.eval(f"try {{ await {call} }} catch (e) {{ e.name }}") == "TypeError"
            assert box.eval("later(new Date(NaN)).catch(() => {}); await later(1); 'others go on'") == "others go on"
        assert calls == [1]

    def test_wrong_arguments_are_the_guests_fault(self) -> None:
        with Sandbox(functions={"f": lambda a: a, "g": _double}) as box:
            assert box.eval("try { f() } catch (e) { e.name }") == "TypeError"
            assert box.eval("try { await g(1, 2) } catch (e) { e.name }") == "TypeError"


class TestGuestFunctions:
    @pytest.mark.parametrize(
        ("code", "arguments", "value"),
        [
            ("(class { constructor(x, y) { this.sum = x + y } })", (1, 2), {"sum": 3}),
            ("(function Old(x) { this.x = x })", (1,), {"x": 1}),
            ("Date", (0,), datetime(1970, 1, 1, tzinfo=UTC)),
            ("Array", (2,), [undefined, undefined]),
            ("(class { constructor() { return [new.target.name] } })", (), [""]),
        ],
    )
    def test_a_class_makes_objects(self, code: str, arguments: tuple[Any, ...], value: Any) -> None:
        with Sandbox() as box:
            assert box.eval(code).new(*arguments) == value

        async def asynchronous() -> None:
            async with AsyncSandbox() as box:
                assert await (await box.eval(code)).new(*arguments) == value

        anyio.run(asynchronous)

    @pytest.mark.parametrize("code", ["() => 1", "({m() {}}).m", "Math.max", "async function f() {}; f"])
    def test_what_is_no_class_does_not(self, code: str) -> None:
        with Sandbox() as box, pytest.raises(JSError, match=r"TypeError: (f is )?not a constructor"):
            box.eval(code).new()

    def test_a_call_has_a_time_and_fuel_of_its_own(self) -> None:
        with Sandbox() as box:
            loop = box.eval("(class { constructor() { for (;;); } })")
            spin = box.eval("() => { for (;;); }")
            for call in (spin, loop.new):
                with pytest.raises(WallLimitExceeded):
                    call(timeout=0.02)
                with pytest.raises(ValueError, match="timeout"):
                    call(timeout=0)
            assert box.eval("x => x")(1, fuel=10**7) == 1
            with pytest.raises(FuelLimitExceeded):
                spin(fuel=10**6)

    def test_this(self) -> None:
        with Sandbox() as box:
            whose = box.eval("(function () { 'use strict'; return this })")
            assert whose() is undefined
            assert whose(this=None) is None
            assert whose(this={"a": 1}) == {"a": 1}


class TestCallbacks:
    def test_a_guest_function_can_be_called_where_it_was_given(self) -> None:
        with Sandbox(functions={"map": lambda f, items: [f(item) for item in items]}) as box:
            assert box.eval("map(n => n * 2, [1, 2, 3])") == [2, 4, 6]

    def test_every_way_in(self) -> None:
        def use() -> list[Any]:
            box.globals["set"] = 5
            return [box.eval("1 + 1"), box.call("twice", 4), box.globals["set"], "missing" in box.globals]

        with Sandbox(functions={"use": use}) as box:
            box.eval("const twice = n => 2 * n")
            assert box.eval("use()") == [2, 8, 5, False]

    def test_what_the_guest_throws_can_be_caught(self) -> None:
        def attempt(callback: JSFunction) -> str:
            try:
                callback()
            except JSError as error:
                return error.message
            return "nothing"

        with Sandbox(functions={"attempt": attempt}) as box:
            assert box.eval("attempt(() => { throw new Error('inner') })") == "inner"

    def test_it_passes_through_as_the_error_it_is(self) -> None:
        with Sandbox(functions={"call": lambda f: f()}) as box:
            code = "const e = new RangeError('x'); try { call(() => { throw e }) } catch (c) { [c.name, c.message] }"
            assert box.eval(code) == ["RangeError", "x"]

    def test_a_promise_cannot_be_waited_for(self) -> None:
        with Sandbox(functions={"call": lambda f: f()}) as box:
            with pytest.raises(JSError) as caught:
                box.eval("call(async () => { await null })")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert box.eval("await null; 1") == 1

    def test_nor_until_nothing_is_pending(self) -> None:
        with Sandbox(functions={"idle": lambda: box.run_until_idle()}) as box:
            with pytest.raises(JSError) as caught:
                box.eval("idle()")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert box.eval("1") == 1

    def test_recursion_through_the_host_ends_with_an_error(self) -> None:
        with Sandbox(functions={"again": lambda f, n: f(n + 1)}) as box:
            with pytest.raises(JSError):
                box.eval("const f = n => again(f, n); f(0)")
            assert box.eval("1") == 1

    def test_sandboxes_inside_sandboxes(self) -> None:
        with Sandbox() as inner, Sandbox(functions={"inner": inner.eval}) as outer:
            assert outer.eval("inner('[1, 2].length') + inner('3')") == 5
            with pytest.raises(JSError, match="deep"):
                outer.eval("inner('throw new Error(\"deep\")')")
            assert inner.eval("1") == 1

    def test_functions_kept_by_the_host(self) -> None:
        handlers: list[JSFunction] = []
        with Sandbox(functions={"on": handlers.append}) as box:
            box.eval("let seen = []; on(x => seen.push(x)); on(async x => { await null; seen.push(-x) })")
            for handler in handlers:
                handler(7)
            assert box.eval("seen") == [7, -7]

    def test_the_guest_may_hand_over_any_number_of_closures(self) -> None:
        with Sandbox(functions={"take": lambda f: None}, limits=Limits(memory_bytes=16 << 20)) as box:
            box.eval("for (let i = 0; i < 50_000; i++) take(() => i)")
            box.eval("1")
            assert box.usage.live_handles == 0

    @pytest.mark.parametrize(
        "code", ["for (;;) keep(() => 1)", "const fs = []; for (let i = 0; i < 200; i++) fs.push(() => i); fs"]
    )
    def test_but_not_for_the_host_to_keep(self, code: str) -> None:
        kept: list[Any] = []
        with Sandbox(functions={"keep": kept.append}, limits=Limits(handles=100)) as box:
            with pytest.raises(LimitExceeded, match="100 handles") as caught:
                box.eval(code)
            assert type(caught.value) is LimitExceeded
            kept.clear()
            del caught
            import gc

            gc.collect()
            box.eval("1")
            assert box.usage.live_handles == 0


class TestAsync:
    def test_calls_run_at_the_same_time(self) -> None:
        both = [threading.Event(), threading.Event()]

        async def meet(me: int) -> str:
            both[me].set()
            await anyio.to_thread.run_sync(both[1 - me].wait, 10)
            return "met"

        with Sandbox(functions={"meet": meet}) as box:
            assert box.eval("await Promise.all([meet(0), meet(1)])") == ["met", "met"]

    def test_an_unawaited_call_goes_on_after_its_run(self) -> None:
        done = threading.Event()

        async def work() -> None:
            done.set()

        with Sandbox(functions={"work": work}) as box:
            box.eval("let finished = false; work().then(() => { finished = true }); 1")
            assert done.wait(10)
            box.run_until_idle()
            assert box.eval("finished") is True

    def test_a_failure_nobody_handles_is_raised_by_whoever_runs_the_guest_next(self) -> None:
        async def fail() -> None:
            raise ValueError("late")

        with Sandbox(functions={"fail": fail}) as box:
            box.eval("fail(); 1")
            with pytest.raises(UnhandledRejection, match="late"):
                box.run_until_idle()

    def test_the_wall_limit_ends_a_wait_and_cancels_the_call(self) -> None:
        cancelled = threading.Event()

        async def hang() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.set()

        with Sandbox(functions={"hang": hang}) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval(
                    "let told; try { await hang() } catch (e) { told = e.name } finally { told += '!' }", timeout=0.05
                )
            assert cancelled.wait(10)
            box.run_until_idle()
            assert box.eval("told") == "AbortError!"

    @pytest.mark.parametrize("code", ["(async () => { await hang() })()", "hang()", "hang().finally(() => 1)"])
    def test_the_guests_reaction_to_an_abort_is_not_the_next_runs_failure(self, code: str) -> None:
        async def hang() -> None:
            await anyio.sleep_forever()

        with Sandbox(functions={"hang": hang}) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval(f"{code}; await new Promise(() => {{}})", timeout=0.05)
            assert box.eval("await new Promise(done => setTimeout(done, 1)); 1") == 1
            box.run_until_idle()

    @pytest.mark.parametrize("ending", ["await new Promise(() => {})", "1"])
    def test_nor_is_a_call_whose_outcome_is_no_exception_a_second_failure(self, ending: str) -> None:
        async def fail() -> None:
            raise KeyboardInterrupt

        with Sandbox(functions={"fail": fail}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval(f"fail(); {ending}")
                box.run_until_idle()
            assert box.eval("await 1") == 1
            box.run_until_idle()

    def test_a_call_may_use_the_sandbox_while_its_caller_waits(self) -> None:
        async def use(callback: JSFunction) -> Any:
            return [callback(1), box.eval("2")]

        with Sandbox(functions={"use": use}) as box:
            assert box.eval("await use(n => n + 1)") == [2, 2]

    def test_but_not_wait_for_it(self) -> None:
        async def use(callback: JSFunction) -> Any:
            return callback()

        with Sandbox(functions={"use": use}) as box:
            with pytest.raises(JSError) as caught:
                box.eval("await use(() => new Promise(done => setTimeout(done, 1)))")
            assert isinstance(caught.value.__cause__, SandboxBusy)

    def test_time_stands_still_on_a_virtual_clock_while_the_host_works(self) -> None:
        with Sandbox(functions={"double": _double}, clock="virtual") as box:
            code = "await Promise.race([double(1), new Promise(done => setTimeout(done, 1, 'timer'))])"
            assert box.eval(code) == 2

    def test_too_many_at_once(self) -> None:
        async def hang() -> None:
            await anyio.sleep_forever()

        with Sandbox(functions={"hang": hang}, limits=Limits(pending_requests=10)) as box:
            box.eval("for (let i = 0; i < 10; i++) hang(); 1")
            assert box.usage.pending_requests == 10
            code = "const seen = []; for (let i = 0; i < 3; i++) await hang().catch(e => seen.push(e.message)); seen"
            assert set(box.eval(code)) == {"too many host calls and timers are pending"}
            assert box.usage.host_calls == 10

    def test_only_so_many_are_worked_on_at_one_time(self, face: str) -> None:
        begun: list[int] = []
        ended: list[int] = []
        most = 0

        async def work(n: int) -> int:
            nonlocal most
            begun.append(n)
            most = max(most, len(begun) - len(ended))
            await anyio.lowlevel.checkpoint()
            ended.append(n)
            return n

        code, limits = "Promise.all(Array.from({length: 60}, (_, i) => work(i)))", Limits(concurrent_calls=7)

        values = evaluate(face, code, functions={"work": work}, limits=limits)
        assert values == sorted(begun) == list(range(60))
        assert begun == values or face == "trio"  # which runs what it has started in any order
        assert most == 7

    def test_those_that_wait_for_their_turn_begin_without_the_guest(self) -> None:
        ended = threading.Semaphore(0)

        async def work() -> None:
            await anyio.lowlevel.checkpoint()
            ended.release()

        with Sandbox(functions={"work": work}, limits=Limits(concurrent_calls=3)) as box:
            box.eval("for (let i = 0; i < 50; i++) work(); 1")
            assert all(ended.acquire(timeout=10) for _ in range(50))

    def test_those_that_wait_are_given_up_with_their_run(self) -> None:
        begun: list[int] = []

        async def work(n: int) -> int:
            begun.append(n)
            if n < 3:
                await anyio.sleep_forever()
            return n

        with Sandbox(functions={"work": work}, limits=Limits(concurrent_calls=3)) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval("Promise.all(Array.from({length: 50}, (_, i) => work(i)))", timeout=0.1)
            assert box.eval("await work(100)") == 100
            assert begun == [0, 1, 2, 100]

    def test_cancelled_by_itself(self) -> None:
        import asyncio

        async def cancelled() -> None:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        with Sandbox(functions={"f": cancelled}) as box:
            with pytest.raises(asyncio.CancelledError):
                box.eval("await f()")
            assert box.eval("1") == 1


def test_a_slow_function_counts_for_the_wall_limit() -> None:
    with Sandbox(functions={"slow": lambda: time.sleep(0.06)}) as box:
        for code in ("slow()", "slow(); while (true);", "try { slow() } catch {} finally { while (true); }"):
            with pytest.raises(WallLimitExceeded):
                box.eval(code, timeout=0.05)
            assert box.eval("1") == 1


def test_only_functions_of_the_host_can_be_called() -> None:
    with Sandbox() as box:
        assert (
            box.eval("Object.getOwnPropertyNames(globalThis).filter(name => /host|sandbox|python/i.test(name))") == []
        )


def test_functions_are_bound_once_and_freed_with_the_guests_reference() -> None:
    with Sandbox() as box:
        box.globals["f"] = abs
        box.globals["g"] = abs
        assert box.eval("f(-1) + g(-2)") == 3
        operations = box._driver._operations
        assert operations.bound() == 1
        del box.globals["f"], box.globals["g"]
        box.eval("1")
        assert operations.bound() == 0


@pytest.mark.anyio
class TestOnTheAsyncFace:
    async def test_sync_and_async_functions(self) -> None:
        async with AsyncSandbox(functions={"double": _double, "add": lambda a, b: a + b}) as box:
            assert await box.eval("add(1, await double(2))") == 5

    async def test_callbacks_of_sync_functions_answer_at_once(self) -> None:
        async with AsyncSandbox(functions={"map": lambda f, items: [f(item) for item in items]}) as box:
            assert await box.eval("map(n => n * 2, [1, 2, 3])") == [2, 4, 6]

    async def test_callbacks_of_async_functions_are_awaited(self) -> None:
        async def use(callback: JSFunction) -> Any:
            return [await callback(1), await box.eval("await null; 2")]

        async with AsyncSandbox(functions={"use": use}) as box:
            assert await box.eval("await use(async n => { await null; return n + 1 })") == [2, 2]

    async def test_a_sync_function_cannot_wait_for_the_guest_through_the_loop(self) -> None:
        def use(callback: JSFunction) -> Any:
            return anyio.from_thread.run(box.eval, "1")

        async with AsyncSandbox(functions={"use": use}) as box:
            with pytest.raises(JSError) as caught:
                await box.eval("use(() => 1)")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert await box.eval("1") == 1

    async def test_the_decorator_binds_before_the_next_run(self) -> None:
        async with AsyncSandbox() as box:

            @box.function
            async def double(n: int) -> int:
                return await _double(n)

            @box.function(name="add")
            def _add(a: int, b: int) -> int:
                return a + b

            assert await box.eval("add(1, await double(2))") == 5

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_what_is_no_exception_reaches_python(self, kind: type[BaseException], asynchronous: bool) -> None:
        def fail() -> None:
            raise kind

        async def fail_later() -> None:
            raise kind

        async with AsyncSandbox(functions={"f": fail_later if asynchronous else fail}) as box:
            with pytest.raises(kind):
                await box.eval("try { await f() } catch { }; 1")
            assert await box.eval("1 + 1") == 2


def test_conversion_errors_of_arguments_name_the_place() -> None:
    with Sandbox() as box:
        box.eval("const f = x => x")
        with pytest.raises(ConversionError, match=r"\$"):
            box.call("f", {"a": [object()]})
        assert box.call("f", 1) == 1


def test_what_the_guest_sent_before_a_nested_call_is_heard_once() -> None:
    heard: list[str] = []
    with Sandbox(console=lambda entry: heard.append(entry.text)) as box:
        box.function(lambda: box.eval("1 + 1"), name="again")
        assert box.eval("console.log('before'); again(); console.log('after'); 3") == 3
    assert heard == ["before", "after"]


class _Unreadable(Mapping[str, int]):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        raise self._error

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("error", [ValueError("inside"), RuntimeError("inside"), OSError("inside")], ids=repr)
@pytest.mark.parametrize("code", ["f()", "await g()", "await f2()", "[...it()]"])
def test_what_fails_while_a_value_is_read_is_thrown_in_the_guest(error: Exception, code: str) -> None:
    async def later() -> object:
        return _Unreadable(error)

    functions: dict[str, Callable[..., Any]] = {
        "f": lambda: [_Unreadable(error)],
        "g": later,
        "f2": lambda: later(),
        "it": lambda: iter([_Unreadable(error)]),
    }
    with Sandbox(functions=functions) as box:
        assert box.eval(f"let text; try {{ {code} }} catch (e) {{ text = e.message }} text") == "inside"
        with pytest.raises(JSError, match="inside"):
            box.eval(code)
        assert box.usage.pending_requests == 0


def test_a_callable_that_cannot_be_asked_about_is_thrown_in_the_guest() -> None:
    class Odd:
        @property
        def __signature__(self) -> object:
            raise RuntimeError("no signature")

        def __call__(self) -> None: ...

    with Sandbox(functions={"f": lambda: Odd()}) as box, pytest.raises(JSError, match="no signature"):
        box.eval("f()")


def test_a_value_whose_failure_cannot_cross_either() -> None:
    error: Exception = ValueError("innermost")
    for _ in range(600):
        error = ExceptionGroup("around", [error])
    with (
        Sandbox(functions={"f": lambda: _Unreadable(error)}) as box,
        pytest.raises(ConversionError, match="cannot be read"),
    ):
        box.eval("f()")
