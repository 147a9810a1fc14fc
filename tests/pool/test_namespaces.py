"""Namespaces: what is kept from one use to the next and what is not, who may have one, and where they go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import Call, Limits, Namespaces, Pause, Pool, Request, Sandbox, Snapshot
from sandbox.errors import (
    FuelLimitExceeded,
    JSError,
    LimitExceeded,
    NamespaceInUse,
    PoolTimeout,
    RunInterrupted,
    SandboxBusy,
    SandboxClosed,
    SnapshotError,
)
from tests.pool.other_threads import until

BACKENDS = ("asyncio", "trio")


async def never() -> None:
    await anyio.sleep_forever()


_pools: list[Pool] = []


@pytest.fixture(autouse=True)
def _close_pools() -> Iterator[None]:
    yield
    while _pools:
        _pools.pop().close()


def spaces(**arguments: Any) -> Namespaces:
    options = {key: arguments.pop(key) for key in ("most", "load", "on_evict") if key in arguments}
    _pools.append(Pool(**{"size": 2, "functions": {"never": never}, **arguments}))
    return Namespaces(_pools[-1], **options)


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_what_is_kept() -> None:
    kept = spaces(modules={"lib": "export const state = {loads: 0}; state.loads++"})
    with kept.take("a") as box:
        box.eval("let count = 1; const add = n => count += n; globalThis.map = new Map([[1, {deep: [1n]}]])")
        box.eval("serve({fetch: () => new Response('served ' + count)}); 0")
        box.module("import {state} from 'lib'; state.mine = 5")

    with kept.take("a") as box:
        assert box.call("add", 2) == 3
        assert box.eval("map.get(1).deep[0]") == 1
        assert box.module("import {state} from 'lib'; export default {...state}")["default"] == {"loads": 1, "mine": 5}
        assert box.dispatch(Request("GET", "http://a/")).body == b"served 3"
    with kept.take("b") as box:
        assert box.eval("typeof count") == "undefined"
    assert kept.names() == ["a", "b"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_both_faces_in_turn(backend: str) -> None:
    kept = spaces()

    async def use() -> Any:
        async with kept.take("a") as box:
            return await box.eval("globalThis.n = (globalThis.n ?? 0) + 1")

    for expected in (1, 3):
        assert anyio.run(use, backend=backend) == expected
        with kept.take("a") as box:
            assert box.eval("++n") == expected + 1


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_what_was_planned_never_happens(backend: str | None) -> None:
    kept = spaces(clock="virtual")
    plan = """
        globalThis.log = []
        setTimeout(() => log.push('timeout'), 50)
        setInterval(() => log.push('interval'), 10)
        AbortSignal.timeout(20).onabort = () => log.push('signal')
        never().catch(error => log.push(error.name))
        never().finally(() => { setTimeout(() => log.push('later'), 1); never() })
        0
    """
    look = "await new Promise(resolve => setTimeout(resolve, 1000)); log"

    async def later() -> Any:
        async with kept.take("a") as box:
            await box.eval(plan)
        async with kept.take("a") as box:
            assert box.usage.pending_requests == 0
            return await box.eval(look)

    if backend is None:
        with kept.take("a") as box:
            box.eval(plan)
        with kept.take("a") as box:
            assert box.usage.pending_requests == 0
            log = box.eval(look)
    else:
        log = anyio.run(later, backend=backend)
    assert log == ["AbortError"]


def test_in_a_broken_world() -> None:
    """A program that has replaced what the bindings could use changes nothing about its own timers' end."""
    kept = spaces(clock="virtual")
    with kept.take("a") as box:
        box.eval("""
            globalThis.fired = 0
            const later = setTimeout, every = setInterval
            for (let i = 1; i < 50; i++) { later(() => fired++, i); every(() => fired++, i) }
            const broken = () => { throw new Error('broken') }
            for (const key of ['get', 'set', 'has', 'delete', 'clear', 'forEach']) Map.prototype[key] = broken
            for (const key of ['pop', 'push', 'shift', 'splice', 'slice', 'at']) Array.prototype[key] = broken
            Function.prototype.call = Function.prototype.apply = Function.prototype.bind = broken
            for (const key of ['due', 'slot', 'id', 'period', '__proto__', '0', '50'])
                Reflect.defineProperty(Object.prototype, key, {get: broken, set: broken})
            0
        """)
    with kept.take("a") as box:
        box.run_until_idle()
        assert box.eval("fired") == 0
        box.eval("later(() => fired++, 7); 0")
        box.tick(10)
        assert box.eval("fired") == 1


