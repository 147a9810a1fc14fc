"""What is recorded, and that the guest does it again: values, console, fuel, to the last byte of its memory."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import sandbox
from sandbox import Answer, AsyncSandbox, Call, Deny, Limits, Recording, Replayed, Response, Sandbox
from sandbox._instance import Instance
from sandbox._replay.entries import Kind
from sandbox.capabilities import Capability
from sandbox.cli._report import json_value
from sandbox.errors import (
    CpuLimitExceeded,
    FuelLimitExceeded,
    JSError,
    LimitExceeded,
    MemoryLimitExceeded,
    RecordError,
    RecordTruncated,
    RunInterrupted,
    SandboxClosed,
    SandboxPoisoned,
    WallLimitExceeded,
)
from sandbox.websocket.memory import MemoryConnection, memory_server
from tests.child import in_child
from tests.replay.programs import MODULES, PASTS, PROGRAMS, files, functions, host_globals
from tests.replay.tamper import entries

if TYPE_CHECKING:
    from sandbox.limits import Metering


def again(path: Path) -> Replayed:
    """Replay a record, twice."""
    first = sandbox.replay(path).run()
    second = sandbox.replay(path).run()
    assert (first.events, first.turns, first.fuel, first.logs) == (
        second.events,
        second.turns,
        second.fuel,
        second.logs,
    )
    assert list(map(plain, first.results)) == list(map(plain, second.results))
    return first


def plain(value: object) -> str:
    """A value in a form that can be compared: objects of the guest are equal when they look the same."""
    return repr(json_value(value))


def live(box: Sandbox, code: str) -> object:
    """What a program ends with: a value or an exception."""
    try:
        return box.eval(code)
    except sandbox.SandboxError as error:
        return error


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, tmp_path: Path, metering: Metering) -> None:
    """On a real clock, with real randomness."""
    path, logs = tmp_path / "x.record", list[str]()
    options: dict[str, Any] = {
        "limits": Limits(metering=metering),
        "functions": functions(),
        "globals": host_globals(),
        "modules": MODULES,
        "files": files(),
        "console": lambda entry: logs.append(entry.text),
        "time_zone": "Asia/Kolkata",
    }
    with begun(PASTS.get(name, ""), {**options, "record": path}) as box:
        outcome = live(box, PROGRAMS[name])
        try:
            box.run_until_idle()
        except JSError as error:
            assert name == "uncaught", error
        usage = box.usage
    replayed = again(path)
    assert (replayed.fuel, replayed.logs) == (usage.fuel, logs)
    if name != "uncaught":
        # The first results are those of setting the globals; last is the program's, unless it only waited.
        assert plain(outcome) in map(plain, replayed.results)


def begun(past: str, options: dict[str, Any]) -> Sandbox:
    """A sandbox, restored from a snapshot if it is to have a past."""
    if not past:
        return Sandbox(**options)
    with Sandbox(**{**options, "record": None}) as box:
        box.eval(past)
        return Sandbox.restore(box.snapshot(), **options)


def test_it_begins_with_nothing(tmp_path: Path) -> None:
    """A sandbox that is not recorded knows nothing of it."""
    with Sandbox() as box:
        assert type(box._driver.guest.instance) is Instance
        assert box._driver.guest.instance.image.kind == "fuel"


class Tally(Capability):
    """A capability of the embedder's."""

    stem = "tally"
    source = "host => ({add: n => host.add(n) + 1, later: async n => (await host.later(n)).at})"

    def __init__(self) -> None:
        self.total = 0

    def handlers(self) -> dict[str, Any]:
        return {"add": self.add, "later": self.later}

    def add(self, number: int) -> int:
        self.total += number
        return self.total

    async def later(self, number: int) -> dict[str, int]:
        return {"at": self.add(number)}


async def echo(connection: MemoryConnection) -> None:
    async for message in connection:
        await connection.send(message * 2)


