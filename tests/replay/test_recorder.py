"""What is recorded, and that the guest does it again: values, console, fuel, to the last byte of its memory."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import sandbox
from sandbox import Answer, AsyncSandbox, Call, Deny, Limits, Recording, Response, Sandbox
from sandbox._instance import Instance
from sandbox._replay.entries import Kind
from sandbox.capabilities import Capability
from sandbox.errors import CpuLimitExceeded, JSError, RecordError, RecordTruncated, SandboxClosed, SandboxPoisoned
from sandbox.websocket.memory import MemoryConnection, memory_server
from tests.child import in_child
from tests.replay.programs import MODULES, PASTS, PROGRAMS, files, functions, host_globals
from tests.replay.records import again, live, plain
from tests.replay.tamper import entries

if TYPE_CHECKING:
    from sandbox.limits import Metering


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
