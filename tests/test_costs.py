"""Who looks for slow tests sees which files work and which wait."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKS = """
import subprocess, sys, time

def test_here():
    end = time.process_time() + 0.3
    while time.process_time() < end: pass

def test_in_a_process():
    subprocess.run([sys.executable, "-Sc", "import time\\nwhile time.process_time() < 0.3: pass"])
"""
WAITS = "def test_it():\n    import time; time.sleep(0.3)\n"


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_a_run_says_of_its_files(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_a.py").write_text(WAITS, "utf-8")
    (tmp_path / "test_b.py").write_text(WORKS, "utf-8")
    options = ["-p", "xdist", "-p", "tests.costs", "-n", workers, "-o", "addopts=", f"--rootdir={tmp_path}"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    rows = re.findall(r"^ +([\d.]+) +([\d.]+) +(\d+)  (.+)$", done.stdout, re.MULTILINE)
    assert [(int(tests), file) for _, _, tests, file in rows] == [(3, "all files"), (2, "test_b.py"), (1, "test_a.py")]
    both, works, waits = [[float(worked), float(waited)] for worked, waited, _, _ in rows]
    assert works[0] > 0.55
    assert waits[0] < 0.25 < waits[1]
    assert both[0] >= works[0]
