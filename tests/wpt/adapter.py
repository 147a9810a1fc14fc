"""Run one assembled program of web-platform-tests in a sandbox, and print what it writes to its console.

    python -m tests.wpt.adapter [--server ORIGIN] PROGRAM.js

The program consists of parts, each begun by a line `//#WPT-SCRIPT NAME`. They are global scripts of one realm, as in a
browser: an exception in one is reported and does not stop the next. Then everything runs that is pending. Scripts are
named by their addresses at the server's origin; where the tests have a server, a program may reach it, by fetch and by
WebSockets.

Without a server, the runner would answer `fetch` of the suite's own files by a function in place of it, which is then
what tests see. Here the sandbox's own `fetch` answers them, from data: URLs.

Tests find shared memory, and buffers that cannot be transferred, in a `WebAssembly.Memory`, for want of another way in
some browsers. There is no WebAssembly here, but there are such buffers, so tests that ask in this way get them.
"""

from __future__ import annotations

import argparse
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sandbox import Fetch, Limits, MemoryFiles, Sandbox, WebSockets
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


# What the runner's first part knows: among it, `files`, by their paths, each a text or bytes in base64, and a type.
_CONFIGURATION = re.compile(r"^( *var conf = )(\{.*\});$", re.MULTILINE)
_FETCH = """
(files => {
  const own = fetch;
  const find = url => {
    const {origin, pathname} = new URL(url, location.href);
    return origin === location.origin && Object.hasOwn(files, pathname) ? files[pathname] : undefined;
  };
  globalThis.fetch = {
    async fetch(input, init = undefined) {
      let url;
      try {
        url = find(input instanceof Request ? input.url : input);
      } catch {}
      return url === undefined ? own(input, init) : own(url, {signal: new Request(input, init).signal});
    },
  }.fetch;
})
"""


def _say(name: str, error: Exception) -> None:
    """Report an exception of the program itself, which the runner counts against the file."""
    print("@@WPT@@" + json.dumps({"t": "x", "n": name, "m": str(error)[:600]}), flush=True)


def _print(entry: Any) -> None:
    print(entry.text, flush=True)


def _network() -> dict[str, Any]:
    """The grants of a program whose tests have a server on this machine."""
    allow, private = ["localhost:*", "127.0.0.1:*"], ["127.0.0.0/8", "::1"]
    return {
        "fetch": Fetch(allow, private=private),
        "websocket": WebSockets(allow, private=private, max_message_bytes=64 << 20),
    }


def run(program: str, server: str | None = None) -> None:
    """Run the parts of a program, and what they leave pending."""
    location = server or "http://web-platform.test:8000"
    grants = _network() if server else {}
    expected = _EXPECTS_EXCEPTIONS.search(program)
    limits = Limits(
        memory_bytes=512 << 20,
        cpu_seconds=_SECONDS,
        wall_seconds=_SECONDS,
        message_bytes=64 << 20,
        output_bytes=64 << 20,
    )
    with Sandbox(console=_print, limits=limits, files=MemoryFiles(), **grants) as box:
        if "new WebAssembly.Memory(" in program:
            box.eval(_BUFFERS)
        for part in _PART.split(program)[1:]:
            name, _, code = part.partition("\n")
            if name == "prelude.js" and (stated := _CONFIGURATION.search(code)):
                code = _serve(box, code, stated)
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


def _serve(box: Sandbox, code: str, stated: re.Match[str]) -> str:
    """Have the sandbox's `fetch` answer the files that the runner's first part holds; returns the part without them."""
    configuration = json.loads(stated[2])
    files = {path: _data_url(file) for path, file in configuration.pop("files", {}).items()}
    if files:
        box.eval(_FETCH)(files)
    told = stated[1] + json.dumps(configuration | {"files": {}}) + ";"
    return code[: stated.start()] + told + code[stated.end() :]


def _data_url(file: dict[str, str]) -> str:
    content = file.get("b64") or b64encode(file["text"].encode("utf-8", "surrogatepass")).decode("ascii")
    return f"data:{file['type']};base64,{content}"


def _goes_on(box: Sandbox) -> bool:
    """Whether an exception in a task was one that other tasks outlive."""
    try:
        return bool(box.eval("1"))
    except SandboxError:
        return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m tests.wpt.adapter")
    parser.add_argument("--server", metavar="ORIGIN", help="where the tests' server is; by default there is none")
    parser.add_argument("program", type=Path)
    options = parser.parse_args(arguments)
    run(options.program.read_text(encoding="utf-8", errors="surrogatepass"), options.server)


if __name__ == "__main__":
    main()
