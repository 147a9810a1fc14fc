"""The command: what it prints where, and what it ends with."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli import main
from sandbox.cli._amounts import parse_bytes, parse_seconds, show_amount
from sandbox.cli._terminal import Terminal, harmless

COMMAND = [sys.executable, "-m", "sandbox"]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process: its status, what it printed, what it complained about."""
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def program(tmp_path: Path, code: str) -> str:
    path = tmp_path / "program.js"
    path.write_text(code, "utf-8")
    return str(path)


# --- eval -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("1 + 1", "2\n"),
        ("'a\\nb'", "a\nb\n"),
        ("''", "\n"),
        ("'x'.repeat(100000)", "x" * 100_000 + "\n"),
        ("null", "null\n"),
        ("undefined", ""),
        ("true", "true\n"),
        ("-0.0", "-0\n"),
        ("10n ** 20n", "100000000000000000000n\n"),
        ("[1, 'a', , undefined]", "[ 1, 'a', undefined, undefined ]\n"),
        ("({a: 1, b: {c: [2]}})", "{ a: 1, b: { c: [ 2 ] } }\n"),
        ("new Map([[{}, new Set([1])]])", "Map(1) { {} => Set(1) { 1 } }\n"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z\n"),
        ("/a/g", "/a/g\n"),
        ("(function f() {})", "[Function: f]\n"),
        ("await Promise.resolve('later')", "later\n"),
        ("console.log('first'); 'second'", "first\nsecond\n"),
        ("console.group('g'); [1]", "g\n[ 1 ]\n"),
        ("console.log = () => {}; [1]", "[ 1 ]\n"),
        ("'\\ud800'", "\ufffd\n"),
    ],
)
def test_eval_prints_the_value(capsys: pytest.CaptureFixture[str], code: str, printed: str) -> None:
    assert run(capsys, "eval", "--", code) == (0, printed, "")


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        (
            "\n  nope()",
            "Uncaught ReferenceError: nope is not defined\n"
            "  --> <eval>:2:3\n"
            "  1 |\n"
            "> 2 |   nope()\n"
            "    |   ^\n"
            "    at <eval>:2:3\n",
        ),
        (
            "let x = ;",
            "Uncaught SyntaxError: unexpected token in expression: ';'\n"
            "  --> <eval>:1:9\n"
            "> 1 | let x = ;\n"
            "    |         ^\n"
            "    at <eval>:1:9\n",
        ),
        ("throw {code: 4}", "Uncaught { code: 4 }\n"),
        ("throw null", "Uncaught null\n"),
        ("Promise.reject(7); 1", "Uncaught (in promise) 7\n"),
        (
            "new Promise(() => {})",
            "Stalled: The program waits for a promise that can never settle: no timer and no host call is pending.\n",
        ),
        ("Symbol('s')", "ConversionError: The value cannot leave the sandbox: it is a symbol.\n"),
        ("({a: [Symbol()]})", "ConversionError: The value at $.a[0] cannot leave the sandbox: it is a symbol.\n"),
    ],
    ids=["error", "syntax", "object", "null", "rejection", "stalled", "symbol", "symbol inside"],
)
def test_failures_of_the_program(capsys: pytest.CaptureFixture[str], code: str, complaint: str) -> None:
    assert run(capsys, "eval", code) == (1, "", complaint)


def test_errors_have_a_code_frame_in_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = program(tmp_path, "// A shop.\n\nfunction total(order) {\n\treturn euros(order.cents);\n}\n\ntotal({});\n")

    status, _, complaint = run(capsys, "run", path)

    assert status == 1
    assert complaint == (
        "Uncaught ReferenceError: euros is not defined\n"
        f"  --> {path}:4:9\n"
        "  2 |\n"
        "  3 | function total(order) {\n"
        "> 4 |     return euros(order.cents);\n"
        "    |            ^\n"
        "  5 | }\n"
        "  6 |\n"
        f"    at total ({path}:4:9)\n"
        f"    at {path}:7:1\n"
    )


