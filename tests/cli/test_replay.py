"""`sandbox replay`, and records made by the command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandbox import Sandbox
from sandbox._replay.entries import Entry, Kind
from tests.cli.command import program, run
from tests.replay.tamper import entries, tampered

CODE = """
const seen = [];
function look(n) { seen.push(n); return ask(n) }
console.log("asked", look(1) + look(2));
console.warn("\\x1b[31m", new Map([[1, {a: 2}]]));
"""
LISTED = """\
     0  start     quickjs-sandbox 0.1.0
     1  access    ask = [host function times]
     2  result    run 1: undefined
     3  turn      ... units of fuel
     4  eval      p.js: ...
     5  request     ask(1)
     6  reply         10
     7  request     ask(2)
     8  reply         20
     9  log       asked 30
    10  log       \x1b[31m Map(1) { 1 => { a: 2 } }
    11  result    run 2: undefined
    12  turn      ... units of fuel
    13  end       closed
"""


@pytest.fixture
def record(tmp_path: Path) -> Path:
    def times(number: int) -> int:
        return number * 10

    with Sandbox(functions={"ask": times}, record=tmp_path / "x.record") as box:
        box.eval(CODE, filename="p.js")
    return tmp_path / "x.record"


def without_details(text: str) -> str:
    """What is always the same of the lines: neither how much fuel there was, nor the beginning of the program."""
    text = re.sub(r"[\d,]+ units of fuel$", "... units of fuel", text, flags=re.MULTILINE)
    return re.sub(r"p\.js: const seen .*…$", "p.js: ...", text, flags=re.MULTILINE)


def test_a_list(capsys: pytest.CaptureFixture[str], record: Path) -> None:
    status, out, err = run(capsys, "replay", "--list", str(record))
    assert (status, without_details(out), err) == (0, LISTED, "")
    assert run(capsys, "replay", "--list", "--to", "2", str(record))[1] == "".join(LISTED.splitlines(keepends=True)[:3])


def test_a_replay(capsys: pytest.CaptureFixture[str], record: Path) -> None:
    status, out, err = run(capsys, "replay", str(record))
    first, *lines, last = out.splitlines(keepends=True)
    assert (status, err) == (0, "")
    assert first.startswith("recorded 2") and first.endswith(" UTC by quickjs-sandbox 0.1.0\n")
    assert without_details("".join(lines)) == LISTED
    assert last.startswith("14 events, 2 turns, ") and last.endswith(" units of fuel: the same as in the record\n")
    assert run(capsys, "replay", "-q", str(record)) == (0, last, "")


def test_a_place_in_it(capsys: pytest.CaptureFixture[str], record: Path) -> None:
    at = ["replay", "-q", str(record), "--to"]
    assert run(capsys, *at, "7") == (0, "at look (p.js:3:41)\nat <eval> (p.js:4:32)\n", "")
    assert run(capsys, *at, "3") == (0, "no program is running\n", "")
    assert run(capsys, *at, "7", "--eval", "seen") == (0, "[ 1, 2 ]\n", "")
    assert run(capsys, *at, "5", "--eval", "seen;") == (0, "[ 1 ]\n", "")
    assert run(capsys, *at, "5", "--eval", "nope") == (1, "", "Uncaught ReferenceError: nope is not defined\n")


def test_a_difference(capsys: pytest.CaptureFixture[str], record: Path) -> None:
    index = [i for i, entry in enumerate(entries(record)) if entry == Entry(Kind.WRITE, entry.times, (b"\0\x0a",))]
    changed = tampered(record, lambda i, entry: Entry(Kind.WRITE, (), (b"\0\x0b",)) if i in index else entry)
    status, out, err = run(capsys, "replay", "-q", str(changed))
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "After event 10 the guest does something else.",
        "  record  log asked 30",
        "  guest   log asked 31",
    ] or err.splitlines()[1:] == ["  record  log asked 30", "  guest   log asked 31"]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["{}/missing"], 2, "No such file"),
        (["{}"], 2, "directory"),
        (["{}/text"], 4, "the file is no record of a sandbox"),
        (["{}/cut", "-q"], 4, "the record was cut off"),
        (["{}/x.record", "--eval", "1"], 2, "--eval needs --to"),
        (["{}/x.record", "--to", "99"], 2, "has no event 99"),
        (["{}/x.record", "--to", "-1"], 2, "--to"),
        ([], 2, "FILE"),
    ],
    ids=str,
)
def test_what_cannot_be(
    capsys: pytest.CaptureFixture[str], record: Path, arguments: list[str], status: int, text: str
) -> None:
    (record.parent / "text").write_text("some text")
    (record.parent / "cut").write_bytes(record.read_bytes()[:-30])
    given = [argument.format(record.parent) for argument in arguments]
    got, _, err = run(capsys, "replay", *given)
    assert got == status
    assert text in err


def test_json(capsys: pytest.CaptureFixture[str], record: Path) -> None:
    status, out, _ = run(capsys, "replay", "--json", str(record))
    result = json.loads(out)
    assert (status, result["ok"], result["events"], result["turns"], result["error"]) == (0, True, 14, 2, None)

    index = [i for i, entry in enumerate(entries(record)) if entry == Entry(Kind.WRITE, entry.times, (b"\0\x0a",))]
    changed = tampered(record, lambda i, entry: Entry(Kind.WRITE, (), (b"\0\x0b",)) if i in index else entry)
    status, out, _ = run(capsys, "replay", "--json", str(changed))
    error = json.loads(out)["error"]
    assert (status, error["type"]) == (1, "ReplayDiverged")
    assert (error["expected"], error["actual"]) == ("log asked 30", "log asked 31")

    (record.parent / "text").write_text("some text")
    status, out, _ = run(capsys, "replay", "--json", str(record.parent / "text"))
    assert (status, json.loads(out)["ok"]) == (4, False)
    assert run(capsys, "replay", "--json", "--list", str(record))[0] == 2


def test_the_commands_record(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "x.record")
    file = program(tmp_path, "console.log(Math.random()); setTimeout(() => console.log(Date.now()), 3)")
    for command in (["run", file], ["eval", "console.log(crypto.randomUUID())"]):
        status, out, _ = run(capsys, *command, "--record", path)
        assert status == 0
        status, replayed, _ = run(capsys, "replay", path)
        assert status == 0
        for line in out.splitlines():
            assert f"  log       {line}\n" in replayed
    assert run(capsys, "eval", "1", "--record", str(tmp_path / "missing" / "x"))[::2] == (
        2,
        "sandbox: --record: No such file or directory\n",
    )
