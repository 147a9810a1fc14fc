"""Promises across the boundary: awaitables in the guest, promises of the guest in Python."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSError, JSPromise, Limits, Sandbox
from sandbox.errors import ConversionError, SandboxBusy, Stalled, UnhandledRejection, WallLimitExceeded


async def _later(value: Any) -> Any:
    await anyio.lowlevel.checkpoint()
    if isinstance(value, Exception):
        raise value
    return value


class _Awaitable:
    def __await__(self) -> Any:
        return _later("own").__await__()


AWAITABLES: list[tuple[Callable[[], Any], str, Any]] = [
    (lambda: _later(5), "await f()", 5),
    (lambda: _later(5), "f() instanceof Promise", True),
    (lambda: {"a": _later(1), "list": [_later(2)]}, "const o = f(); [await o.a, await o.list[0]]", [1, 2]),
    (lambda: _later(_later(3)), "await f()", 3),
    (
        lambda: [_later(ValueError("no"))],
        "try { await f()[0] } catch (e) { [e instanceof RangeError, e.message] }",
        [True, "no"],
    ),
    (_Awaitable, "await f()", "own"),
    (lambda: _later(lambda x: _later(x * 2)), "const g = await f(); await g(4)", 8),
]


@pytest.mark.parametrize(("function", "code", "value"), AWAITABLES, ids=[row[1] for row in AWAITABLES])
def test_an_awaitable_is_a_promise(function: Callable[[], Any], code: str, value: Any) -> None:
    with Sandbox(functions={"f": lambda: function()}) as box:
        assert box.eval(code) == value


@pytest.mark.anyio
@pytest.mark.parametrize(("function", "code", "value"), AWAITABLES, ids=[row[1] for row in AWAITABLES])
async def test_an_awaitable_is_a_promise_on_the_async_face(function: Callable[[], Any], code: str, value: Any) -> None:
    async with AsyncSandbox(functions={"f": lambda: function()}) as box:
        assert await box.eval(code) == value


def test_awaitables_as_globals_arguments_and_twice() -> None:
    work = _later(1)
    with Sandbox(globals={"p": work}) as box:
        assert box.eval("await p") == 1
        assert box.eval("await p") == 1
        box.globals["q"] = [shared := _later(2), shared]
        assert box.eval("[q[0] === q[1], await q[0]]") == [True, 2]
        assert box.call(box.eval("async x => (await x) + 1"), _later(3)) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_futures_and_tasks_may_cross_many_times() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_later(2))
    async with AsyncSandbox(globals={"a": future, "b": future, "t": task}) as box:
        asyncio.get_running_loop().call_soon(future.set_result, 7)
        assert await box.eval("[await a, await b, await t]") == [7, 7, 2]


def test_a_refused_value_closes_the_coroutines_in_it() -> None:
    with Sandbox() as box:
        with pytest.raises(ConversionError):
            box.globals["x"] = [_later(1), lambda: 1, object()]
        gc.collect()
        assert box._driver._operations.bound() == 0
        assert box.usage.pending_requests == 0


def test_a_rejection_nobody_handles() -> None:
    with (
        Sandbox(functions={"f": lambda: [_later(ValueError("no"))]}) as box,
        pytest.raises(UnhandledRejection) as caught,
    ):
        box.eval("f(); await new Promise(() => {})")
    assert isinstance(caught.value.__cause__, ValueError)


def test_overlap_and_race() -> None:
    """Each call ends only when all three have begun."""
    begun: list[int] = []
    all_begun = anyio.Event()

    async def together(value: int) -> int:
        begun.append(value)
        if len(begun) == 3:
            all_begun.set()
        await all_begun.wait()
        return value

    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"together": together, "never": never}) as box:
        assert box.eval("await Promise.all([1, 2, 3].map(n => together(n)))") == [1, 2, 3]
        assert box.eval("await Promise.race([never(), together(1)])") == 1
        assert box.usage.pending_requests == 1


def test_promises_of_the_guest() -> None:
    with Sandbox() as box:
        value = box.eval(
            "({a: Promise.resolve(1), b: Promise.reject(new TypeError('no')), c: new Promise(() => {}),"
            " d: new Promise(done => setTimeout(done, 1, [2]))})"
        )
        assert all(type(promise) is JSPromise for promise in value.values())
        assert value["a"].result() == value["a"].result() == 1
        for _ in range(2):
            with pytest.raises(JSError, match="TypeError: no"):
                value["b"].result()
        with pytest.raises(Stalled):
            value["c"].result()
        assert value["d"].result(timeout=10) == [2]
        assert box.call(box.eval("async (p, q) => [await p, p === q]"), value["a"], value["a"]) == [1, True]
        box.eval("0")
        assert box.usage.live_handles == 4
        value.clear()
        gc.collect()
        box.eval("0")
        assert box.usage.live_handles == 0


def test_waiting_for_a_promise_has_limits() -> None:
    async def forever() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"forever": forever}) as box:
        promise = box.eval("[forever()]")[0]
        with pytest.raises(WallLimitExceeded):
            promise.result(timeout=0.02)


@pytest.mark.anyio
async def test_promises_are_awaited() -> None:
    async with AsyncSandbox() as box:
        first, second = await box.eval("[new Promise(done => setTimeout(done, 1, 1)), Promise.reject(new Error('x'))]")
        assert await first == 1
        with pytest.raises(JSError, match="Error: x"):
            await second
        with pytest.raises(SandboxBusy, match="await"):
            first.result()


async def _use(given: Awaitable[int]) -> int:
    return await given + 1


def test_an_async_host_function_awaits_what_it_is_given() -> None:
    code = "await use(new Promise(done => setTimeout(done, 1, 1)))"
    with Sandbox(functions={"use": _use}) as box:
        assert box.eval(code) == 2

    async def asynchronous() -> None:
        async with AsyncSandbox(functions={"use": _use}) as box:
            assert await box.eval(code) == 2

    anyio.run(asynchronous)


def test_a_sync_host_function_cannot_wait_for_what_is_pending() -> None:
    with Sandbox(functions={"use": lambda p: p.result()}) as box:
        assert box.eval("use(Promise.resolve(4))") == 4
        with pytest.raises(JSError, match="promise"):
            box.eval("use(new Promise(done => setTimeout(done, 1)))")


LATE: list[tuple[str, Any]] = [
    ("const a = slow(), b = fails(); let r; try { await a; await b } catch (e) { r = e.message } r", "no"),
    ("const p = [fails(), fails(), slow()]; (await Promise.allSettled(p)).map(r => r.status[0]).join('')", "rrf"),
    ("const b = fails(); await slow(); await slow(); await b.catch(e => e.message)", "no"),
    ("const s = stream(); const first = s.next(); await slow(); await first.catch(e => e.message)", "no"),
    ("const {late} = nested(); await slow(); let r; try { await late } catch (e) { r = e.message } r", "no"),
]


@pytest.mark.parametrize(("code", "value"), LATE, ids=[row[0] for row in LATE])
def test_a_failure_of_the_host_has_time_to_be_handled_until_the_run_ends(code: str, value: Any) -> None:
    """However quickly the host fails, a program that awaits later catches it."""

    async def fails() -> None:
        raise ValueError("no")

    async def slow() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    async def stream() -> AsyncIterator[int]:
        raise ValueError("no")
        yield 1

    functions = {"fails": fails, "slow": slow, "stream": stream, "nested": lambda: {"late": fails()}}
    with Sandbox(functions=functions) as box:
        assert box.eval(code) == value


@pytest.mark.parametrize("code", ["fails(); await slow(); 1", "fails(); await new Promise(() => {})", "fails(); 1"])
def test_one_that_nobody_handled_is_the_error_of_its_run(code: str) -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def slow() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    with Sandbox(functions={"fails": fails, "slow": slow}) as box:
        with pytest.raises(UnhandledRejection, match="no") as caught:
            box.eval(code)
            box.run_until_idle()
        assert isinstance(caught.value.__cause__, ValueError)
        assert box.eval("1") == 1


def test_what_one_run_left_unhandled_is_not_the_next_ones() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"fails": fails, "never": never}) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("fails(); await never()", timeout=0.05)
        assert box.eval("1") == 1
        assert box.eval("await null; 2") == 2


def test_a_rejection_of_the_guests_own_is_told_at_once() -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"never": never}) as box, pytest.raises(UnhandledRejection, match="own"):
        box.eval("Promise.reject(new Error('own')); await never()")


def test_awaitables_count_as_pending_requests() -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"f": lambda: never()}, limits=Limits(pending_requests=20)) as box:
        code = "let n = 0, e; try { for (;; n++) f() } catch (x) { e = x } [n, e.message]"
        made, message = box.eval(code)
        assert made == 20
        assert "beyond the pending_requests limit of 20" in message
        assert box.usage.pending_requests == 20


@pytest.mark.parametrize("code", ["await 0; thenable", "(async () => thenable)()", "thenable"])
def test_a_thenable_at_the_end_is_followed(code: str) -> None:
    with Sandbox() as box:
        box.eval("const thenable = {then(resolve) { resolve(5) }}; 0")
        assert box.eval(code) == 5
