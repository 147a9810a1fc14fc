"""`sandbox run`: files, timers, and which console method prints where."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.command import program, run


def test_run_goes_on_until_no_timer_is_left(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = "setTimeout(() => console.log(performance.now()), 86_400_000); console.log('first'); 5"

    assert run(capsys, "run", "--virtual-clock", program(tmp_path, code)) == (0, "first\n86400000\n", "")


@pytest.mark.parametrize("code", ["new WeakMap()", "Symbol()", "\ufeff1", "#!/usr/bin/env sandbox\n1", ""])
def test_run_takes_any_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, code: str) -> None:
    assert run(capsys, "run", program(tmp_path, code)) == (0, "", "")


def test_run_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"console.log('in'); null.x")))

    status, out, err = run(capsys, "run", "-")

    assert (status, out) == (1, "in\n")
    assert "--> <stdin>:1:" in err


def test_a_timer_that_throws_fails_the_program(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = program(tmp_path, "setTimeout(() => {\n  nope()\n})")

    status, _, err = run(capsys, "run", "--virtual-clock", path)

    assert status == 1
    assert err.splitlines()[-1] == f"    at {path}:2:3"


CONSOLE = """
console.log("log", {a: 1}); console.info("info"); console.debug("debug"); console.dir([1]); console.log();
console.warn("warn"); console.error("error"); console.assert(false, "assert"); console.assert(true, "never");
console.group("group"); console.log("one\\ntwo"); console.warn("inner"); console.groupEnd(); console.group();
console.groupEnd(); console.count(); console.countReset(); console.time("t"); console.timeEnd("t"); console.clear();
console.table([{a: 1}]);
"""


def test_console_methods_and_their_streams(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = run(capsys, "run", "--virtual-clock", program(tmp_path, CONSOLE))

    assert status == 0
    assert out.splitlines() == [
        "log { a: 1 }",
        "info",
        "debug",
        "[ 1 ]",
        "",
        "group",
        "  one",
        "  two",
        "default: 1",
        "t: 0ms",
        "┌─────────┬───┐",
        "│ (index) │ a │",
        "├─────────┼───┤",
        "│ 0       │ 1 │",
        "└─────────┴───┘",
    ]
    assert err.splitlines() == ["warn", "error", "Assertion failed: assert", "  inner"]


def test_what_was_printed_before_the_fuel_ran_out_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "eval", "--fuel", "5000000", "console.log('before'); for (;;);")

    assert (status, out) == (3, "before\n")


def test_a_trace_has_the_stack(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "eval", "function f() { console.trace('here') }\nf()")

    assert out == ""
    assert err.splitlines()[0] == "Trace: here"
    assert [line.split()[1] for line in err.splitlines()[1:]] == ["f", "<eval>"]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("null.x", 1),
        ("for (;;);", 3),
        ("for (let a = [];;) a.push(new ArrayBuffer(1e5))", 3),
        ("new Promise(() => {})", 1),
    ],
)
def test_nothing_printed_before_a_failure_is_lost(capsys: pytest.CaptureFixture[str], end: str, status: int) -> None:
    result = run(capsys, "eval", "--cpu", "50ms", f"for (let i = 0; i < 500; i++) console.log(i); {end}")

    assert result[:2] == (status, "".join(f"{i}\n" for i in range(500)))
