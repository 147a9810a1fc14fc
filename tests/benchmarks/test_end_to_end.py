"""Our own engine through real workers: every row is answered rightly. How fast is nobody's business here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks.results import Report

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(180)  # sixty rows, a sample each
def test_our_own_engine_does_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "results.json"
    rows = "spawn,first_eval,idle_rss_10,calls,evals,host_calls_,guest_work,values,typescript,compute"
    status = command.main(["--peers", "none", "--quick", "--rounds", "1", "--rows", rows, "--json", str(saved)])
    report = Report.from_json(json.loads(saved.read_text(encoding="utf-8")))
    reasons = {row: cells["sandbox"].reason for row, cells in report.cells.items() if cells["sandbox"].reason}
    assert reasons == {}
    assert status == 0
    assert "geometric mean" in capsys.readouterr().out
