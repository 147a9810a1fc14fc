"""`python -m sandbox.compat.jsrun`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.compat.jsrun.__main__ import main


@pytest.mark.parametrize(
    ("code", "status", "out", "error"),
    [
        ("[1, 2].map(n => n + 1)", 0, "[2, 3]\n", ""),
        ("undefined", 0, "", ""),
        ("throw new TypeError('no')", 1, "", "Evaluation failed: TypeError: no\n"),
        ("Symbol()", 1, "", "Evaluation failed: a symbol (at $[0])\n"),
    ],
)
def test_code_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, status: int, out: str, error: str
) -> None:
    (tmp_path / "program.js").write_text(code, encoding="utf-8")
    for arguments in (["-c", code], [str(tmp_path / "program.js")]):
        assert main(arguments) == status
        assert capsys.readouterr() == (out, error)


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.js")]) == 1
    assert "none.js" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "sandbox.compat.jsrun", "-c", "6 * 7"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\n"
