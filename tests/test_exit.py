"""The end of the interpreter, whatever is alive, pending or running then: the right status, no noise, no hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the programs are forked")
def test_every_end_is_quiet() -> None:
    """`SANDBOX_EXITS=100` for a long one."""
    repeat = os.environ.get("SANDBOX_EXITS", "1")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "faulthandler", "-m", "tests.exits", "--repeat", repeat],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert " 0 bad" in done.stdout