@pytest.mark.parametrize(
    ("flags", "code", "complaint"),
    [
        (["--cpu", "50ms"], "for (;;);", "CpuLimitExceeded: The CPU time limit of 0.05 s was reached"),
        (["--wall", "50ms"], "await new Promise(r => setTimeout(r, 1e6))", "WallLimitExceeded: The wall time limit of"),
        (["--memory", "8MB"], "[].fill.call(new Array(1e8), 1)", "MemoryLimitExceeded: The memory limit of 8 MB was"),
        (
            ["--memory", "8MB"],
            "for (let a = [];;) a.push(new ArrayBuffer(1e5))",
            "MemoryLimitExceeded: The memory limit",
        ),
        (
            ["--fuel", "1000000"],
            "for (;;);",
            "FuelLimitExceeded: The fuel limit of 1,000,000 was reached. --fuel raises",
        ),
        (["--output", "1KB"], "for (;;) console.log('y')", "OutputLimitExceeded: The output limit of 1 KB was reached"),
    ],
    ids=["cpu", "wall", "array", "buffers", "fuel", "output"],
)
def test_limits(capsys: pytest.CaptureFixture[str], flags: list[str], code: str, complaint: str) -> None:
    status, _, err = run(capsys, "eval", *flags, code)

    assert status == 3
    assert err.startswith(complaint)
    assert err.count("\n") == 1


@pytest.mark.parametrize("flags", [["--fuel", "1"], ["--cpu", "1ms", "--fuel", "2000"]])
def test_limits_too_small_for_anything_are_limits_all_the_same(
    capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    assert run(capsys, "eval", *flags, "for (;;);")[0] == 3


def test_fuel_is_the_programs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    used = json.loads(run(capsys, "eval", "--json", "({a: 1})")[1])["usage"]["fuel"]

    assert run(capsys, "eval", "--fuel", str(used + 1000), "({a: 1})") == (0, "{ a: 1 }\n", "")


def test_wall_time_is_counted_over_file_and_timers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = program(tmp_path, "setTimeout(() => {}, 1e6)")

    status, _, err = run(capsys, "run", "--wall", "100ms", path)

    assert status == 3
    assert err.startswith("WallLimitExceeded: The wall time limit of 0.1 s was reached")


def test_limits_can_be_lifted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "eval", "--cpu", "none", "--wall", "none", "1")[:2] == (0, "1\n")


def test_a_small_stack_is_an_error_the_program_can_catch(capsys: pytest.CaptureFixture[str]) -> None:
    code = "let depth = 0; function f() { depth++; f() }; try { f() } catch (error) { depth }"

    default, small = (int(run(capsys, "eval", *flags, code)[1]) for flags in ([], ["--stack", "64KB"]))

    assert 10 < small < default


def test_a_seed_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    code = "[Math.random(), crypto.randomUUID()].join()"

    first, again, other = (run(capsys, "eval", "--seed", seed, code)[1] for seed in ("1", "1", "2"))

    assert first == again != other


# --- run --------------------------------------------------------------------------------------------------------------


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


# --- json -------------------------------------------------------------------------------------------------------------


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, err = run(capsys, *arguments)
    assert err == ""
    assert out.count("\n") == 1
    assert out.isascii()
    return status, json.loads(out)


def test_json_of_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "console.group('g'); console.warn('w\\x9b', 1); const a = [1]; a.push(a);"
        "({a, b: 2n, d: new Date(0), e: new RangeError('r'), f() {}, m: new Map([[1, 2]]), n: NaN, o: undefined,"
        " r: /x/g, s: new Set(['é']), t: new Float32Array([0.5]), u: new Uint8Array([255])})"
    )

    status, result = run_json(capsys, "eval", "--json", code)

    assert (status, result["ok"], result["error"]) == (0, True, None)
    assert result["value"].pop("e")["name"] == "RangeError"
    assert result["value"] == {
        "a": [1, "[Circular]"],
        "b": "2",
        "d": "1970-01-01T00:00:00.000Z",
        "f": "[Function: f]",
        "m": [[1, 2]],
        "n": None,
        "o": None,
        "r": "/x/g",
        "s": ["é"],
        "t": [0.5],
        "u": "/w==",
    }
    assert [(entry["type"], entry["level"], entry["text"], entry["group_depth"]) for entry in result["console"]] == [
        ("group", "log", "g", 0),
        ("output", "warn", "w\x9b 1", 1),
    ]
    assert result["usage"]["runs"] == 1
    assert result["usage"]["fuel"] > 0