def test_what_begins_anew() -> None:
    entries: list[list[str]] = []

    def own() -> dict[str, Any]:
        mine: list[str] = []
        entries.append(mine)
        return {"console": lambda entry: mine.append(entry.text)}

    kept = spaces(functions=None, warm=0, own=own, limits=Limits(output_bytes=1000))
    entries.clear()
    function: Any = None
    for _ in range(3):
        with kept.take("a") as box:
            box.eval("console.count('uses'); console.log('x'.repeat(150)); globalThis.f ??= () => 1")
            assert (box.usage.runs, box.usage.host_calls) == (1, 0)
            function = box.eval("f")
            assert box.usage.live_handles == 1
    with kept.take("a") as box:
        assert box.eval("f()") == 1
        assert box.usage.live_handles == 0
        with pytest.raises(SandboxClosed):
            function()

    assert [mine[0] for mine in entries[:3]] == ["uses: 1", "uses: 2", "uses: 3"]


def test_functions_of_one_use() -> None:
    kept = spaces()
    for user in ("ada", "bob"):
        with kept.take("a", functions={"user": lambda user=user: user}) as box:
            assert box.eval("globalThis.whoami ??= () => 'I am ' + user(); whoami()") == f"I am {user}"
    before = kept.snapshot("a")
    with pytest.raises(SnapshotError, match="user"), kept.take("a"):
        raise AssertionError
    assert kept.snapshot("a") is before
    assert kept.pool.stats().in_use == 0


# --- how uses end -----------------------------------------------------------------------------------------------------


def poison(box: Sandbox) -> None:
    with pytest.raises(FuelLimitExceeded):
        box.eval("n = 100; for (;;);", fuel=1_000_000)


def close(box: Sandbox) -> None:
    box.eval("n = 100")
    box.close()


@pytest.mark.parametrize("end", [poison, close])
def test_a_use_that_leaves_nothing(end: Callable[[Sandbox], None]) -> None:
    kept = spaces()
    with kept.take("a") as box:
        box.eval("globalThis.n = 1")
    with kept.take("a") as box:
        end(box)
    with kept.take("a") as box:
        assert box.eval("n") == 1
    with kept.take("new") as box:
        box.eval("globalThis.n = 1")
        end(box)
    assert kept.names() == ["a"]


def test_a_block_that_fails_keeps_what_was_done() -> None:
    kept = spaces()
    with suppress(JSError), kept.take("a") as box:
        box.eval("globalThis.n = 1; throw new Error('no')")
    with kept.take("a") as box:
        assert box.eval("n") == 1


def test_one_that_cannot_be_put_aside() -> None:
    """It computes on and on: what it had planned is over when its time is, and it goes back to what it was."""
    kept = spaces(limits=Limits(cpu_seconds=0.05))
    with kept.take("a") as box:
        box.eval("globalThis.n = 1")
    with pytest.raises(LimitExceeded), kept.take("a") as box:
        box.eval("n = 2; never().finally(() => { for (;;); }); 0")
    with kept.take("a") as box:
        assert box.eval("n") == 1
    with pytest.raises(ValueError, match="mine"), kept.take("a") as box:  # what the block raises counts
        box.eval("n = 3; never().finally(() => { for (;;); }); 0")
        raise ValueError("mine")
    assert kept.pool.stats().in_use == 0


def test_one_that_asks_again_and_again() -> None:
    kept = spaces()
    with kept.take("a") as box:
        box.eval("globalThis.n = 0; (function ask() { n++; never().finally(ask) })(); 0")
    with kept.take("a") as box:
        count = box.eval("n")
        assert 1 < count < 20
        assert box.usage.pending_requests == 0
        assert box.eval("n") == count