def test_what_other_capabilities_and_hooks_do(tmp_path: Path) -> None:
    """None of them knows of records: what the guest is told of what they did is there."""
    path, asked = tmp_path / "x.record", list[str]()

    def answer(call: Call) -> Answer | Deny | None:
        asked.append(call.name)
        return Answer("made up") if call.name == "ask" else Deny("no") if call.name == "shut" else None

    code = """
        const socket = new WebSocket('ws://echo.example/'), heard = [];
        socket.onmessage = ({data}) => {
            heard.push(data);
            heard.length < 3 ? socket.send(data) : socket.close(1000, 'bye');
        };
        socket.onopen = () => socket.send('a');
        const closed = await new Promise(done => socket.onclose = event => done([event.code, event.wasClean]));
        let denied;
        try { shut() } catch (error) { denied = error.name }
        const text = await (await fetch('http://any.example/a')).text();
        [heard, closed, denied, ask('who?'), tally.add(2), await tally.later(3), text]
    """
    heard = ["aa", "aaaa", "aaaaaaaa"]
    expected = [heard, [1000, True], "NotAllowedError", "made up", 3, 5, "http://any.example/a"]
    with Sandbox(
        record=path,
        websocket=memory_server(echo),
        fetch=lambda request: Response(200, body=request.url),
        capabilities=[Tally],
        functions={"ask": str.upper, "shut": lambda: None},
        on_call=answer,
    ) as box:
        assert box.eval(code) == expected
    assert {"ask", "shut", "tally.add"} <= set(asked)
    before = len(asked)
    assert again(path).results[-1] == expected
    assert len(asked) == before


def test_the_memory_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(record=path, functions=functions()) as box:
        box.eval(PROGRAMS["garbage"])
        box.eval(PROGRAMS["exceptions"])
        instance = box._driver.guest.instance
        memory = bytes(instance._memory[: instance.memory_bytes()])
    with sandbox.replay(path).start() as moment:
        while moment.step() is not None:
            pass
        played = moment._player.instance
        assert bytes(played._memory[: played.memory_bytes()]) == memory


def test_from_the_middle_of_a_life(tmp_path: Path) -> None:
    """With a request and a timer pending, a function that is held, and a heap that has grown."""
    released = threading.Event()

    async def slow() -> str:
        await anyio.to_thread.run_sync(released.wait)
        return "slow"

    with Sandbox(functions={"slow": slow}) as box:
        add = box.eval("let sum = 0, texts = []; const big = new Array(300000).fill({}); n => sum += n")
        box.eval("slow().then(text => texts.push(text)); setTimeout(() => texts.push('timer'), 1)")
        add(1)
        with box.record(tmp_path / "x.record") as recording:
            assert add(2) == 3
            released.set()
            box.run_until_idle()
            assert sorted(box.eval("texts")) == ["slow", "timer"]
            fuel = box.usage.fuel
        assert box.eval("sum") == 3  # is not recorded
    assert (recording.error, recording.bytes_written) == (None, recording.path.stat().st_size)
    replayed = again(recording.path)
    assert (replayed.results[0], replayed.turns) == (3, 4)
    assert sorted(replayed.results[1]) == ["slow", "timer"]
    assert 0 < replayed.fuel < fuel
    assert entries(recording.path)[-1].values == ("stopped",)


@pytest.mark.anyio
async def test_on_an_event_loop(tmp_path: Path) -> None:
    async def later(value: object) -> object:
        await anyio.sleep(0.001)
        return value

    async with AsyncSandbox(functions={"later": later}, record=tmp_path / "a.record") as box:
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(box.eval, f"(async () => {{ for (let i = 0; i < 4; i++) await later({number}) }})()")
        await box.globals.set("x", [1, 2])
        box.record(tmp_path / "b.record")
        assert await box.eval("x.concat(await later(3), Date.now() > 0)") == [1, 2, 3, True]
    assert again(tmp_path / "a.record").turns == 1 + 5 + 20 + 1
    assert again(tmp_path / "b.record").results == [[1, 2, 3, True]]


