"""Environments of the peers: made once by venv and pip, kept in a per-user cache, found again by what they hold."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.catalog import Engine

CACHE_VARIABLE = "SANDBOX_BENCH_CACHE"
CHECKOUT = Path(__file__).resolve().parent.parent
_INSTALL_SECONDS = 900


class UnavailableError(Exception):
    """An engine cannot run here; the text says why in one line."""


def cache_directory() -> Path:
    """Where the environments are kept: `SANDBOX_BENCH_CACHE`, or the user's cache directory."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "quickjs-sandbox" / "benchmarks"


def environment_key(engine: Engine) -> str:
    """Name of the engine's environment: changes with anything that changes what pip would install."""
    described = json.dumps(
        [
            engine.requirements,
            engine.from_source,
            sorted(engine.build_environment.items()),
            sys.version,
            sysconfig.get_platform(),
        ]
    )
    return f"{engine.name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}"


def interpreter(engine: Engine) -> Path:
    """The Python that runs the engine; makes its environment if there is none yet. Blocks while pip works.

    Returns:
        Path of the interpreter: this process's own for the engine of the checkout.

    Raises:
        UnavailableError: The environment cannot be made, or our own package is not importable or not built.
    """
    if not engine.requirements:
        if importlib.util.find_spec("sandbox") is None or importlib.util.find_spec("wasmtime") is None:
            raise UnavailableError("the sandbox package or wasmtime is not installed in this environment")
        return Path(sys.executable)
    home = cache_directory() / environment_key(engine)
    python = _python_of(home)
    if not python.exists():
        _make(engine, home)
    return python


def _python_of(home: Path) -> Path:
    return home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _make(engine: Engine, home: Path) -> None:
    """Fill a directory beside `home` and rename it, so that a half-made environment is never found."""
    home.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{engine.name}-", dir=home.parent))
    try:
        _run([sys.executable, "-m", "venv", str(staging)], {})
        command = [str(_python_of(staging)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if engine.from_source:
            # pip keeps wheels it has built, whatever the compiler flags were: they must not be used again.
            command += ["--no-cache-dir", "--no-binary", ",".join(engine.from_source)]
        try:
            _run([*command, *engine.requirements], engine.build_environment)
        except UnavailableError as error:
            if engine.from_source:
                raise UnavailableError(f"{error} (it is built here, which takes a C compiler)") from error
            raise
        try:
            staging.rename(home)
        except OSError:
            if not _python_of(home).exists():
                raise
    except OSError as error:
        raise UnavailableError(f"cannot make an environment: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    environment = {**os.environ, **variables}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"pip did not finish within {_INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise UnavailableError(f"cannot be installed: {failure_reason(done.stderr or done.stdout)}")


def failure_reason(output: str) -> str:
    """The line of pip's or venv's output that says what went wrong, cut to 200 characters."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error:")]
    chosen = (errors or lines or ["no output"])[-1]
    return chosen.removeprefix("ERROR:").removeprefix("error:").strip()[:200]