@pytest.mark.parametrize("backend", [None, *BACKENDS])
@pytest.mark.parametrize("is_hook", [False, True])
def test_one_that_is_paused_again_and_again(backend: str | None, is_hook: bool) -> None:
    """It does so to the end, and what is kept of it can be written and read."""
    saved: dict[str, bytes] = {}

    def pause(*_call: Call) -> None:
        raise Pause("who knows")

    async def ask() -> None:
        if not is_hook:
            pause()

    kept = spaces(
        functions={"ask": ask},
        on_call={"ask": pause} if is_hook else {},
        on_evict=lambda name, snapshot: saved.update({name: snapshot.to_bytes()}),
        load=lambda name: Snapshot.from_bytes(saved[name]) if name in saved else None,
    )
    code = "globalThis.n = 0; const again = () => { n++; ask().catch(again) }; again(); again(); 7"

    async def later() -> Any:
        async with kept.take("a") as box:
            return (await box.execute(code)).value

    if backend is None:
        with kept.take("a") as box:
            assert box.execute(code).value == 7
    else:
        assert anyio.run(later, backend=backend) == 7
    snapshot = kept.snapshot("a")
    assert snapshot is not None
    assert (snapshot.paused, snapshot.pending, snapshot.runs) == ((), (), ())
    assert kept.evict("a")
    with kept.take("a") as box:
        assert box.eval("n") > 1
        assert box.pending == ()


def test_runs_of_other_threads_end() -> None:
    kept = spaces()
    errors: list[BaseException] = []
    asked = threading.Event()

    def run(box: Sandbox) -> None:
        try:
            box.eval("asked(); await never()")
        except RunInterrupted as error:
            errors.append(error)

    with kept.take("a", functions={"asked": asked.set}) as box:
        box.eval("globalThis.n = 1")
        other = threading.Thread(target=run, args=(box,))
        other.start()
        assert asked.wait(20)
    other.join()

    assert len(errors) == 1
    with kept.take("a", functions={"asked": asked.set}) as box:
        assert (box.eval("n"), box.unfinished) == (1, ())


# --- who may have one -------------------------------------------------------------------------------------------------


def test_one_use_at_a_time() -> None:
    kept = spaces()

    async def take() -> None:
        async with kept.take("a"):
            raise AssertionError

    with kept.take("a"):
        with pytest.raises(NamespaceInUse, match="somebody else uses the namespace 'a'"), kept.take("a"):
            raise AssertionError
        for backend in BACKENDS:
            with pytest.raises(SandboxBusy):
                anyio.run(take, backend=backend)
        for refused in (kept.drop, kept.evict):
            with pytest.raises(NamespaceInUse):
                refused("a")
        with kept.take("b"):
            assert kept.pool.stats().in_use == 2
    assert repr(kept) == "<Namespaces 2 of 100 kept, 0 in use>"
    assert kept.drop("a") is True
    assert kept.drop("a") is False
    assert kept.evict("a") is False
    assert (kept.names(), len(kept), "b" in kept, "a" in kept) == (["b"], 1, True, False)


def test_names_are_free_again_after_a_wait_in_vain() -> None:
    kept = spaces(size=1)
    with kept.pool.take():
        for _ in range(2):
            with pytest.raises(TimeoutError), kept.take("a", timeout=0.01):
                raise AssertionError
    with kept.take("a") as box:
        assert box.eval("1") == 1


# --- where they go ----------------------------------------------------------------------------------------------------