@pytest.mark.anyio
async def test_cancelled_tasks(tmp_path: Path) -> None:
    """Wherever the guest is when it is told to stop."""
    async with AsyncSandbox(record=tmp_path / "x.record") as box:
        for seconds in (0.001, 0.01, 0.03):
            with anyio.move_on_after(seconds):
                await box.eval("globalThis.n = 0; for (;;) n++")
        count = await box.eval("n")
    assert again(tmp_path / "x.record").results == [count]


# --- ends by force ---

ENDS: dict[str, tuple[Limits, str, type[Exception]]] = {
    "cpu": (Limits(cpu_seconds=0.05), "for (n = 0;;) n++", CpuLimitExceeded),
    "wall": (Limits(wall_seconds=0.05), "await new Promise(() => setInterval(() => n++, 1))", WallLimitExceeded),
    "fuel": (Limits(fuel=300_000_000), "for (n = 0;;) n++", FuelLimitExceeded),
    "memory": (
        Limits(memory_bytes=8 << 20),
        "{ const all = []; for (;;) all.push(new Array(1000).fill(n++)) }",
        MemoryLimitExceeded,
    ),
    "handles": (Limits(handles=10), "add(Array.from({length: 30}, () => () => n))", LimitExceeded),
    "clock": (Limits(cpu_seconds=0.05, metering="clock"), "for (n = 0;;) n++", CpuLimitExceeded),
    "output": (Limits(output_bytes=5000), "for (;;) console.log(n++)", LimitExceeded),
}


@pytest.mark.parametrize("on_limit", ["keep", "poison", "rollback"])
@pytest.mark.parametrize("name", ENDS)
def test_limits(name: str, on_limit: Any, tmp_path: Path) -> None:
    limits, code, kind = ENDS[name]
    path = tmp_path / "x.record"
    after: list[object] = []
    with Sandbox(limits=limits, functions={"add": lambda all: len(all)}, on_limit=on_limit, record=path) as box:
        box.eval("let n = 7")
        for _ in range(2):
            with pytest.raises((kind, SandboxPoisoned)):
                box.eval(code)
        try:
            after.append(box.eval("n"))
        except SandboxPoisoned:
            assert on_limit == "poison" or name == "fuel"
    replayed = again(path)
    assert replayed.results[-1:] == after or on_limit == "poison" or name == "fuel"
    assert (on_limit == "rollback") == any(event.what == "rollback" for event in sandbox.replay(path).events())


