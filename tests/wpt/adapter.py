"""Run one assembled program of web-platform-tests in a sandbox, and print what it writes to its console.

    python -m tests.wpt.adapter PROGRAM.js [LOCATION]

The program consists of parts, each begun by a line `//#WPT-SCRIPT NAME`. They are global scripts of one realm, as in a
browser: an exception in one is reported and does not stop the next. Then everything runs that is pending. Scripts are
named by their addresses at LOCATION's origin.

Tests find shared memory, and buffers that cannot be transferred, in a `WebAssembly.Memory`, for want of another way in
some browsers. There is no WebAssembly here, but there are such buffers, so tests that ask in this way get them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sandbox import Limits, Sandbox
from sandbox.errors import SandboxError

_PART = re.compile(r"^//#WPT-SCRIPT ", re.MULTILINE)
_EXPECTS_EXCEPTIONS = re.compile(r"^setup\(\{\s*allow_uncaught_exception:\s*true\s*\}\)", re.MULTILINE)
_SECONDS = 60
_BUFFERS = """
globalThis.WebAssembly = {
  Memory: class Memory {
    constructor({shared, initial}) {
      const length = initial * 65536;
      this.buffer = shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length).transferToImmutable();
    }
  },
};
"""


def _say(name: str, error: Exception) -> None:
    """Report an exception of the program itself, which the runner counts against the file."""
    print("@@WPT@@" + json.dumps({"t": "x", "n": name, "m": str(error)[:600]}), flush=True)


def _print(entry: Any) -> None:
    print(entry.text, flush=True)


def run(program: str, location: str = "http://web-platform.test:8000/") -> None:
    """Run the parts of a program, and what they leave pending."""
    expected = _EXPECTS_EXCEPTIONS.search(program)
    limits = Limits(
        memory_bytes=512 << 20,
        cpu_seconds=_SECONDS,
        wall_seconds=_SECONDS,
        message_bytes=64 << 20,
        output_bytes=64 << 20,
    )
    with Sandbox(console=_print, limits=limits) as box:
        if "new WebAssembly.Memory(" in program:
            box.eval(_BUFFERS)
        for part in _PART.split(program)[1:]:
            name, _, code = part.partition("\n")
            try:
                # A promise would be waited for.
                box.eval(code + "\n;undefined", filename=urljoin(location, name) if name.startswith("/") else name)
            except SandboxError as error:
                if not expected:
                    _say(name, error)
        while True:
            try:
                box.run_until_idle()
            except SandboxError as error:
                if not expected:
                    _say("uncaught", error)
                if not _goes_on(box):
                    return
            else:
                return


def _goes_on(box: Sandbox) -> bool:
    """Whether an exception in a task was one that other tasks outlive."""
    try:
        return bool(box.eval("1"))
    except SandboxError:
        return False


if __name__ == "__main__":
    run(Path(sys.argv[1]).read_text(encoding="utf-8", errors="surrogatepass"), *sys.argv[2:3])
