"""What is seen of a browser while a program uses it, for the embedder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

# What a record counts beside its texts.
_RECORD_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class PageMessage:
    """What a page has written to its console.

    Attributes:
        page: The number of the page in its sandbox, from 1 on.
        level: Such as `"log"`, `"warning"` or `"error"`.
        text: The message.
        url: Of the script.
        line: Of the script, from 1 on; 0: nobody knows.
        column: Likewise.
    """

    page: int
    level: str
    text: str
    url: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class PageFailure:
    """An exception that nothing in a page has caught.

    Attributes:
        page: The number of the page.
        name: The error's name.
        message: Its message.
        stack: The page's stack.
    """

    page: int
    name: str
    message: str
    stack: str


@dataclass(slots=True)
class PageRequest:
    """A request of a page; it is filled in as the request goes on.

    Attributes:
        page: The number of the page; 0: none of the sandbox's.
        method: Such as `"GET"`.
        url: Where to.
        resource_type: What it is for, such as `"document"`, `"script"` or `"fetch"`.
        status: The status of the response; None: there is none yet.
        failure: Why there will be none; empty: it has not failed.
        is_refused: Whether the grant does not allow it, so that nothing was sent.
        timings_ms: When it began, in milliseconds since 1970 (`startTime`), and when its phases began and ended, in
            milliseconds since then, by the names of the standard Resource Timing; -1: that phase did not happen. Empty
            until it has ended.
    """

    page: int
    method: str
    url: str
    resource_type: str
    status: int | None = None
    failure: str = ""
    is_refused: bool = False
    timings_ms: dict[str, float] = field(default_factory=dict)


PageRecord: TypeAlias = PageMessage | PageFailure | PageRequest


class Collected:
    """What was seen of a browser, in order. It may be read on any thread, while a program goes on.

    Attributes:
        dropped: How many records there was no room for.
    """

    def __init__(self, max_bytes: int, on_event: Callable[[PageRecord], object] | None) -> None:
        self._max_bytes = max_bytes
        self._on_event = on_event
        self._bytes = 0
        self.dropped: int = 0
        self._console: list[PageMessage] = []
        self._errors: list[PageFailure] = []
        self._requests: list[PageRequest] = []

    @property
    def console(self) -> tuple[PageMessage, ...]:
        """What pages have written to their consoles."""
        return tuple(self._console)

    @property
    def errors(self) -> tuple[PageFailure, ...]:
        """What nothing in a page has caught."""
        return tuple(self._errors)

    @property
    def requests(self) -> tuple[PageRequest, ...]:
        """What pages have asked for."""
        return tuple(self._requests)

    def clear(self) -> None:
        """Forget what there is."""
        self._bytes = self.dropped = 0
        self._console, self._errors, self._requests = [], [], []

    def add(self, record: PageRecord) -> None:
        """Keep a record, if there is room, and tell the embedder of it; on the thread of the browser's loop.

        Raises:
            Exception: What the embedder's function raises.
        """
        size = _RECORD_BYTES + sum(
            len(value) for name in record.__slots__ if isinstance(value := getattr(record, name), str)
        )
        if self._bytes + size > self._max_bytes:
            self.dropped += 1
        else:
            self._bytes += size
            if isinstance(record, PageMessage):
                self._console.append(record)
            elif isinstance(record, PageFailure):
                self._errors.append(record)
            else:
                self._requests.append(record)
        if self._on_event is not None:
            self._on_event(record)
