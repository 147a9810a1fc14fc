"""Both ways of metering side by side: the work is the same, the stops are hard, and nothing stays patched."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmarks import measure, meters, table
from benchmarks.meters import Comparison, Stops
from benchmarks.rows import BY_ID
from sandbox import Sandbox, _face


@pytest.mark.parametrize("row", ["spawn", "host_call", "compute_strings"])
def test_a_row_under_both_ways(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    monkeypatch.setattr(measure, "SAMPLE_SECONDS", 0.001)
    before = _face._DEFAULT_LIMITS

    comparison = meters.compare(BY_ID[row], rounds=1)
    assert comparison.ratio == pytest.approx(comparison.seconds["clock"] / comparison.seconds["fuel"])
    assert _face._DEFAULT_LIMITS is before


def test_stops_are_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "LIMIT_SECONDS", 0.02)

    for metering in meters.METERINGS:
        stops = meters.stop("an empty loop", metering, 2)
        assert len(stops.late_seconds) == 2
        assert 0 < stops.late_seconds[0] <= stops.late_seconds[1]
    with Sandbox() as box:
        assert box.eval("1") == 1


def test_what_ends_by_itself_is_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(meters.LOOPS, "an empty loop", "1")

    with pytest.raises(AssertionError, match="an empty loop came to an end"):
        meters.stop("an empty loop", "clock", 1)


def test_the_table_shows_both(capsys: pytest.CaptureFixture[str]) -> None:
    comparisons = [Comparison("compute_json", {"fuel": 0.004, "clock": 0.003}, 0.75)]
    stops = [Stops("an empty loop", "clock", [0.05, 0.055, 0.06])]

    table.print_meters(comparisons, meters.mean_ratio(comparisons), stops, Console(width=120))
    shown = capsys.readouterr().out
    for text in ("json", "4.00 ms", "3.00 ms", "0.75", "geometric mean", "an empty loop", "50", "55", "60"):
        assert text in shown
