"""The grant of a browser: whose pages a guest may use, which URLs these may reach, and how much of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sandbox.browser.collected import Collected, PageRecord
from sandbox.browser.loops import Home
from sandbox.network.grant import NetworkGrant, whole
from sandbox.network.urls import HTTP

_MEGABYTE: Final = 1 << 20


class Browser(NetworkGrant):
    """A browser that a guest may use, by Playwright. Its pages reach nothing that is not said here.

        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch()
            async with AsyncSandbox(browser=Browser(chromium, allow=["https://example.com"])) as box:
                await box.eval("await page.goto('https://example.com'); await page.title()")

    The browser stays the embedder's: it is neither launched nor closed by a sandbox. Patterns are those of `Fetch`.

    Attributes:
        target: The object of Playwright.
        kind: What it is: `"browser"`, `"context"` or `"page"`.
        collected: What was seen of it.
    """

    def __init__(
        self,
        target: Any,  # noqa: ANN401 - an object of an optional package
        allow: Iterable[str] = (),
        *,
        deny: Iterable[str] = (),
        private: bool | Iterable[str] = False,
        timeout: float = 30.0,
        pages: int = 8,
        context: Mapping[str, Any] | None = None,
        max_events: int = 1000,
        max_result_bytes: int = 16 * _MEGABYTE,
        max_collected_bytes: int = _MEGABYTE,
        on_event: Callable[[PageRecord], object] | None = None,
    ) -> None:
        """Make a grant, in an async function on the event loop that the browser's objects belong to.

        Args:
            target: An object of `playwright.async_api`. A `Browser`: each sandbox has a context of its own in it, which
                ends with the sandbox, and reaches the network by a proxy in this process alone. A `BrowserContext`: its
                cookies and storage are shared, and guests open pages in it. A `Page`: that one is the guest's `page`,
                and further ones are opened in its context. While a sandbox uses it, the grant holds for everything in
                that context.
            allow: Patterns of the URLs that pages may load and ask for; none: nothing may.
            deny: Patterns of URLs that they may not, whatever `allow` says.
            private: Whether hosts may have private addresses, the machine's own among them; or the networks that they
                may be in, such as `["127.0.0.0/8"]`.
            timeout: Seconds that each action may take, whatever the program says; what it says may be less.
            pages: How many pages a sandbox may have open at a time.
            context: What `new_context` is called with, where the target is a `Browser`, such as
                `{"base_url": "https://example.com", "viewport": {"width": 800, "height": 600}}`. A `proxy` among
                these takes the place of the one that holds everything against the grant.
            max_events: How many events wait for a program that does not read them; the oldest are dropped.
            max_result_bytes: The largest result of an action, such as a screenshot.
            max_collected_bytes: How much `collected` keeps; what comes later is counted only.
            on_event: Called with each record that is collected, on the thread of the browser's loop.

        Raises:
            UsageError: No event loop of asyncio runs.
            ValueError: A pattern, a network or a number is none.
            TypeError: An option has the wrong type; the target is none, or one of `playwright.sync_api`.
        """
        super().__init__(HTTP, allow, deny, None, private, timeout, 1, None)
        self.kind: Final = _kind_of(target)
        self.target: Final = target
        self.pages: Final = whole("pages", pages) or 1
        self.max_events: Final = whole("max_events", max_events) or 1
        self.max_result_bytes: Final = whole("max_result_bytes", max_result_bytes) or 0
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        if context is not None and (self.kind != "browser" or not isinstance(context, Mapping)):
            raise TypeError("context must be a mapping of options, for a target that is a Browser")
        self.context: Final = dict(context or {})
        self.collected: Final = Collected(whole("max_collected_bytes", max_collected_bytes) or 0, on_event)
        self.home: Final = Home()


def _kind_of(target: object) -> str:
    """What a target is, by what it can do: an embedder may have wrapped it."""
    if type(target).__module__.startswith("playwright.sync_api"):
        raise TypeError(
            "a Browser takes objects of playwright.async_api: those of playwright.sync_api hold up their thread."
            " sandbox.browser.launch() has a browser for blocking programs"
        )
    for kind, method in (("page", "goto"), ("context", "new_page"), ("browser", "new_context")):
        if callable(getattr(target, method, None)) and (kind != "context" or not hasattr(target, "new_context")):
            return kind
    raise TypeError(f"a Browser takes a Browser, BrowserContext or Page of Playwright, not {type(target).__name__}")


def grant_of(option: object) -> Browser:
    """What the option `browser` of a sandbox grants.

    Raises:
        TypeError: It is no grant.
    """
    if isinstance(option, Browser):
        return option
    raise TypeError(
        "browser must be a Browser, such as Browser(page, allow=['https://example.com']), or None,"
        f" not {type(option).__name__}"
    )
