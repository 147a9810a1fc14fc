"""Cancelling what uses an AsyncSandbox: at every point where it may happen, on asyncio and trio."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import sandbox
from sandbox import AsyncSandbox, Limits
from sandbox.errors import WallLimitExceeded
from sandbox.functions import HostFunction

pytestmark = pytest.mark.anyio
_UNLIMITED = Limits(cpu_seconds=None, wall_seconds=None)


# --- at every step ----------------------------------------------------------------------------------------------------


class Steps:
    """Counts how often what it watches gives control back to the event loop, and cancels it at one of these steps."""

    def __init__(self, target: int, cancel: Callable[[], object]) -> None:
        self._target, self._cancel = target, cancel
        self.taken = 0

    def watch(self, awaitable: Awaitable[Any]) -> Awaitable[Any]:
        return _Watched(awaitable, self)

    def take(self) -> None:
        self.taken += 1
        if self.taken == self._target:
            self._cancel()


class _Watched:
    def __init__(self, awaitable: Awaitable[Any], steps: Steps) -> None:
        self._awaitable, self._steps = awaitable, steps

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._awaitable.__await__()
        resume: Callable[[Any], Any] = inner.send
        answer: Any = None
        while True:
            try:
                trap = resume(answer)
            except StopIteration as end:
                return end.value
            self._steps.take()
            try:
                resume, answer = inner.send, (yield trap)
            except BaseException as error:  # noqa: BLE001 - handed on
                resume, answer = inner.throw, error


class Life:
    """One operation, and what it needs of the host: everything asynchronous in it is watched."""

    def __init__(self) -> None:
        self.steps = Steps(0, lambda: None)
        self.open_generators = 0

    async def later(self, n: int) -> int:
        for _ in range(2):
            await self.steps.watch(_checkpoint())
        return n

    async def count(self, n: int) -> Any:
        self.open_generators += 1
        try:
            for i in range(n):
                await self.steps.watch(_checkpoint())
                yield i
        finally:
            self.open_generators -= 1

    async def load(self, specifier: str, _importer: object) -> str:
        await self.steps.watch(_checkpoint())
        return "export default 1" + ("" if specifier == "last" else "; import 'last'")

    def options(self) -> dict[str, Any]:
        functions = {
            "f": lambda n: n + 1,
            "later": self.later,
            "hold": HostFunction(self.later, wait=True),
            "count": self.count,
        }
        return {"functions": functions, "modules": self.load, "clock": "virtual"}


async def _checkpoint() -> None:
    await anyio.lowlevel.checkpoint()


async def _iterate(box: AsyncSandbox) -> None:
    async for _ in await box.eval("(async function* () { try { yield 1; yield await later(2) } finally { f(1) } })()"):
        pass


async def _leave_early(box: AsyncSandbox) -> None:
    steps = await box.eval("(async function* () { try { yield 1; yield 2 } finally { await later(3) } })()")
    async for _ in steps:
        break
    await steps.aclose()


async def _promise(box: AsyncSandbox) -> None:
    assert await (await box.eval("[later(5)]"))[0] == 5


async def _function(box: AsyncSandbox) -> None:
    function = await box.eval("async x => x + await later(1)")
    assert await function(1) == 2
    assert await box.call(function, 2) == 3


async def _globals(box: AsyncSandbox) -> None:
    await box.globals.set("x", {"y": [1]})
    assert await box.globals.get("x") == {"y": [1]}


async def _idle(box: AsyncSandbox) -> None:
    await box.eval("later(1).then(() => setTimeout(() => f(1), 5)); 0")
    await box.run_until_idle()


async def _tick(box: AsyncSandbox) -> None:
    await box.eval("setTimeout(() => later(1), 5); 0")
    await box.tick(10)


async def _two_tasks(box: AsyncSandbox) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(box.eval, "await later(1)")
        await box.eval("await later(2)")


async def _close(box: AsyncSandbox) -> None:
    await box.eval("later(1); 0")
    await box.aclose()


OPERATIONS: dict[str, Callable[[AsyncSandbox], Awaitable[Any]]] = {
    "eval": lambda box: box.eval("f(1)"),
    "a wait": lambda box: box.eval("await later(await later(1))"),
    "a hold": lambda box: box.eval("hold(1)"),
    "many calls": lambda box: box.eval("(await Promise.all([later(1), later(2), later(3)])).length"),
    "a timer": lambda box: box.eval("await new Promise(done => setTimeout(done, 1e5))"),
    "a call": lambda box: box.call("later", 1),
    "a function": _function,
    "a module": lambda box: box.module("import 'first'; export default await later(1)"),
    "an import": lambda box: box.import_module("first"),
    "an iterator of the guest": _iterate,
    "an iterator left early": _leave_early,
    "an iterator of the host": lambda box: box.eval("var n = 0; for await (const i of count(3)) n += i; n"),
    "an iterator of the host left early": lambda box: box.eval("for await (const i of count(3)) break"),
    "a promise": _promise,
    "globals": _globals,
    "idle": _idle,
    "tick": _tick,
    "two tasks": _two_tasks,
    "aclose": _close,
}


async def _each_step(use: Callable[[Steps], Awaitable[Any]], check: Callable[[], Awaitable[None]]) -> int:
    """Cancel something at its first step, then at its second, and so on, until it comes to its end."""
    for target in range(1, 1000):
        with anyio.CancelScope() as scope:
            steps = Steps(target, scope.cancel)
            await use(steps)
        await check()
        if steps.taken < target:
            return target
    raise AssertionError("it has no end")


@pytest.fixture
async def _nothing_is_said(anyio_backend_name: str) -> Any:
    """asyncio logs what nobody else hears of, such as tasks that were destroyed."""
    said: list[dict[str, Any]] = []
    if anyio_backend_name == "asyncio":
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    yield
    gc.collect()
    assert said == []


async def _works(box: AsyncSandbox, life: Life) -> None:
    assert await box.eval("[1 + 1, f(1), await later(3), hold(4)]") == [2, 2, 3, 4]
    await box.run_until_idle()
    for _ in range(100):  # a thread that has handed a result on may be about to forget it
        if not box.usage.live_handles:
            break
        gc.collect()
        await anyio.sleep(0.01)
        await box.eval("0")
    assert not box._driver.runs
    assert not box._runner._turn.locked()
    assert (box.usage.live_handles, box.usage.pending_requests) == (0, 0)
    assert life.open_generators == 0


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.usefixtures("_nothing_is_said")
async def test_at_every_step_of_a_use(operation: Callable[[AsyncSandbox], Awaitable[Any]]) -> None:
    life = Life()
    box = await AsyncSandbox(**life.options()).__aenter__()

    async def use(steps: Steps) -> None:
        life.steps = steps
        await steps.watch(operation(box))

    async def check() -> None:
        nonlocal box
        life.steps = Steps(0, lambda: None)
        if box.closed:
            await box.__aexit__()
            box = await AsyncSandbox(**life.options()).__aenter__()
        await _works(box, life)

    assert await _each_step(use, check) > 1
    await box.__aexit__()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.usefixtures("_nothing_is_said")
async def test_at_every_step_of_a_life(operation: Callable[[AsyncSandbox], Awaitable[Any]]) -> None:
    life = Life()
    boxes: list[AsyncSandbox] = []

    async def whole() -> None:
        boxes.append(AsyncSandbox(**life.options()))
        async with boxes[-1] as box:
            await operation(box)

    async def use(steps: Steps) -> None:
        life.steps = steps
        await steps.watch(whole())

    async def check() -> None:
        (box,) = boxes
        boxes.clear()
        assert box.closed
        assert not box._driver.runs
        assert life.open_generators == 0

    assert await _each_step(use, check) > 3


@pytest.mark.usefixtures("_nothing_is_said")
async def test_at_every_step_of_the_functions_for_one_default_sandbox() -> None:
    sandbox.eval("globalThis.f = async x => { await null; return x }")

    async def use(steps: Steps) -> None:
        await steps.watch(_default())

    async def check() -> None:
        assert await sandbox.eval_async("await f(1)") == 1

    assert await _each_step(use, check) > 1
    sandbox.close_default_sandbox()


async def _default() -> None:
    assert await sandbox.eval_async("globalThis.f = async x => { await null; return x }; 1 + await f(1)") == 2
    assert await sandbox.call_async("f", 2) == 2


# --- at a moment ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "while (true);",
        "for (;;) f()",
        "for (;;) try { f() } catch {} finally { continue }",
        "await new Promise(done => setTimeout(done, 1e6))",
        "await never()",
        "for (;;) await soon()",
        "for (;;) await null",
    ],
)
async def test_cancellation_is_prompt_and_leaves_the_sandbox_usable(code: str) -> None:
    async def soon() -> None:
        await anyio.lowlevel.checkpoint()

    functions = {"f": lambda: None, "never": anyio.sleep_forever, "soon": soon}
    async with AsyncSandbox(functions=functions, limits=_UNLIMITED) as box:
        for _ in range(3):
            began = time.monotonic()
            with anyio.move_on_after(0.03) as scope:
                await box.eval(code)
            assert scope.cancelled_caught
            assert time.monotonic() - began < 5
            assert await box.eval("1 + 1") == 2
        assert not box._driver.runs


async def test_cancelled_before_the_first_turn() -> None:
    async with AsyncSandbox(limits=_UNLIMITED) as box:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await box.eval("globalThis.ran = 1; while (true);")
        assert scope.cancelled_caught
        assert not box._driver.runs
        assert await box.eval("1") == 1


async def test_cancelled_while_waiting_for_another_tasks_turn() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        go_on.wait(20)

    async with AsyncSandbox(functions={"hold": hold}) as box, anyio.create_task_group() as tasks:
        tasks.start_soon(box.eval, "hold()")
        await anyio.to_thread.run_sync(inside.wait, 20)
        with anyio.move_on_after(0.02) as scope:
            await box.eval("globalThis.second = 1")
        assert scope.cancelled_caught
        go_on.set()
        assert not await box.globals.has("second")


async def test_only_the_cancelled_runs_code_is_stopped() -> None:
    async with AsyncSandbox(limits=_UNLIMITED) as box, anyio.create_task_group() as tasks:
        results = []

        async def other() -> None:
            results.append(await box.eval("await new Promise(done => setTimeout(done, 60)); 'other'"))

        tasks.start_soon(other)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.02):
            await box.eval("while (true);")
    assert results == ["other"]


async def test_host_calls_of_a_cancelled_run_are_cancelled() -> None:
    began, ended = anyio.Event(), anyio.Event()

    async def work() -> None:
        try:
            began.set()
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with AsyncSandbox(functions={"work": work}) as box:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(box.eval, "let told; try { await work() } catch (e) { told = e.name }")
            await began.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(10):
            await ended.wait()
        await box.run_until_idle()
        assert await box.eval("told") == "AbortError"


async def test_host_calls_of_other_runs_go_on() -> None:
    release = anyio.Event()

    async def work() -> str:
        await release.wait()
        return "done"

    async with AsyncSandbox(functions={"work": work}) as box:
        await box.eval("let seen; work().then(v => { seen = v }); 1")
        with anyio.move_on_after(0.02):
            await box.eval("await work()")
        release.set()
        await box.run_until_idle()
        assert await box.eval("seen") == "done"


async def test_a_host_function_that_ignores_cancellation_does_not_hold_up_the_run() -> None:
    release, began = anyio.Event(), anyio.Event()

    async def stubborn() -> str:
        with anyio.CancelScope(shield=True):
            began.set()
            await release.wait()
        return "late"

    async with AsyncSandbox(functions={"stubborn": stubborn}) as box:
        with pytest.raises(WallLimitExceeded):
            await box.eval("await stubborn()", timeout=0.05)
        assert began.is_set()
        assert await box.eval("1") == 1
        release.set()
        await box.run_until_idle()


async def test_a_sync_host_function_is_waited_for() -> None:
    began, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        release.wait(20)
        ended.set()

    async with AsyncSandbox(functions={"work": work}, limits=_UNLIMITED) as box, anyio.create_task_group() as tasks:
        tasks.start_soon(box.eval, "work(); while (true);")
        await anyio.to_thread.run_sync(began.wait, 20)
        tasks.cancel_scope.cancel()
        release.set()
    assert ended.is_set()
    assert box.closed


async def test_cancelled_at_random_instants() -> None:
    async def later(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n

    functions = {"f": lambda n: n + 1, "later": later}
    async with AsyncSandbox(functions=functions, limits=_UNLIMITED) as box:
        for step in range(60):
            with anyio.move_on_after(step * 0.0003):
                await box.eval("for (let n = 0;;) { n = f(n); n = await later(n) }")
            assert await box.eval("[f(1), await later(2)]") == [2, 2]
        assert not box._driver.runs


async def test_asyncios_own_cancellation_even_twice(anyio_backend_name: str) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("trio has cancel scopes only")
    import asyncio

    began, release = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        release.wait(20)

    async with AsyncSandbox(functions={"hold": hold}, limits=_UNLIMITED) as box:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(box.eval("while (true);"), 0.03)
        assert await box.eval("1") == 1
        task = asyncio.ensure_future(box.eval("hold(); while (true);"))
        await anyio.to_thread.run_sync(began.wait, 20)
        for _ in range(3):
            task.cancel()
            await anyio.sleep(0.01)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await box.eval("1") == 1


async def test_cancellation_of_the_whole_block() -> None:
    box = AsyncSandbox(functions={"never": anyio.sleep_forever})
    with anyio.move_on_after(0.05) as scope:
        async with box:
            await box.eval("await never()")
    assert scope.cancelled_caught
    assert box.closed


async def test_a_deadline_around_entering() -> None:
    box = AsyncSandbox(globals={"x": 1})
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with box:
            pass
    assert scope.cancelled_caught
    assert box.closed
