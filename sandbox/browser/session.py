"""The browser of one sandbox: its context, its pages by number, and what a program does with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from sandbox.browser.actions import Actions
from sandbox.browser.failures import BLOCKED, CLOSED, failed, failure_of, full, wrong
from sandbox.browser.feed import Feed, Held
from sandbox.browser.gate import Gate
from sandbox.browser.proxy import Proxy
from sandbox.browser.routes import Routes
from sandbox.browser.watch import Watch

if TYPE_CHECKING:
    from sandbox.browser.grant import Browser

DEFAULT_PAGE: Final = 0
"""What the guest calls the page that it finds."""
DEFAULT_CONTEXT: Final = 0
"""Likewise the context."""

# What an action may take beyond the time that Playwright itself was given.
_GRACE_SECONDS: Final = 2.0


class Session:
    """One sandbox's part of a browser. Its coroutines run on the loop of the browser.

    Attributes:
        feed: What the program is told.
        held: Objects of Playwright that it knows by numbers.
    """

    def __init__(self, grant: Browser, numbers: Iterator[int]) -> None:
        """Begin with nothing; the browser is asked with the first action."""
        self._grant, self._numbers = grant, numbers
        self.feed: Feed = Feed(grant.max_events)
        self.held: Held = Held(numbers)
        self._gate = Gate(grant)
        self._watch = Watch(
            grant, self.feed, self.held, self._number_of, self._gate.refusal, self._on_astray, self._on_page
        )
        self._routes = Routes(grant, self._gate, self._watch, self.feed, self.held, self._number_of)
        self._actions = Actions(grant, self)
        self._proxy = Proxy(grant)
        self._contexts: dict[int, Any] = {}
        self._default: Any = grant.target if grant.kind == "page" else None
        self._pages: dict[int, Any] = {}
        self.feed.context_of = self._context_of
        self._astray: list[Any] = []
        self._emptied, self._opening = asyncio.Event(), asyncio.Lock()
        self._guards: WeakKeyDictionary[Any, asyncio.Task[bool]] = WeakKeyDictionary()
        self._beginning: asyncio.Task[None] | None = None
        self._is_over = False

    # --- what the program knows ---

    def state(self, number: object, what: object) -> Any:  # noqa: ANN401 - plain data
        """What is known of a page at once, or of a context: its pages; any thread."""
        page = self._default if number == DEFAULT_PAGE else self._pages.get(number) if isinstance(number, int) else None
        if what == "url":
            return "about:blank" if page is None else str(page.url)
        if what == "isClosed":
            return self._is_over if page is None and number == DEFAULT_PAGE else page is None or bool(page.is_closed())
        if what == "viewportSize":
            return None if page is None else page.viewport_size
        if what == "context":
            return 0 if page is None else self._number_of_context(page)
        if what == "contexts":
            return list(self._contexts) or [DEFAULT_CONTEXT]
        if what == "pages":
            return [
                DEFAULT_PAGE if page is self._default else each
                for each, page in list(self._pages.items())
                if not page.is_closed() and self._number_of_context(page) == number
            ]
        raise wrong("there is no such thing to know of a page")

    def page(self, number: object) -> Any:  # noqa: ANN401 - Playwright's object
        """A page by its number.

        Raises:
            JSError: There is none, or it is where it may not be.
        """
        page = self._default if number == DEFAULT_PAGE else self._pages.get(number) if isinstance(number, int) else None
        if page is None:
            raise failed(CLOSED, "TargetClosedError")
        self.check(page)
        return page

    def check(self, page: Any) -> None:  # noqa: ANN401 - the same
        """Refuse a page that is where it may not be."""
        if any(each is page for each in self._astray):
            raise failed(BLOCKED)

    async def until_empty(self, number: object) -> None:
        """Wait while a page is being emptied."""
        page = self._default if number == DEFAULT_PAGE else self._pages.get(number) if isinstance(number, int) else None
        while any(each is page for each in self._astray):
            self._emptied.clear()
            await self._emptied.wait()

    def context(self, number: object) -> Any:  # noqa: ANN401 - the same
        """A context by its number.

        Raises:
            JSError: There is none.
        """
        context = self._contexts.get(number) if isinstance(number, int) else None
        if context is None:
            raise failed(CLOSED, "TargetClosedError")
        return context

    async def new_context(self, options: dict[str, Any]) -> int:
        """Make a context, with cookies and storage of its own; its number.

        Raises:
            JSError: The grant is not one of a whole browser, or there are too many.
        """
        if self._grant.kind != "browser":
            raise failed("browser.newContext: the embedder grants no browser, but a context or a page of its own")
        async with self._opening:
            if len(self._contexts) >= self._grant.pages:
                raise full(f"a program has at most {self._grant.pages} contexts")
            context = await self._made({**self._grant.context, "storage_state": None, **options})
            number = next(self._numbers)
            self._contexts[number] = context
        try:
            await self._gated(context)
            self._watch.context(context)
        except BaseException:
            self._watch.soon(self.close_context(number))
            raise
        return number

    async def close_context(self, number: object) -> None:
        """Close a context that the program has made, and its pages.

        Raises:
            JSError: There is none, or it is the one that the program has found.
        """
        context = self.context(number)
        if number == DEFAULT_CONTEXT:
            raise failed("context.close: this context ends with the sandbox")
        await context.close()
        self._contexts.pop(number, None)  # type: ignore[call-overload] # it was found by it
        self._watch.forget(context)

    async def new_page(self, context: object) -> int:
        """Open a page in a context; its number.

        Raises:
            JSError: There are too many, or there is no such context.
        """
        async with self._opening:
            self._check_room()
            page = await self.context(context).new_page()
            self._adopt(page)
        await self._guarded(page)
        return self._number_of(page)

    def describe(self, response: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the same
        """A response, as the guest gets it."""
        return None if response is None else self._watch.describe(response)

    # --- actions ---

    async def act(self, target: object, method: str, arguments: list[Any], options: object) -> Any:  # noqa: ANN401 - plain data
        """Do something; see `sandbox.browser.actions`.

        Raises:
            JSError: It cannot be done.
        """
        return await self._timed(method, lambda: self._actions.act(target, method, arguments, options))

    async def judge(
        self, target: object, matcher: str, is_not: bool, arguments: list[Any], options: object
    ) -> str | None:
        """Wait until something holds of an element or a page; None: it does. Otherwise why not."""
        told: str | None = await self._timed(
            matcher, lambda: self._actions.judge(target, matcher, is_not, arguments, options)
        )
        return told

    async def _timed(self, method: str, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 - plain data
        try:
            async with asyncio.timeout(self._grant.timeout + _GRACE_SECONDS):
                await self._begun()
                return await make()
        except Exception as error:  # noqa: BLE001 - becomes an Error of the guest
            raise failure_of(error, method) from None

    # --- its life ---

    async def _begun(self) -> None:
        if self._is_over:
            raise failed(CLOSED, "TargetClosedError")
        if self._beginning is None:
            self._beginning = asyncio.get_running_loop().create_task(self._begin())
        try:
            await asyncio.shield(self._beginning)
        except Exception:
            self._beginning = None  # the next action tries again
            raise

    async def _begin(self) -> None:
        grant = self._grant
        if grant.kind == "browser":
            context = await self._made(grant.context)
        else:
            context = grant.target if grant.kind == "context" else grant.target.context
        self._contexts[DEFAULT_CONTEXT] = context
        await self._gated(context)
        if self._default is None:
            self._default = await context.new_page()
        self.feed.default = self._adopt(self._default)
        self._watch.context(context)
        await self._guarded(self._default)

    async def _made(self, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the same
        """A context of the sandbox's own."""
        if "proxy" not in options:
            if not self._proxy.url:
                await self._proxy.start()
            options = {**options, "proxy": {"server": self._proxy.url}}
        return await self._grant.target.new_context(**{"service_workers": "block", **options})

    async def _gated(self, context: Any) -> None:  # noqa: ANN401 - the same
        """Have everything that pages of a context ask for pass the gate."""
        await context.route(_everything, self._routes.on_route)
        if hasattr(context, "route_web_socket"):
            await context.route_web_socket(_everything, self._gate.on_socket)

    def undo(self, last: int) -> None:
        """Close the contexts and pages that were made since a number was given out; on the loop."""
        for number in [number for number in self._contexts if number > last]:
            self._watch.soon(self.close_context(number))
        for number, page in list(self._pages.items()):
            if number > last and page is not self._default:
                self._watch.soon(page.close())
        self.feed.clear()

    async def close(self) -> None:
        """Let go of the browser: what was opened for the guest is closed, what the embedder gave is not."""
        self._is_over = True
        if self._beginning is not None:
            await asyncio.wait([self._beginning])
        self._watch.stop()
        self.held.clear()
        self.feed.clear()
        contexts = list(self._contexts.values())
        for context in contexts:
            with suppress(Exception):
                await context.unroute(_everything, self._routes.on_route)
        if self._grant.kind == "browser":
            for context in contexts:
                with suppress(Exception):
                    await context.close()
            await self._proxy.close()
            return
        for page in list(self._pages.values()):
            if page is not self._grant.target:
                with suppress(Exception):
                    await page.close()

    # --- pages ---

    def _check_room(self) -> None:
        if len(self._pages) >= self._grant.pages:
            raise full(f"a program has at most {self._grant.pages} pages")

    def _number_of_context(self, page: Any) -> int:  # noqa: ANN401 - the same
        return next((number for number, each in list(self._contexts.items()) if each is page.context), DEFAULT_CONTEXT)

    def _context_of(self, number: int) -> int:
        page = self._pages.get(number)
        return DEFAULT_CONTEXT if page is None else self._number_of_context(page)

    def _number_of(self, page: object) -> int:
        return next((number for number, each in list(self._pages.items()) if each is page), 0)

    def _adopt(self, page: Any) -> int:  # noqa: ANN401 - the same
        known = self._number_of(page)
        if known:
            return known
        number = next(self._numbers)
        self._pages[number] = page
        self._watch.page(page)
        page.on("close", lambda _page: self._forget(number, page))
        return number

    def _forget(self, number: int, page: Any) -> None:  # noqa: ANN401 - the same
        self._pages.pop(number, None)
        self._watch.forget(page)

    def _on_page(self, page: Any) -> None:  # noqa: ANN401 - the same
        """A page was opened in the context, by whomever: it is the guest's, if it may have one more."""
        if self._number_of(page):
            return
        if len(self._pages) >= self._grant.pages:
            self._watch.soon(page.close())
            return
        number = self._adopt(page)
        self._watch.soon(self._guarded(page))
        self.feed.put("page", number, page.url)

    async def _guarded(self, page: Any) -> None:  # noqa: ANN401 - the same
        """Have redirects of a page watched, once."""
        self._adopt(page)
        guard = self._guards.get(page)
        if guard is None:
            watching = self._gate.watch_redirects(page.context, page)
            guard = self._guards[page] = asyncio.get_running_loop().create_task(watching)
        await asyncio.shield(guard)

    def _on_astray(self, page: Any, frame: Any) -> None:  # noqa: ANN401 - the same
        """A page is where it may not be: nothing of it is told from now on, until it is empty."""
        guard = self._guards.get(page)
        if frame is not None and frame is page.main_frame and guard is not None and guard.done() and guard.result():
            return  # it was stopped
        if any(each is page for each in self._astray):
            return
        self._astray.append(page)
        self._watch.soon(self._empty(page))

    async def _empty(self, page: Any) -> None:  # noqa: ANN401 - the same
        try:
            await page.goto("about:blank")
        except Exception:  # noqa: BLE001 - then it must go
            await page.close()
        finally:
            self._astray[:] = [each for each in self._astray if each is not page]
            self._emptied.set()


def _everything(_url: str) -> bool:
    return True
