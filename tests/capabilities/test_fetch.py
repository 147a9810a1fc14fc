"""fetch, the host's side: what no binding asks, and what there is without a grant."""

from __future__ import annotations

import gc
import hashlib
import threading
import weakref
from typing import Any

import anyio
import pytest

from sandbox import Fetch, Request, Response, Sandbox
from sandbox.capabilities import FetchCapability
from sandbox.capabilities.base import Malformed


def test_without_a_grant() -> None:
    host = FetchCapability(None).handlers()

    assert host["send"]("GET", "https://example.com/", [], None, "follow") == [
        "denied",
        "this sandbox was given no network",
    ]
    assert (
        host["read"](1) == host["write"](1, None) == host["drop"](1) == ["dropped", "the response is no longer there"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (1, "https://a.test/", [], None, "follow"),
        ("GET", None, [], None, "follow"),
        ("GET", "https://a.test/", ["a"], None, "follow"),
        ("GET", "https://a.test/", ["a", 1], None, "follow"),
        ("GET", "https://a.test/", {}, None, "follow"),
        ("GET", "https://a.test/", [], "text", "follow"),
        ("GET", "https://a.test/", [], -1, "follow"),
        ("GET", "https://a.test/", [], False, "follow"),
        ("GET", "https://a.test/", [], None, "loop"),
        ("GET", "https://a.test/", [], None, []),
    ],
)
@pytest.mark.parametrize("grant", [None, Fetch(["*"])])
def test_what_no_binding_asks(arguments: Any, grant: Fetch | None) -> None:
    with pytest.raises(TypeError):
        FetchCapability(grant).handlers()["send"](*arguments)


def test_another_number_of_parts() -> None:
    with pytest.raises(Malformed):
        FetchCapability(None).handlers()["send"]("GET")


@pytest.mark.parametrize("number", [None, True, "1", 1.5, []])
def test_what_is_no_number(number: Any) -> None:
    capability = FetchCapability(Fetch(["*"]))
    capability.work()
    for name in ("read", "drop"):
        with pytest.raises(TypeError, match="number"):
            capability.handlers()[name](number)
    with pytest.raises(TypeError, match="bytes"):
        capability.handlers()["write"](1, "text")


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "https://u:p@a.test/", []),
        ("GET", "gopher://a.test/", []),
        ("GET", "https://a.test:99999/", []),
        ("GET", "https://a.test/", ["bad name", "x"]),
        ("GET", "https://a.test/", ["x", "a\r\nHost: evil"]),
        ("GET", "https://a.test/", ["x", "\N{SNOWMAN}"]),
    ],
)
def test_requests_that_an_attacker_may_make(method: str, url: str, headers: list[str]) -> None:
    answer: Any = FetchCapability(Fetch(["*"])).handlers()["send"](method, url, headers, None, "follow")

    assert answer[0] == "denied"


@pytest.mark.parametrize(
    "arguments", [("md5", b""), ("sha1", b""), (None, b""), (["sha256"], b""), ("sha256", "text"), ("sha256", None)]
)
def test_digests_that_no_binding_asks_for(arguments: Any) -> None:
    with pytest.raises(TypeError):
        FetchCapability(None).handlers()["digest"](*arguments)


def test_digests_are_charged() -> None:
    spent: list[int] = []
    digest = FetchCapability(None, spent.append).handlers()["digest"]

    assert digest("sha384", b"tea") == hashlib.sha384(b"tea").digest()
    assert len(spent) == 1 and spent[0] > 0


def test_a_sandbox_that_is_dropped_in_the_midst_is_held_by_nobody() -> None:
    begun = threading.Event()

    async def answer(_: Request) -> Response:
        begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    box = Sandbox(fetch=answer)
    box.eval("fetch('https://a.test/'); 0")
    assert begun.wait(10)
    held = weakref.ref(box)
    del box
    gc.collect()
    assert held() is None
