"""A client of ASGI applications: what a server would send, and what comes back."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

Message = dict[str, Any]


class Session:
    """One call of an application, message by message."""

    def __init__(self) -> None:
        self._to_app, self._inbox = anyio.create_memory_object_stream[Message](math.inf)
        self._outbox, self._from_app = anyio.create_memory_object_stream[Message](0)
        self.is_done = False

    async def say(self, kind: str, **fields: Any) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the call has ended
            await self._to_app.send({"type": kind, **fields})

    async def hear(self) -> Message:
        with anyio.fail_after(10):
            return await self._from_app.receive()

    async def run(self, app: Any, scope: Message) -> None:
        with self._inbox, self._outbox:
            await app(scope, self._inbox.receive, self._outbox.send)
        self.is_done = True

    def close(self) -> None:
        for stream in (self._to_app, self._inbox, self._outbox, self._from_app):
            stream.close()


@asynccontextmanager
async def session(app: Any, scope: Message) -> AsyncIterator[Session]:
    """Call an application; at the end of the block the call must have ended, or is cancelled."""
    one = Session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run, app, scope)
        try:
            yield one
            await anyio.wait_all_tasks_blocked()
        finally:
            tasks.cancel_scope.cancel()
    one.close()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start an application, and shut it down."""
    async with session(app, {"type": "lifespan", "asgi": {"version": "3.0"}}) as life:
        await life.say("lifespan.startup")
        assert await life.hear() == {"type": "lifespan.startup.complete"}
        try:
            yield
        finally:
            await life.say("lifespan.shutdown")
            assert await life.hear() == {"type": "lifespan.shutdown.complete"}


def http(method: str, path: str, **more: Any) -> Message:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"app.test")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1234),
        **more,
    }


def websocket(path: str = "/socket", **more: Any) -> Message:
    scope = {**http("GET", path), "type": "websocket", "scheme": "ws", "subprotocols": ["chat"], **more}
    del scope["method"]
    return scope


async def ask(app: Any, method: str, path: str, *parts: bytes, **more: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of one request; what breaks off has no more body."""
    async with session(app, http(method, path, **more)) as one:
        for index, part in enumerate(parts or (b"",)):
            await one.say("http.request", body=part, more_body=index + 1 < len(parts))
        start = await one.hear()
        assert start["type"] == "http.response.start"
        body, is_more = b"", True
        while is_more:
            try:
                message = await one.hear()
            except anyio.EndOfStream:
                return start["status"], dict(start["headers"]), body + b" (broken off)"
            assert message["type"] == "http.response.body"
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
        return start["status"], dict(start["headers"]), body


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something is true."""
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.005)
