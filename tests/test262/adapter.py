"""Run tests of ECMAScript's own suite, test262, each in a sandbox of its own.

A runner imports this file and calls `run_path`. `HOST` says which members of `$262` the realm has already.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox import Limits, Sandbox
from sandbox._abi import Evaluation
from sandbox.errors import JSError, SandboxError, UnhandledRejection
from sandbox.modules import Importer, ModuleSource

Outcome = tuple[bool, str | None, str]
"""Whether all parts were evaluated; if not, the exception's class; its text, or what was printed."""

HOST = frozenset({"evalScript", "detachArrayBuffer"})

_LIMITS = Limits(memory_bytes=256 << 20, cpu_seconds=30, wall_seconds=40, output_bytes=16 << 20)
# Whether all that can be told of a run is told: nothing else may change by it.
_TRACED = bool(os.environ.get("TEST262_TRACED"))
_EVERYTHING = Evaluation.NAMES | Evaluation.PLACES | Evaluation.LINES | Evaluation.COMMENTS
_NEGATIVE = re.compile(r"^negative:", re.MULTILINE)
_TOP = "test"
# Tests replace and remove globals, so what they call to tell the outcome holds on to what it needs.
_SETUP = """
((log, transfer) => {
  globalThis.print = text => log(`${text}`);
  globalThis.$262 = {evalScript, detachArrayBuffer: buffer => { if (!buffer.detached) transfer.call(buffer) }};
  delete globalThis.evalScript;
})(console.log, ArrayBuffer.prototype.transfer)
"""


def run(source: str, module: bool) -> Outcome:
    """Evaluate one source, a script or a module."""
    return run_parts([source], module)


def run_parts(parts: Sequence[str], module: bool) -> Outcome:
    """Evaluate sources in turn as scripts of one realm, the last one as a module if asked to."""
    return run_path(parts, module, "/nowhere/test/main.js")


def run_path(parts: Sequence[str], module: bool, path: str) -> Outcome:
    """As `run_parts`; modules are those of the directory tree that `path` lies in, up to the one named `test`."""
    top = next((parent for parent in Path(path).parents if parent.name == _TOP), Path(path).parent)
    name = "/" + Path(path).relative_to(top).as_posix()
    printed: list[str] = []

    def load(specifier: str, importer: Importer) -> ModuleSource | None:
        key = posixpath.normpath(posixpath.join(importer.resolve_dir, specifier))
        if module and key == name:
            return ModuleSource(parts[-1])
        file = top / key.lstrip("/")
        return ModuleSource(file.read_bytes()) if file.is_file() else None

    with Sandbox(console=lambda entry: printed.append(entry.text), limits=_LIMITS, modules=load) as box:
        box.globals["evalScript"] = lambda code: _evaluate(box, code, "evalScript")
        box.eval(_SETUP)
        try:
            for position, part in enumerate(parts):
                if module and position == len(parts) - 1:
                    box.import_module(name)
                else:
                    _evaluate(box, part, name)
            _finish(box)
        except JSError as error:
            return False, _class(error), error.message
        except SandboxError as error:
            return False, type(error).__name__, str(error)
    return True, None, "\n".join(printed)


def _evaluate(box: Sandbox, code: str, name: str) -> None:
    """Evaluate a script. Its value is not wanted: it would be waited for, or might not be convertible."""
    whole = code if _NEGATIVE.search(code) else code + "\n;undefined"
    with contextlib.suppress(UnhandledRejection):
        if _TRACED:
            box._perform(box._driver.eval(whole, name, _EVERYTHING))
        else:
            box.eval(whole, filename=name)


def _finish(box: Sandbox) -> None:
    """Run what is pending. What nobody handles is no failure of a test."""
    while True:
        try:
            return box.run_until_idle()
        except UnhandledRejection:
            pass


def _class(error: JSError) -> str:
    """The name of the constructor of what was thrown; the suite's own exceptions are no Errors."""
    if error.name or not (isinstance(error.value, dict) and "message" in error.value):
        return error.name
    return "Test262Error"
