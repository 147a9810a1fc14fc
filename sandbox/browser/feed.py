"""What a program is told of pages: events that wait for it, and the objects that they are about."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from sandbox.browser.failures import failed

KINDS: Final = frozenset(
    {
        "close",
        "console",
        "dialog",
        "domcontentloaded",
        "download",
        "framenavigated",
        "load",
        "page",
        "pageerror",
        "request",
        "requestfailed",
        "requestfinished",
        "response",
        "route",
    }
)
_MOST_HELD: Final = 256
_MOST_TEXT_CHARS: Final = 10_000
_MOST_BATCH: Final = 100
_MOST_CHARS: Final = 1 << 20


class Held:
    """Objects of Playwright that a guest knows by numbers; the oldest are let go."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._objects: OrderedDict[int, tuple[str, Any, Callable[[], object] | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._objects)

    def add(self, kind: str, thing: Any, let_go: Callable[[], object] | None = None) -> int:  # noqa: ANN401 - any of them
        """Keep an object.

        Args:
            kind: What it is.
            thing: The object.
            let_go: Called when it is let go before anybody has taken it.
        """
        number = next(self._numbers)
        self._objects[number] = kind, thing, let_go
        while len(self._objects) > _MOST_HELD:
            self._drop(next(iter(self._objects)))
        return number

    def get(self, kind: str, number: object) -> Any:  # noqa: ANN401 - the same
        """The object of a number.

        Raises:
            JSError: There is none, or none any more.
        """
        known, thing, _ = self._objects.get(number, ("", None, None)) if isinstance(number, int) else ("", None, None)
        if known != kind:
            raise failed(f"this {kind} is not known any more")
        return thing

    def take(self, kind: str, number: object) -> Any:  # noqa: ANN401 - the same
        """Likewise, the last time."""
        thing = self.get(kind, number)
        del self._objects[number]  # type: ignore[arg-type] # it was found by it
        return thing

    def clear(self) -> None:
        """Let go of all."""
        while self._objects:
            self._drop(next(iter(self._objects)))

    def _drop(self, number: int) -> None:
        _, _, let_go = self._objects.pop(number)
        if let_go is not None:
            let_go()


class Feed:
    """Events in the order in which they came; on the loop of the browser, but for `wanted`.

    Attributes:
        wanted: Which kinds the program listens to; set on any thread.
        dropped: How many there was no room for.
        default: The number of the page that the program finds, which it calls 0.
        context_of: The number of the context of a page.
    """

    def __init__(self, most: int) -> None:
        self.wanted: frozenset[str] = frozenset()
        self.dropped: int = 0
        self.default = 0
        self.context_of: Callable[[int], int] = lambda _page: 0
        self._events: deque[tuple[int, list[Any]]] = deque()
        self._most, self._chars = most, 0
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, kind: str, page: int, *parts: object) -> bool:
        """Have the program told, if it listens; whether it will be."""
        if kind not in self.wanted:
            return False
        known = -1 if page == 0 else 0 if page == self.default else page
        event = [kind, known, self.context_of(page), *(_cut(part) for part in parts)]
        size = _chars(event)
        self._events.append((size, event))
        self._chars += size
        while len(self._events) > self._most or (self._chars > _MOST_CHARS and len(self._events) > 1):
            self._next()
            self.dropped += 1
        self._arrived.set()
        return True

    async def take(self) -> list[list[Any]]:
        """The next events; waits for one. Cancelled, it has taken none."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return [self._next() for _ in range(min(_MOST_BATCH, len(self._events)))]

    def clear(self) -> None:
        """Forget what has come."""
        self._events.clear()
        self._chars = 0

    def _next(self) -> list[Any]:
        size, event = self._events.popleft()
        self._chars -= size
        return event


def _chars(part: object) -> int:
    if isinstance(part, str):
        return len(part)
    if isinstance(part, dict):
        return sum(len(key) + _chars(item) for key, item in part.items())
    return sum(map(_chars, part)) if isinstance(part, list) else 8


def _cut(part: object) -> object:
    if isinstance(part, str):
        return part[:_MOST_TEXT_CHARS]
    if isinstance(part, dict):
        return {str(key)[:_MOST_TEXT_CHARS]: _cut(item) for key, item in list(part.items())[:200]}
    return part
