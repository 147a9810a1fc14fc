"""What a grant of WebSockets allows."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Sandbox, WebSockets
from sandbox.network.urls import WEBSOCKET, parse
from sandbox.websocket.memory import memory_server


def allowed(grant: WebSockets, url: str) -> bool:
    return grant.refusal(parse(url, schemes=WEBSOCKET)) is None


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("example.com", ["wss://example.com/", "ws://example.com/x?y"], ["wss://example.com:8443/", "wss://www.example.com/"]),
        ("wss://example.com", ["wss://example.com/a"], ["ws://example.com/a"]),
        ("*.example.com/v1", ["ws://a.example.com/v1/x"], ["ws://example.com/v1", "ws://a.example.com/v1/../v2"]),
        ("localhost:8000", ["ws://localhost:8000/", "wss://localhost:8000/"], ["ws://localhost/"]),
        ("*", ["wss://a.b/"], ["wss://a.b:6667/"]),
    ],
)  # fmt: skip
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    grant = WebSockets([pattern])

    assert [url for url in yes if not allowed(grant, url)] == []
    assert [url for url in no if allowed(grant, url)] == []


def test_denial_wins() -> None:
    assert not allowed(WebSockets(["*.example.com"], deny=["ws://secret.example.com"]), "ws://secret.example.com/")


def test_ports_of_other_protocols_must_be_named() -> None:
    assert not allowed(WebSockets(["*:*"]), "ws://a.test:25/")
    assert allowed(WebSockets(["a.test:25"]), "ws://a.test:25/")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"allow": "a.test"}, TypeError),
        ({"allow": ["https://a.test"]}, ValueError),
        ({"allow": ["ftp://a.test"]}, ValueError),
        ({"allow": [1]}, TypeError),
        ({"deny": ["a b"]}, ValueError),
        ({"private": "10.0.0.0/8"}, TypeError),
        ({"private": ["nowhere"]}, ValueError),
        ({"headers": {"a.test": {"bad name": "x"}}}, ValueError),
        ({"max_message_bytes": -1}, ValueError),
        ({"max_queued_bytes": 1.5}, TypeError),
        ({"max_message_bytes": None}, TypeError),
        ({"timeout": 0}, ValueError),
        ({"connections": True}, TypeError),
        ({"transport": 1}, TypeError),
    ],
)
def test_options_that_are_none(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        WebSockets(**options)


@pytest.mark.parametrize("option", [1, "wss://a.test", ["a.test"]])
def test_what_is_no_grant(option: Any) -> None:
    with pytest.raises(TypeError, match=r"websocket must be a WebSockets, such as WebSockets\(allow="):
        Sandbox(websocket=option)


def test_secrets_are_not_shown_and_go_nowhere_in_the_clear() -> None:
    grant = WebSockets(["*"], headers={"a.test": {"Authorization": "secret"}})

    assert "secret" not in repr(grant)
    assert grant.added_headers(parse("ws://a.test/", schemes=WEBSOCKET)) == []
    assert grant.added_headers(parse("wss://a.test/", schemes=WEBSOCKET)) == [("Authorization", "secret")]


@pytest.mark.parametrize(
    "url", ["ws://b.test/", "wss://a.test:6667/", "ws://a.test/secret/x", "ws://u:p@a.test/", "ws://a.test:25"]
)
def test_what_is_not_allowed_never_reaches_the_transport(url: str) -> None:
    asked: list[object] = []
    grant = WebSockets(["a.test:*"], deny=["a.test/secret"], transport=lambda *given: asked.append(given))
    with Sandbox(websocket=grant) as box:
        code = "const log = []; const ws = new WebSocket(url); ws.onerror = e => log.push(e.type);"
        end = "await new Promise(done => { ws.onclose = done })"
        told = box.eval(f"const url = {url!r}; {code} const e = {end}; [...log, e.type, e.code, e.reason, e.wasClean]")

    assert told == ["error", "close", 1006, "Connection blocked", False]
    assert asked == []


def test_so_many_at_a_time() -> None:
    async def serve(end: Any) -> None:
        await end.recv()

    grant = WebSockets(["*"], connections=2, transport=memory_server(serve))
    code = """
        const opened = () => new Promise(done => {
          const ws = new WebSocket("ws://a.test/");
          ws.onopen = () => done(ws);
          ws.onclose = e => done(e.reason);
        });
        const sockets = [await opened(), await opened()];
        const third = await opened();
        sockets[0].close();
        await new Promise(done => { sockets[0].onclose = done });
        [third, (await opened()).readyState]
    """
    with Sandbox(websocket=grant) as box:
        assert box.eval(code) == ["Connection blocked", 1]
