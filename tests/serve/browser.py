"""Chromium without a window, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It is to speak to the test's server and to nobody else.
_FLAGS: Final = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage",
    "--remote-debugging-port=0", "--window-size=900,1200",
)  # fmt: skip
_SECONDS: Final = 30


def find() -> str | None:
    """Where Chromium is installed, if it is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page that is open.

    Attributes:
        errors: What its scripts threw and nobody caught.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.errors: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (message := self._next()).get("id") != number:
            self._note(message)
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.call("Runtime.enable")
        self.call("Page.enable")
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer["errorText"]
        while (message := self._next()).get("method") != "Page.loadEventFired":
            self._note(message)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited; what it throws fails the test."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """What it looks like: a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._connection.recv(_SECONDS))
        return message

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"]))


@contextmanager
def opened(program: str, directory: Path, url: str) -> Iterator[Page]:
    """A browser that shows one page, with a profile of its own in an empty directory."""
    # Chromium's own sandbox does not start for root.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), "--ignore-certificate-errors"]
    process = subprocess.Popen(
        [program, *flags, f"--user-data-dir={directory}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port, _ = _written(process, directory / "DevToolsActivePort").split("\n", 1)
        with connect(f"ws://127.0.0.1:{port}{_page_path(port)}", max_size=None, proxy=None) as connection:
            page = Page(connection)
            page.open(url)
            yield page
            page.call("Browser.close")
        process.wait(_SECONDS)
    finally:
        process.kill()
        process.wait(_SECONDS)


def _written(process: subprocess.Popen[bytes], path: Path) -> str:
    """What the browser writes into a file as soon as it has begun: two lines."""
    deadline = time.monotonic() + _SECONDS
    while not (path.exists() and "\n" in (text := path.read_text("utf-8"))):
        assert process.poll() is None, "Chromium has ended"
        assert time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.02)
    return text


def _page_path(port: str) -> str:
    """Where its one page is spoken to."""
    client = http.client.HTTPConnection("127.0.0.1", int(port), timeout=_SECONDS)
    try:
        client.request("GET", "/json/list")
        targets = json.loads(client.getresponse().read())
    finally:
        client.close()
    address: str = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
    return "/" + address.split("/", 3)[3]
