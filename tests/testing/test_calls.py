"""Fakes of tests: functions that note their calls, networks that answer from tables, and a real server."""

from __future__ import annotations

import pytest

from sandbox import Fetch, JSError, Response, Sandbox, WebSockets
from sandbox.testing import CallLog, FakeFetch, IntegrationServer


async def doubled(n: int) -> int:
    return n * 2


def test_calls_are_noted() -> None:
    log = CallLog()
    functions = {
        "search": log.function("search", returns=["a"]),
        "fail": log.function("fail", raises=ValueError("no")),
        "double": log.function("double", does=doubled),
    }
    with Sandbox(functions=functions) as box:
        assert box.eval("search('fox', 1)") == ["a"]
        assert box.eval("await double(4)") == 8
        with pytest.raises(JSError, match="no"):
            box.eval("fail()")
    assert [(call.name, call.arguments) for call in log.calls] == [
        ("search", ("fox", 1)),
        ("double", (4,)),
        ("fail", ()),
    ]
    assert log.arguments("search") == [("fox", 1)]
    log.clear()
    assert log.calls == []


def test_a_network_that_answers_from_a_table() -> None:
    network = FakeFetch({
        "https://a.example/x": '{"n": 1}',
        "POST https://a.example/x": Response(201, body=b"made"),
        "https://a.example/turns": ["1", "2"],
        "https://a.example/echo": lambda request: Response(body=request.method),
    })  # fmt: skip
    with Sandbox(fetch=network) as box:
        assert box.eval("await (await fetch('https://a.example/x')).json()") == {"n": 1}
        assert box.eval("(await fetch('https://a.example/x', {method: 'POST'})).status") == 201
        get = "await (await fetch('https://a.example/turns')).text()"
        assert [box.eval(get) for _ in range(3)] == ["1", "2", "2"]
        assert box.eval("await (await fetch('https://a.example/echo', {method: 'PUT'})).text()") == "PUT"
        with pytest.raises(JSError):
            box.eval("await fetch('https://b.example/')")
    assert [request.method for request in network.requests][:2] == ["GET", "POST"]
    assert network.requests[-1].url == "https://b.example/"
    with pytest.raises(ValueError, match="an answer"):
        network.respond("https://a.example/x")


def test_a_real_server() -> None:
    with IntegrationServer() as server:
        private = ["127.0.0.0/8"]
        fetch, sockets = Fetch([server.host], private=private), WebSockets([server.host], private=private)
        with Sandbox(fetch=fetch, websocket=sockets, globals={"at": server.url, "ws": server.websocket_url}) as box:
            assert box.eval("await (await fetch(at + '/echo', {method: 'POST', body: 'x'})).text()") == "x"
            assert box.eval("(await fetch(at + '/status/404')).status") == 404
            assert box.eval("(await fetch(at + '/redirect?to=/chunks/2')).redirected") is True
            assert box.eval("await (await fetch(at + '/chunks/2')).text()") == "chunk 0\nchunk 1\n"
            assert box.eval("(await (await fetch(at + '/headers', {headers: {a: '1'}})).json()).a") == "1"
            assert box.eval("""
              const socket = new WebSocket(ws);
              await new Promise((done, failed) => {
                socket.onopen = () => socket.send("hello"); socket.onerror = failed;
                socket.onmessage = (event) => { socket.close(); done(event.data) };
              })
            """) == "hello"  # fmt: skip
