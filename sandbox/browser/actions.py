"""One action of a program: what it is about is found, its arguments are checked, and Playwright does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from sandbox.browser.failures import failed, text_of, wrong
from sandbox.browser.gate import check_destination
from sandbox.browser.locating import locate
from sandbox.browser.methods import (
    BROWSER,
    CONTEXT,
    DIALOG,
    DOWNLOAD,
    KEYBOARD,
    LOCATOR,
    MATCHERS,
    MOUSE,
    PAGE,
    PAGE_MATCHERS,
    RESPONSE,
    Method,
)
from sandbox.browser.values import TooLarge, answer, options_of, snake

if TYPE_CHECKING:
    from sandbox.browser.feed import Held
    from sandbox.browser.grant import Browser

_KINDS: Final[dict[str, Mapping[str, Method]]] = {
    "browser": BROWSER,
    "context": CONTEXT,
    "dialog": DIALOG,
    "download": DOWNLOAD,
    "keyboard": KEYBOARD,
    "locator": LOCATOR,
    "mouse": MOUSE,
    "page": PAGE,
    "response": RESPONSE,
}
_INTERRUPTED: Final = "interrupted by another navigation"
_LATE: Final = f'{_INTERRUPTED} to "chrome-error:'
_MOST_INTERRUPTED: Final = 4
_PAUSE_SECONDS: Final = 0.1
_ASSERTION_MS: Final = 5000.0
# What Playwright calls otherwise in Python.
_NAMES: Final = {
    "innerHTML": "inner_html",
    "setExtraHTTPHeaders": "set_extra_http_headers",
    "toHaveCSS": "to_have_css",
    "toHaveJSProperty": "to_have_js_property",
    "toHaveURL": "to_have_url",
}


class Pages(Protocol):
    """The pages of one sandbox."""

    held: Held

    def context(self, number: object) -> Any:  # noqa: ANN401 - Playwright's object
        """See `Session`."""

    async def new_context(self, options: dict[str, Any]) -> int:
        """See `Session`."""

    async def close_context(self, number: object) -> None:
        """See `Session`."""

    def page(self, number: object) -> Any:  # noqa: ANN401 - the same
        """See `Session`."""

    def check(self, page: Any) -> None:  # noqa: ANN401 - the same
        """See `Session`."""

    async def until_empty(self, number: object) -> None:
        """See `Session`."""

    async def new_page(self, context: object) -> int:
        """See `Session`."""

    def describe(self, response: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the same
        """See `Session`."""


class Actions:
    """Does what the programs of one sandbox ask for; on the loop of the browser."""

    def __init__(self, grant: Browser, pages: Pages) -> None:
        self._grant, self._pages = grant, pages

    async def act(self, target: object, method: str, arguments: list[Any], options: object) -> Any:  # noqa: ANN401 - plain data
        """Do something.

        Args:
            target: `[kind, number, steps]`: a page by its number, what belongs to one, or another object by its own.
            method: The name of the action.
            arguments: As `sandbox.browser.methods` says.
            options: Likewise.

        Raises:
            JSError: There is no such object, action, argument or option.
            Exception: What Playwright raises.
        """
        kind, number, steps = _target(target)
        if kind == "route":
            decide = self._pages.held.take("route", number)
            decide(method, arguments, options)
            return None
        known = _KINDS.get(kind, {}).get(method)
        if known is None:
            raise wrong(f"there is no {kind}.{method[:50]}()")
        given = _arguments(known, method, arguments)
        taken = options_of(options, known.options or {}, method)
        if method == "goto":
            check_destination(given[0])
            await self._pages.until_empty(number)
        if known is LOCATOR.get("evaluateAll") or "timeout" not in (known.options or {}) or method == "emulateMedia":
            taken.pop("timeout", None)
        else:
            taken["timeout"] = self._milliseconds(taken.get("timeout"), self._grant.timeout * 1000)
        if method == "newContext":
            return await self._pages.new_context(taken)
        if method == "newPage":
            return await self._pages.new_page(number)
        if kind == "context" and method == "close":
            return await self._pages.close_context(number)
        page = self._pages.page(number) if kind in ("page", "keyboard", "mouse", "locator") else None
        subject = self._subject(kind, number, steps, page)
        if kind == "download":
            return await self._download(subject, method)
        if method == "selectOption":
            given, taken = [], {**taken, "value": given[0]}
        if method == "cookies" and not given:
            given = [[]]
        action = getattr(subject, _python(method))
        result = await (_gone(action, given, taken) if method == "goto" else action(*given, **taken))
        if page is not None:
            self._pages.check(page)
        return self._result(known, method, result)

    async def judge(
        self, target: object, matcher: str, is_not: bool, arguments: list[Any], options: object
    ) -> str | None:
        """Wait until something holds; see `Session.judge`."""
        kind, number, steps = _target(target)
        table = PAGE_MATCHERS if kind == "page" else MATCHERS
        known = table.get(matcher)
        if known is None or kind not in ("page", "locator"):
            raise wrong(f"there is no expect({kind}).{matcher[:50]}()")
        given = _arguments(known, matcher, arguments)
        taken = options_of(options, known.options or {}, matcher)
        taken["timeout"] = self._milliseconds(taken.get("timeout"), _ASSERTION_MS)
        page = self._pages.page(number)
        from playwright.async_api import expect  # most sandboxes have no browser

        subject = page if kind == "page" else locate(page, steps)
        name = _python(matcher)
        assertion = getattr(expect(subject), f"not_{name}" if is_not else name)
        try:
            await assertion(*given, **taken)
        except AssertionError as error:
            self._pages.check(page)
            return text_of(error)
        self._pages.check(page)
        return None

    def _milliseconds(self, asked: float | None, default: float) -> float:
        """How long Playwright waits: 0, which to it means for ever, is the longest that is granted."""
        most = self._grant.timeout * 1000
        return min(default if asked is None else asked or most, most)

    def _subject(self, kind: str, number: object, steps: object, page: Any) -> Any:  # noqa: ANN401 - Playwright's objects
        if kind == "context":
            return self._pages.context(number)
        if kind == "locator":
            return locate(page, steps)
        if kind == "page":
            return page
        if kind in ("keyboard", "mouse"):
            return getattr(page, kind)
        if kind == "dialog":
            return self._pages.held.take("dialog", number)
        return self._pages.held.get(kind, number)

    def _result(self, known: Method, method: str, result: Any) -> Any:  # noqa: ANN401 - plain data
        if known.result == "response":
            return self._pages.describe(result)
        if known.result == "nothing":
            return None
        try:
            return answer(result, self._grant.max_result_bytes)
        except TooLarge:
            raise failed(f"{method}: the result is larger than the browser grants", "RangeError") from None

    async def _download(self, download: Any, method: str) -> Any:  # noqa: ANN401 - Playwright's object
        if method == "cancel":
            await download.cancel()
            return None
        path = Path(await download.path())
        size, most = (await asyncio.to_thread(path.stat)).st_size, self._grant.max_result_bytes
        if size > most:
            raise failed("download: the file is larger than the browser grants", "RangeError")
        return await asyncio.to_thread(path.read_bytes)


async def _gone(goto: Callable[..., Any], given: list[Any], taken: dict[str, Any]) -> Any:  # noqa: ANN401 - a response
    """Go somewhere. The page about a navigation that was stopped comes late, and may stop this one, more than once."""
    is_late = False
    for _ in range(_MOST_INTERRUPTED):
        try:
            return await goto(*given, **taken)
        except Exception as error:
            is_late = is_late or _LATE in str(error)
            if not is_late or _INTERRUPTED not in str(error):
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
    return await goto(*given, **taken)


def _target(target: object) -> tuple[str, object, object]:
    if not isinstance(target, list) or len(target) != 3 or not isinstance(target[0], str):
        raise wrong("what an action is about is a kind, a number and steps")
    return target[0], target[1], target[2]


def _arguments(known: Method, method: str, arguments: list[Any]) -> list[Any]:
    if not len(known.needs) - known.optional <= len(arguments) <= len(known.needs):
        raise wrong(f"{method}: it takes {len(known.needs)} arguments, and {len(arguments)} were given")
    return [check(each, f"{method}: an argument") for check, each in zip(known.needs, arguments, strict=False)]


def _python(method: str) -> str:
    return _NAMES.get(method) or snake(method)
