"""The table, the chart and the command line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import table
from benchmarks.catalog import ENGINES
from benchmarks.environments import CACHE_VARIABLE, cache_directory, environment_key, failure_reason
from benchmarks.results import Cell, EngineInfo, Report
from benchmarks.rows import ROWS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def report() -> Report:
    """Every row; jsrun not installed, mini-racer without host calls, quickjs-rs failing once."""
    engines = [
        EngineInfo(e.name, e.title, e.note, "1.0", "3.11", "no wheel" if e.name == "jsrun" else "") for e in ENGINES
    ]
    found = Report(engines, machine={"processor": "Abacus", "cores": 2, "system": "Linux", "began": "2025-01-01"})
    for number, row in enumerate(ROWS):
        scale = 1e5 if row.unit == "bytes" else 1e-6
        cells = {e.name: Cell("measured", (scale * (1 + (number * place) % 7),)) for place, e in enumerate(ENGINES, 1)}
        cells["jsrun"] = Cell("not available", reason="no wheel")
        if row.kind == "host_call":
            cells["mini-racer"] = Cell("not available", reason="asynchronous only")
        found.cells[row.id] = cells
    found.cells["ints_out"]["quickjs-rs"] = Cell("failed", reason="no answer within 120 s")
    found.add_compute_mean()
    return found


def render(report: Report) -> str:
    output = io.StringIO()
    Console(file=output, width=160).print(table.render(report))
    return output.getvalue()


def test_the_table_shows_rows_ratios_targets_and_reasons(report: Report) -> None:
    text = render(report)
    for expected in (
        *(row.title for row in ROWS),
        "geometric mean",
        "Abacus, 2 cores, Linux",
        "Targets",
        "jsrun: no wheel",
        "n/a, 100,000 ints out: no answer within 120 s",
        "n/a, one host call, number to number, one host call, record to record: asynchronous only",
    ):
        assert expected in text
    spawn = next(line for line in text.splitlines() if "create, eval" in line)
    assert [cell.strip() for cell in spawn.strip("│").split("│")][1:] == [
        "1.00 µs",
        *["1.00 µs 1.00x"] * 3,
        "n/a",
        "1.00 µs 1.00x",
    ]


def test_without_ours_the_first_measured_engine_is_the_baseline(report: Report) -> None:
    report.engines = [engine for engine in report.engines if engine.name in ("jsrun", "mini-racer")]
    for cells in report.cells.values():
        cells.pop("sandbox")
    assert table.baseline_of(report) == "mini-racer"
    assert "Targets" not in render(report)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_chart_is_written(report: Report, tmp_path: Path, suffix: str) -> None:
    chart = pytest.importorskip("benchmarks.chart", exc_type=ImportError)
    path = tmp_path / "new" / f"chart{suffix}"
    chart.draw(report, path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    again = tmp_path / f"again{suffix}"
    chart.draw(report, again)
    assert again.read_bytes() == content


def test_a_saved_run_can_be_shown(report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "results.json"
    report.save(saved)
    assert command.main(["--show", str(saved)]) == 0
    assert "1,000 records out" in capsys.readouterr().out


def test_our_own_failure_is_the_exit_status(report: Report, tmp_path: Path) -> None:
    report.cells["spawn"]["sandbox"] = Cell("failed", reason="trap")
    saved = tmp_path / "results.json"
    report.save(saved)
    assert command.main(["--show", str(saved)]) == 1


def test_our_own_absence_is_the_exit_status(report: Report) -> None:
    assert not command.ours_failed(report)
    report.engines[0] = EngineInfo("sandbox", "sandbox", "", reason="not built")
    assert command.ours_failed(report)


def test_what_is_no_report_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text("[1]", encoding="utf-8")
    assert command.main(["--show", str(other)]) == 2
    assert "cannot show" in capsys.readouterr().err


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)


@pytest.mark.parametrize(
    "arguments",
    [["--rows", "nonsense"], ["--engines", "v9"], ["--rounds", "0"], ["--chart", "chart.gif"], ["--peers", "jsrun,v9"]],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_rounds_override_the_settings() -> None:
    options = command.parse_arguments(["--quick", "--rounds", "2"])
    assert command.settings_of(options).rounds == 2
    assert command.settings_of(options).live_sandboxes == 100


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_directory().name == "benchmarks"


def test_environments_are_told_apart() -> None:
    keys = [environment_key(engine) for engine in ENGINES]
    assert len(set(keys)) == len(keys)
    assert environment_key(ENGINES[1]) == keys[1]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("WARNING: slow\nERROR: no matching distribution\nnote: try later\n", "no matching distribution"),
        ("something\nlast line\n\n", "last line"),
        ("", "no output"),
        ("error: " + "x" * 300, "x" * 200),
    ],
)
def test_failure_reason(output: str, reason: str) -> None:
    assert failure_reason(output) == reason