def test_a_hard_stop_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the guest did after it had last read the clock is not known, and gone."""
    monkeypatch.setattr("sandbox._epochs.GRACE_SECONDS", -0.04)  # before it would notice by itself
    path = tmp_path / "x.record"
    with Sandbox(limits=Limits(cpu_seconds=0.05, metering="clock"), on_limit="rollback", record=path) as box:
        box.eval("let n = 1")
        with pytest.raises(CpuLimitExceeded):
            box.eval("n = 2; for (;;) n++")
        assert box.eval("n") == 1
    events = list(sandbox.replay(path).events())
    assert [event.text for event in events if event.what == "crash"] == ["interrupt"]
    assert again(path).results[-1] == 1


def test_interrupts(tmp_path: Path) -> None:
    """From another thread, at whatever instant."""
    path = tmp_path / "x.record"
    timers: list[threading.Timer] = []

    def soon(seconds: float) -> None:
        timers.append(threading.Timer(seconds, box.interrupt))
        timers[-1].start()

    with Sandbox(record=path, functions={"soon": soon}) as box:
        box.eval("let n = 0")
        for seconds in (0.0, 0.002, 0.01):
            with pytest.raises(RunInterrupted):
                box.eval(f"soon({seconds}); for (;;) n++")
            timers[-1].join()
        count = box.eval("n")
    assert again(path).results[-1] == count
    assert count > 0


def test_an_interrupt_in_a_function_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"stop": lambda: box.interrupt()}) as box:
        with pytest.raises(RunInterrupted):
            box.eval("try { stop() } finally { globalThis.n = 1 }")
        assert box.eval("typeof n") == "undefined"
    assert again(path).results == [sandbox.undefined, "undefined"]
    assert [e.depth for e in sandbox.replay(path).events() if e.what == "interrupt"] == [2]


class Alarm(BaseException):
    """What a signal handler raises."""


def test_signals_at_any_instant(tmp_path: Path) -> None:
    """In the functions that tell the time and write things down as well; the record says it where it has lost track."""

    def ring(_number: int, _frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    lost = complete = 0
    try:
        for index in range(40):
            path = tmp_path / f"{index}.record"
            with Sandbox(functions={"f": lambda n: n + 1}) as box:
                recording = box.record(path)
                signal.setitimer(signal.ITIMER_REAL, 0.001 + index / 20_000)
                with suppress(Alarm):
                    for _ in range(50):
                        box.eval("var n = 0; for (let i = 0; i < 200; i++) n = f(n)")
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert box.eval("var n = 0; for (let i = 0; i < 200; i++) n = f(n); n") == 200
            if recording.error is None:
                complete += 1
                assert again(path).results[-1] == 200
            else:
                lost += 1
                with pytest.raises(RecordTruncated):
                    sandbox.replay(path).run()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert complete + lost == 40
    assert complete > 10


class Cut(BaseException):
    """Ends a run from a host function."""


def test_a_host_function_that_ends_the_run(tmp_path: Path) -> None:
    def cut() -> None:
        raise Cut

    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"cut": cut, "back": lambda f: f(1)}) as box:
        with pytest.raises(Cut):
            box.eval("let n = 1; back(() => { try { cut() } finally { n = 2 } })")
        assert box.eval("n") == 1
    assert again(path).results[-1] == 1
    assert "stops the guest" in [event.text for event in sandbox.replay(path).events()]


def test_closed_while_things_are_pending(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(record=path, functions={"never": anyio.sleep_forever}) as box:
        box.eval("never(); setTimeout(() => 1, 1e6); 1")
    assert again(path).results[-1] == 1


# --- the file ---


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    (tmp_path / "x.record").write_bytes(b"what was here before" * 1000)
    os.umask(os.umask(0o022))
    with Sandbox(record=tmp_path / "new.record") as box, box.record(tmp_path / "x.record"):
        assert box.eval("1") == 1
    assert stat.S_IMODE((tmp_path / "new.record").stat().st_mode) == 0o600
    assert again(tmp_path / "x.record").results == [1]
    assert again(tmp_path / "new.record").results == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_bytes": 0}, ValueError),
        ({"max_bytes": -1}, ValueError),
        ({"max_bytes": 1.5}, TypeError),
        ({"max_bytes": True}, TypeError),
        ({"path": "."}, OSError),
        ({"path": "missing/x"}, OSError),
        ({"path": 7.5}, TypeError),
    ],
    ids=str,
)
def test_what_cannot_be(options: dict[str, Any], error: type[Exception], tmp_path: Path) -> None:
    os.chdir(tmp_path)
    given = {"path": tmp_path / "x.record", **options}
    with Sandbox() as box:
        with pytest.raises(error):
            box.record(given.pop("path"), **given)
        assert box.eval("1") == 1
        assert type(box._driver.guest.instance) is Instance


def test_when_it_cannot_be() -> None:
    with (
        Sandbox(functions={"record": lambda: box.record("/dev/null")}) as box,
        pytest.raises(JSError, match="while its guest runs"),
    ):
        box.eval("record()")
    with pytest.raises(SandboxClosed):
        box.record("/dev/null")
    with Sandbox(on_limit="poison", limits=Limits(cpu_seconds=0.01)) as poisoned:
        with pytest.raises(CpuLimitExceeded):
            poisoned.eval("for (;;);")
        with pytest.raises(SandboxPoisoned):
            poisoned.record("/dev/null")


def test_it_ends_at_its_limit(tmp_path: Path) -> None:
    with Sandbox() as box:
        recording = box.record(tmp_path / "x.record", max_bytes=1_000_000)
        for _ in range(100):
            box.eval("crypto.getRandomValues(new Uint8Array(50000))")
        assert isinstance(recording.error, RecordError)
        assert "limit" in str(recording.error)
        assert recording.bytes_written <= 1_000_000
    with pytest.raises(RecordTruncated):
        sandbox.replay(recording.path).run()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """No run fails for it."""
    with Sandbox() as box:
        recording = box.record("/dev/full")
        assert box.eval("1") == 1
        assert isinstance(recording.error, OSError)
        recording.stop()


def test_a_process_that_is_killed_leaves_what_came_before(tmp_path: Path) -> None:
    in_child(f"""
        import os
        from sandbox import Sandbox
        if not os.fork():
            box = Sandbox(record={str(tmp_path / "x.record")!r}, functions={{"die": lambda: os.kill(os.getpid(), 9)}})
            box.eval("console.log('before')")
            box.eval("die()")
        else:
            assert os.wait()[1] == 9
    """)
    record = sandbox.replay(tmp_path / "x.record")
    events = []
    with pytest.raises(RecordTruncated), record.start() as moment:
        while True:
            events.append(moment.step())
    assert str(events[-1]).endswith("die()")
    assert any(event.what == "log" for event in events if event)


def test_a_forked_child_does_not_write(tmp_path: Path) -> None:
    in_child(f"""
        import os, warnings
        from sandbox import Sandbox
        box = Sandbox(record={str(tmp_path / "x.record")!r})
        box.eval("1")
        if not os.fork():
            for _ in range(100):
                assert box.eval("2") == 2
            os._exit(0)
        assert os.wait()[1] == 0
        assert box.eval("3") == 3
        box.close()
    """)
    assert again(tmp_path / "x.record").results == [1, 3]


def test_two_at_one_time(tmp_path: Path) -> None:
    """One sandbox is made and used in a function of the other."""

    def inner() -> object:
        with Sandbox(record=tmp_path / "inner.record") as box:
            return box.eval("Date.now() > 0 && 5")

    with Sandbox(record=tmp_path / "outer.record", functions={"inner": inner}) as box:
        assert box.eval("inner() + inner()") == 10
    assert again(tmp_path / "outer.record").results[-1] == 10
    assert again(tmp_path / "inner.record").results == [5]


def test_only_the_last_record_goes_on(tmp_path: Path) -> None:
    with Sandbox() as box:
        first = box.record(tmp_path / "a.record")
        box.eval("1")
        second = box.record(tmp_path / "b.record")
        box.eval("2")
    assert (again(first.path).results, again(second.path).results) == ([1], [2])


def test_a_record_says_little(tmp_path: Path) -> None:
    """How long it is, is said in the documents."""
    with Sandbox(record=tmp_path / "x.record", functions={"add": lambda a, b: a + b}) as box:
        box.eval("1")
        before = (tmp_path / "x.record").stat().st_size
        for _ in range(1000):
            box.eval("1")
        box.eval("let s = 0; for (let i = 0; i < 10000; i++) s = add(s, 1)")
    size = (tmp_path / "x.record").stat().st_size
    assert before < 2_000
    assert size < 1000 * 300 + 10_000 * 60
    kinds = [entry.kind for entry in entries(tmp_path / "x.record")]
    assert kinds.count(Kind.IMPORT) >= 10_000


def test_what_it_shows_of_itself(tmp_path: Path) -> None:
    with Sandbox() as box:
        recording = box.record(tmp_path / "x.record")
        assert isinstance(recording, Recording)
        assert repr(recording) == f"<Recording '{tmp_path}/x.record', {recording.bytes_written:,} bytes>"
        recording.stop()
        recording.stop()