def test_json_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, result = run_json(capsys, "eval", "--json", "\nnope")
    error = result["error"]

    assert (status, result["ok"], result["value"]) == (1, False, None)
    assert (error["type"], error["name"]) == ("JSError", "ReferenceError")
    assert error["message"] == "nope is not defined"
    assert error["frames"] == [{"function": None, "file": "<eval>", "line": 2, "column": 1}]
    assert "<eval>:2:1" in error["stack"]


def test_json_of_a_thrown_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_json(capsys, "eval", "--json", "throw {a: [1n]}")[1]["error"]["value"] == {"a": ["1"]}


def test_json_of_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    status, result = run_json(capsys, "run", "--json", "--cpu", "50ms", os.devnull)
    assert (status, result["ok"]) == (0, True)

    status, result = run_json(capsys, "eval", "--json", "--cpu", "50ms", "for (;;);")
    error = result["error"]

    assert status == 3
    assert (error["type"], error["limit"], error["unit"]) == ("CpuLimitExceeded", 0.05, "seconds")
    assert error["used"] >= 0.05


# --- usage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["eval", "--memory", "64XB", "1"], ["--memory", "'64XB' is not a size", "64MB"]),
        (["eval", "--memory", "5", "1"], ["--memory: must be between 2,097,152 and"]),
        (["eval", "--memory", "1TB", "1"], ["--memory: must be between"]),
        (["eval", "--memory", "none", "1"], ["--memory", "'none' is not a size"]),
        (["eval", "--cpu", "soon", "1"], ["--cpu", "'soon' is not a time", "500ms"]),
        (["eval", "--wall", "0", "1"], ["--wall: must be more than 0"]),
        (["eval", "--stack", "1KB", "1"], ["--stack: must be between"]),
        (["eval", "--fuel", "0", "1"], ["--fuel"]),
        (["eval", "--fuel", "much", "1"], ["--fuel", "integer"]),
        (["eval", "--seed", "x", "1"], ["--seed"]),
        (["eval", "--bogus", "1"], ["--bogus"]),
        (["eval"], ["CODE"]),
        (["run"], ["FILE"]),
        (["run", "a.js", "b.js"], ["b.js"]),
        (["frobnicate"], ["frobnicate"]),
        (["run", "no/such/file.js"], ["no/such/file.js: No such file"]),
        (["run", "\x1b[31m\n"], ["No such file"]),
        (["run", "a\0b"], ["null"]),
        (["run", "."], [".: "]),
    ],
    ids=lambda value: (
        " ".join(value).replace("\x1b", "ESC").replace("\0", "NUL")[:30] if isinstance(value, list) else ""
    ),
)
def test_wrong_usage_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    status, out, err = run(capsys, *arguments)

    assert (status, out) == (2, "")
    assert err.startswith("sandbox: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_files_must_be_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "binary.js"
    path.write_bytes(b"let a;\xff")

    assert run(capsys, "run", str(path)) == (2, "", f"sandbox: {path}: not UTF-8 text (byte 6)\n")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["eval", "--help"]])
def test_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, out, err = run(capsys, *arguments)

    assert (status, err) == (0, "")
    assert ("--wall" in out) == (len(arguments) == 2)
    assert ("Examples" in out) == (len(arguments) == 1)


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys)

    assert status == 2
    assert "Examples" in out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, "sandbox 0.1.0\n", "")


