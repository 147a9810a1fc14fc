"""Threads, forks, garbage and the end of the interpreter: no crash, no hang, no lost wake-up."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import JSFunction, Limits, Sandbox, _portal, _threads
from sandbox._native_stack import Gauge
from sandbox.errors import SandboxBusy, Stalled, WallLimitExceeded


def _python(program: str, timeout: float = 30) -> str:
    """Run a program in a fresh interpreter and return what it printed; it must end by itself, silent on stderr."""
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.strip()


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
        assert _python(program) == "RangeError\nalive"


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
class TestFork:
    def test_a_stream_goes_on_in_the_parent_only(self) -> None:
        assert (
            _python(
                """
                import os, sys, warnings
                from sandbox import Sandbox

                async def count():
                    for number in range(3):
                        yield number

                box = Sandbox(functions={"count": count})
                assert box.eval("var begun = count(), later = count(); (await begun.next()).value") == 0
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
                if not child:
                    text = box.eval("let text; try { await begun.next() } catch (e) { text = e.message } text")
                    assert text == "the process was forked while this iterator was open", text
                    assert box.eval("(await later.next()).value") == 0
                    box.close()
                    sys.exit()
                assert os.waitpid(child, 0)[1] == 0
                assert box.eval("(await begun.next()).value") == 1
                box.close()
                print("parent")
                """
            )
            == "parent"
        )

    def test_both_sides_go_on(self) -> None:
        assert (
            _python(
                """
                import os, sys, warnings
                from sandbox import Sandbox
                from sandbox.errors import JSError

                async def double(n):
                    return 2 * n

                inherited = Sandbox(functions={"double": double}, globals={"n": 1})
                assert inherited.eval("await double(n)") == 2
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
                if not child:
                    assert inherited.eval("n = 5") == 5
                    assert inherited.eval("await double(n)") == 10
                    with Sandbox(functions={"double": double}) as fresh:
                        assert fresh.eval("await double(4)") == 8
                    inherited.close()
                    print("child", flush=True)
                    sys.exit()
                _, status = os.waitpid(child, 0)
                assert status == 0, status
                assert inherited.eval("n") == 1
                assert inherited.eval("await double(3)") == 6
                inherited.close()
                print("parent")
                """
            )
            == "child\nparent"
        )

    def test_a_host_function_may_fork(self) -> None:
        assert (
            _python(
                """
                import os, warnings
                from sandbox import Sandbox

                warnings.simplefilter("ignore", DeprecationWarning)
                with Sandbox(functions={"fork": os.fork}) as box:
                    child = box.eval("fork()")
                    if child:
                        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                    print(box.eval("1 + 1"), flush=True)
                """
            )
            == "2\n2"
        )

    def test_what_the_parents_loop_worked_on_fails_in_the_child(self) -> None:
        assert (
            _python(
                """
                import anyio, os, sys, threading, warnings
                from sandbox import Sandbox

                asked = threading.Event()
                answered = threading.Event()

                async def ask():
                    asked.set()
                    await anyio.to_thread.run_sync(answered.wait)
                    return "answer"

                box = Sandbox(functions={"ask": ask})
                box.eval("let seen; ask().then(v => { seen = v }, e => { seen = e.message }); 1")
                asked.wait()
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
                if not child:
                    box.run_until_idle()
                    print(box.eval("seen"), flush=True)
                    os._exit(0)
                os.waitpid(child, 0)
                answered.set()
                box.run_until_idle()
                print(box.eval("seen"))
                """
            )
            == "the process was forked while this was pending\nanswer"
        )


class TestExit:
    @pytest.mark.parametrize(
        "program",
        [
            "box = Sandbox(); box.eval('1')",
            "box = Sandbox(); f = box.eval('() => 1'); box.eval('setTimeout(() => {}, 1e9)')",
            "box = Sandbox(functions={'f': forever}); box.eval('f(); 1')",
            "box = Sandbox(functions={'f': forever}); thread(box.eval, 'started(); await f()')",
            "box = Sandbox(); thread(box.eval, 'started(); while (true);')",
            "box = Sandbox(functions={'g': lambda: None}); thread(box.eval, 'started(); while (true) g()')",
            "box = Sandbox(); thread(loop, box)",
            "threading.stack_size(1 << 18); box = Sandbox(); thread(box.eval, 'started(); while (true);')",
            "box = Sandbox(functions={'g': time.sleep}); thread(box.eval, 'started(); g(60)')",
            "atexit.register(lambda: Sandbox().eval('1'))",
            "atexit.register(box.eval, '1') if (box := Sandbox()) else 0",
            "box = Sandbox(); box.me = box; box.globals['f'] = lambda: box",
        ],
    )
    def test_live_sandboxes_neither_hold_up_nor_crash_the_exit(self, program: str) -> None:
        prelude = """
        import anyio, atexit, threading, time
        from sandbox import Limits, Sandbox as _Sandbox

        running = threading.Event()

        async def forever():
            await anyio.sleep_forever()

        def Sandbox(**options):
            functions = {"started": running.set, **options.pop("functions", {})}
            return _Sandbox(functions=functions, limits=Limits(cpu_seconds=None, wall_seconds=None), **options)

        def loop(box):
            while True:
                box.eval("started()")

        def thread(*call):
            threading.Thread(target=call[0], args=call[1:], daemon=True).start()
            running.wait()
        """
        began = time.monotonic()
        _python(textwrap.dedent(prelude) + program)
        assert time.monotonic() - began < 15


class TestGarbage:
    def test_sandboxes_in_cycles(self) -> None:
        def make() -> None:
            box = Sandbox(functions={"me": lambda: box})
            box.eval("() => me")

        for _ in range(20):
            make()
        gc.collect()

    def test_a_function_keeps_its_sandbox(self) -> None:
        function = Sandbox(globals={"n": 4}).eval("() => n")
        gc.collect()
        assert function() == 4
        del function
        gc.collect()

    def test_collection_in_a_host_function(self) -> None:
        with Sandbox(functions={"collect": gc.collect}) as box:
            for _ in range(5):
                Sandbox().eval("[() => 1]")
            box.eval("collect()")


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
