"""Requests on their way: held against the grant, and shown to the program that has routes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sandbox.browser.failures import wrong
from sandbox.browser.gate import NOT_ALLOWED
from sandbox.browser.values import between, options_of, text, texts_by_name

if TYPE_CHECKING:
    from sandbox.browser.feed import Feed, Held
    from sandbox.browser.gate import Gate
    from sandbox.browser.grant import Browser
    from sandbox.browser.watch import Watch

_REASONS: Final = frozenset(
    {
        "aborted",
        "accessdenied",
        "addressunreachable",
        "blockedbyclient",
        "blockedbyresponse",
        "connectionaborted",
        "connectionclosed",
        "connectionfailed",
        "connectionrefused",
        "connectionreset",
        "failed",
        "internetdisconnected",
        "namenotresolved",
        "timedout",
    }
)
_FULFILL: Final = {"status": between(100, 599), "headers": texts_by_name, "contentType": text, "body": text}
_CONTINUE: Final = {"url": text, "method": text, "headers": texts_by_name, "postData": text}
_MOST_BODY_BYTES: Final = 16 << 20


class Routes:
    """Decides what becomes of each request of a context; on the loop of the browser."""

    def __init__(
        self, grant: Browser, gate: Gate, watch: Watch, feed: Feed, held: Held, number_of: Callable[[Any], int]
    ) -> None:
        self._grant, self._gate, self._watch = grant, gate, watch
        self._feed, self._held, self._number_of = feed, held, number_of

    async def on_route(self, route: Any) -> None:  # noqa: ANN401 - Playwright's object
        """A request is about to be sent. Nobody hears of what it raises: the page is gone then."""
        with suppress(Exception):
            request = route.request
            refusal = await self._gate.refusal_with_address(request.url)
            decision = await self._asked(route) if "route" in self._feed.wanted else None
            if decision is not None and decision[0] == "abort":
                await route.abort(decision[1])
            elif decision is not None and decision[0] == "fulfill":
                await route.fulfill(**decision[1])
            elif refusal is not None:
                self._watch.refused(request)
                await route.abort(NOT_ALLOWED)
            elif decision is not None and decision[1]:
                await self._changed(route, decision[1])
            else:
                await route.fallback()  # to routes of the embedder's, or to the network

    async def _changed(self, route: Any, changes: dict[str, Any]) -> None:  # noqa: ANN401 - the same
        """Go on with a request that the program has changed."""
        if "url" in changes and await self._gate.refusal_with_address(changes["url"]) is not None:
            self._watch.refused(route.request)
            await route.abort(NOT_ALLOWED)
        else:
            await route.fallback(**changes)

    async def _asked(self, route: Any) -> tuple[str, Any] | None:  # noqa: ANN401 - the same
        """What the program says; None: it has no route for this request, or does not say."""
        decided: asyncio.Future[tuple[str, Any]] = asyncio.get_running_loop().create_future()

        def give_up() -> None:
            if not decided.done():
                decided.set_result(("abort", "failed"))

        def decide(method: str, arguments: list[Any], options: object) -> None:
            try:
                decision = _decision(method, arguments, options)
            except BaseException:
                give_up()
                raise
            if not decided.done():
                decided.set_result(decision)

        page = self._watch.page_of(route.request)
        number = self._held.add("route", decide, give_up)
        request = route.request
        self._feed.put(
            "route",
            self._number_of(page),
            number,
            {
                "url": request.url,
                "method": request.method,
                "headers": dict(request.headers),
                "resourceType": request.resource_type,
            },
        )
        try:
            async with asyncio.timeout(self._grant.timeout):
                return await decided
        except TimeoutError:
            return "abort", "timedout"


def _decision(method: str, arguments: list[Any], options: object) -> tuple[str, Any]:
    """What a program says of a request, checked."""
    if method == "abort":
        reason = arguments[0] if arguments else "failed"
        if reason not in _REASONS:
            raise wrong(f"route.abort: there is no reason {str(reason)[:50]!r}")
        return "abort", reason
    if method == "fulfill" and isinstance(options, Mapping):
        body = options.get("body")
        if isinstance(body, bytes) and len(body) <= _MOST_BODY_BYTES:
            rest = {key: value for key, value in options.items() if key != "body"}
            return "fulfill", {**options_of(rest, _FULFILL, "route.fulfill"), "body": body}
        return "fulfill", options_of(options, _FULFILL, "route.fulfill")
    if method in ("continue", "fallback"):
        return "continue", options_of(options, _CONTINUE, f"route.{method}")
    raise wrong(f"there is no route.{method[:50]}()")
