"""The module's own functions: one sandbox for each task and each thread, which goes when its owner does."""

from __future__ import annotations

import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import sandbox
from sandbox import Limits, Sandbox
from sandbox.errors import (
    JSError,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    WallLimitExceeded,
)


@pytest.fixture(autouse=True)
def _as_if_never_used() -> Iterator[None]:
    sandbox.close_default_sandbox()
    yield
    sandbox.close_default_sandbox()
    sandbox.set_default_options()


def _live() -> list[Sandbox]:
    return [box for box in gc.get_objects() if type(box) is Sandbox and not box.closed]


def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result(20)


def _python(program: str) -> str:
    """Run a program in a fresh interpreter, which must end by itself and in silence; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


class TestOnAThread:
    def test_state_persists(self) -> None:
        assert sandbox.eval("let n = 1; function add(m) { return n += m } n") == 1
        assert sandbox.call("add", 2) == 3
        assert sandbox.eval("n") == 3
        assert sandbox.default_sandbox() is sandbox.default_sandbox()
        assert sandbox.default_sandbox().globals["add"](1) == 4

    def test_what_it_takes_and_raises(self) -> None:
        assert sandbox.eval("await new Promise(done => setTimeout(done, 1, 'later'))") == "later"
        with pytest.raises(JSError) as caught:
            sandbox.eval("missing", filename="here.js")
        assert "here.js" in caught.value.stack
        with pytest.raises(WallLimitExceeded):
            sandbox.eval("while (true);", timeout=0.05)
        with pytest.raises(WallLimitExceeded):
            sandbox.call("eval", "while (true);", timeout=0.05)
        assert sandbox.call(sandbox.eval("(function () { return this.x })"), this={"x": 5}) == 5
        with pytest.raises(TypeError):
            sandbox.eval(5)  # type: ignore[arg-type] # on purpose

    def test_one_that_was_closed_is_replaced(self) -> None:
        sandbox.eval("var n = 1")
        first = sandbox.default_sandbox()
        sandbox.close_default_sandbox()
        sandbox.close_default_sandbox()
        assert first.closed
        assert sandbox.eval("typeof n") == "undefined"

    def test_one_that_crashed_is_replaced(self) -> None:
        first = sandbox.default_sandbox()
        with pytest.raises(sandbox.errors.LimitExceeded):
            sandbox.eval("while (true);", fuel=100_000)
        with pytest.raises(SandboxPoisoned):
            first.eval("1")
        assert sandbox.eval("1") == 1
        assert first.closed

    def test_threads_do_not_share(self) -> None:
        sandbox.eval("var n = 1")
        assert _in_thread(sandbox.eval, "typeof n") == "undefined"
        context = contextvars.copy_context()
        assert _in_thread(context.run, sandbox.eval, "typeof n") == "undefined"

    def test_a_host_function_finds_the_one_that_called_it(self) -> None:
        sandbox.set_default_options(functions={"again": lambda: sandbox.eval("n + 1")})
        assert sandbox.eval("var n = 1; again()") == 2

    def test_so_it_does_when_the_guest_runs_on_a_thread_with_more_stack(self) -> None:
        sandbox.set_default_options(functions={"again": lambda: sandbox.eval("n + 1")})
        results: list[Any] = []
        begin = threading.Event()

        def work() -> None:
            begin.wait(10)
            results.append(sandbox.eval("var n = 1; again()"))

        before = threading.stack_size(512 << 10)
        thread = threading.Thread(target=work)
        try:
            thread.start()
        finally:
            threading.stack_size(before)  # before any other thread is made
            begin.set()
        thread.join()
        assert results == [2]

    def test_a_host_function_cannot_close_it(self) -> None:
        sandbox.set_default_options(functions={"close": sandbox.close_default_sandbox})
        with pytest.raises(JSError) as caught:
            sandbox.eval("close()")
        assert isinstance(caught.value.__cause__, SandboxBusy)

    def test_a_hundred_threads_leave_nothing(self) -> None:
        before = len(_live())
        threads = [threading.Thread(target=sandbox.eval, args=("1",)) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(_live()) == before

    def test_one_that_another_thread_uses_is_not_closed_under_it(self) -> None:
        boxes: list[Sandbox] = []
        inside, ended = threading.Event(), threading.Event()

        def hold() -> int:
            inside.set()
            ended.wait(10)
            return 7

        def own() -> None:
            boxes.append(sandbox.default_sandbox())
            boxes[0].function(hold)

        _in_thread_that_ends(own)
        assert boxes[0].closed
        with pytest.raises(SandboxClosed):
            boxes[0].eval("1")

        boxes.clear()
        results: list[Any] = []
        user = threading.Thread(target=lambda: results.append(boxes[0].eval("hold()")))

        def own_while_it_is_used() -> None:
            own()
            user.start()
            inside.wait(10)

        _in_thread_that_ends(own_while_it_is_used)
        ended.set()
        user.join()
        assert results == [7]
        boxes.pop().close()


def _in_thread_that_ends(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


class TestOptions:
    def test_they_count_for_those_made_later(self) -> None:
        first = sandbox.default_sandbox()
        sandbox.set_default_options(limits=Limits(cpu_seconds=1), globals={"x": 1})
        assert sandbox.default_sandbox() is first
        assert sandbox.eval("typeof x") == "undefined"
        assert _in_thread(sandbox.eval, "x") == 1
        sandbox.close_default_sandbox()
        assert sandbox.eval("x") == 1
        assert sandbox.default_sandbox().limits.cpu_seconds == 1
        sandbox.set_default_options()
        assert _in_thread(sandbox.eval, "typeof x") == "undefined"

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"missing": 1}, TypeError),
            ({"limits": 5}, TypeError),
            ({"clock": "no"}, ValueError),
            ({"globals": {"x": object()}}, TypeError),
        ],
    )
    def test_wrong_ones_are_refused_at_once_and_change_nothing(
        self, options: dict[str, Any], error: type[Exception]
    ) -> None:
        sandbox.set_default_options(globals={"x": 1})
        with pytest.raises(error):
            sandbox.set_default_options(**options)
        assert sandbox.eval("x") == 1


async def _hang() -> None:
    await anyio.sleep_forever()


@pytest.mark.anyio
class TestInATask:
    async def test_eval_and_call(self) -> None:
        async with anyio.create_task_group() as group:

            async def work() -> None:
                assert await sandbox.eval_async("let n = 1; const add = m => n += m; n") == 1
                assert await sandbox.call_async("add", 2) == 3
                assert sandbox.eval("n") == 3
                assert await sandbox.eval_async("await new Promise(done => setTimeout(done, 1, 'later'))") == "later"
                box = sandbox.default_sandbox()
                assert await sandbox.call_async(box.eval("(function () { return this.x })"), this={"x": 5}) == 5

            group.start_soon(work)

    async def test_the_loop_goes_on_meanwhile(self) -> None:
        arrived = threading.Event()
        sandbox.set_default_options(functions={"wait": lambda: arrived.wait(10)})

        async def work() -> None:
            assert await sandbox.eval_async("wait()") is True

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await anyio.lowlevel.checkpoint()
            arrived.set()

    async def test_tasks_do_not_share(self) -> None:
        sandbox.eval("var n = 1")
        seen: list[Any] = []

        async def work() -> None:
            seen.append(await sandbox.eval_async("typeof n"))
            seen.append(sandbox.eval("typeof n"))
            seen.append(await anyio.to_thread.run_sync(on_a_worker))
            sandbox.eval("var n = 2")

        def on_a_worker() -> Any:
            try:
                return sandbox.eval("typeof n")
            finally:
                sandbox.close_default_sandbox()

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            group.start_soon(work)
        assert seen == ["undefined"] * 6
        assert await anyio.to_thread.run_sync(on_a_worker) == "undefined"
        assert await sandbox.eval_async("n") == 1

    async def test_a_hundred_tasks_leave_nothing(self) -> None:
        before = len(_live())

        async def work(n: int) -> None:
            sandbox.eval(f"var n = {n}")
            await anyio.lowlevel.checkpoint()
            assert await sandbox.eval_async("n") == n

        async with anyio.create_task_group() as group:
            for n in range(100):
                group.start_soon(work, n)
        gc.collect()
        assert len(_live()) == before

    async def test_errors(self) -> None:
        with pytest.raises(JSError, match="missing"):
            await sandbox.eval_async("missing")
        with pytest.raises(WallLimitExceeded):
            await sandbox.eval_async("await new Promise(() => setTimeout(() => {}, 1e6))", timeout=0.05)
        with pytest.raises(TypeError):
            await sandbox.eval_async(5)  # type: ignore[arg-type] # on purpose

    async def test_a_host_function_finds_the_one_that_called_it(self) -> None:
        sandbox.set_default_options(functions={"again": lambda: sandbox.eval("n + 1")})
        assert await sandbox.eval_async("var n = 1; again()") == 2

    @pytest.mark.parametrize(
        "code",
        [
            "started(); while (true);",
            "started(); await new Promise(() => setTimeout(() => {}, 1e6))",
            "started(); await hang()",
            "started(); for (;;) await null",
            "started(); for (;;) try { waited() } catch { }",
        ],
    )
    async def test_cancelling_the_task_stops_the_guest(self, code: str) -> None:
        started, begun, cancelled = threading.Event(), threading.Event(), threading.Event()

        async def hang() -> None:
            begun.set()
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.set()

        sandbox.set_default_options(
            functions={"started": started.set, "hang": hang, "waited": sandbox.HostFunction(hang, wait=True)},
            limits=Limits(wall_seconds=None, cpu_seconds=None),
        )
        async with anyio.create_task_group() as group:

            async def work() -> None:
                try:
                    await sandbox.eval_async(code)
                finally:
                    boxes.append(sandbox.default_sandbox())
                    values.append(boxes[0].eval("1 + 1"))

            boxes: list[Sandbox] = []
            values: list[Any] = []
            group.start_soon(work)
            await anyio.to_thread.run_sync(started.wait, 10)
            group.cancel_scope.cancel()
        assert values == [2]
        if begun.is_set():  # else it was cancelled before it was started
            assert await anyio.to_thread.run_sync(cancelled.wait, 10)

    async def test_a_deadline_of_the_task(self) -> None:
        with anyio.move_on_after(0.05) as scope:
            await sandbox.eval_async("while (true);")
        assert scope.cancelled_caught
        assert await sandbox.eval_async("1") == 1

    async def test_a_task_that_is_cancelled_before_it_begins(self) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await sandbox.eval_async("globalThis.ran = 1; while (true);")
        assert await sandbox.eval_async("typeof ran") == "undefined"


class TestTheEndOfTheProgram:
    @pytest.mark.parametrize(
        "program",
        [
            "print(sandbox.eval('1 + 1'))",
            "sandbox.eval('setTimeout(() => {}, 1e6); 1'); print(2)",
            """
            async def main():
                sandbox.eval("1")
                print(await sandbox.eval_async("1 + 1"))
            asyncio.run(main())
            """,
            """
            async def main():
                async def hang():
                    await sandbox.eval_async("await new Promise(() => setTimeout(() => {}, 1e6))")
                task = asyncio.create_task(hang())
                await asyncio.sleep(0.05)
                print(2)
            asyncio.run(main())
            """,
            """
            async def main():
                print(await sandbox.eval_async("1 + 1"))
            trio.run(main)
            """,
            """
            def work():
                sandbox.eval("1")
                threading.Event().wait()
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            print(sandbox.eval("1 + 1"))
            """,
            """
            started = threading.Event()
            def work():
                sandbox.set_default_options(functions={"started": started.set})
                sandbox.eval("started(); while (true);")
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            started.wait()
            print(2)
            """,
        ],
    )
    def test_nothing_is_said_and_nothing_hangs(self, program: str) -> None:
        header = "import asyncio, threading, trio\nimport sandbox\n"
        assert _python(header + textwrap.dedent(program)) == "2"

    def test_an_event_loop_is_loaded_by_those_that_need_it_only(self) -> None:
        program = "import sys, sandbox; sandbox.eval('1'); print({'anyio', 'asyncio', 'trio'} & set(sys.modules))"
        assert _python(program) == "set()"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_one_of_its_own() -> None:
    program = """
        import os, sandbox
        sandbox.eval("var n = 1")
        box = sandbox.default_sandbox()
        pid = os.fork()
        if pid == 0:
            assert sandbox.default_sandbox() is not box
            assert sandbox.eval("typeof n") == "undefined"
            assert not box.closed
        else:
            assert os.waitpid(pid, 0)[1] == 0
            print(sandbox.eval("n"))
    """
    assert _python(program) == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_so_does_one_that_is_forked_by_a_host_function() -> None:
    program = """
        import os, sandbox

        def fork():
            pid = os.fork()
            if pid == 0:
                os._exit(0 if sandbox.eval("typeof n") == "undefined" else 1)
            return os.waitpid(pid, 0)[1]

        sandbox.set_default_options(functions={"fork": fork})
        print(sandbox.eval("var n = 1; fork()"))
    """
    assert _python(program) == "0"


def test_ctrl_c() -> None:
    sandbox.set_default_options(functions={"interrupt": lambda: os.kill(os.getpid(), signal.SIGINT)})
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            sandbox.eval("interrupt(); while (true);")
    finally:
        signal.signal(signal.SIGINT, before)
    assert sandbox.eval("1") == 1
