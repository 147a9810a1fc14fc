"""Listens to what happens in a context: collects it for the embedder, and tells the program that listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sandbox.browser.collected import PageFailure, PageMessage, PageRecord, PageRequest
from sandbox.browser.gate import scheme_of

if TYPE_CHECKING:
    from sandbox.browser.feed import Feed, Held
    from sandbox.browser.grant import Browser

_TIMINGS = (
    "startTime",
    "domainLookupStart",
    "domainLookupEnd",
    "connectStart",
    "secureConnectionStart",
    "connectEnd",
    "requestStart",
    "responseStart",
    "responseEnd",
)


class Watch:
    """The listeners of one sandbox; all are called on the loop of the browser."""

    def __init__(
        self,
        grant: Browser,
        feed: Feed,
        held: Held,
        number_of: Callable[[Any], int],
        refusal: Callable[[str], str | None],
        on_astray: Callable[[Any, Any], object],
        on_page: Callable[[Any], object],
    ) -> None:
        """Make them; none listens yet.

        Args:
            grant: The grant.
            feed: What the program is told by.
            held: Takes objects that events are about.
            number_of: The number of a page; 0: it is none of the sandbox's.
            refusal: Why a URL may not be reached.
            on_astray: Called at once with a page that is where it may not be, and with the frame that was led there,
                or None.
            on_page: Called with a page that has been opened.
        """
        self._grant, self._feed, self._held = grant, feed, held
        self._number_of, self._refusal = number_of, refusal
        self._on_astray, self._on_page = on_astray, on_page
        self._listening: list[tuple[Any, str, Callable[..., Any]]] = []
        self._records: WeakKeyDictionary[Any, PageRequest] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()

    def context(self, context: Any) -> None:  # noqa: ANN401 - Playwright's object
        """Listen to a context."""
        self._listen(context, "console", self._on_console)
        self._listen(context, "weberror", self._on_failure)
        self._listen(context, "request", self._on_request)
        self._listen(context, "response", self._on_response)
        self._listen(context, "requestfinished", partial(self._on_end, "requestfinished"))
        self._listen(context, "requestfailed", partial(self._on_end, "requestfailed"))
        self._listen(context, "dialog", self._on_dialog)
        self._listen(context, "page", self._on_page)

    def page(self, page: Any) -> None:  # noqa: ANN401 - the same
        """Listen to a page."""
        for kind in ("load", "domcontentloaded", "close"):
            self._listen(page, kind, partial(self._tell, kind, page))
        self._listen(page, "framenavigated", partial(self._on_navigated, page))
        self._listen(page, "download", partial(self._on_download, page))

    def forget(self, target: Any) -> None:  # noqa: ANN401 - the same
        """Let go of a page or a context that is closed."""
        self._listening = [each for each in self._listening if each[0] is not target]

    def stop(self) -> None:
        """Listen no more."""
        listening, self._listening = self._listening, []
        for target, kind, listener in listening:
            with suppress(Exception):
                target.remove_listener(kind, listener)

    def soon(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Do something beside; nobody hears of what it raises."""
        task = asyncio.get_running_loop().create_task(_quietly(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def collect(self, record: PageRecord) -> None:
        """Collect a record. What the embedder's function raises is the loop's business, not the program's."""
        try:
            self._grant.collected.add(record)
        except Exception as error:  # noqa: BLE001 - handed on
            context = {"message": "on_event of a Browser has failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def refused(self, request: Any) -> None:  # noqa: ANN401 - Playwright's object
        """A request was stopped."""
        record = self._records.get(request)
        if record is not None:
            record.is_refused, record.failure = True, "the grant does not allow it"

    def page_of(self, request: Any) -> Any:  # noqa: ANN401 - the same
        """The page of a request; None: it has none yet, or none at all."""
        with suppress(Exception):
            return request.frame.page
        return None

    # --- listeners ---

    def _listen(self, target: Any, kind: str, listener: Callable[..., Any]) -> None:  # noqa: ANN401 - the same
        target.on(kind, listener)
        self._listening.append((target, kind, listener))

    def _tell(self, kind: str, page: Any, *_event: object) -> None:  # noqa: ANN401 - the same
        self._feed.put(kind, self._number_of(page))

    def _on_console(self, message: Any) -> None:  # noqa: ANN401 - the same
        place = message.location or {}
        line, column = place.get("lineNumber", -1) + 1, place.get("columnNumber", -1) + 1
        number, url = self._number_of(message.page), str(place.get("url", ""))
        self.collect(PageMessage(number, message.type, message.text, url, line, column))
        self._feed.put(
            "console", number, message.type, message.text, {"url": url, "lineNumber": line, "columnNumber": column}
        )

    def _on_failure(self, event: Any) -> None:  # noqa: ANN401 - the same
        error, number = event.error, self._number_of(event.page)
        name, text, stack = (str(getattr(error, key, None) or "") for key in ("name", "message", "stack"))
        self.collect(PageFailure(number, name, text, stack))
        self._feed.put("pageerror", number, name, text, stack)

    def _on_request(self, request: Any) -> None:  # noqa: ANN401 - the same
        page = self.page_of(request)
        number = self._number_of(page)
        record = PageRequest(number, request.method, request.url, request.resource_type)
        self._records[request] = record
        if request.redirected_from is not None and self._refusal(request.url) is not None:
            record.is_refused, record.failure = True, "redirected to what the grant does not allow"
            if page is not None:
                self._on_astray(page, request.frame)
        self.collect(record)
        if "request" in self._feed.wanted:
            self._feed.put("request", number, _request(request))

    def _on_response(self, response: Any) -> None:  # noqa: ANN401 - the same
        record = self._records.get(response.request)
        if record is not None:
            record.status = response.status
        if "response" in self._feed.wanted:
            number = self._number_of(self.page_of(response.request))
            self._feed.put("response", number, self.describe(response))

    def describe(self, response: Any) -> dict[str, Any]:  # noqa: ANN401 - the same
        """A response, as the guest gets it; its body stays here."""
        return {
            "number": self._held.add("response", response),
            "url": response.url,
            "status": response.status,
            "statusText": response.status_text,
            "headers": dict(response.headers),
            "request": _request(response.request),
        }

    def _on_end(self, kind: str, request: Any) -> None:  # noqa: ANN401 - the same
        record = self._records.get(request)
        failure = str(request.failure or "") if kind == "requestfailed" else ""
        if record is not None:
            timing = request.timing or {}
            record.timings_ms = {key: timing[key] for key in _TIMINGS if key in timing}
            record.failure = record.failure or failure
        if kind in self._feed.wanted:
            self._feed.put(kind, self._number_of(self.page_of(request)), _request(request), failure)

    def _on_dialog(self, dialog: Any) -> None:  # noqa: ANN401 - the same
        number = self._number_of(dialog.page)
        if number == 0:
            return  # of a page of the embedder's, which listens itself
        if "dialog" not in self._feed.wanted:
            self.soon(dialog.dismiss())
            return
        held = self._held.add("dialog", dialog, lambda: self.soon(dialog.dismiss()))
        self._feed.put("dialog", number, held, dialog.type, dialog.message, dialog.default_value)

    def _on_navigated(self, page: Any, frame: Any) -> None:  # noqa: ANN401 - the same
        if scheme_of(frame.url) and self._refusal(frame.url) is not None:
            self._on_astray(page, None)
        if frame.parent_frame is None:
            self._feed.put("framenavigated", self._number_of(page), frame.url)

    def _on_download(self, page: Any, download: Any) -> None:  # noqa: ANN401 - the same
        if "download" not in self._feed.wanted:
            self.soon(download.cancel())
            return
        held = self._held.add("download", download, lambda: self.soon(download.cancel()))
        self._feed.put("download", self._number_of(page), held, download.url, download.suggested_filename)


def _request(request: Any) -> dict[str, Any]:  # noqa: ANN401 - the same
    return {
        "url": request.url,
        "method": request.method,
        "headers": dict(request.headers),
        "postData": _post_data(request),
        "resourceType": request.resource_type,
    }


def _post_data(request: Any) -> str | None:  # noqa: ANN401 - the same
    try:
        data: str | None = request.post_data
    except UnicodeDecodeError:
        return None
    return data


async def _quietly(coroutine: Coroutine[Any, Any, Any]) -> None:
    with suppress(Exception):
        await coroutine
