"""Records and snapshots together: each sees the other as what it is, a guest and its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import sandbox
from sandbox import AsyncSandbox, Limits, Sandbox, Snapshot
from sandbox._instance import Instance
from sandbox._replay.entries import Entry, Kind
from sandbox._replay.recorder import RecordedInstance
from sandbox.errors import (
    FuelLimitExceeded,
    JSError,
    MemoryLimitExceeded,
    RecordError,
    RunInterrupted,
    SandboxPoisoned,
    SnapshotError,
    WallLimitExceeded,
)
from tests.replay.tamper import entries, tampered


def memory(box: Sandbox) -> bytes:
    instance = box._driver.guest.instance
    return bytes(instance._memory[: instance.memory_bytes()])


def replayed_memory(path: Path) -> bytes:
    """What the guest's memory is after a replay."""
    with sandbox.replay(path).start() as moment:
        while moment.step() is not None:
            pass
        instance = moment._player.instance
        return bytes(instance._memory[: instance.memory_bytes()])


def results(path: Path) -> list[Any]:
    return sandbox.replay(path).run().results


PAST = """
    const seen = [], price = ask;
    let count = 1;
    class Counter { #n = 5; next() { return ++this.#n } }
    const counter = new Counter(), big = Array.from({length: 50000}, (_, i) => ({i}));
    counter.next()
"""


def ask(question: str) -> str:
    return question.upper()


@pytest.fixture
def snapshot() -> Snapshot:
    with Sandbox(functions={"ask": ask}) as box:
        assert box.eval(PAST) == 6
        return box.snapshot()


def unchanged(snapshot: Snapshot) -> Snapshot:
    return snapshot


def written(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes())


def mapped(snapshot: Snapshot) -> Snapshot:
    for _ in range(2):
        Sandbox.restore(snapshot, functions={"ask": ask}).close()
    return snapshot


@pytest.mark.parametrize("metering", ["fuel", "clock"])
@pytest.mark.parametrize("carry", [unchanged, written, mapped])
def test_a_restored_sandbox(
    carry: Callable[[Snapshot], Snapshot], metering: Any, snapshot: Snapshot, tmp_path: Path
) -> None:
    """Its record begins with the memory and what the guest is told first, and needs no snapshot."""
    path = tmp_path / "x.record"
    options: dict[str, Any] = {"functions": {"ask": ask}, "limits": Limits(metering=metering), "record": path}
    with Sandbox.restore(carry(snapshot), **options) as life:
        assert type(life._driver.guest.instance) is RecordedInstance
        assert life.eval("[counter.next(), count++, price('a'), big[49999].i, Math.random() < 1]")[:3] == [7, 1, "A"]
        assert life.eval("[counter.next(), count]") == [8, 2]
        usage, left = life.usage, memory(life)
    found = sandbox.replay(path).run()
    assert [result[:2] for result in found.results] == [[7, 1], [8, 2]]
    assert (found.fuel, found.turns) == (usage.fuel, usage.turns + 1)  # to resume is a turn of the guest's own
    assert replayed_memory(path) == left
    kinds = [entry.kind for entry in entries(path)]
    assert kinds[:2] == [Kind.HEAD, Kind.GROW]
    assert kinds[2] is Kind.PAGES
    first = next(entry for entry in entries(path) if entry.kind is Kind.CALL)
    assert first.values[0] == "resume"
    assert [event.what for event in sandbox.replay(path).events()][:3] == ["start", "resume", "turn"]


def test_the_memory_of_a_record_is_what_differs_from_a_new_guest(snapshot: Snapshot, tmp_path: Path) -> None:
    """As in a snapshot: most pages of a small program hold what the image has there."""
    with Sandbox.restore(snapshot, functions={"ask": ask}, record=tmp_path / "x") as life:
        assert life.eval("big.length") == 50000
    packed = snapshot._pack()
    parts = [entry.values for entry in entries(tmp_path / "x") if entry.kind is Kind.PAGES]
    assert sum(len(data) for _, data in parts) == 4096 * sum(length for _, length in packed.runs)
    assert (tmp_path / "x").stat().st_size < 1.5 * len(snapshot.to_bytes())


