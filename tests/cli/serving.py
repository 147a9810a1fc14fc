"""The command `sandbox serve` as a process of its own."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.cli.command import COMMAND


class Served:
    """A running command.

    Attributes:
        url: What it says where it is.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None and process.stdout is not None
        self.process = process
        if "--json" in str(process.args):
            self.errors: list[str] = []
            self.url = json.loads(process.stdout.readline())["url"]
        else:
            self.errors = [process.stderr.readline()]
            self.url = self.errors[0].rpartition(" ")[2].strip()
        self._reader = threading.Thread(target=lambda: self.errors.extend(process.stderr or ()))
        self._reader.start()

    def ask(self, path: str) -> tuple[int, str]:
        host = self.url.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", path)
        response = connection.getresponse()
        with response:
            answer = response.status, response.read().decode()
        connection.close()
        return answer

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Status, output and errors."""
        self.process.send_signal(number)
        assert self.process.stdout is not None and self.process.stderr is not None
        out = self.process.stdout.read()
        status = self.process.wait(20)
        self._reader.join(20)
        self.process.stdout.close()
        self.process.stderr.close()
        return status, out, "".join(self.errors)


@contextmanager
def serving(file: str, *flags: str, stdin: IO[str] | None = None) -> Iterator[Served]:
    process = subprocess.Popen(
        [*COMMAND, "serve", file, "--port", "0", *flags],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait(20)
