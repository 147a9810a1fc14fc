"""The WebAssembly modules of this package, and their machine code, which is kept for the user.

Compiling takes most of a second. A cache entry is native code: it is only taken from a directory and a file that nobody
else can write. What it was made from is read where it is made, and not before.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Final

from sandbox import _wasmtime
from sandbox._engine import Engine, EngineError, Module
from sandbox.errors import ArtifactError

ARTIFACTS: Final = os.path.join(os.path.dirname(__file__), "_artifacts")
ADVICE: Final = "build it with `python -m wasm.build`, or install a wheel"
_MANIFEST: Final = "manifest.json"
_DIGEST_CHARS: Final = 64


def manifest(directory: str = ARTIFACTS) -> dict[str, Any]:
    """What the build says of its modules.

    Raises:
        ArtifactError: It is missing or damaged.
    """
    import json  # with what it imports, as long as all of this otherwise takes

    try:
        facts = json.loads(_read(directory, _MANIFEST))
    except ValueError as error:
        raise ArtifactError(f"the compiled guest cannot be read ({error}); {ADVICE}") from error
    if type(facts) is not dict:
        raise ArtifactError(f"the compiled guest cannot be read (its manifest is no object); {ADVICE}")
    return facts


def digest_after(opening: bytes, directory: str = ARTIFACTS) -> str | None:
    """The digest with which a manifest begins, if it is written just as the build does that; None: it must be read.

    Args:
        opening: What stands before it.
        directory: Where the manifest is.

    Raises:
        ArtifactError: It is missing.
    """
    end = len(opening) + _DIGEST_CHARS
    text = _read(directory, _MANIFEST, end + 1)
    if not text.startswith(opening) or text[end:] != b'"':
        return None
    digest = text[len(opening) : end].decode("latin-1")
    return digest if all(char in "0123456789abcdef" for char in digest) else None


def digest_in(facts: object) -> str:
    """The SHA-256 of a module, in hex, as its part of the manifest has it.

    Raises:
        ArtifactError: It has none.
    """
    digest = facts.get("sha256") if isinstance(facts, dict) else None
    try:
        if 2 * len(bytes.fromhex(digest or "")) == _DIGEST_CHARS:
            return str(digest)
    except (ValueError, TypeError):
        pass
    raise ArtifactError(f"the compiled guest cannot be read (its manifest has no hash); {ADVICE}")


def compiled(engine: Engine, name: str, sha256: str, kind: str, directory: str = ARTIFACTS) -> Module:
    """A module of this package as machine code of this machine.

    Args:
        engine: For which.
        name: Of its file.
        sha256: Its hash, in hex.
        kind: Tells engines apart that are configured in different ways.
        directory: Where its file is.

    Raises:
        ArtifactError: It is missing or damaged, or cannot be compiled here.
    """
    entry = cache_entry(sha256, kind)
    if is_private(entry):
        with contextlib.suppress(EngineError):  # a damaged file, for one: the module is compiled again
            return engine.load(entry)
    import hashlib  # as long to import as all of this otherwise takes

    binary = _read(directory, name)
    if hashlib.sha256(binary).hexdigest() != sha256:
        raise ArtifactError(f"{name} is damaged: its hash is not that of its manifest; {ADVICE}")
    try:
        module = engine.compile(binary)
    except EngineError as error:
        raise ArtifactError(f"{name} cannot be compiled for this machine: {error}") from None
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not correctness
        _write_private(entry, module.machine_code())
    return module


def _read(directory: str, name: str, most_bytes: int = -1) -> bytes:
    try:
        with open(os.path.join(directory, name), "rb") as file:
            return file.read(most_bytes)
    except FileNotFoundError:
        raise ArtifactError(f"the compiled guest is missing; {ADVICE}") from None
    except OSError as error:
        raise ArtifactError(f"the compiled guest cannot be read ({error}); {ADVICE}") from error


def cache_entry(sha256: str, kind: str) -> str:
    """Where the machine code of a module is kept, if it is; see `compiled`."""
    # wasmtime itself refuses code of another version or CPU; its library's size keeps versions apart.
    library_bytes = os.stat(_wasmtime.LIBRARY).st_size
    name = f"{sha256}-{kind}-{sys.platform}-{_wasmtime.machine()}-{library_bytes}.cwasm"
    return os.path.join(cache_directory(), name)


def cache_directory() -> str:
    """Where machine code is kept for this user: `SANDBOX_CACHE`, or where the system keeps caches."""
    configured = os.environ.get("SANDBOX_CACHE")
    if configured:
        return configured
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "quickjs-sandbox")


def is_private(entry: str) -> bool:
    """Whether nobody but this user could have written the file: it is machine code that will be run."""
    if not hasattr(os, "getuid"):
        return os.path.isfile(entry)
    try:
        states = [os.lstat(entry), os.stat(os.path.dirname(entry))]
    except OSError:
        return False
    return all(state.st_uid in (os.getuid(), 0) and not state.st_mode & 0o022 for state in states)


def _write_private(entry: str, code: bytes) -> None:
    import tempfile  # with all that it imports, a tenth of what this package takes: only the first process needs it

    directory = os.path.dirname(entry)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=directory, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(code)
        os.replace(name, entry)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
