"""Hooks on WebSockets: what they see, and what becomes of a program whose messages are denied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import Answer, Call, Deny, WebSockets, undefined
from sandbox.errors import CapabilityDenied
from sandbox.websocket.failures import NoConnection
from sandbox.websocket.memory import MemoryConnection, memory_server

Run = Callable[..., Any]
Hook = Callable[[Call], Any]

# Sends `messages`, then waits until nothing is on its way and `echoes` have come, then says goodbye.
SAY = """
    const log = [], ws = new WebSocket("wss://a.test/", ["chat"]);
    ws.onmessage = e => log.push(e.data);
    ws.onerror = () => log.push("error");
    const ended = new Promise(done => { ws.onclose = e => done([e.code, e.reason, e.wasClean]) });
    await new Promise(done => { ws.onopen = done });
    for (const message of messages) ws.send(message);
    while (ws.bufferedAmount > 0 || log.length < echoes) await new Promise(done => setTimeout(done, 1));
    ws.close(3000, "bye");
    log.concat(await ended);
"""


async def echo(end: MemoryConnection) -> None:
    async for message in end:
        await end.send(message)


async def never(_url: str, _protocols: list[str]) -> None:
    await anyio.sleep_forever()


def plain(hook: Hook) -> Hook:
    return hook


def asynchronous(hook: Hook) -> Hook:
    async def later(call: Call) -> Any:
        await anyio.sleep(0.001)
        return hook(call)

    return later


def test_what_calls_tell(run: Run) -> None:
    seen: list[Any] = []
    answer = memory_server(echo, subprotocols=["chat"])
    run(
        SAY,
        globals={"messages": ["x", b"yy"], "echoes": 2},
        websocket=answer,
        on_result=lambda call: seen.append((call.name, call.arguments, call.value, call.bytes_in)),
    )
    assert seen == [
        ("WebSocket", ["wss://a.test/", ["chat"]], {"number": 1, "protocol": "chat", "extensions": ""}, 17),
        ("WebSocket.send", [1, "x"], undefined, 9),
        ("WebSocket.send", [1, b"yy"], undefined, 10),
        ("WebSocket.close", [1, 3000, "bye"], undefined, 19),
    ]


@pytest.mark.parametrize(
    ("options", "outcome", "kind"),
    [
        ({}, "denied", CapabilityDenied),
        ({"websocket": WebSockets(["b.test"])}, "denied", CapabilityDenied),
        ({"websocket": WebSockets(["*"], transport=lambda _url, _protocols: None)}, "denied", CapabilityDenied),
        ({"websocket": WebSockets(["*"], transport=never, timeout=0.01)}, "error",
         NoConnection),
        ({"websocket": lambda _url, _protocols: 1 / 0}, "error", ZeroDivisionError),
    ],
    ids=["no grant", "not allowed", "no connection", "too late", "failure"],
)  # fmt: skip
def test_what_calls_tell_of_failures(run: Run, options: dict[str, Any], outcome: str, kind: type[Exception]) -> None:
    calls: list[Call] = []
    code = "const ws = new WebSocket('wss://a.test/'); await new Promise(done => { ws.onclose = done }); 0"
    run(code, on_result=calls.append, **options)
    assert [(call.name, call.outcome, call.value, type(call.error)) for call in calls] == [
        ("WebSocket", outcome, undefined, kind)
    ]


@pytest.mark.parametrize("kind", [plain, asynchronous])
@pytest.mark.parametrize("decision", [Deny("no"), Answer(), Answer("something")], ids=["deny", "answer", "something"])
def test_messages_that_are_withheld(run: Run, kind: Callable[[Hook], Hook], decision: Any) -> None:
    """They count as gone: a program goes on, also after more of them than may be on the way."""
    big = "n" * 1000
    grant = WebSockets(["*"], max_queued_bytes=4000, transport=memory_server(echo, subprotocols=["chat"]))
    hook = kind(lambda call: decision if call.arguments[1] == big else None)
    value = run(
        SAY,
        globals={"messages": [big, "a", *[big] * 20, "b"], "echoes": 2},
        websocket=grant,
        on_call={"WebSocket.send": hook},
    )
    assert value == ["a", "b", 3000, "bye", True]


@pytest.mark.parametrize("kind", [plain, asynchronous])
@pytest.mark.parametrize("decision", [None, Deny("no"), Answer("x")], ids=["nothing", "deny", "answer"])
def test_what_was_sent_is_sent_whatever_is_said_afterwards(
    run: Run, kind: Callable[[Hook], Hook], decision: Any
) -> None:
    outcomes: list[Any] = []

    def hook(call: Call) -> Any:
        outcomes.append((call.name, call.value))
        return decision

    hooks = dict.fromkeys(("WebSocket.send", "WebSocket.close"), kind(hook))
    answer = memory_server(echo, subprotocols=["chat"])
    value = run(SAY, globals={"messages": ["a", "b"], "echoes": 2}, websocket=answer, on_result=hooks)
    assert value == ["a", "b", 3000, "bye", True]
    assert outcomes == [(name, undefined) for name in ("WebSocket.send", "WebSocket.send", "WebSocket.close")]


@pytest.mark.parametrize("kind", [plain, asynchronous])
def test_a_connection_that_is_denied(run: Run, kind: Callable[[Hook], Hook]) -> None:
    asked: list[str] = []
    code = """
        const log = [], ws = new WebSocket("wss://a.test/");
        ws.onerror = () => log.push("error");
        await new Promise(done => { ws.onclose = e => done([...log, e.code, e.wasClean]) });
    """
    hook = kind(lambda _call: Deny("no"))
    told = run(code, websocket=lambda url, _protocols: asked.append(url), on_call={"WebSocket": hook})
    assert (told, asked) == (["error", 1006, False], [])


def test_a_goodbye_that_is_denied(run: Run) -> None:
    """The connection stays, until the server ends it."""

    async def serve(end: MemoryConnection) -> None:
        assert await end.recv() == "x"
        await anyio.sleep(0.02)
        await end.close(3001, "enough")

    hooks = {"WebSocket.close": lambda _call: Deny("no")}
    answer = memory_server(serve, subprotocols=["chat"])
    assert run(SAY, globals={"messages": ["x"], "echoes": 0}, websocket=answer, on_call=hooks) == [3001, "enough", True]


@pytest.mark.parametrize("when", ["on_call", "on_result"])
def test_what_a_hook_raises_ends_the_run(run: Run, when: str) -> None:
    def hook(_call: Call) -> None:
        raise LookupError("of the hook")

    answer = memory_server(echo, subprotocols=["chat"])
    with pytest.raises(LookupError, match="of the hook"):
        run(SAY, globals={"messages": ["a"], "echoes": 1}, websocket=answer, **{when: {"WebSocket.send": hook}})


def test_a_hook_changes_no_message(run: Run) -> None:
    """The guest has counted it."""
    answer = memory_server(echo, subprotocols=["chat"])
    hooks = {"WebSocket.send": lambda call: call.arguments.__setitem__(1, "longer")}
    assert run(SAY, globals={"messages": ["a"], "echoes": 1}, websocket=answer, on_call=hooks) == [
        "a",
        3000,
        "bye",
        True,
    ]
