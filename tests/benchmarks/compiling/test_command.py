"""The command of the study: what it refuses, and what it shows; it needs no guest for that."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from benchmarks import __main__ as benchmarks
from benchmarks.compiling import command, measure
from benchmarks.compiling.measure import Row
from benchmarks.compiling.session import Compiled

COSTS = Compiled(functions=2, wasm_bytes=2048, native_bytes=4096, translate_seconds=0.25, compile_seconds=0.25)


def row(program: str, seconds: float, ratio: float) -> Row:
    return Row(program, seconds, seconds / ratio, ratio, (ratio - 0.5, ratio + 0.5), 2 * ratio, COSTS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--programs", "fib,nothing,none"], "no program is called none, nothing"),
        (["--rounds", "0"], "--rounds must be at least 1"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        benchmarks.main(["compiling", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_all_programs_are_measured_by_default() -> None:
    names = command.parse_arguments([]).names
    assert names == list(measure.programs())
    assert len(names) == 23


def test_when_it_pays() -> None:
    assert row("loops", 0.1, 2.0).runs_to_break_even == pytest.approx(10)
    assert row("loops", 0.1, 1.0).runs_to_break_even == math.inf


def test_the_table() -> None:
    out = io.StringIO()
    rows = [row("fib", 0.2, 4.0), row("loops", 0.1, 2.0), row("maps", 0.1, 0.5)]
    command.show(rows, Console(file=out, width=132))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert next(line[:8] for line in lines if line[:1] == ["loops"]) == [
        "loops",
        "100.00",
        "ms",
        "50.00",
        "ms",
        "2.00x",
        "1.50-2.50",
        "4.00x",
    ]
    assert [line[-2:] for line in lines if line[:1] == ["fib"]] == [["4", "runs"]]
    assert [line[-1] for line in lines if line[:1] == ["maps"]] == ["never"]
    assert "geometric mean of the suite's 2: 1.00x in time, 2.00x in fuel" in out.getvalue()
