"""fetch without a network: data: and blob: URLs (Fetch, sections 4.2 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.errors import JSError

if TYPE_CHECKING:
    from sandbox import Sandbox


@pytest.mark.parametrize(
    ("url", "kind", "data"),
    [
        ("data:,", "text/plain;charset=US-ASCII", b""),
        ("data:,a%20b%zz#c", "text/plain;charset=US-ASCII", b"a b%zz"),
        ("DATA:Text/HTML,<a>?b", "text/html", b"<a>?b"),
        ("data:;charset=x,a", "text/plain;charset=x", b"a"),
        ("data: text/css ;b=c ,a", "text/css;b=c", b"a"),
        ("data:text,a", "text/plain;charset=US-ASCII", b"a"),
        ("data:x/y,%ff%00é", "x/y", b"\xff\0\xc3\xa9"),
        ("data:;base64,YWI", "text/plain;charset=US-ASCII", b"ab"),
        ("data:x/y;base64,Y%20W%0AI=", "x/y", b"ab"),
        ("data:x/y; BASE64,YWJj", "x/y", b"abc"),
        ("data:x/y;base64;a=b,YWJj", "x/y;a=b", b"YWJj"),
        ("data:x/y;base64 ,YWJj", "x/y", b"abc"),
        ("data:base64,YWJj", "text/plain;charset=US-ASCII", b"YWJj"),
        ("data:x/y,a,b", "x/y", b"a,b"),
        ("about:blank", "text/html;charset=utf-8", b""),
    ],
)
def test_urls_that_hold_their_contents(box: Sandbox, url: str, kind: str, data: bytes) -> None:
    box.globals["url"] = url
    code = "const r = await fetch(url); [r.status, r.ok, r.type, r.headers.get('content-type'), await r.bytes()]"

    assert box.eval(code) == [200, True, "basic", kind, data]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'data:x/y'", "fetch failed: the data: URL is malformed"),
        ("'data:;base64,Y'", "fetch failed: the data: URL is malformed"),
        ("'data:;base64,YQ=a'", "fetch failed: the data: URL is malformed"),
        ("'data:,', {integrity: 'sha256-x'}", "fetch failed: integrity cannot be checked here"),
        ("'blob:null/x'", "fetch failed: the blob: URL names no blob"),
        ("'about:config'", "fetch failed: there is no such page"),
        ("'https://example.com'", "fetch failed: this sandbox was given no network"),
        ("'file:///etc/passwd'", "fetch failed: unknown scheme"),
        ("'x.txt'", "Failed to construct 'Request': Failed to parse URL from x.txt"),
        ("", "Failed to execute 'fetch' on 'Window': 1 argument required, but only 0 present."),
        ("'data:,', {method: 'TRACE'}", "Failed to construct 'Request': 'TRACE' HTTP method is unsupported."),
    ],
)
def test_what_is_not_fetched(box: Sandbox, arguments: str, message: str) -> None:
    assert box.eval(f"fetch({arguments}).then(() => 'fetched', String)") == f"TypeError: {message}"


def test_a_signal_that_is_aborted(box: Sandbox) -> None:
    with pytest.raises(JSError) as caught:
        box.eval("fetch('data:,', {signal: AbortSignal.abort()})")

    assert caught.value.name == "AbortError"


def test_heads_have_no_body(box: Sandbox) -> None:
    assert box.eval("const r = await fetch('data:,abc', {method: 'HEAD'}); [r.body, await r.text()]") == [None, ""]


def test_the_body_of_a_request_is_used(box: Sandbox) -> None:
    code = """
        const request = new Request('https://example.com', {method: 'POST', body: 'x'});
        await fetch(request).catch(() => {});
        request.bodyUsed
    """

    assert box.eval(code)


def test_relative_urls_need_a_location(box: Sandbox) -> None:
    code = "[new Request('x').url, Response.redirect('?y', 307).headers.get('location')]"
    with pytest.raises(JSError, match="Failed to parse URL from x"):
        box.eval(code)

    box.globals["location"] = {"href": "https://example.com/a/b?c"}

    assert box.eval(code) == ["https://example.com/a/x", "https://example.com/a/b?y"]
    box.eval("location = new URL('https://example.org')")
    assert box.eval("new Request('x').url") == "https://example.org/x"
    box.eval("location = {get href() { throw new Error('asked') }}; 0")
    assert box.eval("new Request('https://example.com/x').url") == "https://example.com/x"
