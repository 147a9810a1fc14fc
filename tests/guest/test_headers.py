"""Headers (Fetch, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox


@pytest.mark.parametrize(
    ("init", "pairs"),
    [
        ("", []),
        ("undefined", []),
        ("{}", []),
        ("{B: 1, a: 'x y', c: null}", [["a", "x y"], ["b", "1"], ["c", "null"]]),
        ("[['b', '1'], ['A', '2'], ['B', '3']]", [["a", "2"], ["b", "1, 3"]]),
        ("new Map([['a', 'b']])", [["a", "b"]]),
        ("new Headers({a: 'b'})", [["a", "b"]]),
        (
            "[['set-cookie', 'b'], ['Set-Cookie', 'a'], ['a', '']]",
            [["a", ""], ["set-cookie", "b"], ["set-cookie", "a"]],
        ),
        ("{a: ' \\t\\r\\nx\\n '}", [["a", "x"]]),
        ("{a: 'é'}", [["a", "é"]]),
    ],
)
def test_what_headers_are_made_of(box: Sandbox, init: str, pairs: list[list[str]]) -> None:
    assert box.eval(f"[...new Headers({init})]") == pairs


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        ("null", "The provided value is not of type 'HeadersInit'."),
        ("'a: b'", "The provided value is not of type 'HeadersInit'."),
        ("[['a']]", "Each header must be a pair of a name and a value."),
        ("[['a', 'b', 'c']]", "Each header must be a pair of a name and a value."),
        ("{'a b': ''}", "Invalid header name"),
        ("{'': ''}", "Invalid header name"),
        ("{a: 'x\\ny'}", "Invalid header value"),
        ("{a: 'x\\0'}", "Invalid header value"),
        ("{a: '\\u0100'}", "The string holds a character above U+00FF."),
        ("{[Symbol('a')]: ''}", "Cannot convert a Symbol value to a string"),
    ],
)
def test_what_they_are_not_made_of(refused: Callable[[str], str], init: str, reason: str) -> None:
    assert refused(f"new Headers({init})") == f"TypeError TypeError: Failed to construct 'Headers': {reason}"


def test_reading_and_changing(box: Sandbox) -> None:
    code = """
        const headers = new Headers({A: '1'});
        headers.append('a', '2');
        const before = [headers.get('A'), headers.has('a'), headers.get('b'), headers.has('b')];
        headers.set('B', '3');
        headers.set('a', '4');
        headers.delete('b');
        headers.append('Set-Cookie', 'x=1');
        headers.append('set-cookie', 'y=2');
        [before, headers.get('a'), headers.has('B'), headers.getSetCookie(), headers.get('set-cookie')]
    """

    assert box.eval(code) == [["1, 2", True, None, False], "4", False, ["x=1", "y=2"], "x=1, y=2"]


@pytest.mark.parametrize("call", ["get('a b')", "has('')", "delete('é')", "set('a b', '')", "append('', '')"])
def test_names_are_checked_everywhere(refused: Callable[[str], str], call: str) -> None:
    assert refused(f"new Headers().{call}").endswith("Invalid header name")


def test_an_iteration_sees_changes(box: Sandbox) -> None:
    code = """
        const headers = new Headers({b: '2', d: '4'});
        const seen = [];
        for (const [name] of headers) {
            seen.push(name);
            if (name === 'b' && seen.length === 1) headers.append('a', '1');
            if (name === 'd') headers.append('e', '5');
        }
        const keys = headers.keys();
        [seen, [...keys], keys[Symbol.toStringTag], [...headers.values()]]
    """

    assert box.eval(code) == [["b", "b", "d", "e"], ["a", "b", "d", "e"], "Headers Iterator", ["1", "2", "4", "5"]]


FORBIDDEN = ["Accept-Encoding", "Connection", "Content-Length", "Cookie", "Host", "Origin", "TE", "Proxy-x", "Sec-x"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_a_request_may_not_say(box: Sandbox, name: str) -> None:
    box.globals["name"] = name
    code = """
        const request = new Request('https://example.com', {headers: {[name]: 'a', other: 'b'}});
        request.headers.append(name, 'a');
        request.headers.set(name, 'a');
        [...request.headers]
    """

    assert box.eval(code) == [["other", "b"]]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("x-http-method-override", "GET, trace", False),
        ("x-http-method-override", "GET, trac", True),
        ("x-method-override", "CONNECT", False),
        ("Authorization", "Bearer x", True),
        ("User-Agent", "x", True),
        ("proxy", "x", True),
    ],
)
def test_the_values_of_some_matter(box: Sandbox, name: str, value: str, kept: bool) -> None:
    box.globals["header"] = [name, value]

    assert box.eval("new Request('https://example.com', {headers: [header]}).headers.has(header[0])") == kept


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("accept", "text/html", True),
        ("accept", "text/(html)", False),
        ("accept-language", "de, en;q=0.5", True),
        ("accept-language", "d\x01", False),
        ("content-type", "text/plain;charset=utf-8", True),
        ("content-type", "application/json", False),
        ("content-type", "text/plain;" + "x" * 128, False),
        ("authorization", "x", False),
        ("range", "bytes=0-1", False),
    ],
)
def test_requests_without_cors(box: Sandbox, name: str, value: str, kept: bool) -> None:
    box.globals["header"] = [name, value]
    code = """
        const {headers} = new Request('https://example.com', {mode: 'no-cors', headers: [header]});
        const first = headers.has(header[0]);
        headers.set(...header);
        [first, headers.has(header[0])]
    """

    assert box.eval(code) == [kept, kept]


def test_a_program_may_set_cookies(box: Sandbox) -> None:
    """It may well be a server; browsers forbid this to their pages."""
    code = "const r = new Response(null, {headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']]})"

    assert box.eval(f"{code}; [r.headers.getSetCookie(), r.clone().headers.getSetCookie()]") == [["a=1", "b=2"]] * 2


@pytest.mark.parametrize(
    "make", ["Response.error()", "Response.redirect('https://example.com')", "await fetch('data:,')"]
)
@pytest.mark.parametrize("call", ["append('a', 'b')", "set('a', 'b')", "delete('a')"])
def test_some_headers_cannot_be_changed(box: Sandbox, make: str, call: str) -> None:
    code = f"const r = {make}; try {{ r.headers.{call}; 'changed' }} catch (error) {{ String(error) }}"

    assert box.eval(code).endswith("Headers are immutable")


def test_how_they_are_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("console.log(new Headers({b: 'x', 'a-b': \"it's\"}), new Headers())") == [
        "Headers { 'a-b': \"it's\", b: 'x' } Headers {}"
    ]
