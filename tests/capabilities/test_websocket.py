"""WebSocket, the host's side: what no binding asks, and what there is without a grant."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import WebSockets
from sandbox.capabilities import WebSocketCapability
from sandbox.capabilities.base import Malformed


def test_without_a_grant() -> None:
    host = WebSocketCapability(None).handlers()

    assert host["open"]("wss://example.com/", []) == "Connection blocked"
    assert host["receive"](1) is None
    assert host["send"](1, "x") is host["close"](1, None, "") is host["drop"](1) is None


@pytest.mark.parametrize(
    "arguments", [(1, []), ("wss://a.test/", None), ("wss://a.test/", [1]), ("wss://a.test/", "chat")]
)
@pytest.mark.parametrize("grant", [None, WebSockets(["*"])])
def test_what_no_binding_asks(arguments: Any, grant: WebSockets | None) -> None:
    with pytest.raises(TypeError):
        WebSocketCapability(grant).handlers()["open"](*arguments)


@pytest.mark.parametrize(
    ("url", "protocols"),
    [
        ("https://a.test/", []),
        ("wss://u:p@a.test/", []),
        ("gopher://a.test/", []),
        ("not a url", []),
        ("wss://a.test/", ["a b"]),
        ("wss://a.test/", ["a\r\nHost: evil"]),
        ("wss://a.test/", [""]),
        ("wss://a.test/", ["a", "a"]),
        ("wss://a.test/", ["x" * 5000]),
    ],
)
def test_requests_that_an_attacker_may_make(url: str, protocols: list[str]) -> None:
    assert WebSocketCapability(WebSockets(["*"])).handlers()["open"](url, protocols) == "Connection blocked"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("send", ()),
        ("send", (1,)),
        ("send", (1, 2)),
        ("send", (1, None)),
        ("send", ("1", "x")),
        ("send", (True, "x")),
        ("close", (1,)),
        ("close", (1, 1001, "")),
        ("close", (1, True, "")),
        ("close", (1, 3000, "ä" * 62)),
        ("close", (1, 3000, None)),
        ("close", (None, 3000, "")),
        ("leave", (1, 2)),
        ("leave", ("1",)),
        ("drop", ()),
        ("drop", (1.5,)),
        ("receive", (None,)),
    ],
)
def test_what_poisons(name: str, arguments: tuple[Any, ...]) -> None:
    capability = WebSocketCapability(WebSockets(["*"]))
    capability.work()

    for handlers in (capability.handlers(), capability.withheld()):
        if name in handlers:
            with pytest.raises(Malformed):
                handlers[name](*arguments)


def test_numbers_of_no_socket() -> None:
    capability = WebSocketCapability(WebSockets(["*"]))
    capability.work()
    host = capability.handlers()

    assert host["send"](7, "x") is None
    assert host["leave"](7) is host["close"](7, 1000, "") is None