def test_a_missing_guest_is_one_clear_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.errors import ArtifactError

    def missing(*_: object, **__: object) -> None:
        raise ArtifactError("the compiled guest is missing")

    monkeypatch.setattr("sandbox.cli._program.Sandbox", missing)

    assert run(capsys, "eval", "1") == (4, "", "sandbox: the compiled guest is missing\n")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("64MB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("64m", 64 << 20),
        ("256KB", 256 << 10),
        ("1.5g", 3 << 29),
        ("0.5K", 512),
        ("7b", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1e3", "64XB", "0x10", "1,000", "0.0001K", "64MBs", "\u0661"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|whole number"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0.25s", 0.25),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        (" .5 S ", 0.5),
        ("none", float("inf")),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "inf", "nan", "5 days", "1:30"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (64 << 20, "bytes", "64 MB"),
        (1000, "bytes", "1000 bytes"),
        (1.5 * (1 << 30), "bytes", "1.5 GB"),
        (0.05, "seconds", "0.05 s"),
        (5.012, "seconds", "5.01 s"),
        (3600, "seconds", "3600 s"),
        (1_000_000, "fuel", "1,000,000"),
        (3, "handles", "3 handles"),
    ],
)
def test_amounts_are_shown_as_people_write_them(number: float, unit: str, text: str) -> None:
    assert show_amount(number, unit) == text


# --- terminals, signals, pipes ----------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """A stream that says a person looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.flushed.set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\rb\r\nc\td", "a\\rb\r\nc\td"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("\u2028\ufeff\U000e0041", "\\u2028\\ufeff\\U000e0041"),
        ("é 字 👩\u200d🚀 \xa0", "é 字 👩\u200d🚀 \xa0"),
    ],
    ids=["sequences", "returns", "controls", "directions", "invisible", "text"],
)
def test_guest_text_cannot_steer_a_terminal(text: str, shown: str) -> None:
    screen, log = Screen(), io.StringIO()

    Terminal(screen, log).write(text)
    Terminal(screen, log).write(text, error=True)

    assert harmless(text) == shown
    assert screen.getvalue() == shown + "\n"
    assert log.getvalue() == text + "\n"


@pytest.mark.parametrize(
    ("environment", "color", "expected"),
    [
        ({}, None, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, None, False),
        ({"TERM": "dumb"}, None, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, None, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], color: bool | None, expected: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen = Screen()

    terminal = Terminal(screen, screen, color=color)
    terminal.write("x", style="\x1b[31m")

    assert screen.getvalue() == ("\x1b[31mx\x1b[0m\n" if expected else "x\n")
    assert terminal.error_color is expected


def test_color_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    log = io.StringIO()

    Terminal(log, log).write("x", style="\x1b[31m")

    assert log.getvalue() == "\x1b[31mx\x1b[0m\n"


def test_a_slow_start_shows_a_line_that_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._PROGRESS_DELAY_SECONDS", 0.0)
    screen = Screen()

    with Terminal(io.StringIO(), screen, color=False).progress("Preparing ..."):
        assert screen.flushed.wait(10)

    assert screen.getvalue() == "Preparing ...\r\x1b[K"


def test_a_quick_start_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._PROGRESS_DELAY_SECONDS", 3600.0)
    screen = Screen()

    with Terminal(io.StringIO(), screen).progress("Preparing ..."):
        pass

    assert screen.getvalue() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")
@pytest.mark.parametrize(
    "code", ["for (;;);", "await new Promise(done => setTimeout(done, 1e6))"], ids=["busy", "waiting"]
)
def test_ctrl_c(code: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "run", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"console.log('started'); {code}")
    process.stdin.close()
    process.stdin = None

    assert process.stdout.readline() == "started\n"  # it streams: this comes while the guest runs
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "Interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes work differently there")
def test_a_reader_that_goes_away_ends_the_program() -> None:
    process = subprocess.Popen(
        [*COMMAND, "eval", "for (let i = 0;; i++) console.log(i)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None

    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_errors_are_colored_and_guests_tamed() -> None:
    import pty

    parent, child = pty.openpty()
    code = "console.log('\\x1b[2J'); console.warn('careful'); null.x"
    process = subprocess.Popen(
        [*COMMAND, "eval", code], stdout=child, stderr=child, env={**os.environ, "TERM": "xterm"}
    )
    os.close(child)
    output = b""
    try:
        while chunk := os.read(parent, 65_536):
            output += chunk
    except OSError:
        pass  # how Linux says that the other side is closed
    os.close(parent)

    assert process.wait() == 1
    assert b"\\x1b[2J\r\n" in output
    assert b"\x1b[2J" not in output
    assert b"\x1b[33mcareful\x1b[0m" in output
    assert b"Uncaught \x1b[1m\x1b[31mTypeError" in output
