"""What pages may reach: every request, redirect and WebSocket of a context is held against the grant."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sandbox.browser.failures import wrong
from sandbox.network.addresses import parse_address
from sandbox.network.urls import BadURL, parse

if TYPE_CHECKING:
    from sandbox.browser.grant import Browser

_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_BLANKS: Final = "".join(map(chr, range(0x21)))
# Where a page may be that has reached nothing: what its own scripts have made, and failures.
_HARMLESS: Final = frozenset({"about", "blob", "chrome-error", "data"})
# Requests of a page that are remembered, to know redirects of them.
_MOST_SEEN: Final = 10_000
NOT_ALLOWED: Final = "blockedbyclient"


def scheme_of(url: str) -> str:
    """The scheme of a URL in lower case, as a browser reads it; empty: it is relative."""
    match = _SCHEME.match(url.strip(_BLANKS).translate(dict.fromkeys(map(ord, "\t\r\n"))))
    return "" if match is None else match[1].lower()


def check_destination(url: str) -> None:
    """Refuse what no grant can allow, before the browser is asked to go there.

    Raises:
        JSError: It is a URL of another scheme than http, https, data and about.
    """
    if scheme_of(url) not in ("", "http", "https", "data", "about"):
        raise wrong("goto: the URL must be one of http or https")


class Gate:
    """Holds URLs against a grant; on the loop of the browser."""

    def __init__(self, grant: Browser) -> None:
        self._grant = grant

    def refusal(self, url: str) -> str | None:
        """Why the grant does not allow a URL, addresses aside; None: it does."""
        scheme = scheme_of(url)
        if scheme in _HARMLESS:
            return None
        try:
            # A WebSocket is a request of HTTP that goes on as something else.
            parsed = parse({"ws": "http", "wss": "https"}.get(scheme, scheme) + url.strip(_BLANKS)[len(scheme) :])
        except BadURL as error:
            return str(error)
        return self._grant.refusal(parsed)

    async def refusal_with_address(self, url: str) -> str | None:
        """Likewise, with the addresses of its host. What has none is refused by the browser itself."""
        if (reason := self.refusal(url)) is not None or scheme_of(url) in _HARMLESS:
            return reason
        scheme = scheme_of(url)
        parsed = parse({"ws": "http", "wss": "https"}.get(scheme, scheme) + url.strip(_BLANKS)[len(scheme) :])
        found = [parsed.host]
        if parse_address(parsed.host) is None:
            try:
                entries = await asyncio.get_running_loop().getaddrinfo(
                    parsed.host, parsed.port, type=socket.SOCK_STREAM
                )
            except (OSError, UnicodeError):
                return None
            found = [str(entry[4][0]) for entry in entries]
        if all(self._grant.addresses.admits(address) for address in found):
            return None
        return f"the grant does not allow the address of {parsed.host}"

    async def on_socket(self, route: Any) -> None:  # noqa: ANN401 - Playwright's object
        """A page opens a WebSocket."""
        if await self.refusal_with_address(route.url) is None:
            route.connect_to_server()
        else:
            await route.close(code=1008, reason="not allowed")

    async def watch_redirects(self, context: Any, page: Any) -> bool:  # noqa: ANN401 - the same
        """Stop redirects of a page before they are sent, which Playwright's routes are not asked about.

        It needs Chromium's protocol. Elsewhere, and in frames that are processes of their own, a redirect is heard of
        when it has been sent; see `Session`.

        Returns:
            Whether they are stopped.
        """
        with suppress(Exception):  # another browser, or the page is gone
            protocol = await context.new_cdp_session(page)
            tasks: set[asyncio.Task[None]] = set()
            seen: OrderedDict[str, None] = OrderedDict()

            def paused(event: dict[str, Any]) -> None:
                # All requests of one chain have one number; not each of them says which it goes on from.
                number = str(event.get("networkId"))
                is_redirect = "redirectedRequestId" in event or number in seen
                seen[number] = None
                if len(seen) > _MOST_SEEN:
                    seen.popitem(last=False)
                task = asyncio.get_running_loop().create_task(self._decide(protocol, event, is_redirect))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            protocol.on("Fetch.requestPaused", paused)
            await protocol.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
            return True
        return False

    async def _decide(self, protocol: Any, event: dict[str, Any], is_redirect: bool) -> None:  # noqa: ANN401 - the same
        request, url = {"requestId": event["requestId"]}, event["request"]["url"]
        with suppress(Exception):  # it has ended
            if is_redirect and await self.refusal_with_address(url) is not None:
                await protocol.send("Fetch.failRequest", {**request, "errorReason": "BlockedByClient"})
            else:
                await protocol.send("Fetch.continueRequest", request)
