"""Programs in interpreters of their own, for what would take the tests with it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap


def in_child(program: str, timeout: float = 30, *, dev: bool = True) -> str:
    """Run a program in a fresh interpreter and return what it printed; it must end by itself, silent on stderr."""
    result = subprocess.run(
        [sys.executable, *(["-X", "dev"] if dev else []), "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout.strip()
