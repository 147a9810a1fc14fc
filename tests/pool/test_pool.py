"""The pool on both faces: what it gives out, to whom, and what it does not give out again."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import Limits, Namespaces, Pool, Sandbox, Template
from sandbox.errors import (
    CpuLimitExceeded,
    JSError,
    LimitExceeded,
    MemoryLimitExceeded,
    PoolFull,
    PoolTimeout,
    RunInterrupted,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    UsageError,
)
from tests.pool.other_threads import until

BACKENDS = ("asyncio", "trio")


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool("const double = n => 2 * n; let uses = 0", size=2) as pool:
        yield pool


def books(pool: Pool) -> tuple[int, int]:
    stats = pool.stats()
    return stats.in_use, stats.waiting


# --- what is given out ------------------------------------------------------------------------------------------------


def test_each_use_has_a_sandbox_of_its_own(pool: Pool) -> None:
    seen = []
    for _ in range(6):
        with pool.take() as box:
            assert box.call("double", 21) == 42
            assert box.eval("++uses") == 1
            seen.append(box)

    assert len(set(map(id, seen))) == 6
    assert all(box.closed for box in seen)


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_an_event_loop(pool: Pool, backend: str) -> None:
    async def use(index: int) -> None:
        async with pool.take() as box:
            most.append(pool.stats().in_use)
            assert await box.call("double", index) == 2 * index
            assert await box.eval("++uses") == 1

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for index in range(8):
                tasks.start_soon(use, index)

    most: list[int] = []
    anyio.run(main, backend=backend)

    assert max(most) == 2
    assert books(pool) == (0, 0)


def test_some_are_ready(pool: Pool) -> None:
    with pool.take():
        pass
    until(lambda: pool.stats().warm == 2)
    with pool.take() as box:
        assert box.call("double", 1) == 2

    stats = pool.stats()
    assert (stats.taken, stats.ready, stats.size) == (2, 1, 2)


def test_none_are_ready_where_none_should_be() -> None:
    with Pool(size=1, warm=0) as pool:
        for _ in range(3):
            with pool.take():
                pass
        assert (pool.stats().ready, pool.stats().warm, pool.stats().made) == (0, 0, 3)


def end_by_cpu(box: Sandbox) -> None:
    with pytest.raises(CpuLimitExceeded):
        box.eval("globalThis.mark = 1; for (;;);")


def end_by_fuel(box: Sandbox) -> None:
    with pytest.raises(LimitExceeded):
        box.eval("globalThis.mark = 1; for (;;);", fuel=1_000_000)
    with pytest.raises(SandboxPoisoned):
        box.eval("1")


def end_by_memory(box: Sandbox) -> None:
    with suppress(MemoryLimitExceeded):
        box.eval("globalThis.mark = []; for (;;) mark.push(new Uint8Array(1 << 20))")


def end_by_closing(box: Sandbox) -> None:
    box.eval("globalThis.mark = 1")
    box.close()


def end_by_an_error(box: Sandbox) -> None:
    box.eval("globalThis.mark = 1; throw new Error('ended')")


@pytest.mark.parametrize("end", [end_by_cpu, end_by_fuel, end_by_memory, end_by_closing, end_by_an_error])
def test_what_has_ended_somehow_is_never_given_out_again(end: Callable[[Sandbox], None]) -> None:
    limits = Limits(cpu_seconds=0.05, memory_bytes=16 << 20)
    with Pool(size=1, warm=1, limits=limits) as pool:
        with suppress(JSError), pool.take() as box:
            end(box)
        for _ in range(3):
            with pool.take() as other:
                assert other is not box
                assert other.eval("typeof mark") == "undefined"
        assert pool.stats().poisoned == (end is end_by_fuel)
        assert books(pool) == (0, 0)


def test_what_still_runs_is_interrupted(pool: Pool) -> None:
    errors: list[BaseException] = []

    def run(box: Sandbox) -> None:
        try:
            box.eval("await new Promise(resolve => setTimeout(resolve, 60_000))")
        except RunInterrupted as error:
            errors.append(error)

    with pool.take() as box:
        other = threading.Thread(target=run, args=(box,))
        other.start()
        until(lambda: box.usage.pending_requests)
    other.join()

    assert box.closed
    assert len(errors) == 1


# --- who waits --------------------------------------------------------------------------------------------------------


def test_first_come_first_served_on_whatever_face(pool: Pool) -> None:
    order: list[int] = []

    def blocking(index: int) -> None:
        with pool.take():
            order.append(index)

    async def asynchronous(index: int) -> None:
        async with pool.take():
            order.append(index)

    def work(index: int) -> None:
        if index % 3:
            anyio.run(asynchronous, index, backend=BACKENDS[index % 2])
        else:
            blocking(index)

    first, second = pool.take(), pool.take()
    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    with first:
        with second:
            for index, thread in enumerate(threads):
                thread.start()
                until(lambda: pool.stats().waiting > index)  # noqa: B023 - called at once
            assert "2 of 2 in use, 6 waiting" in repr(pool)
        for thread in threads:
            thread.join()

    assert order == [0, 1, 2, 3, 4, 5]
    stats = pool.stats()
    assert (stats.taken, stats.waited, stats.cancelled) == (8, 6, 0)
    assert 0 < stats.longest_wait_seconds <= stats.wait_seconds


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_task_that_is_cancelled_loses_nothing(pool: Pool, backend: str) -> None:
    async def wait() -> None:
        async with pool.take():
            raise AssertionError

    async def main() -> None:
        async with pool.take(), pool.take():
            for _ in range(3):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(wait)
                    while pool.stats().waiting < 1:
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()
                assert pool.stats().waiting == 0
        async with pool.take(), pool.take():
            pass

    anyio.run(main, backend=backend)

    assert books(pool) == (0, 0)
    assert pool.stats().cancelled == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelled_at_random_instants(pool: Pool, backend: str) -> None:
    choose, spaces, seen = random.Random(5), Namespaces(pool), [0, 0]

    async def use(index: int) -> None:
        with anyio.move_on_after(choose.uniform(0, 0.01)) as scope:
            async with spaces.take(f"name {index}") if index % 2 else pool.take() as box:
                await box.eval("setTimeout(() => {}, 5); 1")
        seen[scope.cancelled_caught] += 1

    async def main() -> None:
        for _ in range(15):
            async with anyio.create_task_group() as tasks:
                for index in range(8):
                    tasks.start_soon(use, index)

    anyio.run(main, backend=backend)

    assert sum(seen) == 120
    assert seen[True] > 10
    assert (books(pool), spaces._in_use) == ((0, 0), {})
    for name in spaces.names():
        with spaces.take(name) as box:
            assert box.eval("1 + 1") == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelled_in_the_block(pool: Pool, backend: str) -> None:
    async def main() -> None:
        for _ in range(3):
            with anyio.move_on_after(0.02) as scope:
                async with pool.take() as box:
                    await box.eval("for (;;);")
            assert scope.cancelled_caught

    anyio.run(main, backend=backend)

    assert books(pool) == (0, 0)


def test_the_time_to_wait(pool: Pool) -> None:
    async def later() -> None:
        async with pool.take(timeout=0.01):
            raise AssertionError

    with pool.take(), pool.take():
        with pytest.raises(PoolTimeout, match=r"none of 2 sandboxes came free within 0\.01 s"), pool.take(timeout=0.01):
            raise AssertionError
        with pytest.raises(TimeoutError), pool.take(timeout=0):
            raise AssertionError
        for backend in BACKENDS:
            with pytest.raises(PoolTimeout):
                anyio.run(later, backend=backend)

    assert books(pool) == (0, 0)
    assert pool.stats().timed_out == 4
    with pool.take(timeout=0):  # nobody has to wait
        pass


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_a_time_without_end(pool: Pool, backend: str | None, timeout: float) -> None:
    values: list[Any] = []

    def wait() -> None:
        with pool.take(timeout=timeout) as box:
            values.append(box.eval("1"))

    async def wait_later() -> None:
        async with pool.take(timeout=timeout) as box:
            values.append(await box.eval("1"))

    def run() -> None:
        if backend is None:
            wait()
        else:
            anyio.run(wait_later, backend=backend)

    thread = threading.Thread(target=run)
    with pool.take(), pool.take():
        thread.start()
        until(lambda: pool.stats().waiting or not thread.is_alive())
    thread.join()
    assert values == [1]


def test_how_many_may_wait() -> None:
    with Pool(size=1, max_waiting=0) as pool, pool.take():
        with pytest.raises(PoolFull, match="0 wait already for one of 1 sandboxes"), pool.take():
            raise AssertionError
        assert pool.stats().refused == 1


def test_a_wait_that_nobody_could_end() -> None:
    pool = Pool(size=1)

    async def take() -> str:
        try:
            with pool.take(timeout=None):
                return "taken"
        except SandboxBusy as error:
            return str(error)

    with pool, pool.take() as box:
        box.function(take)
        assert "on the loop of asynchronous host functions" in box.eval("await take()")


class Signal(BaseException):
    """Raised by a signal handler, as KeyboardInterrupt is."""


@pytest.fixture
def alarm() -> Iterator[Callable[[float], object]]:
    """Have a signal handler raise `Signal` after so many seconds."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("the platform has no timers that send signals")

    def handle(_number: int, _frame: object) -> None:
        raise Signal

    before = signal.signal(signal.SIGALRM, handle)
    try:
        yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_ends_a_wait(pool: Pool, alarm: Callable[[float], object]) -> None:
    with pool.take(), pool.take():
        alarm(0.05)
        with pytest.raises(Signal), pool.take(timeout=None):
            raise AssertionError
        assert books(pool) == (2, 0)
    assert (books(pool), pool.stats().cancelled) == ((0, 0), 1)


