"""Figures, ratios, formats and the JSON file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import targets
from benchmarks.results import Cell, EngineInfo, Report, format_figure, format_ratio, geometric_mean
from benchmarks.rows import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path


def make_report(**cells: dict[str, Cell]) -> Report:
    names = ("sandbox", "quickjs-ng", "quickjs-rs", "jsrun")
    return Report([EngineInfo(name, name, "") for name in names], dict(cells), {"cores": 2}, {"rounds": 3})


def measured(*samples: float) -> Cell:
    return Cell("measured", samples)


@pytest.mark.parametrize(
    ("samples", "median", "spread"),
    [
        ((3.0,), 3.0, (3.0, 3.0)),
        ((1.0, 3.0), 2.0, (1.0, 3.0)),
        ((5.0, 1.0, 2.0, 4.0, 3.0), 3.0, (2.0, 4.0)),
        ((), None, None),
    ],
)
def test_median_and_spread(
    samples: tuple[float, ...], median: float | None, spread: tuple[float, float] | None
) -> None:
    cell = measured(*samples)
    assert cell.median == median
    assert cell.spread == spread


def test_ratio_is_the_peer_over_the_baseline() -> None:
    report = make_report(spawn={"sandbox": measured(2.0), "jsrun": measured(60.0), "quickjs-rs": Cell("failed")})
    assert report.ratio("spawn", "jsrun", "sandbox") == 30
    assert report.ratio("spawn", "quickjs-rs", "sandbox") is None
    assert report.ratio("spawn", "quickjs-ng", "sandbox") is None
    assert report.ratio("eval", "jsrun", "sandbox") is None


@pytest.mark.parametrize(
    ("theirs", "ours", "ratio"),
    [
        ((2.0, 20.0, 20.0), (1.0, 10.0, 1.0), 2.0),  # round by round 2, 2, 20; the medians alone would say 20
        ((2.0, 20.0, 20.0), (1.0, 10.0, 1.0, 1.0, 1.0), 2.0),
        ((30.0,), (1.0, 3.0, 5.0), 10.0),  # too few common rounds
        ((3.0, 5.0, 4.0), (0.0, 0.0, 0.0), None),
    ],
)
def test_ratio_compares_rounds(theirs: tuple[float, ...], ours: tuple[float, ...], ratio: float | None) -> None:
    report = make_report(spawn={"sandbox": measured(*ours), "jsrun": measured(*theirs)})
    assert report.ratio("spawn", "jsrun", "sandbox") == ratio


def test_ratio_of_the_mean_is_the_mean_of_the_ratios() -> None:
    cells = {
        f"compute_{name}": {
            "sandbox": measured(5.0),
            "jsrun": measured(10.0 if index else 5 * 2 ** (1 + len(PROGRAMS))),
        }
        for index, name in enumerate(PROGRAMS)
    }
    report = make_report(**cells)
    report.add_compute_mean()
    assert report.ratio("compute_mean", "jsrun", "sandbox") == pytest.approx(4)
    assert report.ratio("compute_mean", "quickjs-rs", "sandbox") is None


def test_geometric_mean() -> None:
    assert geometric_mean([1, 4, 16]) == pytest.approx(4)
    with pytest.raises(ValueError, match="nothing"):
        geometric_mean([])


def test_compute_mean_needs_all_programs() -> None:
    cells = {
        f"compute_{name}": {"sandbox": measured(2.0 if index % 2 else 8.0), "quickjs-ng": measured(1.0)}
        for index, name in enumerate(PROGRAMS)
    }
    del cells["compute_maps"]["quickjs-ng"]
    report = make_report(**cells)
    report.add_compute_mean()
    assert report.median("compute_mean", "sandbox") == pytest.approx(4)
    assert report.cells["compute_mean"]["quickjs-ng"].status == "not available"


def test_compute_mean_is_left_out_of_partial_runs() -> None:
    report = make_report(compute_json={"sandbox": measured(1.0)})
    report.add_compute_mean()
    assert list(report.cells) == ["compute_json"]


def test_json_round_trip(tmp_path: Path) -> None:
    report = make_report(
        spawn={"sandbox": Cell("measured", (1.0, 2.0), loops=7), "jsrun": Cell("not available", reason="no wheel")},
        idle_rss={"sandbox": measured(250_000.0)},
    )
    path = tmp_path / "new" / "results.json"
    report.save(path)
    assert Report.from_json(json.loads(path.read_text(encoding="utf-8"))) == report


@pytest.mark.parametrize("data", [{}, {"format": 99}, [1], None])
def test_other_formats_are_refused(data: object) -> None:
    with pytest.raises(ValueError, match="format"):
        Report.from_json(data)


@pytest.mark.parametrize(
    ("figure", "unit", "text"),
    [
        (1.5e-7, "seconds", "150 ns"),
        (2.046e-6, "seconds", "2.05 µs"),
        (0.00999, "seconds", "9.99 ms"),
        (0.0231, "seconds", "23.1 ms"),
        (0.9999, "seconds", "1.00 s"),
        (0.000_999_7, "seconds", "1.00 ms"),
        (0.0, "seconds", "0.00 ns"),
        (230_400, "bytes", "230 KB"),
        (3.2e6, "bytes", "3.20 MB"),
        (12, "bytes", "12.0 B"),
    ],
)
def test_format_figure(figure: float, unit: str, text: str) -> None:
    assert format_figure(figure, unit) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0473, "0.047x"),
        (0.0996, "0.10x"),
        (1.0, "1.00x"),
        (1.94, "1.94x"),
        (2.04, "2.0x"),
        (12.4, "12x"),
        (1834.0, "1,830x"),
    ],
)
def test_format_ratio(ratio: float, text: str) -> None:
    assert format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("row", "ours", "theirs", "met", "text"),
    [
        ("records_out", 1.0, 400.0, [True, None], "1/400"),
        ("records_out", 1.0, 200.0, [False, None], "1/200"),
        ("records_out", 1.0, 2760.0, [True, None], "1/2,760"),
        ("spawn", 2.0, 3.0, [False, None], "0.67x"),
        ("records_out", None, 200.0, [None, None], "no figure"),
        ("idle_rss", 600_000.0, None, [True], "600 KB"),
        ("idle_rss", 600_001.0, None, [False], "600 KB"),
    ],
)
def test_targets(row: str, ours: float | None, theirs: float | None, met: list[bool | None], text: str) -> None:
    cells = {"sandbox": ours, "quickjs-rs": theirs}
    report = make_report(**{row: {name: measured(figure) for name, figure in cells.items() if figure is not None}})
    verdicts = targets.compare(report)
    assert [verdict.met for verdict in verdicts] == met
    assert verdicts[0].measured == text


def test_target_texts() -> None:
    texts = [target.text for target in targets.TARGETS]
    assert 'create, eval("1+1"), close: at most 1/8 of quickjs-rs' in texts
    assert "resident memory of an idle sandbox: at most 600 KB" in texts
    assert 'eval("1+1") in a live sandbox: below jsrun' in texts
    assert "a program, 2 threads: 1.8 times the work of a program, 1 thread" in texts
    assert "compute, geometric mean: at most 1.35 times quickjs-ng" in texts
