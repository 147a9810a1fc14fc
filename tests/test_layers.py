"""Stores that begin with a snapshot's memory: mapped, shared, and the snapshot's again when they are used again."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Limits, Sandbox, Snapshot, _image, _layers, _pages, _store
from sandbox.errors import LimitExceeded, MemoryLimitExceeded

if TYPE_CHECKING:
    from sandbox._memory_copy import MemoryCopy

linux = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has files in memory")

SECRET = "the secret of another tenant"


@pytest.fixture
def snapshot() -> Iterator[Snapshot]:
    with Sandbox() as box:
        box.eval("globalThis.a = Array.from({length: 20000}, (_, i) => ({i})); globalThis.n = 1; 0")
        taken = box.snapshot()
    for _ in range(2):
        Sandbox.restore(taken).close()
    yield taken


def _memory(snapshot: Snapshot) -> MemoryCopy:
    assert snapshot._memory is not None
    return snapshot._memory


def _layer(snapshot: Snapshot) -> _layers.Layer:
    layer = _memory(snapshot)._layer
    assert layer is not None
    return layer


def _stores(snapshot: Snapshot) -> list[_store.Store]:
    return _layer(snapshot)._stores["fuel"]


def _content(box: Sandbox) -> bytes:
    instance = box._driver.guest.instance
    assert instance._store is not None
    return ctypes.string_at(instance._store.base, instance._store.memory_bytes())


@linux
def test_memory_is_shared_from_the_second_time_on(snapshot: Snapshot) -> None:
    with Sandbox() as box:
        once = box.snapshot()
    with Sandbox.restore(once) as first, Sandbox.restore(once) as second:
        stores = [life._driver.guest.instance._store for life in (first, second)]
        assert [store is not None and store.layer is not None for store in stores] == [False, True]


PROGRAMS = {
    "nothing": "0",
    "globals": f"globalThis.secret = '{SECRET}'; for (const o of a) o.secret = secret; 0",
    "intrinsics": "for (const n of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[n] } catch {} 0",
    "a stop": f"const s = '{SECRET}'.repeat(100); for (;;) ;",
    "the stack": f"(function f(n) {{ const s = '{SECRET}' + n; return n ? f(n - 1) + s : s }})(1000); 0",
}


@linux
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_a_used_memory_is_that_of_the_snapshot_again(snapshot: Snapshot, code: str) -> None:
    layer = _layer(snapshot)
    _stores(snapshot).clear()
    with Sandbox.restore(snapshot, limits=Limits(cpu_seconds=0.2)) as life:
        store = life._driver.guest.instance._store
        assert store is not None
        with suppress(LimitExceeded):
            life.eval(code)
    expected = bytes(layer._view[:])
    assert _stores(snapshot) in ([store], []) if code is PROGRAMS["globals"] else _stores(snapshot) == [store]
    if _stores(snapshot):
        assert ctypes.string_at(store.base, store.memory_bytes()) == expected
        assert SECRET.encode() not in expected
    with Sandbox.restore(snapshot) as life:
        assert SECRET.encode() not in _content(life)
        assert life.eval("[n, a.length, a[7].secret === undefined, typeof secret]") == [1, 20000, True, "undefined"]


@linux
def test_stores_are_kept_and_used_again(snapshot: Snapshot) -> None:
    with Sandbox.restore(snapshot) as life:
        life.eval("n = 2")
        store = life._driver.guest.instance._store
    assert _stores(snapshot)[-1] is store
    with Sandbox.restore(snapshot) as life:
        assert life._driver.guest.instance._store is store
        assert life.eval("n") == 1


@linux
def test_what_cannot_be_wiped_is_freed(snapshot: Snapshot) -> None:
    _stores(snapshot).clear()
    with Sandbox.restore(snapshot) as life:
        life.eval("globalThis.b = new Uint8Array(30 << 20).fill(1); 0")
    assert _stores(snapshot) == []
    with Sandbox.restore(snapshot, limits=Limits(fuel=100_000)) as life, pytest.raises(LimitExceeded):
        life.eval("for (;;);")
    assert _stores(snapshot) == []


@linux
def test_images_of_every_kind_share_a_memory_and_no_stores(snapshot: Snapshot, tmp_path: Path) -> None:
    """A store of one engine must not serve an instance of another, which is stopped in another way."""
    options: list[dict[str, Any]] = [
        {"limits": Limits(metering=metering), "record": record}
        for metering in ("fuel", "clock")
        for record in (None, tmp_path / metering)
    ]
    stores = []
    for given in 2 * options:
        with Sandbox.restore(snapshot, **given) as life:
            instance = life._driver.guest.instance
            store = instance._store
            assert store is not None
            assert store.layer is _layer(snapshot)
            assert store.image is instance.image
            assert life.eval("[++n, a.length]") == [2, 20000]
            stores.append(store)
    assert stores[: len(options)] == stores[len(options) :]
    assert len(set(map(id, stores))) == len(_image.KINDS) == len(options)


@linux
def test_so_many_are_kept(snapshot: Snapshot) -> None:
    lives = [Sandbox.restore(snapshot) for _ in range(_store.KEPT_STORES + 4)]
    for life in lives:
        life.close()
    assert len(_stores(snapshot)) == _store.KEPT_STORES


@linux
def test_a_limit_is_that_of_each_life(snapshot: Snapshot) -> None:
    with Sandbox.restore(snapshot, limits=Limits(memory_bytes=256 << 20)) as life:
        life.eval("globalThis.b = new Uint8Array(100 << 20).length")
    for _ in range(3):
        with Sandbox.restore(snapshot, limits=Limits(memory_bytes=16 << 20)) as life:
            with pytest.raises(MemoryLimitExceeded):
                life.eval("globalThis.b = new Uint8Array(100 << 20).length")
            assert life.usage.peak_memory_bytes <= 16 << 20


def test_without_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    _restore_some()


def test_without_mappings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages, "map_over", lambda *_arguments: False)
    _restore_some()


def test_without_news_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages, "scan", lambda *_arguments: None)
    _restore_some()


def _restore_some() -> None:
    with Sandbox() as box:
        box.eval("globalThis.n = 1")
        snapshot = Snapshot.from_bytes(box.snapshot().to_bytes())
    for _ in range(4):
        with Sandbox.restore(snapshot) as life, life.fork() as twin:
            assert [life.eval("n += 1; n"), twin.eval("n"), life.eval("n")] == [2, 1, 2]
            with Sandbox.restore(life.snapshot()) as next_life:
                assert next_life.eval("n") == 2


def test_from_many_threads_at_once(snapshot: Snapshot) -> None:
    seen: list[int] = []

    def work(number: int) -> None:
        for round_ in range(10):
            with Sandbox.restore(snapshot) as life:
                seen.append(life.eval(f"n += {number * 100 + round_}; a[3].i = n; n - {number * 100 + round_}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 60


@linux
def test_in_a_forked_process() -> None:
    program = (
        "import os; from sandbox import Sandbox\n"
        "box = Sandbox(); box.eval('globalThis.n = 1'); s = box.snapshot()\n"
        "a, b = Sandbox.restore(s), Sandbox.restore(s)\n"
        "b.eval('n = 5')\n"
        "pid = os.fork()\n"
        "told = [a.eval('++n'), b.eval('++n'), Sandbox.restore(s).eval('n'), box.eval('n')]\n"
        "if pid: os.waitpid(pid, 0)\n"
        "print(told, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[2, 6, 1, 1]\n" * 2


@linux
def test_it_ends_with_its_snapshot(snapshot: Snapshot) -> None:
    life = Sandbox.restore(snapshot)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    del snapshot
    gc.collect()
    assert life.eval("n") == 1
    with life.fork() as twin:
        assert twin.eval("[n, a.length]") == [1, 20000]
    life.close()
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208 - a count
