"""A browser for programs that have no event loop of their own: on a thread, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sandbox.browser.grant import Browser
from sandbox.browser.installed import INSTALL, has_playwright
from sandbox.browser.loops import TASK_NAME
from sandbox.errors import UsageError

# A page is to speak to whom its grant names: not by UDP, and not for the browser's own sake.
_FLAGS = (
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_START_SECONDS = 60.0


@contextmanager
def launch(
    allow: Iterable[str] = (),
    *,
    executable_path: str | None = None,
    args: Sequence[str] = (),
    headless: bool = True,
    chromium_sandbox: bool | None = None,
    **options: Any,  # noqa: ANN401 - those of Browser
) -> Iterator[Browser]:
    """Launch Chromium on a thread of its own, for sandboxes of any kind, and end it with the block.

        with launch(["https://example.com"]) as browser, Sandbox(browser=browser) as box:
            box.eval("await page.goto('https://example.com'); await page.title()")

    Args:
        allow: See `Browser`.
        executable_path: The browser; None: the one that `playwright install chromium` has brought.
        args: Flags for it beyond those that keep it from the network.
        headless: Whether it shows no windows.
        chromium_sandbox: Whether Chromium runs pages in its own sandbox, on which systems without unprivileged user
            namespaces refuse to start it. None: it does, unless this process is root's, for whom it has none.
        options: Of `Browser`.

    Yields:
        The grant. Each sandbox has a context of its own.

    Raises:
        UsageError: Playwright is not installed, or the browser does not start.
    """
    if not has_playwright():
        raise UsageError(f"a browser needs Playwright: {INSTALL}")
    if chromium_sandbox is None:
        chromium_sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
    how = {
        "executable_path": executable_path,
        "args": [*_FLAGS, *args],
        "headless": headless,
        "chromium_sandbox": chromium_sandbox,
    }
    running = _Running(how, {"allow": list(allow), **options})
    try:
        yield running.started()
    finally:
        running.end()


class _Running:
    """The thread, its loop, and what runs there."""

    def __init__(self, how: dict[str, Any], options: dict[str, Any]) -> None:
        self._how, self._options = how, options
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._grant: Browser | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sandbox-browser", daemon=True)
        self._thread.start()

    def started(self) -> Browser:
        """The grant, when the browser runs."""
        self._ready.wait(_START_SECONDS)
        if isinstance(self._failure, ValueError | TypeError):
            raise self._failure
        if self._grant is None:
            raise UsageError(f"the browser does not start: {self._failure or 'it takes too long'}") from self._failure
        return self._grant

    def end(self) -> None:
        """End all of it; waits."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_START_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        from playwright.async_api import async_playwright

        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**self._how)
            try:
                self._grant = Browser(browser, **self._options)
                self._ready.set()
                await self._over.wait()
                # Contexts of sandboxes that were closed at the last moment end first.
                others = asyncio.all_tasks() - {asyncio.current_task()}
                closing = [task for task in others if task.get_name() == TASK_NAME]
                if closing:
                    await asyncio.wait(closing, timeout=_START_SECONDS)
            finally:
                await browser.close()
