"""Sockets in a program that has replaced what the bindings could have used, and a guest that keeps to no rule."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sandbox import Sandbox, WebSockets
from sandbox.network.urls import WEBSOCKET, parse
from sandbox.websocket.connections import HandlerConnector
from sandbox.websocket.memory import MemoryConnection, memory_server
from sandbox.websocket.socket import MESSAGE_BYTES, Socket

WORLD = """
    const reached = [];
    const add = (list, value) => { Reflect.defineProperty(list, list.length, {value, writable: true, enumerable: true, configurable: true}) };
    const record = what => add(reached, what);
    const done_ = Promise.withResolvers();
    const ws = new WebSocket("ws://a.test/", ["chat"]);
    const log = [];
    const note = value => add(log, value);
    let count = 0;
    ws.binaryType = "arraybuffer";
    ws.onopen = () => { for (let i = 0; i < 40; i++) ws.send("m" + i); ws.send(bytes) };
    ws.onmessage = e => {
      if (typeof e.data !== "string") { note("bytes"); ws.close(3000, "bye") } else count++;
    };
    ws.onclose = e => { note(e.code); note(e.reason); for (let i = 0; i < plan.length; i++) plan[i](); done_.resolve() };
    const bytes = new Uint8Array(3);
    const plan = [];
    const names = ["Array", "String", "Map", "Set", "Promise", "RegExp", "Uint8Array", "ArrayBuffer", "WeakRef", "EventTarget", "WebSocket"];
    for (const {prototype} of [...names.map(name => globalThis[name]), {prototype: Object.getPrototypeOf([].values())}]) {
      for (const key of Reflect.ownKeys(prototype)) {
        const own = Object.getOwnPropertyDescriptor(prototype, key);
        if (typeof own.value !== "function" || !own.configurable || key === "constructor") continue;
        if (prototype === WebSocket.prototype && (key === "send" || key === "close")) continue;
        Object.defineProperty(prototype, key, {...own, value(...args) { record(String(key)); return Reflect.apply(own.value, this, args) }});
        plan[plan.length] = () => Reflect.defineProperty(prototype, key, own);
      }
    }
    for (const key of ["0", "1", "2", "3", "code", "reason", "wasClean", "message", "weight", "next", "data", "then", "bubbles", "ports"]) {
      Object.defineProperty(Object.prototype, key, {configurable: true, get() { record(key) }, set(value) { record(key) }});
      plan[plan.length] = () => { delete Object.prototype[key] };
    }
    reached.length = 0;
    done_.promise
"""  # noqa: E501 - one line says one thing


def test_nothing_of_the_program_is_reached() -> None:
    async def echo(end: MemoryConnection) -> None:
        async for message in end:
            await end.send(message)

    grant = WebSockets(["*"], max_queued_bytes=1000, transport=memory_server(echo, subprotocols=["chat"]))
    with Sandbox(websocket=grant) as box:
        box.eval(WORLD)
        assert box.eval("[[...new Set(reached)], count, log]") == [[], 40, ["bytes", 3000, "bye"]]


class Deaf(MemoryConnection):
    """Takes nothing."""

    async def send(self, message: str | bytes) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize(
    ("messages", "queued"),
    [
        ([b"x" * 1000] * 50, 10),  # no more than the bound
        ([""] * 1000, 10_000 // MESSAGE_BYTES),  # empty ones cost as well
        ([b"x" * 20_000], 1),  # one may be larger
        ([b"x" * 20_000] * 5, 1),
        ([b"x" * 40_001], 0),  # but not that large
    ],
)
def test_a_guest_that_sends_more_than_it_may(messages: list[Any], queued: int) -> None:
    """The socket fails, and what it holds is bounded meanwhile."""

    async def main() -> None:
        grant = WebSockets(["*"], max_queued_bytes=10_000, max_message_bytes=40_000)
        deaf = Deaf("", [], None)
        deaf.other = MemoryConnection("", [], None)
        url = parse("ws://a.test/", schemes=WEBSOCKET)
        socket = Socket(1, grant, HandlerConnector(lambda _url, _protocols: deaf), url, [])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(socket.run)
            await socket.begin()
            for message in messages:
                socket.say(message)
            assert len(socket._outgoing) <= queued
            socket.wake()
            socket.cancel()
        answer = await socket.receive()
        assert answer is not None
        assert answer[3] == (False, 1006, "")
        assert not socket._outgoing

    anyio.run(main)
