"""The asynchronous face, on asyncio and trio: tasks, and the end of the block."""

from __future__ import annotations

import gc
import threading
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSError, JSFunction, Limits, Sandbox, undefined
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    JSSyntaxError,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    Stalled,
    UsageError,
    WallLimitExceeded,
)

pytestmark = pytest.mark.anyio
_UNLIMITED = Limits(cpu_seconds=None, wall_seconds=None)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", 2),
        ("undefined", undefined),
        ("await Promise.resolve('later')", "later"),
        ("await new Promise(done => setTimeout(done, 1, 'timer'))", "timer"),
        ("({a: [1]})", {"a": [1]}),
    ],
)
async def test_eval(code: str, value: Any) -> None:
    async with AsyncSandbox() as box:
        assert await box.eval(code) == value


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("throw new Error('x')", JSError),
        ("1 +", JSSyntaxError),
        ("await new Promise(() => {})", Stalled),
        ("Symbol()", ConversionError),
        ("while (true);", CpuLimitExceeded),
    ],
)
async def test_failures_leave_it_usable(code: str, error: type[Exception]) -> None:
    async with AsyncSandbox(limits=Limits(cpu_seconds=0.1)) as box:
        with pytest.raises(error) as caught:
            await box.eval(code)
        assert type(caught.value) is error
        assert await box.eval("1") == 1


async def test_call_and_functions() -> None:
    async with AsyncSandbox() as box:
        await box.eval("const add = (a, b) => a + b; const late = async n => { await null; return n }")
        assert await box.call("add", 1, 2) == 3
        late = await box.eval("late")
        assert isinstance(late, JSFunction)
        assert await late(5) == await box.call(late, 5) == 5
        assert await late(6, this=None) == 6
        with pytest.raises(TypeError):
            await box.call(late, timeout="1")  # type: ignore[arg-type]
        late.release()
        with pytest.raises(ConversionError, match="released"):
            await box.call(late)


async def test_virtual_time() -> None:
    async with AsyncSandbox(clock="virtual") as box:
        await box.eval("let n = 0; setInterval(() => n++, 10)")
        await box.tick(35)
        assert await box.eval("n") == 3
        assert await box.eval("await new Promise(done => setTimeout(done, 1000)); performance.now()") == 1035
        with pytest.raises(WallLimitExceeded):
            await box.run_until_idle(timeout=0.02)
    async with AsyncSandbox(clock="virtual") as box:
        await box.eval("let n = 0; setTimeout(() => setTimeout(() => n++, 5), 5)")
        await box.run_until_idle()
        assert await box.eval("n") == 1
        with pytest.raises(ValueError, match="milliseconds"):
            await box.tick(-1)


async def test_first_globals_and_functions() -> None:
    async with AsyncSandbox(globals={"x": 1}, functions={"f": lambda: 2}) as box:
        assert await box.eval("x + f()") == 3
    box = AsyncSandbox(globals={"x": object()})
    with pytest.raises(ConversionError):
        await box.__aenter__()
    assert box.closed


async def test_the_loop_stays_free_while_the_guest_runs() -> None:
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await anyio.lowlevel.checkpoint()

    async with AsyncSandbox() as box, anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        with pytest.raises(WallLimitExceeded):
            await box.eval("while (true);", timeout=0.1)
        tasks.cancel_scope.cancel()
    assert ticks > 10


