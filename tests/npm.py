"""Packages of npm for tests, each in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def install(folder: Path, package: str) -> None:
    """Install a package at a version, such as `typescript@5.9.3`; the test is skipped where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm")
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--no-audit", "--no-fund", "--prefer-offline", package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=45, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm takes too long")
    if done.returncode:
        pytest.skip(f"npm has no {package}")
