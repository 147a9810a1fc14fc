"""The matrix of hostile programs: what a cell says, the file it is kept in, the page, the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks.catalog import BY_NAME
from benchmarks.hostile import page
from benchmarks.hostile.command import PAGE, RESULTS
from benchmarks.hostile.judge import SURVIVED, VERDICTS, Verdict
from benchmarks.hostile.matrix import Cell, Matrix, run
from benchmarks.results import EngineInfo
from tests.corpus import CASES, ROWS
from tests.corpus.case import NOT_OFFERED, Case

if TYPE_CHECKING:
    from pathlib import Path

_ROW = [case for case in CASES if case.row == 6]


def _matrix(**verdicts: list[Verdict]) -> Matrix:
    """Engines by name, with the verdicts of the first cases of row 6."""
    engines = [EngineInfo(name, name.upper(), "as it is", "1.0", "3.11") for name in verdicts]
    found: dict[str, dict[str, Verdict]] = {}
    for name, row in verdicts.items():
        for case, verdict in zip(_ROW, row, strict=False):
            found.setdefault(case.id, {})[name] = verdict
    return Matrix(engines, found, {"cores": 2})


def test_a_cell_counts_what_was_offered_and_names_the_worst() -> None:
    kept, absent = Verdict(SURVIVED, "cpu"), Verdict(NOT_OFFERED, "no such thing")
    late, crash = Verdict("late", "3 s"), Verdict("crash", "ended by SIGSEGV")
    matrix = _matrix(a=[kept, kept], b=[kept, late, crash, absent], c=[absent, absent])
    assert matrix.cell(6, "a") == Cell(SURVIVED, 2, 2, {})
    texts = {_ROW[1].name: "late: 3 s", _ROW[2].name: "crash: ended by SIGSEGV"}
    assert matrix.cell(6, "b") == Cell("crash", 1, 3, texts)
    assert matrix.cell(6, "c") == Cell(NOT_OFFERED, 0, 0, {})
    assert matrix.cell(7, "a") == Cell(None, 0, 0, {})
    assert [page.kept_rows(matrix, name) for name in "abc"] == [(1, 1), (0, 1), (0, 0)]
    text = page.render(matrix)
    assert f"| 6 | {ROWS[5].title} | {len(_ROW)} | 2/2 | 1/3, crash | not offered |" in text
    assert "| | **rows without a loss** | | **1 of 1** | **0 of 1** | **0 of 0** |" in text


def test_results_are_read_back_and_added_to(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert Matrix.load(file).verdicts == {}
    matrix = _matrix(a=[Verdict(SURVIVED)], b=[Verdict("late", "3 s")])
    matrix.save(file)
    assert Matrix.load(file) == matrix
    matrix.update(_matrix(b=[Verdict(SURVIVED)]))
    assert matrix.cell(6, "a").worst == matrix.cell(6, "b").worst == SURVIVED
    assert [engine.name for engine in matrix.engines] == ["a", "b"]
    file.write_text(json.dumps({"format": 0}), encoding="utf-8")
    with pytest.raises(ValueError, match="format"):
        Matrix.load(file)


def test_our_own_engine_is_put_to_cases_in_processes_of_their_own() -> None:
    steps: list[str] = []
    cases = [_ROW[0], next(case for case in CASES if case.id == "39-shrunk-in-Atomics")]

    def on_step(engine: object, case: Case | None) -> None:
        steps.append(case.id if case else "ready")

    matrix = run([BY_NAME["sandbox"]], cases, on_step)
    assert steps == ["ready", *(case.id for case in cases)]
    assert [matrix.verdicts[case.id]["sandbox"].name for case in cases] == [SURVIVED, SURVIVED]


def test_the_command_adds_to_its_file_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "results.json"
    _matrix(a=[Verdict("crash", "ended by SIGSEGV")]).save(kept)
    assert command.main(["hostile", "--peers", "none", "--rows", _ROW[0].id, "--json", str(kept)]) == 0
    assert Matrix.load(kept).cell(6, "sandbox").kept == 1
    assert command.main(["hostile", "--show", str(kept), "--losses"]) == 0
    shown = capsys.readouterr().out
    assert "1/1" in shown
    assert "A, 6, while: crash: ended by SIGSEGV" in shown
    pytest.importorskip("matplotlib")
    for name in ("chart.svg", "chart.png"):
        assert command.main(["hostile", "--show", str(kept), "--chart", str(tmp_path / name)]) == 0
    assert "rows" in (tmp_path / "chart.svg").read_text("utf-8")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "arguments", [["--rows", "99"], ["--chart", "x.pdf"], ["--engines", "nonesuch"], ["--rows", ","]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["hostile", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_the_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["hostile", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)


def test_the_page_is_what_the_results_and_the_corpus_say() -> None:
    advice = "run `python -m benchmarks hostile --show benchmarks/hostile/results.json --page`"
    assert PAGE.read_text("utf-8") == page.render(Matrix.load(RESULTS)), advice
    assert (PAGE.parent / page.CHART).exists()


def test_the_results_name_versions_and_known_verdicts() -> None:
    matrix = Matrix.load(RESULTS)
    assert {engine.name for engine in matrix.engines} == {name for name, engine in BY_NAME.items() if engine.limits}
    assert all(engine.version or engine.reason for engine in matrix.engines)
    assert {verdict.name for found in matrix.verdicts.values() for verdict in found.values()} <= set(VERDICTS)
