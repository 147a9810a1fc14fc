"""`sandbox eval`: values, failures and limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import program, run


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
        (
            "await new Promise(() => {})",
            "Stalled: The program waits for a promise that can never settle: no timer and no host call is pending.\n"
            "  --> <eval>:1:7\n"
            "> 1 | await new Promise(() => {})\n"
            "    |       ^\n"
            "    at <eval>:1:7\n",
        ),
        ("Symbol('s')", "ConversionError: The value cannot leave the sandbox: it is a symbol.\n"),
        ("({a: [Symbol()]})", "ConversionError: The value at $.a[0] cannot leave the sandbox: it is a symbol.\n"),
    ],
    ids=["error", "syntax", "object", "null", "rejection", "stalled", "hanging", "symbol", "symbol inside"],
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


def test_the_clock_as_the_meter(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "eval", "--metering", "clock", "({a: 1})") == (0, "{ a: 1 }\n", "")
    assert json.loads(run(capsys, "eval", "--metering", "clock", "--json", "1")[1])["usage"]["fuel"] == 0
    status, _, err = run(capsys, "eval", "--metering", "clock", "--cpu", "20ms", "for (;;);")
    assert status == 3
    assert err.startswith("CpuLimitExceeded")


def test_a_coarse_clock(capsys: pytest.CaptureFixture[str]) -> None:
    code = "Date.now() % 3_600_000 + performance.now()"
    assert run(capsys, "eval", "--clock-resolution", "1h", code) == (0, "0\n", "")
    assert run(capsys, "eval", "--clock-resolution", "none", "1") == (0, "1\n", "")


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
