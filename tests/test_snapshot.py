"""Snapshots, restored and forked sandboxes: keys, limits, when they can be taken, and what is refused."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, JSError, Limits, Sandbox, Snapshot
from sandbox._code_cache import ARTIFACTS
from sandbox.errors import (
    ConversionError,
    LimitExceeded,
    MemoryLimitExceeded,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    SnapshotUntrusted,
    Stalled,
    UsageError,
)
from tests.later_lives import KEY, SEED, never, signed, waiting, written

RESTORE: Any = Sandbox.restore


# --- keys ---

_SIGN = "crypto.subtle.sign('HMAC', k, new Uint8Array(3))"


def test_crypto_keys_go_along_with_a_key() -> None:
    with Sandbox() as box:
        box.eval("globalThis.k = await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign']); 0")
        signature = box.eval(_SIGN)
        snapshot = box.snapshot()
        with box.fork() as twin, Sandbox.restore(snapshot) as life, Sandbox.restore(signed(snapshot)) as other:
            assert twin.eval(_SIGN) == life.eval(_SIGN) == other.eval(_SIGN) == signature
        secret = box._driver._operations.granted.of("crypto")._service.vault.secret  # type: ignore[union-attr]
        assert secret not in snapshot.to_bytes(key=KEY)
        assert secret not in snapshot.to_bytes()
    for lost in (written(snapshot), Snapshot.from_bytes(snapshot.to_bytes(key=KEY))):
        with Sandbox.restore(lost) as life:
            with pytest.raises(JSError, match="restored from a snapshot that has no keys") as caught:
                life.eval(_SIGN)
            assert caught.value.name == "OperationError"
            life.eval("k = await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign']); 0")
            assert len(life.eval(_SIGN)) == 32
            with Sandbox.restore(signed(life.snapshot())) as last:
                assert last.eval(_SIGN) == life.eval(_SIGN)


@pytest.mark.parametrize("key", [b"", b"short", "text" * 8, 5])
def test_keys_that_are_none(key: Any) -> None:
    with Sandbox() as box:
        snapshot = box.snapshot()
    for use in (lambda: snapshot.to_bytes(key=key), lambda: Snapshot.from_bytes(b"", key=key)):
        with pytest.raises((TypeError, ValueError), match="key must"):
            use()


def test_a_key_refuses_what_is_not_signed_with_it() -> None:
    with Sandbox() as box:
        plain, signed = box.snapshot().to_bytes(), box.snapshot().to_bytes(key=KEY)
    for data in (plain, signed[:-1] + bytes([signed[-1] ^ 1]), signed[:-32]):
        with pytest.raises(SnapshotUntrusted):
            Snapshot.from_bytes(data, key=KEY)
    with pytest.raises(SnapshotUntrusted, match="was not signed with this key"):
        Snapshot.from_bytes(signed, key=b"another key, as long")
    assert Snapshot.from_bytes(signed).runs == ()


# --- limits ---


def test_limits_are_those_of_the_new_life() -> None:
    with Sandbox(limits=Limits(memory_bytes=128 << 20)) as box:
        box.eval("globalThis.a = Array.from({length: 100000}, (_, i) => ({i})); 0")
        snapshot = box.snapshot()
    with pytest.raises(MemoryLimitExceeded, match=r"Restore it with a higher Limits\.memory_bytes"):
        Sandbox.restore(snapshot, limits=Limits(memory_bytes=8 << 20))
    with Sandbox.restore(snapshot, limits=Limits(memory_bytes=32 << 20)) as life:
        with pytest.raises(MemoryLimitExceeded):
            life.eval("for (;;) a.push(new Array(1000).fill(1))")
        assert life.usage.peak_memory_bytes <= 32 << 20
    with Sandbox.restore(snapshot, limits=Limits(cpu_seconds=0.1, max_nodes=500)) as life:
        with pytest.raises(LimitExceeded):
            life.eval("for (;;);")
        with pytest.raises(ConversionError, match="max_nodes"):
            life.eval("Array(1000).fill(1)")
    with Sandbox.restore(snapshot, limits=Limits(stack_bytes=32 << 10)) as life:
        depth = "var d = 0; (function f() { d++; f() })"
        shallow = life.eval(f"try {{ {depth}() }} catch {{}} d")
        with Sandbox.restore(snapshot) as deep:
            assert deep.eval(f"try {{ {depth}() }} catch {{}} d") > 4 * shallow


def test_memory_that_was_freed_can_be_used_again() -> None:
    limits = Limits(memory_bytes=32 << 20)
    fill = "globalThis.b = new Uint8Array(20 << 20).fill(1); b.length"
    with Sandbox(limits=limits) as box:
        box.eval(fill)
        box.eval("b = null")
        with Sandbox.restore(written(box.snapshot()), limits=limits) as life:
            assert life.eval(fill) == 20 << 20


@pytest.mark.parametrize("limits", [Limits(pending_requests=1), Limits(handles=1)], ids=["requests", "handles"])
def test_more_than_the_limits_allow(limits: Limits) -> None:
    with Sandbox(functions={"never": never, "other": len}) as box:
        box.eval("never(); never(); 0")
        snapshot = box.snapshot()
    with pytest.raises(LimitExceeded, match="Restore it with higher limits"):
        Sandbox.restore(snapshot, functions={"never": never, "other": len}, limits=limits)


def test_refused_calls_do_not_count() -> None:
    """They have an answer, which the program was not told when its run ended: its own limits hold it again."""
    options: dict[str, Any] = {
        "functions": {"never": never},
        "limits": Limits(pending_requests=1),
        "on_limit": "poison",
    }
    with Sandbox(**options) as box:
        with pytest.raises(JSError, match="too many host calls and timers are pending"):
            box.eval("await Promise.all([...Array(9)].map(() => never()))")
        with box.fork() as twin, Sandbox.restore(written(box.snapshot()), **options) as life:
            assert [each.eval("1 + 1") for each in (box, twin, life)] == [2, 2, 2]


@pytest.mark.parametrize("metering", ["fuel", "clock"])
def test_a_snapshot_fits_both_ways_of_metering(metering: Any) -> None:
    with Sandbox() as box:
        box.eval("globalThis.n = 1")
        snapshot = written(box.snapshot())
    for _ in range(3):
        with Sandbox.restore(snapshot, limits=Limits(metering=metering)) as life:
            assert life.eval("++n") == 2


def test_a_rollback_goes_back_to_the_snapshot() -> None:
    calls: list[str] = []

    async def ask() -> str:
        calls.append("ask")
        return "answer"

    snapshot, _ = waiting("globalThis.n = 1; await ask()", {"ask": never})
    for _ in range(3):
        calls.clear()
        with Sandbox.restore(
            snapshot, functions={"ask": ask}, on_limit="rollback", limits=Limits(cpu_seconds=0.2)
        ) as life:
            with pytest.raises(LimitExceeded) as caught:
                life.eval("n = 2; for (;;);")
            assert caught.value.rolled_back
            assert life.eval("n") == 1
            assert life.finish(2) == "answer"
            assert calls == ["ask"]


def test_snapshots_of_a_sandbox_that_can_be_rolled_back() -> None:
    with Sandbox(on_limit="rollback", limits=Limits(cpu_seconds=0.1)) as box:
        box.eval("globalThis.n = 1")
        with pytest.raises(LimitExceeded):
            box.eval("n = 2; for (;;);")
        with Sandbox.restore(box.snapshot()) as life, box.fork() as twin:
            assert life.eval("n") == twin.eval("n") == 1
            with pytest.raises(LimitExceeded):
                twin.eval("n = 3; for (;;);")
            assert twin.eval("n") == 1


# --- when ---


def test_not_in_the_middle_of_a_turn() -> None:
    refused: list[type[BaseException]] = []

    def inside() -> None:
        for use in (box.snapshot, box.fork):
            with pytest.raises(SandboxBusy) as caught:
                use()
            refused.append(caught.type)

    with Sandbox(functions={"inside": inside}) as box:
        box.eval("inside()")
        assert refused == [SandboxBusy, SandboxBusy]
        assert box.snapshot().functions == ("inside",)


def test_it_waits_for_the_turn_of_another_thread() -> None:
    began, go = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        go.wait(10)

    with Sandbox(functions={"hold": hold}) as box:
        thread = threading.Thread(target=lambda: box.eval("globalThis.n = 1; hold(); n = 2"))
        thread.start()
        assert began.wait(10)
        timer = threading.Timer(0.05, go.set)
        timer.start()
        snapshot = box.snapshot()
        thread.join()
        timer.join()
    with Sandbox.restore(snapshot, functions={"hold": hold}) as life:
        assert life.eval("n") == 2


def test_not_of_a_sandbox_that_is_closed_or_poisoned() -> None:
    box = Sandbox(on_limit="poison", limits=Limits(cpu_seconds=0.05))
    with pytest.raises(LimitExceeded):
        box.eval("for (;;);")
    for use in (box.snapshot, box.fork):
        with pytest.raises(SandboxPoisoned):
            use()
    box.close()
    for use in (box.snapshot, box.fork, lambda: box.finish(1)):
        with pytest.raises(SandboxClosed):
            use()
    assert box.pending == ()


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda s: RESTORE(b"bytes"), TypeError),
        (lambda s: RESTORE(s, pending="later"), ValueError),
        (lambda s: RESTORE(s, clock="sundial"), ValueError),
        (lambda s: RESTORE(s, seed="x"), TypeError),
        (lambda s: s.write("/nowhere/at/all"), OSError),
        (lambda s: Snapshot.read("/nowhere/at/all"), OSError),
    ],
)
def test_misuse(use: Callable[[Snapshot], object], error: type[Exception]) -> None:
    with Sandbox() as box:
        snapshot = box.snapshot()
    with pytest.raises(error):
        use(snapshot)


def test_it_is_not_to_be_seen() -> None:
    """Taking snapshots changes nothing of what a program or its embedder can see."""

    def life(*, looks: bool) -> list[Any]:
        with Sandbox(clock="virtual", seed=SEED) as box:
            seen: list[Any] = []
            for code in ("new Error().stack", "setTimeout(() => 0, 5); Math.random()", "performance.now()", "throw 1"):
                if looks:
                    box.snapshot()
                    box.fork().close()
                try:
                    seen.append(box.eval(code))
                except JSError as error:
                    seen.append(str(error))
            usage = box.usage
            return [*seen, usage.fuel, usage.runs, usage.turns, usage.heap_bytes, usage.pending_requests]

    assert life(looks=True) == life(looks=False)


def test_numbers_of_runs_go_on() -> None:
    with Sandbox() as box:
        box.eval("0")
        with Sandbox.restore(box.snapshot()) as life:
            assert life.usage.runs == 0
            assert "<eval 2>" in life.eval("new Error().stack")
            assert life.usage.runs == 1


def test_a_run_that_stalls_in_its_next_life() -> None:
    snapshot, _ = waiting("await Promise.any([new Promise(() => {}), never()])", {"never": never})
    with Sandbox.restore(snapshot, functions={"never": never}, pending="hold") as life:
        life.pending[0].reject(ValueError())
        with pytest.raises((Stalled, JSError)):
            life.finish(2)


def test_nothing_is_left_of_a_snapshot() -> None:
    with Sandbox() as box:
        box.eval("globalThis.a = new Array(1e5).fill(1)")
        snapshot = box.snapshot()
    Sandbox.restore(snapshot).close()  # what a process opens once is there
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(4):
        Sandbox.restore(snapshot).close()
    del snapshot
    gc.collect()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


# --- the asynchronous face ---


@pytest.mark.anyio
async def test_on_the_asynchronous_face() -> None:
    async with AsyncSandbox(functions={"never": never, "add": lambda a, b: a + b}, clock="virtual") as box:
        await box.eval("globalThis.n = 1; setTimeout(() => n += 10, 1000)")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_eval_until_cancelled, box)
            while not box.pending:  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.001)
            snapshot = written(await box.snapshot())
            async with await box.fork(pending="hold") as twin:
                twin.pending[0].settle(5)
                assert await twin.finish(3) == 6
                await twin.tick(1000)
                assert await twin.eval("n") == 11
            tasks.cancel_scope.cancel()
    async with AsyncSandbox.restore(snapshot, functions={"never": _five, "add": lambda a, b: a * b}) as life:
        assert life.unfinished == (3,)
        assert await life.finish(3) == 5
        assert await life.eval("[n, add(3, 4)]") == [1, 12]
    with Sandbox.restore(snapshot, functions={"never": _five, "add": max}) as other:
        assert other.finish(3) == 5


async def _five() -> int:
    return 5


async def _eval_until_cancelled(box: AsyncSandbox) -> None:
    await box.eval("add(await never(), 1)")


@pytest.mark.anyio
async def test_an_asynchronous_life_without_a_block_refuses() -> None:
    async with AsyncSandbox() as box:
        twin = await box.fork()
        with pytest.raises(UsageError, match="async with"):
            await twin.eval("1")
        async with twin:
            assert await twin.eval("1") == 1
    with pytest.raises(SandboxClosed):
        await box.snapshot()


def test_what_a_snapshot_says_of_itself() -> None:
    with Sandbox(functions={"f": len}) as box:
        snapshot = box.snapshot()
        manifest = json.loads((Path(ARTIFACTS) / "manifest.json").read_text())
        for each in (snapshot, written(snapshot)):
            assert each.image == manifest["sha256"]
            assert each.memory_bytes == box.usage.memory_bytes
            assert (each.functions, each.pending, each.runs) == (("f",), (), ())
            assert repr(each) == f"<Snapshot of {each.memory_bytes:,} bytes, image {each.image[:12]}>"


def test_what_is_no_snapshot() -> None:
    with Sandbox() as box:
        data = box.snapshot().to_bytes()
    with pytest.raises(TypeError, match=r"snapshot must be a Snapshot, not bytes; Snapshot.from_bytes reads one"):
        Sandbox.restore(data)  # type: ignore[arg-type] # that is the point
    with pytest.raises(TypeError, match="data must be bytes, not str"):
        Snapshot.from_bytes(data.hex())  # type: ignore[arg-type] # that is the point
