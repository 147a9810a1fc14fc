"""What waits for a program is bounded, whatever a page does; what programs give is checked."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from sandbox import JSError
from sandbox.browser.feed import _MOST_CHARS, _MOST_HELD, Feed, Held
from sandbox.browser.values import TooLarge, answer, snake
from sandbox.capabilities.base import Numbers


def test_events_that_nobody_reads() -> None:
    feed = Feed(10)
    feed.default, feed.context_of = 3, lambda page: page % 10
    assert not feed.put("console", 1, "unheard")
    feed.wanted = frozenset({"console", "response"})
    for number in range(100):
        assert feed.put("console", 3 if number % 2 else number, f"{number}")
    assert (len(feed), feed.dropped) == (10, 90)
    assert [event[1:] for event in asyncio.run(feed.take())][-2:] == [[98, 8, "98"], [0, 3, "99"]]
    feed = Feed(10_000)
    feed.wanted = frozenset({"response"})
    for _ in range(500):
        feed.put("response", 0, {"headers": {"x" * 20_000: "y" * 20_000}, "url": "z" * 50_000})
    assert len(feed) * 30_000 <= _MOST_CHARS + 30_000
    assert feed.dropped + len(feed) == 500
    feed.clear()
    assert feed.put("response", 0, "x")
    assert asyncio.run(feed.take()) == [["response", -1, 0, "x"]]


def test_things_that_are_known_by_numbers() -> None:
    let_go: list[int] = []
    held = Held(iter(Numbers()))
    numbers = [held.add("dialog", each, partial(let_go.append, each)) for each in range(_MOST_HELD + 5)]
    assert len(held) == _MOST_HELD
    assert let_go == [0, 1, 2, 3, 4]
    assert held.take("dialog", numbers[-1]) == _MOST_HELD + 4
    for kind, number in (("dialog", numbers[-1]), ("dialog", numbers[0]), ("route", numbers[9]), ("dialog", "9")):
        with pytest.raises(JSError, match=f"this {kind} is not known any more"):
            held.get(kind, number)
    held.clear()
    assert len(let_go) == _MOST_HELD + 4


def test_answers_of_pages() -> None:
    class Unknown:
        def __str__(self) -> str:
            return "unknown"

    assert answer({1: [None, 1.5, "x", Unknown()]}, 1000) == {"1": [None, 1.5, "x", "unknown"]}
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    for large in (deep, ["x"] * 200, "x" * 1000, {"x" * 1000: 1}):
        with pytest.raises(TooLarge):
            answer(large, 1000)


@pytest.mark.parametrize(
    ("name", "python"),
    [("getByAltText", "get_by_alt_text"), ("or", "or_"), ("innerText", "inner_text"), ("count", "count")],
)
def test_names(name: str, python: str) -> None:
    assert snake(name) == python
