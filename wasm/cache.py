"""Where builds keep what they can use again, and how a file gets there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wasm.errors import BuildError


def cache_directory() -> Path:
    """The build cache of this user.

    `SANDBOX_BUILD_CACHE` names it when set; otherwise it stands where the platform keeps caches.
    """
    if chosen := os.environ.get("SANDBOX_BUILD_CACHE"):
        return Path(chosen).expanduser().resolve()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "quickjs-sandbox" / "build"


def digest(*parts: str | bytes) -> str:
    """SHA-256 in hex over parts whose borders count: ("ab", "c") and ("a", "bc") differ."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def sha256(data: bytes) -> str:
    """SHA-256 of the data itself, in hex."""
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that other processes see either as it was or complete."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise BuildError(f"cannot write {path}: {error.strerror}") from error


@contextlib.contextmanager
def staged_directory(path: Path) -> Iterator[Path]:
    """A new directory to fill; it becomes `path` when the block ends well and vanishes when it does not.

    When another process has made `path` meanwhile, that one stays: equal paths mean equal contents here.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:16]}-"))
    except OSError as error:
        raise BuildError(f"cannot write below {path.parent}: {error.strerror}") from error
    try:
        yield stage
        stage.chmod(0o755)
        try:
            stage.rename(path)
        except OSError as error:
            if not path.is_dir():
                raise BuildError(f"cannot write {path}: {error.strerror}") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