def test_signals_at_random_instants_lose_no_place(
    alarm: Callable[[float], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, tell = random.Random(3), sys.unraisablehook

    def tell_of_others(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, Signal):  # what is raised in a finalizer ends there
            tell(unraisable)

    monkeypatch.setattr(sys, "unraisablehook", tell_of_others)
    with Pool(size=1, timeout=5) as pool:
        spaces = Namespaces(pool)
        hits = 0
        for index in range(300):
            try:
                alarm(choose.uniform(1e-6, 2e-3))
                with spaces.take("a") if index % 2 else pool.take() as box:
                    box.eval("1")
                alarm(0)
            except Signal:
                hits += 1
        assert hits > 20
        gc.collect()
        for name in ("a", "b"):
            with pool.take(timeout=0), pytest.raises(PoolTimeout), spaces.take(name, timeout=0):
                raise AssertionError
            with spaces.take(name, timeout=0) as box:
                assert box.eval("1 + 1") == 2
        assert books(pool) == (0, 0)


def test_a_loop_that_was_closed_takes_no_place_along() -> None:
    async def wait(pool: Pool) -> None:
        async with pool.take():
            raise AssertionError

    with Pool(size=1) as pool:
        loop = asyncio.new_event_loop()
        with pool.take():
            task = loop.create_task(wait(pool))
            loop.run_until_complete(asyncio.sleep(0))
            assert books(pool) == (1, 1)
            loop.close()
        assert books(pool) == (0, 0)
        with pool.take(timeout=0) as box:
            assert box.eval("1") == 1
        task._log_destroy_pending = False  # type: ignore[attr-defined] # who closes a loop like that knows


# --- the end ----------------------------------------------------------------------------------------------------------


def test_closed_in_good_order() -> None:
    pool = Pool(size=1)
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            with pool.take():
                raise AssertionError
        except SandboxClosed as error:
            failures.append(error)

    async def wait_too() -> None:
        with pytest.raises(SandboxClosed, match="the pool is closed"):
            async with pool.take():
                raise AssertionError

    with pool.take() as box:
        threads = [threading.Thread(target=wait), threading.Thread(target=anyio.run, args=(wait_too,))]
        for thread in threads:
            thread.start()
        until(lambda: pool.stats().waiting == 2)
        pool.close()
        for thread in threads:
            thread.join()
        assert box.eval("1 + 1") == 2  # whoever has one keeps it to the end of the block
    pool.close()

    assert box.closed
    assert len(failures) == 1
    assert pool.closed
    assert repr(pool) == "<Pool closed, 0 waiting>"
    assert (books(pool), pool.stats().warm) == ((0, 0), 0)
    with pytest.raises(SandboxClosed), pool.take():
        raise AssertionError
    with pytest.raises(SandboxClosed), pool:
        raise AssertionError


def test_a_pool_that_nobody_has_keeps_nothing() -> None:
    pools = [Pool(size=2)]
    with pools[0].take():
        pass
    until(lambda: pools[0].stats().warm == 2)
    gone = weakref.ref(pools[0]._stock)
    pools.clear()
    gc.collect()
    assert gone() is None


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"size": 0}, ValueError),
        ({"size": True}, TypeError),
        ({"size": 1.5}, TypeError),
        ({"size": 1, "warm": -1}, ValueError),
        ({"size": 1, "max_waiting": "1"}, TypeError),
        ({"size": 1, "timeout": -1}, ValueError),
        ({"size": 1, "timeout": "1"}, TypeError),
        ({"size": 1, "nonsense": 1}, TypeError),
    ],
    ids=str,
)
def test_arguments_that_are_none(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Pool(**arguments)


def test_other_mistakes(pool: Pool) -> None:
    with pytest.raises(TypeError, match="the options are the template's"):
        Pool(Template(), size=1, limits=Limits())
    with pytest.raises(ValueError, match="timeout must not be negative"):
        pool.take(timeout=-1)
    loan = pool.take()
    with loan, pytest.raises(UsageError, match="entered once"), loan:
        raise AssertionError
    assert books(pool) == (0, 0)
