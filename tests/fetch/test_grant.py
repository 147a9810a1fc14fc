"""What a grant allows."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Fetch, Sandbox
from sandbox.fetch.failures import FetchFailure
from sandbox.network.urls import parse


def allowed(grant: Fetch, url: str, method: str = "GET") -> bool:
    try:
        grant.check(method, parse(url))
    except FetchFailure:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            "example.com",
            ["https://example.com/", "http://example.com/x?y", "https://EXAMPLE.com.", "https://example.com:443/"],
            ["https://example.com:8443/", "https://www.example.com/", "https://example.com.evil.org/", "https://badexample.com/"],
        ),
        ("https://example.com", ["https://example.com/a"], ["http://example.com/a", "https://example.com:80/"]),
        ("*.example.com", ["https://a.example.com/", "http://a.b.example.com/"], ["https://example.com/", "https://xexample.com/"]),
        ("https://*.example.com:8443", ["https://a.example.com:8443/"], ["https://a.example.com/"]),
        ("localhost:8000", ["http://localhost:8000/", "https://localhost:8000/"], ["http://localhost/", "http://localhost:8001/"]),
        ("localhost:*", ["http://localhost/", "http://localhost:8001/"], ["http://other/"]),
        ("*", ["https://a.b/", "http://1.2.3.4/"], ["https://a.b:8443/"]),
        ("*:*", ["https://a.b:8443/"], []),
        ("127.0.0.1", ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/"], ["http://127.0.0.2/"]),
        ("[::1]:80", ["http://[0:0:0:0:0:0:0:1]/"], ["http://[::2]/"]),
        ("bücher.example", ["https://xn--bcher-kva.example/"], ["https://bucher.example/"]),
        ("https://example.com/v1", [
            "https://example.com/v1", "https://example.com/v1/", "https://example.com/v1/a?b", "https://example.com/v1/a%20b",
        ], [
            "https://example.com/", "https://example.com/v10", "https://example.com/v1/../v2", "https://example.com/v1/%2e%2e/v2",
            "https://example.com/v1/..%2fv2", "https://example.com/v1/%2e%2e%2fv2", "https://example.com/v1/..%5cv2",
            "https://example.com/v1/%252e%252e%252fv2", "https://example.com/v1/..;/v2", "https://example.com/v1%2f..%2fv2",
        ]),
        ("example.com/v1/", ["https://example.com/v1/x"], ["https://example.com/v2"]),
    ],
)  # fmt: skip
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    grant = Fetch([pattern])

    assert [url for url in yes if not allowed(grant, url)] == []
    assert [url for url in no if allowed(grant, url)] == []


def test_nothing_is_allowed_by_default() -> None:
    assert not allowed(Fetch(), "https://example.com/")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "https://example.com/admin",
        "https://example.com/admin/x",
        "https://example.com/%61dmin",
        "https://example.com/%2561dmin",
        "https://example.com//admin",
        "https://example.com/x/..%2fadmin",
        "https://example.com/x%5c..%5cadmin",
        "https://example.com/./admin",
        "https://example.com/;/admin",
    ],
)
def test_denial_wins(url: str) -> None:
    grant = Fetch(["*", "example.com", "example.com/admin"], deny=["evil.example.com", "example.com/admin"])

    assert not allowed(grant, url)
    assert allowed(grant, "https://example.com/administration")


@pytest.mark.parametrize(
    ("url", "granted", "yes"),
    [
        ("http://example.com:25/", ["*:*"], False),
        ("http://example.com:6667/", ["example.com:*"], False),
        ("http://example.com:25/", ["example.com:25"], True),
    ],
)
def test_ports_of_other_protocols(url: str, granted: list[str], yes: bool) -> None:
    assert allowed(Fetch(granted), url) is yes


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "track", "GET /", "", "G\r\nX: y"])
def test_methods_that_nobody_has(method: str) -> None:
    assert not allowed(Fetch(["*"]), "https://example.com/", method)


def test_methods() -> None:
    grant = Fetch(["*"], methods=["GET", "QUERY"])

    assert [allowed(grant, "https://a.test/", method) for method in ("GET", "QUERY", "get", "POST")] == [
        True,
        True,
        False,
        False,
    ]


def test_headers_of_the_host() -> None:
    grant = Fetch(
        ["*:*"],
        headers={
            "api.example.com": {"Authorization": "one"},
            "*.example.com": {"X-Key": "two"},
            "http://localhost:8000": {"X-Local": "three"},
        },
    )
    added = {url: dict(grant.added_headers(parse(url))) for url in [
        "https://api.example.com/x", "http://api.example.com/x", "https://other.example.com/", "https://example.com/",
        "https://api.example.com:8443/", "http://localhost:8000/", "https://localhost:8000/",
    ]}  # fmt: skip

    assert list(added.values()) == [
        {"Authorization": "one", "X-Key": "two"}, {}, {"X-Key": "two"}, {}, {}, {"X-Local": "three"}, {},
    ]  # fmt: skip
    assert "one" not in repr(grant)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"allow": "example.com"}, TypeError),
        ({"allow": [1]}, TypeError),
        ({"allow": ["ftp://x"]}, ValueError),
        ({"allow": ["https://u@x"]}, ValueError),
        ({"allow": ["a.*.b"]}, ValueError),
        ({"allow": ["*example.com"]}, ValueError),
        ({"allow": ["x:99999"]}, ValueError),
        ({"allow": ["x/?q"]}, ValueError),
        ({"allow": ["exa mple"]}, ValueError),
        ({"allow": [""]}, ValueError),
        ({"allow": ["[::1"]}, ValueError),
        ({"allow": ["1.2.3.999"]}, ValueError),
        ({"deny": "x"}, TypeError),
        ({"methods": "GET"}, TypeError),
        ({"methods": ["G T"]}, ValueError),
        ({"headers": {"x": {"a b": "c"}}}, ValueError),
        ({"headers": {"x": {"a": "b\nc"}}}, ValueError),
        ({"headers": {"ftp://x": {}}}, ValueError),
        ({"private": "10.0.0.0/8"}, TypeError),
        ({"private": ["10.0.0.0/99"]}, ValueError),
        ({"max_request_bytes": -1}, ValueError),
        ({"max_response_bytes": 1.5}, TypeError),
        ({"timeout": 0}, ValueError),
        ({"timeout": None}, ValueError),
        ({"redirects": True}, TypeError),
        ({"redirects": None}, TypeError),
        ({"connections": -1}, ValueError),
        ({"transport": 1}, TypeError),
    ],
)
def test_options_that_are_none(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Fetch(**options)


def test_what_is_no_grant() -> None:
    with pytest.raises(TypeError, match=r"fetch must be a Fetch, such as Fetch\(allow=.*, not list"):
        Sandbox(fetch=["example.com"])  # type: ignore[arg-type] # that is the point
