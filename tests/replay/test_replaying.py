"""Replays: where they differ from their records, and the guest at one of its events."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

import sandbox
from sandbox import JSFunction, Limits, Moment, Sandbox
from sandbox._abi import Op
from sandbox._replay.entries import Entry, Kind
from sandbox.errors import JSError, RecordError, ReplayDiverged, Stalled
from tests.replay.tamper import entries, tampered

PROGRAM = """
    function total(items) {
        let sum = 0;
        for (const item of items)
            sum += price(item);
        return sum;
    }
    const cart = ['tea', 'mug'];
    console.log('total', total(cart));
    setTimeout(() => { cart.push('pot'); console.log('later', total(cart), Date.now() > 0) }, 5);
    Math.random()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of a small program, with functions of the host, a timer and a function that is held."""
    prices = {"tea": 4, "mug": 9, "pot": 30}
    with Sandbox(functions={"price": prices.__getitem__}, record=tmp_path / "x.record") as box:
        box.eval(PROGRAM, filename="shop.js")
        box.run_until_idle()
        box.eval("({total, answer: 42})")
    return tmp_path / "x.record"


def test_events(path: Path) -> None:
    listed = [str(event) for event in sandbox.replay(path).events()]
    assert listed[1:3] == ["#1 access price = [host function __getitem__]", "#2 result run 1: undefined"]
    assert [text.split(" ", 1)[1] for text in listed if "fuel" not in text and "sleep" not in text][3:] == [
        f"eval shop.js: {' '.join(PROGRAM.split())}"[:164] + "…",
        'request price("tea")',
        "reply 4",
        'request price("mug")',
        "reply 9",
        "log total 13",
        next(text.split(" ", 1)[1] for text in listed if "result run 2" in text),
        "settle request 1: undefined",
        'request price("tea")',
        "reply 4",
        'request price("mug")',
        "reply 9",
        'request price("pot")',
        "reply 30",
        "log later 43 true",
        "eval <eval 4>: ({total, answer: 42})",
        "result run 4: {total: [function total], answer: 42}",
        "end closed",
    ]


def test_what_was_listed_happens(path: Path) -> None:
    record = sandbox.replay(path)
    with record.start() as moment:
        played = []
        while (event := moment.step()) is not None:
            assert moment.event is event
            played.append(event)
        assert moment.step() is None
    assert played == list(record.events())
    assert [event.number for event in played] == list(range(len(played)))


def test_results(path: Path) -> None:
    replayed = sandbox.replay(path).run()
    assert replayed.results[0] is sandbox.undefined
    assert 0 <= replayed.results[1] < 1
    assert replayed.logs == ["total 13", "later 43 true"]
    held = replayed.results[2]["total"]
    assert isinstance(held, JSFunction)
    with pytest.raises(RecordError, match="only be looked at"):
        held([])


@pytest.mark.parametrize("metering", ["fuel", "clock"])
def test_each_turn_is_one_event(metering: Literal["fuel", "clock"], tmp_path: Path) -> None:
    """Also one in which nothing is said, and not what makes room for its message."""
    path = tmp_path / "x.record"
    with Sandbox(limits=Limits(metering=metering), record=path) as box:
        held = box.eval("() => 1")
        held.release()
        box.eval(f"/*{'x' * 300_000}*/ 2")
        fuel = box.usage.fuel
    events = list(sandbox.replay(path).events())
    assert [event.what for event in events] == [
        *("start", "eval", "result", "turn"),
        *("release", "turn"),
        *("eval", "result", "turn"),
        "end",
    ]
    assert "reserve" in [entry.values[0] for entry in entries(path) if entry.kind is Kind.CALL]
    assert sum(event.fuel for event in events) == fuel
    assert sandbox.replay(path).run().fuel == fuel


# --- divergences ---


def with_reply(path: Path, number: int, message: bytes) -> Path:
    """A record in which the host answered a request with something else."""
    asked: list[Entry] = []
    replies = []
    for index, entry in enumerate(entries(path)):
        if entry.kind is Kind.IMPORT:
            asked.append(entry)
        elif entry.kind is Kind.REPLY and asked.pop().values[0] != Op.POLL:
            replies.append(index)
    before = entries(path)[: replies[number]]
    at = max(index for index, entry in enumerate(before) if entry.kind is Kind.WRITE)
    return tampered(path, lambda index, entry: Entry(Kind.WRITE, (), (message,)) if index == at else entry)


def test_another_answer(path: Path) -> None:
    """It is found where the program first says something else, and where that was."""
    with pytest.raises(ReplayDiverged) as caught:
        sandbox.replay(with_reply(path, 1, b"\0\x08")).run()
    error = caught.value
    before = list(sandbox.replay(path).events())[error.event]
    assert (before.what, before.text) == ("reply", "9")
    assert (error.expected, error.actual) == ("log total 13", "log total 12")
    assert error.line == ""


def test_a_request_with_another_argument(tmp_path: Path) -> None:
    path = tmp_path / "x.record"
    with Sandbox(functions={"next": lambda n: n + 1}, record=path) as box:
        box.eval("let n = 0;\nfor (let i = 0; i < 20; i++)\n  n = next(n);\nn", filename="loop.js")
    for changed in (0, 7, 18):
        record = with_reply(path, changed, b"\0\x64")
        with pytest.raises(ReplayDiverged) as caught:
            sandbox.replay(record).run()
        error = caught.value
        event = list(sandbox.replay(path).events())[error.event]
        assert (event.what, event.text) == ("reply", str(changed + 1))
        assert (error.expected, error.actual) == (f"request next({changed + 1})", "request next(100)")
        assert error.line == "at <eval> (loop.js:3:7)"
        assert "loop.js:3:7" in str(error)


CHANGES: dict[str, Any] = {
    "a time is missing": lambda entry: entry._replace(times=entry.times[:-1]) if entry.kind is Kind.RETURN else entry,
    "a time is too many": lambda entry: (
        entry._replace(times=(*entry.times, (1, 5))) if entry.kind is Kind.RETURN else entry
    ),
    "fuel": lambda entry: Entry(Kind.FUEL, (), (entry.values[0] + 1,)) if entry.kind is Kind.FUEL else entry,
    "no reply": lambda entry: None if entry.kind is Kind.REPLY else entry,
    "no return": lambda entry: None if entry.kind is Kind.RETURN else entry,
    "another seed": lambda entry: (
        Entry(Kind.CONTROL, (), (5, 7)) if entry[0] is Kind.CONTROL and entry.values[0] == 5 else entry
    ),
    "no request": lambda entry: None if entry.kind is Kind.IMPORT else entry,
    "no calls": lambda entry: None if entry.kind is Kind.CALL else entry,
    "a trap": lambda entry: Entry(Kind.TRAP, entry.times, ("OUT_OF_FUEL",)) if entry.kind is Kind.RETURN else entry,
    "stopped": lambda entry: Entry(Kind.REPLY, (), (2,)) if entry.kind is Kind.REPLY else entry,
    "a copy that is not there": lambda entry: Entry(Kind.RESTORE, (), (3,)) if entry.kind is Kind.CONTROL else entry,
    "a memory": lambda entry: Entry(Kind.PAGES, (), (1 << 40, b"x")) if entry.kind is Kind.CONTROL else entry,
    "another size": lambda entry: Entry(Kind.GROW, (), (1 << 50,)) if entry.kind is Kind.CONTROL else entry,
    "a long message": lambda entry: Entry(Kind.WRITE, (), (bytes(1 << 20),)) if entry.kind is Kind.WRITE else entry,
    "no fuel": lambda entry: Entry(Kind.FUEL, (), (0,)) if entry.kind is Kind.FUEL else entry,
    "an interrupt": lambda entry: Entry(Kind.INTERRUPT, entry.times, ()) if entry.kind is Kind.IMPORT else entry,
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_else_is_changed(name: str, path: Path) -> None:
    """It is found, and what was changed ends nothing else."""
    change = CHANGES[name]
    record = tampered(path, lambda _, entry: change(entry))
    with pytest.raises(RecordError) as caught:
        sandbox.replay(record).run()
    assert str(caught.value)
    assert sandbox.replay(path).run().logs == ["total 13", "later 43 true"]


def test_another_image(path: Path) -> None:
    def change(_: int, entry: Entry) -> Entry:
        return (
            entry if entry.kind is not Kind.HEAD else Entry(Kind.HEAD, (), ({**entry.values[0], "image": "00" * 32},))
        )

    with pytest.raises(RecordError, match=r"made with image 000000000000 of the guest, this is [0-9a-f]{12}; install"):
        sandbox.replay(tampered(path, change))


@pytest.mark.parametrize(
    "limits", [None, 5, {"memory_bytes": -1}, {"memory_bytes": "x"}, {"metering": "sun"}, {"fuel": True}]
)
def test_impossible_limits(path: Path, limits: object) -> None:
    def change(_: int, entry: Entry) -> Entry:
        return entry if entry.kind is not Kind.HEAD else Entry(Kind.HEAD, (), ({**entry.values[0], "limits": limits},))

    with pytest.raises(RecordError, match="impossible limits"):
        sandbox.replay(tampered(path, change))


def test_another_format(path: Path) -> None:
    with pytest.raises(RecordError, match="has format 2, this package reads 1"):
        sandbox.replay(
            tampered(path, lambda _, e: e if e.kind is not Kind.HEAD else Entry(Kind.HEAD, (), ({"version": 2},)))
        )


# --- moments ---


def number_of(path: Path, text: str, nth: int = 0) -> int:
    """The number of an event."""
    return [event.number for event in sandbox.replay(path).events() if text in f"{event.what} {event.text}"][nth]


def test_between_two_turns(path: Path) -> None:
    with sandbox.replay(path).to(number_of(path, "result run 2")) as moment:
        assert moment.get("cart") == ["tea", "mug"]
        assert moment.get("total").name == "total"
        assert moment.get("missing") is sandbox.undefined
        assert moment.eval("cart.push('x'); cart.length") == 3
        assert moment.get("cart") == ["tea", "mug"]
        assert moment.stack() == ""
        assert moment.memory_bytes > 0
        assert moment.show("cart") == "[ 'tea', 'mug' ]"


def test_in_the_middle_of_a_turn(path: Path) -> None:
    """In a call of the host, before and after it was answered."""
    number = number_of(path, "request price", 1)
    with sandbox.replay(path).to(number) as moment:
        assert str(moment) == f'<Moment after #{number} request price("mug")>'
        assert moment.stack() == "at total (shop.js:5:20)\nat <eval> (shop.js:9:26)"
        assert moment.get("cart") == ["tea", "mug"]
        assert moment.eval("total([])") == 0
        step = moment.step()
        assert (step and (step.what, step.text)) == ("reply", "9")
        assert moment.stack().startswith("at total (shop.js:5:20)")
        while moment.step() is not None:
            pass
        assert moment.get("cart") == ["tea", "mug", "pot"]


def test_every_moment(path: Path) -> None:
    """One can look at the guest after each of the events, and nothing that is evaluated there changes what follows."""
    record = sandbox.replay(path)
    seen = []
    with record.start() as moment:
        while (event := moment.step()) is not None:
            assert moment.eval("globalThis.hidden = (globalThis.hidden ?? 0) + 1") == 1
            seen.append(event)
            assert record.to(event.number).event == event if event.number % 5 == 0 else True
    assert seen == list(record.events())


@pytest.mark.parametrize("what", ["result run 2", "request price"])
def test_what_cannot_be_done_there(path: Path, what: str) -> None:
    with sandbox.replay(path).to(number_of(path, what)) as moment:
        with pytest.raises(JSError, match="there is no host in a replay"):
            moment.eval("price('tea')")
        with pytest.raises(JSError, match="ReferenceError: nope"):
            moment.eval("nope")
        with pytest.raises(JSError, match="SyntaxError"):
            moment.show("(")
        with pytest.raises(RecordError, match=r"looked at|limits|fuel"):
            moment.eval("for (;;);")
        with pytest.raises(Stalled):
            moment.eval("await new Promise(() => {})")
        with pytest.raises(ValueError, match="not a name"):
            moment.get("a.b")
        with pytest.raises(TypeError):
            moment.eval(b"1")  # type: ignore[arg-type]
        function = moment.eval("() => 1")
        with pytest.raises(RecordError, match="only be looked at"):
            function()
        assert moment.eval("1 + 1") == 2


def test_no_such_event(path: Path) -> None:
    record = sandbox.replay(path)
    for number in (-1, 10_000):
        with pytest.raises(IndexError, match="has no event"):
            record.to(number)
    for wrong in (True, 1.5, "1"):
        with pytest.raises(TypeError):
            record.to(wrong)  # type: ignore[arg-type]


def test_after_a_crash(tmp_path: Path) -> None:
    with Sandbox(record=tmp_path / "x.record") as box, pytest.raises(sandbox.SandboxError):
        box.eval("for (var i = 0;;) i++", fuel=1_000_000)
    with sandbox.replay(tmp_path / "x.record").start() as moment:
        while (event := moment.step()) is not None and event.what != "crash":
            pass
        assert moment.eval("typeof i") == "number"  # whatever can be found there: nobody knows what the heap looks like


def test_what_it_shows_of_itself(path: Path) -> None:
    record = sandbox.replay(path)
    assert repr(record) == f"<Replay {str(path)!r}>"
    assert record.limits == sandbox.Limits()
    assert record.package == "0.1.0"
    assert record.began_ns > 1e18
    assert issubclass(Moment, object)


def test_nothing_of_the_host_is_touched(tmp_path: Path) -> None:
    """Neither functions nor modules, nor what is granted."""
    calls: list[str] = []

    def load(specifier: str, _importer: object) -> str:
        calls.append(specifier)
        return "export default 5"

    def fetch(request: sandbox.Request) -> sandbox.Response:
        calls.append(request.url)
        return sandbox.Response(200, body=b"body")

    path = tmp_path / "x.record"
    with Sandbox(modules=load, fetch=fetch, functions={"f": lambda: calls.append("f")}, record=path) as box:
        code = "f(); (await import('m')).default + await (await fetch('http://a/b')).text() + crypto.randomUUID()"
        value = box.eval(code)
    assert calls == ["f", "m", "http://a/b"]
    assert sandbox.replay(path).run().results[-1] == value
    assert len(calls) == 3
