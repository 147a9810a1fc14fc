"""Requests, responses and headers in Python."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox import Headers, Request, Response


def test_headers_are_found_whatever_their_case() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("X-A", " 1 "), ("set-cookie", "b=2")])

    assert (headers["SET-COOKIE"], headers["x-a"], headers.get("x-b")) == ("a=1, b=2", "1", None)
    assert headers.get_all("Set-cookie") == ["a=1", "b=2"]
    assert headers.pairs == (("Set-Cookie", "a=1"), ("X-A", "1"), ("set-cookie", "b=2"))
    assert (list(headers), len(headers), "x-A" in headers) == (["set-cookie", "x-a"], 2, True)
    assert repr(Headers({"a": "b"})) == "Headers([('a', 'b')])"


def test_headers_are_equal_whatever_their_case() -> None:
    assert Headers({"A": "b"}) == Headers([("a", "b")]) == Headers(Headers({"a": "b"}))
    assert hash(Headers({"A": "b"})) == hash(Headers({"a": "b"}))
    assert Headers({"a": "b"}) != Headers({"a": "B"})
    assert Headers({"a": "b"}) != {"a": "b"}


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([("a b", "c")], ValueError),
        ([("", "c")], ValueError),
        ([("a", "b\r\nc")], ValueError),
        ([("a", "b\0")], ValueError),
        ([("a", "\u0100")], ValueError),
        ([("a", 1)], TypeError),
        ([(b"a", "b")], TypeError),
    ],
)
def test_what_is_no_header(pairs: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Headers(pairs)


@pytest.mark.parametrize("status", [0, 101, 199, 600, True, "200", None])
def test_what_is_no_status(status: Any) -> None:
    with pytest.raises(ValueError, match="status"):
        Response(status)


def test_what_is_no_status_text() -> None:
    with pytest.raises(ValueError, match="status_text"):
        Response(status_text="a\r\nb")


def test_headers_of_a_response_are_headers() -> None:
    assert Response(headers={"A": "b"}).headers == Headers({"a": "b"})
    assert Response(headers=[("A", "b")]).header_pairs == (("A", "b"),)


@pytest.mark.anyio
async def test_bodies_of_requests_are_read() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    assert await Request("POST", "https://a.test/", body=chunks()).read() == b"abc"
    assert await Request("POST", "https://a.test/", body=b"abc").read() == b"abc"
