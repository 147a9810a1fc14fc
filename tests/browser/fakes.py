"""Objects with the part of Playwright's interface that is used, without a browser behind them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import Browser


class PlaywrightError(Exception):
    """As Playwright raises it."""


PlaywrightError.__module__ = "playwright._impl._errors"
PlaywrightError.__name__ = "Error"


class PlaywrightTimeout(PlaywrightError):
    """Likewise."""


PlaywrightTimeout.__module__ = PlaywrightError.__module__
PlaywrightTimeout.__name__ = "TimeoutError"


class Emitter:
    """What can be listened to."""

    def __init__(self) -> None:
        self.listeners: list[tuple[str, Callable[..., Any]]] = []

    def on(self, kind: str, listener: Callable[..., Any]) -> None:
        self.listeners.append((kind, listener))

    def remove_listener(self, kind: str, listener: Callable[..., Any]) -> None:
        self.listeners.remove((kind, listener))

    def emit(self, kind: str, *event: object) -> None:
        for each, listener in list(self.listeners):
            if each == kind:
                listener(*event)


class FakeLocator:
    """Writes down how it was made and what is done with it."""

    def __init__(self, page: FakePage, text: str) -> None:
        self._page, self.text = page, text

    def __getattr__(self, name: str) -> Any:
        if name in ("first", "last", "content_frame"):
            return FakeLocator(self._page, f"{self.text}.{name}")
        if name.startswith(("get_by_", "locator", "filter", "and_", "or_", "nth", "frame_locator")):
            return lambda *given, **options: FakeLocator(self._page, f"{self.text}.{name}{shown(given, options)}")
        if name.startswith("_"):
            raise AttributeError(name)

        async def act(*given: Any, **options: Any) -> Any:
            return await self._page.did(f"{self.text}.{name}", given, options)

        return act


def shown(given: tuple[Any, ...], options: dict[str, Any]) -> str:
    parts = [each.text if isinstance(each, FakeLocator) else repr(each) for each in given]
    parts += [f"{key}={shown((value,), {})[1:-1]}" for key, value in options.items()]
    return f"({', '.join(parts)})"


class FakePage(Emitter):
    """A page; `answers` has what actions give, by their names, or what they raise."""

    def __init__(self, context: FakeContext | None = None) -> None:
        super().__init__()
        self.context = context if context is not None else FakeContext()
        self.context.pages.append(self)
        self.url, self.viewport_size = "about:blank", {"width": 800, "height": 600}
        self.is_over = False
        self.done: list[str] = []
        self.answers: dict[str, Any] = {}
        self.main_frame = object()
        self.keyboard = self.mouse = FakeLocator(self, "input")

    async def did(self, name: str, given: tuple[Any, ...], options: dict[str, Any]) -> Any:
        options.pop("timeout", None)
        self.done.append(f"{name}{shown(given, options)}")
        answer = self.answers.get(name.rpartition(".")[2])
        if callable(answer):
            answer = answer()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def is_closed(self) -> bool:
        return self.is_over

    async def close(self) -> None:
        self.is_over = True
        self.emit("close", self)

    async def goto(self, url: str, **options: Any) -> Any:
        self.url = url
        return await self.did("goto", (url,), options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(FakeLocator(self, "page"), name)


class FakeContext(Emitter):
    """A context, with the pages that were opened in it."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[FakePage] = []
        self.routes: list[Callable[..., Any]] = []
        self.is_over = False

    async def route(self, _url: object, handler: Callable[..., Any]) -> None:
        self.routes.append(handler)

    async def unroute(self, _url: object, handler: Callable[..., Any]) -> None:
        self.routes.remove(handler)

    async def new_page(self) -> FakePage:
        page = FakePage(self)
        self.emit("page", page)
        return page

    async def cookies(self, urls: list[str]) -> list[dict[str, Any]]:
        return [{"name": "a", "value": "b", "urls": urls}]

    async def close(self) -> None:
        self.is_over = True


class FakeBrowser:
    """A browser, with the contexts that were made in it."""

    def __init__(self) -> None:
        self.contexts: list[FakeContext] = []
        self.options: list[dict[str, Any]] = []

    async def new_context(self, **options: Any) -> FakeContext:
        self.options.append(options)
        self.contexts.append(FakeContext())
        return self.contexts[-1]


class FakeRequest:
    """A request on its way."""

    resource_type = "fetch"
    method = "GET"
    headers: dict[str, str] = {"accept": "*/*"}  # noqa: RUF012 - nobody changes it
    post_data = None
    redirected_from: object = None
    failure = "net::ERR_FAILED"
    timing: dict[str, float] = {"startTime": 1.0, "responseEnd": 2.0}  # noqa: RUF012 - the same

    def __init__(self, page: FakePage, url: str) -> None:
        self.frame = self
        self.page, self.url = page, url


class FakeRoute:
    """What is asked of a request, and what is answered."""

    def __init__(self, page: FakePage, url: str) -> None:
        self.request = FakeRequest(page, url)
        self.answer: tuple[str, Any] = ("", None)

    async def abort(self, reason: str) -> None:
        self.answer = "abort", reason

    async def fulfill(self, **response: Any) -> None:
        self.answer = "fulfill", response

    async def fallback(self, **changes: Any) -> None:
        self.answer = "fallback", changes


class Elsewhere:
    """An event loop on a thread of its own, as a browser's objects have it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def grant(self, target: object, *given: Any, **options: Any) -> Browser:
        """A grant whose objects belong to this loop."""

        async def make() -> Browser:
            return Browser(target, *given, **options)

        return self.run(make())  # type: ignore[no-any-return] # it is one

    def run(self, coroutine: Any) -> Any:
        """Run something there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def call(self, function: Callable[..., object], *given: object) -> None:
        """Call something there, and wait until what it has begun has gone on."""

        async def called() -> None:
            function(*given)
            await settled()

        self.run(called())

    def end(self) -> None:
        self.run(settled())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def settled() -> None:
    """Let tasks go on that wait for nothing from outside."""
    for _ in range(20):
        await asyncio.sleep(0)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """One, for as long as a block lasts."""
    there = Elsewhere()
    try:
        yield there
    finally:
        there.end()
