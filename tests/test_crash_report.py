"""Whoever reads the end of a run learns where a worker crashed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = """
import os
import threading

def test_good(): pass

def test_that_crashes():
    threading.Thread(target=os.abort).start()
    threading.Event().wait()
"""


def test_where_a_worker_crashed(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(PROGRAM, "utf-8")
    plugins = ["-p", "xdist.plugin", "-p", "tests.crash_report"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        *plugins,
        "-n",
        "1",
        "-o",
        "addopts=",
        f"--rootdir={tmp_path}",
        str(path),
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    _, found, end = done.stdout.partition("worker gw0 crashed")
    assert found, done.stdout
    assert "Fatal Python error: Aborted" in end
    current, _, others = end.partition("Current thread ")[2].partition("Thread ")
    assert "threading.py" in current
    assert "in test_that_crashes" in others
    assert "1 failed, 1 passed" in end
