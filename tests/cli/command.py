"""Running the command in the tests' own process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.cli import main

if TYPE_CHECKING:
    import pytest

# The same command as a process of its own.
COMMAND: Final = [sys.executable, "-m", "sandbox"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command: its status, what it printed, what it complained about."""
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def program(directory: Path, code: str) -> str:
    """Write a program to a file."""
    path = directory / "program.js"
    path.write_text(code, "utf-8")
    return str(path)
