"""Threads: turns do not mix, no crash, no hang, no lost wake-up."""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import JSFunction, Limits, Sandbox, _portal, _threads
from sandbox._native_stack import Gauge
from sandbox.errors import ConversionError, RunInterrupted, SandboxBusy, SandboxClosed, Stalled, WallLimitExceeded
from tests.child import in_child


def _in_thread(function: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(20)


class TestOneSandboxManyThreads:
    def test_each_thread_may_use_it(self) -> None:
        with Sandbox(globals={"n": 0}) as box:
            assert _in_thread(lambda: box.eval("n + 1")) == 1
            assert _in_thread(lambda: box.call("Math.max", 3, 4)) == 4

    def test_turns_do_not_mix(self) -> None:
        with Sandbox(functions={"f": lambda x: x}) as box, ThreadPoolExecutor(8) as pool:
            box.eval(
                "let inside = 0; const step = x => { if (inside++) throw new Error('mixed'); f(x); inside--; return x }"
            )
            assert list(pool.map(lambda n: box.call("step", n), range(400))) == list(range(400))

    def test_while_one_run_waits_others_go_on(self) -> None:
        asked = threading.Event()

        async def ask() -> str:
            asked.set()
            await anyio.to_thread.run_sync(answered.wait, 20)
            return "answer"

        answered = threading.Event()
        with Sandbox(functions={"ask": ask}) as box, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(box.eval, "await ask()")
            assert asked.wait(10)
            assert [box.eval(f"{n} + 1") for n in range(50)] == list(range(1, 51))
            with pytest.raises(SandboxBusy, match="waits"):
                box.close()
            answered.set()
            assert waiting.result(20) == "answer"

    def test_one_run_may_settle_what_another_waits_for(self) -> None:
        async def never() -> None:
            await anyio.sleep_forever()

        with Sandbox(functions={"never": never}) as box, ThreadPoolExecutor(1) as pool:
            box.eval("never(); let go; const gate = new Promise(done => { go = done }); const began = []; 1")
            waiting = pool.submit(box.eval, "began.push(1); await gate")
            while not box.eval("began.length"):
                pass
            box.eval("go('open')")
            assert waiting.result(20) == "open"

    def test_a_run_that_nobody_can_settle_any_more_is_told(self) -> None:
        release = threading.Event()

        async def slow() -> None:
            await anyio.to_thread.run_sync(release.wait, 20)

        with Sandbox(functions={"slow": slow}) as box, ThreadPoolExecutor(2) as pool:
            box.eval("const began = []; 1")
            first = pool.submit(box.eval, "began.push(1); await slow(); 'first'")
            second = pool.submit(box.eval, "began.push(2); await new Promise(() => {})")
            while box.eval("began.length") < 2:
                pass
            release.set()
            assert first.result(20) == "first"
            with pytest.raises(Stalled):
                second.result(20)

    def test_many_waits_at_once(self) -> None:
        async def echo(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            return n

        with Sandbox(functions={"echo": echo}) as box, ThreadPoolExecutor(16) as pool:
            code = "(async n => {{ for (let i = 0; i < 5; i++) n = await echo(n); return n }})({})"
            assert list(pool.map(lambda n: box.eval(code.format(n)), range(100))) == list(range(100))

    def test_timers_of_several_runs(self) -> None:
        with Sandbox() as box, ThreadPoolExecutor(4) as pool:
            code = "new Promise(done => setTimeout(done, {0}, {0}))"
            assert list(pool.map(lambda n: box.eval(code.format(n)), [30, 5, 20, 10])) == [30, 5, 20, 10]

    def test_functions_are_released_from_any_thread(self) -> None:
        with Sandbox() as box:
            functions: list[JSFunction] = box.eval("Array.from({length: 100}, (_, i) => () => i)")

            def drop() -> None:
                while functions:
                    functions.pop()

            threads = [threading.Thread(target=drop) for _ in range(4)]
            for thread in threads:
                thread.start()
            box.eval("for (let i = 0; i < 1e5; i++);")
            for thread in threads:
                thread.join()
            gc.collect()
            box.eval("1")
            assert box.usage.live_handles == 0

    def test_usage_can_be_read_while_the_guest_runs(self) -> None:
        with Sandbox(functions={"read": lambda: _in_thread(lambda: box.usage.turns)}) as box:
            assert box.eval("read()") == 2


class TestSmallStacks:
    @pytest.fixture
    def stack_size(self) -> Any:
        before = threading.stack_size(256 << 10)
        yield
        threading.stack_size(before)

    @pytest.mark.usefixtures("stack_size")
    def test_deep_recursion_on_a_thread_with_a_small_stack(self) -> None:
        results: list[Any] = []

        def use() -> None:
            results.append(_threads.has_room())
            with Sandbox(functions={"f": lambda g: g(), "ident": threading.get_ident}) as box:
                results.append(
                    box.eval("let n = 0; const dive = () => { n++; dive() }; try { dive() } catch (e) { e.name }")
                )
                results.append(box.eval("n > 500"))
                results.append(box.eval("f(() => f(() => 5))"))
                results.append(box.eval("ident()") != threading.get_ident())
                results.append(box.eval("JSON.parse('['.repeat(3000) + ']'.repeat(3000)).length"))

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert results == [False, "RangeError", True, 5, True, 1]

    @pytest.mark.usefixtures("stack_size")
    def test_what_the_guests_thread_raises_is_raised_by_the_call(self) -> None:
        def fail() -> None:
            raise KeyboardInterrupt

        caught: list[BaseException] = []

        def use() -> None:
            with Sandbox(functions={"fail": fail}) as box:
                try:
                    box.eval("fail()")
                except BaseException as error:  # noqa: BLE001 - what it is, is looked at
                    caught.append(error)
                assert box.eval("1") == 1

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert [type(error) for error in caught] == [KeyboardInterrupt]


class TestDeepStacks:
    """A guest that begins where much of the stack is used already must not run out of it."""

    _DIVE = "let n = 0; const dive = () => { n++; [1].map(dive) }; try { dive() } catch (e) { e.name }"

    def test_the_gauge_sees_what_is_used(self) -> None:
        gauge = Gauge()
        if not gauge.left_bytes():
            pytest.skip("the platform does not say")
        left: list[int] = []

        def dive(levels: int) -> int:
            left.append(gauge.left_bytes())
            return max([levels], key=lambda _: dive(levels - 1) if levels else 0)

        dive(50)
        assert left == sorted(left, reverse=True)
        assert 50 * 100 < left[0] - left[-1] < 50 * 20_000
        assert left[0] < 64 << 20

    def test_each_thread_has_its_own_stack(self) -> None:
        def measure() -> int:
            return Gauge().left_bytes()

        before = threading.stack_size(1 << 20)
        try:
            small = _in_thread(measure)
        finally:
            threading.stack_size(before)
        assert small <= 1 << 20
        assert small < measure() or not small

    @pytest.mark.parametrize("levels", [0, 50, 150])
    def test_python_has_recursed_deeply(self, levels: int) -> None:
        def use() -> Any:
            with Sandbox() as box:
                return box.eval(self._DIVE)

        assert _through_c(levels, use) == "RangeError"

    @pytest.mark.parametrize("code", ["JSON.parse('['.repeat(1e5))", "eval('('.repeat(1e5))"])
    def test_a_guest_has_recursed_deeply_and_calls_another(self, code: str) -> None:
        program = f"""
            from sandbox import JSError, Sandbox

            def use():
                try:
                    inner.eval({code!r})
                except JSError as error:
                    return error.name

            with Sandbox(functions={{"use": use}}) as outer, Sandbox() as inner:
                print(outer.eval("let n = 0; const dive = () => ++n < 800 ? [1].map(dive)[0] : use(); dive()"))
                print(inner.eval("'alive'"))
            """
        assert in_child(program) == "RangeError\nalive"


def _through_c(levels: int, function: Callable[[], Any]) -> Any:
    """Call a function from below so many calls that each go through C and so use the native stack."""
    if levels == 0:
        return function()
    results: list[Any] = []

    def call(_: object) -> int:
        results.append(_through_c(levels - 1, function))
        return 0

    sorted([None], key=call)
    return results[0]


def test_many_calls_reach_the_loop_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(*_: object) -> None:
        await anyio.sleep_forever()

    with Sandbox(limits=Limits(wall_seconds=0.1), functions={"sleep": sleep}) as box:
        box.eval("sleep(); 0")
        (loop,) = _portal._loops
        rings, ring = itertools.count(), loop._call_soon
        monkeypatch.setattr(loop, "_call_soon", lambda job: (next(rings), ring(job)))
        with pytest.raises(WallLimitExceeded):
            box.eval("Promise.all(Array.from({length: 5_000}, sleep))")
        assert box.eval("1") == 1
    # Each is a system call and a switch of threads: ten thousand would take seconds, whatever the limit is.
    assert 0 < next(rings) < 2_000


class TestEightThreads:
    """Each use is right or refused with a typed error, whatever the others do at the same time."""

    async def _later(self, n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n

    def _uses(self, box: Sandbox) -> list[Callable[[int], Any]]:
        """Each returns its argument."""

        def globals_(n: int) -> Any:
            box.globals[f"g{n}"] = n
            return box.globals[f"g{n}"]

        return [
            lambda n: box.eval(f"f({n})"),
            lambda n: box.eval(f"await later({n})"),
            lambda n: box.eval(f"await new Promise(done => setTimeout(done, 1, {n}))"),
            lambda n: box.call("same", n),
            lambda n: box.eval("x => x")(n),
            lambda n: next(box.eval(f"(function* () {{ yield {n} }})()")),
            lambda n: box.eval(f"[new Promise(done => setTimeout(() => done({n}), 1))]")[0].result(),
            globals_,
            lambda n: box.module(f"export default {n}")["default"],
            lambda n: box.import_module("numbers")["same"](n),
            lambda n: n if box.usage.runs else None,
            lambda n: n if box.function(len, name=f"h{n % 5}") is len else None,
        ]

    def _sandbox(self) -> Sandbox:
        box = Sandbox(
            functions={"f": lambda n: n, "later": self._later}, modules={"numbers": "export const same = n => n"}
        )
        box.eval("globalThis.same = n => n")
        return box

    def test_mixed_uses_of_one_sandbox(self) -> None:
        box = self._sandbox()
        uses = self._uses(box)

        def work(thread: int) -> list[Any]:
            return [uses[(thread + i) % len(uses)](thread * 100 + i) for i in range(36)]

        with box, ThreadPoolExecutor(8) as pool:
            results = list(pool.map(work, range(8)))
        assert results == [[thread * 100 + i for i in range(36)] for thread in range(8)]

    @pytest.mark.parametrize("end", ["close", "interrupt"])
    def test_one_of_them_ends_it(self, end: str) -> None:
        for _ in range(5):
            box = self._sandbox()
            uses = self._uses(box)
            began, refused = threading.Barrier(8), [SandboxClosed, SandboxBusy, ConversionError, RunInterrupted]

            def work(thread: int, box: Sandbox = box, uses: Any = uses, began: Any = began) -> list[Any]:
                results: list[Any] = []
                began.wait(20)
                for i in range(20):
                    try:
                        if thread == 0 and i % 5 == 4:
                            box.close() if end == "close" else box.interrupt()
                        results.append(uses[(thread + i) % len(uses)](i) == i)
                    except Exception as error:  # noqa: BLE001 - what it is, is looked at
                        results.append(type(error))
                return results

            with ThreadPoolExecutor(8) as pool:
                outcomes = {outcome for results in pool.map(work, range(8)) for outcome in results}
            assert outcomes <= {True, *refused}
            assert box.closed or box.eval("1 + 1") == 2
            box.close()

    def test_each_with_sandboxes_of_its_own(self) -> None:
        def work(thread: int) -> bool:
            for i in range(15):
                with Sandbox(functions={"f": lambda n: n + 1, "later": self._later}) as box:
                    assert box.eval("typeof mine") == "undefined"
                    box.eval(f"globalThis.mine = {thread * 100 + i}")
                    assert box.eval("f(mine)") == thread * 100 + i + 1
                    assert i % 5 or box.eval("await later(mine)") == thread * 100 + i
            return True

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(8)))