def test_a_snapshot_of_a_recorded_sandbox(tmp_path: Path) -> None:
    """It is no part of the record, and no sandbox that is made of it is."""
    path = tmp_path / "x.record"
    with Sandbox(functions={"ask": ask}, record=path) as box:
        box.eval(PAST)
        before = len(entries(path))
        snapshot = box.snapshot()
        assert len(entries(path)) == before
        assert box.eval("count += 10") == 11
        with Sandbox.restore(snapshot, functions={"ask": ask}) as life:
            assert type(life._driver.guest.instance) is Instance
            assert life.eval("[count, counter.next(), price('b')]") == [1, 7, "B"]
        assert box.eval("[count, counter.next()]") == [11, 7]
    assert results(path)[-2:] == [11, [11, 7]]


def test_a_twin_of_a_recorded_sandbox(tmp_path: Path) -> None:
    """It has all options but that."""
    path = tmp_path / "x.record"
    with Sandbox(functions={"ask": ask}, record=path) as box:
        box.eval(PAST)
        with box.fork() as twin:
            assert type(twin._driver.guest.instance) is Instance
            assert twin.eval("[++count, price('c'), counter.next()]") == [2, "C", 7]
            with twin.record(tmp_path / "twin.record"):
                assert twin.eval("++count") == 3
        assert box.eval("[count, counter.next()]") == [1, 7]
    assert results(path)[1:] == [6, [1, 7]]
    assert results(tmp_path / "twin.record") == [3]


