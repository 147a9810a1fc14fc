"""The server of web-platform-tests, on this machine's loopback interface, for as long as tests need it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ORIGIN = "http://localhost:8000"
# Names that need no entry in /etc/hosts. The runner writes these ports into the tests.
CONFIGURATION: dict[str, Any] = {
    "browser_host": "localhost",
    "alternate_hosts": {"alt": "127.0.0.1"},
    "check_subdomains": False,
    "ports": {"http": [8000, 8001], "https": [8443, 8444], "ws": [8666], "wss": [8667]},
}
_SECONDS = 60


@contextmanager
def running(checkout: Path) -> Iterator[str]:
    """Serve a checkout of the suite; yields the origin under which.

    Raises:
        RuntimeError: One of its ports is taken, or the server does not start.
    """
    ports = [port for group in CONFIGURATION["ports"].values() for port in group]
    if taken := [port for port in ports if _answers(port)]:
        raise RuntimeError(f"the server of web-platform-tests needs port {taken[0]}, which is taken")
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / "configuration.json"
        configuration.write_text(json.dumps(CONFIGURATION), encoding="utf-8")
        command = [sys.executable, "wpt", "serve", "--no-h2", "--config", str(configuration)]
        process = subprocess.Popen(
            command, cwd=checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait(process, ports)
            yield ORIGIN
        finally:
            _end(process, ports)


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _wait(process: subprocess.Popen[bytes], ports: list[int]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not all(map(_answers, ports)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server of web-platform-tests does not start")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes], ports: list[int]) -> None:
    """End it and the processes it has made, which are one group, and see them gone."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + _SECONDS
    while any(map(_answers, ports)) and time.monotonic() < deadline:
        time.sleep(0.01)
