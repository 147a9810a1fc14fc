"""What changed between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import compare, page
from benchmarks.results import Cell, EngineInfo, Report
from benchmarks.rows import ROWS

if TYPE_CHECKING:
    from pathlib import Path


def run(version: str = "1", **rows: dict[str, tuple[float, ...]]) -> Report:
    engines = [EngineInfo("sandbox", "sandbox", "", "0.1"), EngineInfo("jsrun", "jsrun", "", version)]
    cells = {row: {name: Cell("measured", samples) for name, samples in found.items()} for row, found in rows.items()}
    return Report(engines, cells, {"processor": "Abacus"}, {"rounds": 3})


OLD = run(spawn={"sandbox": (1.0, 1.1, 1.2), "jsrun": (10.0, 10.0, 10.0)}, eval={"sandbox": (4.0, 4.0, 4.0)})


@pytest.mark.parametrize(
    ("new", "ratio", "certain"),
    [
        ({"sandbox": (0.5, 0.55, 0.6), "jsrun": (10.0,)}, 0.5, True),
        ({"sandbox": (2.0, 2.2, 2.4), "jsrun": (20.0,)}, 1.0, False),  # the machine is half as fast
        ({"sandbox": (1.0, 1.1, 1.2), "jsrun": (20.0,)}, 0.5, True),
        ({"sandbox": (1.0, 1.2, 9.0), "jsrun": (10.0,)}, 1.2 / 1.1, False),
        ({"sandbox": (0.1,), "jsrun": (10.0,)}, 0.1 / 1.1, False),  # one sample says nothing
        ({"sandbox": (2.0, 2.2, 2.4)}, 2.0, True),  # nobody to compare the machine by
    ],
)
def test_a_change_is_seen_apart_from_the_machine(
    new: dict[str, tuple[float, ...]], ratio: float, certain: bool
) -> None:
    (change,) = compare.changes(OLD, run(spawn=new), "sandbox")
    assert change.ratio == pytest.approx(ratio)
    assert change.certain is certain


def test_another_version_of_a_peer_says_nothing_of_the_machine() -> None:
    new = run("2", spawn={"sandbox": (1.0, 1.1, 1.2), "jsrun": (20.0,)})
    assert [change.machine for change in compare.changes(OLD, new, "sandbox")] == [1.0]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    OLD.save(old)
    run(spawn={"sandbox": (0.5, 0.55, 0.6), "jsrun": (10.0,)}).save(new)
    assert benchmarks.main(["compare", str(old), str(new)]) == 0
    text = capsys.readouterr().out
    assert "0.500" in text
    assert 'not compared: eval("1+1") in a live sandbox' in text
    assert benchmarks.main(["compare", str(old), str(new), "--engine", "mini-racer"]) == 2
    assert benchmarks.main(["compare", str(old), str(tmp_path / "none.json")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_the_page_has_every_row() -> None:
    report = run()
    for row in ROWS:
        report.cells[row.id] = {"sandbox": Cell("measured", (1.0,)), "jsrun": Cell("measured", (2.0,))}
    report.cells["eval"]["jsrun"] = Cell("failed", reason="trap")
    assert "busy" not in page.render(report)
    report.machine["load"] = 7.5
    text = page.render(report)
    assert "busy with other work meanwhile (load average 7.5)" in text
    assert all(f"| {row.title} | 1.00 {'s' if row.unit == 'seconds' else 'B'} |" in text for row in ROWS)
    assert "2.00 s (2.0x)" in text
    assert "| failed |" in text