class Store:
    """Snapshots in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.threads: set[int] = set()

    def load(self, name: str) -> Snapshot | None:
        self.threads.add(threading.get_ident())
        path = self._folder / name
        return Snapshot.read(path) if path.exists() else None

    def save(self, name: str, snapshot: Snapshot) -> None:
        self.threads.add(threading.get_ident())
        snapshot.write(self._folder / name)

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir())


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_the_least_recently_used_goes_to_the_store(tmp_path: Path, backend: str | None) -> None:
    store = Store(tmp_path)
    kept = spaces(most=2, load=store.load, on_evict=store.save)
    count = "globalThis.n = (globalThis.n ?? 0) + 1"

    def use(name: str) -> Any:
        with kept.take(name) as box:
            return box.eval(count)

    async def use_later(name: str) -> Any:
        async with kept.take(name) as box:
            return await box.eval(count)

    def visit(name: str) -> Any:
        return use(name) if backend is None else anyio.run(use_later, name, backend=backend)

    assert [visit(name) for name in "abac"] == [1, 1, 2, 1]
    assert (kept.names(), store.names()) == (["a", "c"], ["b"])
    assert [visit(name) for name in "baca"] == [2, 3, 2, 4]
    assert kept.names() == ["c", "a"]
    assert (threading.get_ident() in store.threads) == (backend is None)
    with kept:
        pass
    assert (kept.names(), store.names()) == ([], ["a", "b", "c"])
    with pytest.raises(SandboxClosed), kept.take("a"):
        raise AssertionError
    with spaces(load=store.load).take("a") as box:
        assert box.eval("n") == 4


def test_a_store_that_fails_loses_nothing() -> None:
    is_broken = True
    saved: list[str] = []

    def save(name: str, _: Snapshot) -> None:
        if is_broken:
            raise OSError("the disk is full")
        saved.append(name)

    kept = spaces(most=1, on_evict=save)
    with kept.take("a"):
        pass
    with pytest.raises(OSError, match="full"), kept.take("b"):
        pass
    assert (kept.names(), kept.pool.stats().in_use) == (["a", "b"], 0)
    with pytest.raises(OSError, match="full"):
        kept.evict("b")
    is_broken = False
    assert kept.evict("b") is True
    kept.close()
    assert (saved, kept.names()) == (["b", "a"], [])


def test_what_is_in_use_when_all_end_is_evicted_then() -> None:
    saved: list[str] = []
    kept = spaces(on_evict=lambda name, _: saved.append(name))
    with kept.take("a"):
        kept.close()
        assert saved == []
    assert saved == ["a"]


def hang(box: Sandbox) -> None:
    box.eval("never().finally(() => { for (;;); }); 0")


@pytest.mark.parametrize("end", [poison, close, hang])
def test_what_a_use_leaves_as_it_was_is_evicted_as_well(end: Callable[[Sandbox], None]) -> None:
    saved: list[str] = []
    kept = spaces(on_evict=lambda name, _: saved.append(name), limits=Limits(cpu_seconds=0.05))
    with kept.take("a"):
        pass
    with suppress(LimitExceeded), kept.take("a") as box:
        kept.close()
        end(box)
        assert saved == []
    assert (saved, kept.names()) == (["a"], [])


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_who_waited_in_vain_until_the_end_leaves_nothing_behind(backend: str | None) -> None:
    saved: list[str] = []
    kept = spaces(size=1, on_evict=lambda name, _: saved.append(name))

    def take() -> None:
        with pytest.raises(PoolTimeout), kept.take("a", timeout=0.2):
            raise AssertionError

    async def take_later() -> None:
        with pytest.raises(PoolTimeout):
            async with kept.take("a", timeout=0.2):
                raise AssertionError

    with kept.take("a"):
        pass
    waits = threading.Thread(target=take if backend is None else lambda: anyio.run(take_later, backend=backend))
    with kept.pool.take():
        waits.start()
        until(lambda: kept.pool.stats().waiting)
        kept.close()
        assert saved == []
        waits.join()
    assert (saved, kept.names(), kept.pool.stats().in_use) == (["a"], [], 0)


def test_a_store_that_gives_something_else() -> None:
    kept = spaces(load=lambda _: b"bytes")
    with pytest.raises(TypeError, match="load must return a Snapshot or None, not bytes"), kept.take("a"):
        raise AssertionError
    assert repr(kept) == "<Namespaces 0 of 100 kept, 0 in use>"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"most": -1}, ValueError),
        ({"most": None}, TypeError),
        ({"load": 1}, TypeError),
        ({"on_evict": 1}, TypeError),
    ],
    ids=str,
)
def test_arguments_that_are_none(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        spaces(**arguments)
    with pytest.raises(TypeError, match="pool must be a Pool"):
        Namespaces(Sandbox)  # type: ignore[arg-type] # the mistake that is tested
    with pytest.raises(TypeError, match="name must be a str"):
        spaces().take(1)  # type: ignore[arg-type] # likewise