def test_a_twin_and_a_snapshot_before_the_first_turn(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox.restore(snapshot, functions={"ask": ask}, record=path) as life:
        with life.fork() as twin:
            assert twin.eval("[++count, price('d')]") == [2, "D"]
        again = life.snapshot()
        assert life.eval("count") == 1
    with Sandbox.restore(again, functions={"ask": ask}) as life:
        assert life.eval("[count, price('e')]") == [1, "E"]
    assert results(path) == [1]


def test_a_record_that_begins_before_the_first_turn(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox.restore(snapshot, functions={"ask": ask}) as life, life.record(path):
        assert life.eval("[++count, price('f')]") == [2, "F"]
    assert results(path) == [[2, "F"]]
    assert "resume" in [event.what for event in sandbox.replay(path).events()]


def test_rollbacks_of_a_restored_sandbox(snapshot: Snapshot, tmp_path: Path) -> None:
    """Back to what the snapshot held, which the player has only from the record."""
    path = tmp_path / "x.record"
    options: dict[str, Any] = {"functions": {"ask": ask}, "limits": Limits(fuel=3_000_000), "on_limit": "rollback"}
    with Sandbox.restore(snapshot, **options, record=path) as life:
        for expected in (7, 8):
            with pytest.raises(FuelLimitExceeded):
                life.eval("count = 99; big.fill(0); counter.next(); for (;;) count++")
            assert life.eval("[count, counter.next(), big[7].i]") == [1, expected, 7]
        left = memory(life)
    assert [event.what for event in sandbox.replay(path).events()].count("rollback") == 2
    assert results(path) == [[1, 7, 7], [1, 8, 7]]
    assert replayed_memory(path) == left


def test_a_snapshot_while_a_run_may_be_rolled_back(tmp_path: Path) -> None:
    """The copy that it takes is not the one that the run goes back to."""
    path, release = tmp_path / "x.record", threading.Event()
    asked = threading.Event()

    async def wait() -> None:
        asked.set()
        await anyio.to_thread.run_sync(release.wait)

    with Sandbox(functions={"wait": wait}, record=path, on_limit="rollback") as box:
        box.eval("let count = 1; 0")
        errors: list[BaseException] = []

        def run() -> None:
            try:
                box.eval("count = 50; await wait(); 0", timeout=0.5)
            except WallLimitExceeded as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        assert asked.wait(10)
        taken = [box.snapshot() for _ in range(2)]
        box.fork().close()
        thread.join()
        release.set()
        assert [error.rolled_back for error in errors if isinstance(error, WallLimitExceeded)] == [True]
        assert box.eval("count") == 1
        left = memory(box)
    assert [snapshot.pending for snapshot in taken] == [("wait",)] * 2
    assert sandbox.replay(path).run().results[-1] == 1
    assert "rollback" in [event.what for event in sandbox.replay(path).events()]
    assert replayed_memory(path) == left


def test_pending_calls_and_runs_go_on_in_a_record(tmp_path: Path) -> None:
    asked = threading.Event()

    async def slow(text: str) -> str:
        asked.set()
        await anyio.sleep_forever()
        return text

    async def quick(text: str) -> str:
        return text * 2

    with Sandbox(functions={"slow": slow}) as box:

        def run() -> None:
            with pytest.raises(RunInterrupted):
                box.eval("await slow('ab') + '!'")

        thread = threading.Thread(target=run)
        thread.start()
        assert asked.wait(10)
        snapshot = box.snapshot()
        box.interrupt()
        thread.join()
    path = tmp_path / "x.record"
    with Sandbox.restore(snapshot, functions={"slow": quick}, record=path) as life:
        (number,) = life.unfinished
        assert life.finish(number) == "abab!"
    assert results(path) == ["abab!"]
    assert [event.what for event in sandbox.replay(path).events()] == [
        "start",
        "resume",
        "turn",
        "settle",
        "result",
        "turn",
        "end",
    ]


@pytest.mark.anyio
async def test_on_an_event_loop(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    async with AsyncSandbox.restore(snapshot, functions={"ask": ask}, record=path) as life:
        assert await life.eval("[counter.next(), price('g')]") == [7, "G"]
        async with await life.fork() as twin:
            assert await twin.eval("counter.next()") == 8
        assert (await life.snapshot()).functions == ("ask",)
        assert await life.eval("counter.next()") == 8
    assert results(path) == [[7, "G"], 8]


def test_a_moment_of_a_restored_sandbox(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox.restore(snapshot, functions={"ask": ask}, record=path) as life, pytest.raises(JSError):
        life.eval("price('h');\nprice(1)", filename="late.js")
    record = sandbox.replay(path)
    asked = [event.number for event in record.events() if event.what == "request"]
    with record.to(asked[1]) as moment:
        assert moment.eval("[count, big.length, counter.next()]") == [1, 50000, 7]
        assert moment.stack() == "at <eval> (late.js:2:1)"
    with record.to(0) as moment:
        assert moment.eval("counter.next()") == 7
        assert moment.memory_bytes == snapshot.memory_bytes


REFUSALS: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "a function is missing": ({}, SnapshotError),
    "too little memory": ({"functions": {"ask": ask}, "limits": Limits(memory_bytes=4 << 20)}, MemoryLimitExceeded),
}


@pytest.mark.parametrize(("options", "error"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_restored_leaves_no_open_file(
    options: dict[str, Any], error: type[Exception], snapshot: Snapshot, tmp_path: Path
) -> None:
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir())) if files.is_dir() else 0
    with pytest.raises(error):
        Sandbox.restore(snapshot, record=tmp_path / "x.record", **options)
    assert (len(list(files.iterdir())) if files.is_dir() else 0) == before


def test_a_file_that_cannot_be_made(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Sandbox.restore(snapshot, functions={"ask": ask}, record=tmp_path / "none" / "x.record")


def test_a_made_up_memory(snapshot: Snapshot, tmp_path: Path) -> None:
    """A hostile record ends in an error, or in what the guest does with such a memory."""
    path = tmp_path / "x.record"
    with Sandbox.restore(snapshot, functions={"ask": ask}, record=path) as life:
        life.eval("counter.next()")

    def changed(**values: Any) -> Path:
        def change(_index: int, entry: Entry) -> Entry:
            make = values.get(entry.kind.name)
            return entry if make is None else entry._replace(values=make(*entry.values))

        return tampered(path, change)

    for made_up in (
        changed(GROW=lambda size: (size + 1,)),
        changed(GROW=lambda _: (1 << 40,)),
        changed(PAGES=lambda address, data: (address + (1 << 31), data)),
        changed(PAGES=lambda address, data: (address, bytes(len(data)))),
    ):
        with pytest.raises(RecordError):
            sandbox.replay(made_up).run()


def test_a_poisoned_sandbox_takes_no_record(snapshot: Snapshot, tmp_path: Path) -> None:
    with Sandbox.restore(snapshot, functions={"ask": ask}, on_limit="poison", limits=Limits(fuel=3_000_000)) as life:
        with pytest.raises(FuelLimitExceeded):
            life.eval("for (;;);")
        with pytest.raises(SandboxPoisoned):
            life.record(tmp_path / "x.record")
