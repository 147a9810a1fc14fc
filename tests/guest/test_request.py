"""Request (Fetch, section 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import JSError

if TYPE_CHECKING:
    from sandbox import Sandbox

NEW = "new Request('https://example.com/a?b#c'"


@pytest.mark.parametrize(
    ("init", "attribute", "value"),
    [
        ("", "url", "https://example.com/a?b#c"),
        ("", "method", "GET"),
        ("", "mode", "cors"),
        ("", "credentials", "same-origin"),
        ("", "cache", "default"),
        ("", "redirect", "follow"),
        ("", "referrer", "about:client"),
        ("", "referrerPolicy", ""),
        ("", "integrity", ""),
        ("", "keepalive", False),
        ("", "destination", ""),
        ("", "duplex", "half"),
        ("", "body", None),
        ("", "bodyUsed", False),
        ("", "isReloadNavigation", False),
        ("{method: 'post'}", "method", "POST"),
        ("{method: 'patch'}", "method", "patch"),
        ("{mode: 'same-origin'}", "mode", "same-origin"),
        ("{credentials: 'omit'}", "credentials", "omit"),
        ("{cache: 'only-if-cached', mode: 'same-origin'}", "cache", "only-if-cached"),
        ("{redirect: 'manual'}", "redirect", "manual"),
        ("{referrer: ''}", "referrer", ""),
        ("{referrer: 'https://example.com/x'}", "referrer", "about:client"),
        ("{referrerPolicy: 'origin'}", "referrerPolicy", "origin"),
        ("{integrity: 'x'}", "integrity", "x"),
        ("{keepalive: 1}", "keepalive", True),
        ("{window: null}", "method", "GET"),
        ("{priority: 'high'}", "method", "GET"),
        ("null", "method", "GET"),
    ],
)
def test_attributes(box: Sandbox, init: str, attribute: str, value: object) -> None:
    assert box.eval(f"{NEW}, {init or 'undefined'}).{attribute}") == value


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new Request()", "1 argument required, but only 0 present."),
        ("new Request('x')", "Failed to parse URL from x"),
        (
            "new Request('https://u:p@example.com')",
            "Request cannot be constructed from a URL that includes credentials",
        ),
        (f"{NEW}, 1)", "The provided value is not an object."),
        (f"{NEW}, {{method: 'a b'}})", "'a b' is not a valid HTTP method."),
        (f"{NEW}, {{method: 'Connect'}})", "'Connect' HTTP method is unsupported."),
        (f"{NEW}, {{mode: 'navigate'}})", "'mode' cannot be set to 'navigate'."),
        (f"{NEW}, {{mode: 'x'}})", "'mode': The provided value 'x' is not a valid enum value of type RequestMode."),
        (f"{NEW}, {{mode: 'no-cors', method: 'PUT'}})", "'PUT' is unsupported in no-cors mode."),
        (f"{NEW}, {{cache: 'only-if-cached'}})", "'only-if-cached' can be set only with 'same-origin' mode"),
        (f"{NEW}, {{window: {{}}}})", "'window' member in RequestInit must be null."),
        (f"{NEW}, {{body: ''}})", "Request with GET/HEAD method cannot have body."),
        (f"{NEW}, {{signal: {{}}}})", "'signal': The provided value is not of type 'AbortSignal'."),
        (f"{NEW}, {{referrer: 'x'}})", "Referrer 'x' is not a valid URL."),
        (f"{NEW}, {{referrerPolicy: 'x'}})", "'referrerPolicy': The provided value 'x' is not a valid enum value"),
        (f"{NEW}, {{duplex: 'full'}})", "'duplex': The provided value 'full' is not a valid enum value"),
    ],
)
def test_refusals(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(f"TypeError TypeError: Failed to construct 'Request': {message}")


def test_a_request_of_another(box: Sandbox) -> None:
    code = """
        const init = {method: 'POST', body: 'text', headers: {a: 'b'}, credentials: 'omit', redirect: 'error'};
        const one = new Request('https://example.com', init);
        const two = new Request(one, {headers: {c: 'd'}});
        const three = new Request(two);
        let used;
        try { new Request(one) } catch (error) { used = String(error) }
        [one.bodyUsed, two.bodyUsed, three.bodyUsed, used, three.method, three.credentials, three.redirect,
         [...three.headers], await three.text(), new Request(one, {body: 'new'}).method]
    """

    assert box.eval(code) == [
        *(True, True, False),
        "TypeError: Failed to construct 'Request': Cannot construct a Request with a Request object that has already "
        "been used.",
        *("POST", "omit", "error"),
        [["c", "d"]],
        "text",
        "POST",
    ]


def test_signals_follow(box: Sandbox) -> None:
    code = """
        const controller = new AbortController();
        const one = new Request('https://example.com', {signal: controller.signal});
        const two = one.clone(), three = new Request(one), four = new Request(one, {signal: null});
        const own = new Request('https://example.com').signal;
        controller.abort('why');
        [one, two, three, four].map(({signal}) => signal.aborted).concat(three.signal.reason, own.aborted,
          one.signal === one.signal, one.signal !== controller.signal)
    """

    assert box.eval(code) == [True, True, True, False, "why", False, True, True]


def test_clones_are_apart(box: Sandbox) -> None:
    code = """
        const one = new Request('https://example.com', {method: 'PUT', body: 'x', headers: {a: '1'}});
        const two = one.clone();
        two.headers.set('a', '2');
        const texts = [await one.text(), await two.text()];
        [one.headers.get('a'), two.headers.get('a'), ...texts, two.headers.get('content-type')]
    """

    assert box.eval(code) == ["1", "2", "x", "x", "text/plain;charset=UTF-8"]
    with pytest.raises(JSError, match="Request body is already used"):
        box.eval("one.clone()")


def test_how_it_is_shown(logged: Callable[[str], list[str]]) -> None:
    (text,) = logged("console.log(new Request('https://example.com', {headers: {a: 'b'}}))")

    assert text.splitlines() == [
        "Request {",
        "  method: 'GET',",
        "  url: 'https://example.com/',",
        "  headers: Headers { a: 'b' },",
        "  destination: '',",
        "  referrer: 'about:client',",
        "  referrerPolicy: '',",
        "  mode: 'cors',",
        "  credentials: 'same-origin',",
        "  cache: 'default',",
        "  redirect: 'follow',",
        "  integrity: '',",
        "  keepalive: false,",
        "  isReloadNavigation: false,",
        "  isHistoryNavigation: false,",
        "  signal: AbortSignal { aborted: false }",
        "}",
    ]