class TestManyTasks:
    async def test_runs_take_turns(self) -> None:
        async def echo(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            return n

        results: dict[int, Any] = {}

        async def use(n: int) -> None:
            results[n] = await box.eval(
                f"(async n => {{ for (let i = 0; i < 3; i++) n = await echo(n); return n }})({n})"
            )

        async with AsyncSandbox(functions={"echo": echo}) as box, anyio.create_task_group() as tasks:
            for n in range(50):
                tasks.start_soon(use, n)
        assert results == {n: n for n in range(50)}

    async def test_while_one_waits_others_go_on(self) -> None:
        asked, answered = anyio.Event(), anyio.Event()

        async def ask() -> str:
            asked.set()
            await answered.wait()
            return "answer"

        async with AsyncSandbox(functions={"ask": ask}) as box, anyio.create_task_group() as tasks:
            results = []

            async def first() -> None:
                results.append(await box.eval("await ask()"))

            tasks.start_soon(first)
            await asked.wait()
            assert await box.eval("1 + 1") == 2
            assert results == []
            answered.set()
        assert results == ["answer"]

    async def test_one_fails_the_others_do_not(self) -> None:
        results: list[Any] = []

        async def use(code: str) -> None:
            try:
                results.append(await box.eval(code, timeout=5))
            except Exception as error:  # noqa: BLE001 - what it is, is looked at
                results.append(type(error))

        async with AsyncSandbox(limits=Limits(cpu_seconds=0.1)) as box, anyio.create_task_group() as tasks:
            tasks.start_soon(use, "await new Promise(done => setTimeout(done, 20, 'first'))")
            tasks.start_soon(use, "throw new Error('second')")
            tasks.start_soon(use, "while (true);")
            tasks.start_soon(use, "await new Promise(done => setTimeout(done, 10, 'fourth'))")
        assert sorted(map(str, results)) == sorted(map(str, [JSError, CpuLimitExceeded, "first", "fourth"]))

    async def test_a_run_that_only_another_could_settle_is_told(self) -> None:
        release = anyio.Event()

        async def slow() -> None:
            await release.wait()

        async with AsyncSandbox(functions={"slow": slow}) as box, anyio.create_task_group() as tasks:

            async def stalled() -> None:
                with pytest.raises(Stalled):
                    await box.eval("await new Promise(() => {})")

            async def waits() -> None:
                await box.eval("await slow()")

            tasks.start_soon(waits)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(stalled)
            await anyio.wait_all_tasks_blocked()
            release.set()

    async def test_one_settles_what_the_other_waits_for(self) -> None:
        async with AsyncSandbox(functions={"never": anyio.sleep_forever}) as box, anyio.create_task_group() as tasks:
            results = []

            async def first() -> None:
                results.append(await box.eval("never(); await new Promise(done => { globalThis.go = done })"))

            tasks.start_soon(first)
            while not await box.globals.has("go"):
                await anyio.lowlevel.checkpoint()
            await box.eval("go('open')")
            while not results:
                await anyio.lowlevel.checkpoint()
            assert results == ["open"]

    async def test_poison_reaches_everyone(self) -> None:
        async with AsyncSandbox(functions={"never": anyio.sleep_forever}) as box, anyio.create_task_group() as tasks:

            async def waits() -> None:
                with pytest.raises(SandboxPoisoned):
                    await box.eval("began = 1; await never()")

            tasks.start_soon(waits)
            while not await box.globals.has("began"):
                await anyio.lowlevel.checkpoint()
            with pytest.raises(Exception, match="fuel"):
                await box.eval("while (true);", fuel=100_000)


class TestBlock:
    async def test_what_the_body_raises_passes_through_as_it_is(self) -> None:
        error = KeyError("mine")
        with pytest.raises(KeyError) as caught:
            async with AsyncSandbox(functions={"never": anyio.sleep_forever}) as box:
                await box.eval("never(); 1")
                raise error
        assert caught.value is error
        assert box.closed

    async def test_pending_host_calls_are_cancelled_and_waited_for(self) -> None:
        ended = False

        async def work() -> None:
            nonlocal ended
            try:
                await anyio.sleep_forever()
            finally:
                ended = True

        async with AsyncSandbox(functions={"work": work}) as box:
            await box.eval("work(); 1")
            await anyio.wait_all_tasks_blocked()
        assert ended

    @pytest.mark.parametrize("code", ["await never()", "while (true);", "for (;;) f()"])
    async def test_runs_of_other_tasks_end_with_it(self, code: str) -> None:
        caught: list[BaseException] = []
        begun = threading.Event()
        functions = {"never": anyio.sleep_forever, "f": lambda: None, "begun": begun.set}
        box = AsyncSandbox(functions=functions, limits=_UNLIMITED)

        async def use() -> None:
            try:
                await box.eval(f"begun(); {code}")
            except Exception as error:  # noqa: BLE001 - what it is, is looked at
                caught.append(error)

        async with anyio.create_task_group() as tasks, box:
            tasks.start_soon(use)
            await anyio.to_thread.run_sync(begun.wait, 20)
        assert [type(error) for error in caught] == [SandboxClosed]

    async def test_use_outside(self) -> None:
        box = AsyncSandbox()
        with pytest.raises(UsageError, match="async with"):
            await box.eval("1")
        async with box:
            assert await box.eval("1") == 1
            with pytest.raises(UsageError, match="already"):
                await box.__aenter__()
        for use in (
            box.eval("1"),
            box.call("f"),
            box.globals.get("x"),
            box.run_until_idle(),
            box.tick(1),
            box.__aenter__(),
        ):
            with pytest.raises(SandboxClosed):
                await use
        assert repr(box) == "<AsyncSandbox closed>"

    async def test_aclose(self) -> None:
        async with AsyncSandbox(functions={"never": anyio.sleep_forever}) as box:
            await box.eval("never(); 1")
            await box.aclose()
            await box.aclose()
            assert box.closed
            with pytest.raises(SandboxClosed):
                await box.eval("1")

    async def test_aclose_while_a_run_waits(self) -> None:
        async def close() -> None:
            await box.aclose()

        async with AsyncSandbox(functions={"close": close}) as box:
            with pytest.raises(JSError) as caught:
                await box.eval("await close()")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert await box.eval("1") == 1

    async def test_a_sandbox_that_was_never_entered(self) -> None:
        AsyncSandbox()
        gc.collect()

    async def test_many_sandboxes(self) -> None:
        results = []

        async def use(n: int) -> None:
            async with AsyncSandbox(globals={"n": n}) as box:
                results.append(await box.eval("await null; n"))

        async with anyio.create_task_group() as tasks:
            for n in range(20):
                tasks.start_soon(use, n)
        assert sorted(results) == list(range(20))

    async def test_a_blocking_sandbox_on_the_loops_thread(self) -> None:
        async def later() -> int:
            return 5

        with Sandbox(functions={"later": later}) as box:
            assert box.eval("await later()") == 5

    async def test_a_blocking_sandbox_has_a_loop_of_its_own(self) -> None:
        """What runs on it is told so, whatever loop the caller's context says."""

        async def later() -> int:
            await anyio.lowlevel.checkpoint()
            return 5

        with Sandbox(functions={"later": later}) as box:
            assert await anyio.to_thread.run_sync(box.eval, "await later()") == 5
            assert box.eval("await later()") == 5


async def test_options_are_those_of_the_blocking_face() -> None:
    lines: list[str] = []
    async with AsyncSandbox(seed=1, console=lambda entry: lines.append(entry.text), clock="virtual") as box:
        one = await box.eval("console.log('x'); Math.random()")
    with Sandbox(seed=1) as blocking:
        assert blocking.eval("Math.random()") == one
    assert lines == ["x"]
    with pytest.raises(ValueError, match="clock"):
        AsyncSandbox(clock="fast")  # type: ignore[arg-type]


async def test_context_variables_reach_host_functions() -> None:
    from contextvars import ContextVar

    tenant: ContextVar[str] = ContextVar("tenant")

    async def who() -> str:
        return tenant.get()

    async with AsyncSandbox(functions={"who": who, "now": lambda: tenant.get()}) as box:
        tenant.set("a")
        assert await box.eval("[now(), await who()]") == ["a", "a"]


async def test_usage() -> None:
    async with AsyncSandbox(functions={"f": lambda: 1}) as box:
        await box.eval("f()")
        usage = box.usage
    assert (usage.runs, usage.host_calls) == (2, 1)
    assert usage.cpu_seconds > 0


@pytest.mark.parametrize(
    ("code", "use", "value"),
    [
        ("x => x + 1", lambda held: held(1), 2),
        ("async x => x + 1", lambda held: held(1), 2),
        ("(class { x = 1 })", lambda held: held.new(), {"x": 1}),
        ("[Promise.resolve(3)]", lambda held: held.pop(), 3),
        ("[4].values()", lambda held: held.asend(None), 4),
    ],
)
async def test_what_is_awaited_is_all_that_holds_on_to_the_guest(code: str, use: Any, value: Any) -> None:
    async with AsyncSandbox() as box:
        assert await use(await box.eval(code)) == value
        await box.eval("0")
        assert box.usage.live_handles == 0
