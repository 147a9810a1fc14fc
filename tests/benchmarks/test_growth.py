"""Curves: what rises too fast is found out, and everything that is measured gives the right result."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.growth import command, slope
from benchmarks.growth.curves import BY_ID, CURVES, GROUP_TITLES, Curve
from benchmarks.growth.page import render
from benchmarks.growth.slope import MAX_POWER, STEPS, Growth, WrongResultError, cost, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = [1000, 2000, 4000, 8000, 16000]


@contextmanager
def searching(size: int) -> Iterator[Callable[[], object]]:
    """Looks for each of many in a list: really quadratic."""
    numbers = list(range(size))
    yield lambda: sum(number in numbers for number in numbers)


@contextmanager
def counting(size: int) -> Iterator[Callable[[], object]]:
    numbers = set(range(size))
    yield lambda: sum(number in numbers for number in numbers)


def curve(prepare: Callable[..., object], first: int, wrong: int = 0) -> Curve:
    return Curve("any", "any", "input", first, prepare, lambda size: size + wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "power", "good"),
    [
        (lambda n: 5.0, 0.0, True),
        (lambda n: 3.0 * n, 1.0, True),
        (lambda n: 1e6 + n, 0.01, True),
        (lambda n: n * math.log(n), 1.11, True),
        (lambda n: float(n**2), 2.0, False),
        (lambda n: n + n**2 / 16000, 1.34, False),  # linear and quadratic in equal parts at the largest size
        (lambda n: n**1.5, 1.5, False),
        (lambda n: 1e5 + n**2, 1.98, False),
    ],
)
def test_what_rises_faster_than_its_size_is_no_good(function: Callable[[int], float], power: float, good: bool) -> None:
    growth = Growth("any", SIZES, [function(size) for size in SIZES])
    assert growth.power == pytest.approx(power, abs=0.02)
    assert growth.good is good


def test_a_quadratic_search_is_found_out() -> None:
    assert not measure(curve(searching, 200), rounds=1).good


def test_a_wrong_result_is_an_error() -> None:
    assert cost(curve(counting, 10), 100) > 0
    with pytest.raises(WrongResultError, match="any at 100: 100"):
        cost(curve(counting, 10, wrong=1), 100)


def test_the_least_cost_counts_and_a_bad_curve_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def disturbed(curve: Curve, size: int) -> float:
        calls.append(size)
        return float(size) * (4 if size == 160 and len(calls) < 2 * STEPS else 1)

    monkeypatch.setattr(slope, "cost", disturbed)
    steps: list[int] = []
    growth = measure(curve(counting, 10), rounds=1, on_step=lambda: steps.append(1))
    assert growth.good
    assert growth.costs == [10, 20, 40, 80, 160]
    assert len(calls) == 2 * STEPS
    assert len(steps) == STEPS


@pytest.mark.parametrize("one", CURVES, ids=lambda one: one.id)
def test_every_curve_gives_the_right_result(one: Curve) -> None:
    size = min(one.first, 64)
    assert cost(one, size) > 0


def test_curves_are_distinct_and_grouped() -> None:
    assert len(BY_ID) == len(CURVES)
    assert {one.group for one in CURVES} == set(GROUP_TITLES)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [("timers", ["timers"]), ("timers_", ["timers_spread", "timers_cleared"]), ("fork", ["fork"])],
)
def test_select(patterns: str, expected: list[str]) -> None:
    assert [one.id for one in command.select(patterns)] == expected


@pytest.mark.parametrize("arguments", [["--curves", "nonsense"], ["--rounds", "0"], ["--chart", "chart.gif"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def saved(path: Path, power: float) -> Path:
    growths = [Growth(one.id, SIZES, [1e-6 * size**power for size in SIZES]) for one in CURVES]
    path.write_text(json.dumps(command.to_json(growths, {"processor": "Abacus"})), encoding="utf-8")
    return path


@pytest.mark.parametrize(("power", "status"), [(1.0, 0), (MAX_POWER + 0.1, 1)])
def test_the_exit_status_says_whether_all_is_good(
    power: float, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = saved(tmp_path / "growth.json", power)
    copy, chart = tmp_path / "copy.json", tmp_path / "new" / "chart.png"
    arguments = ["growth", "--show", str(figures), "--json", str(copy)]
    assert benchmarks.main(arguments) == status
    assert json.loads(copy.read_text("utf-8")) == json.loads(figures.read_text("utf-8"))
    assert f"{power:.2f}" in capsys.readouterr().out
    drawing = pytest.importorskip("benchmarks.growth.chart", exc_type=ImportError)
    drawing.draw(command.from_json(json.loads(copy.read_text("utf-8")))[0], chart)
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_another_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    assert command.main(["--show", str(other)]) == 2
    assert "no file of growth figures" in capsys.readouterr().err


def test_the_page_marks_what_is_no_good() -> None:
    growths = [
        Growth("timers", SIZES, [1.0 * size for size in SIZES]),
        Growth("evals", SIZES, [1.0 * size**2 for size in SIZES]),
    ]
    text = render(growths, {"processor": "Abacus"})
    assert "1 of 2 curves" in text
    assert text.count("| **2.00** |") == 1
    assert "| 1.00 |" in text
