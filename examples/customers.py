"""Customers' scripts behind ASGI: each host name has a script, and each request a sandbox of its own.

Run it with any ASGI server: `uvicorn examples.customers:app`, then `curl -H 'Host: tea.example' localhost:8000`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio.to_thread

from sandbox import Limits, Pool, Sandbox, Template
from sandbox.errors import PoolFull, PoolTimeout, SandboxError

SCRIPTS = {
    "tea.example": """
        let visits = 0;
        export default {
          fetch(request) {
            return new Response(`tea, visit ${++visits}, ${new URL(request.url).pathname}`);
          },
        };
    """,
    "mug.example": "export default {async fetch(request) { return Response.json({said: await request.text()}) }}",
    "loop.example": "export default {fetch() { for (;;); }}",
    "typo.example": "export defualt {}",
}
LIMITS = Limits(cpu_seconds=0.2, wall_seconds=10, memory_bytes=32 << 20)

Message = MutableMapping[str, Any]
log = logging.getLogger("customers")
pools: dict[str, Pool] = {}


def make_pool(host: str, script: str) -> Pool:
    """A pool whose sandboxes have the script loaded. Evaluates it once: that may fail, and takes time."""

    def set_up(box: Sandbox) -> None:
        box.module(script, filename=f"{host}.js")

    return Pool(Template(set_up, limits=LIMITS), size=8, warm=1, max_waiting=100, timeout=2)


async def start() -> None:
    """Make a pool for each script that can be loaded: a customer's error is no one else's."""
    for host, script in SCRIPTS.items():
        try:
            pools[host] = await anyio.to_thread.run_sync(make_pool, host, script)
        except SandboxError as error:
            log.warning("%s: %s", host, error)


def stop() -> None:
    """Close the pools."""
    while pools:
        pools.popitem()[1].close()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await receive()
        await start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stop()
        await send({"type": "lifespan.shutdown.complete"})
        return
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0]
    if host not in pools:
        await answer(scope, send, 404)
        return
    try:
        async with pools[host].take() as box:
            await box.asgi(on_error=lambda error: log.warning("%s: %s", host, error))(scope, receive, send)
    except (PoolFull, PoolTimeout):
        await answer(scope, send, 503)


async def answer(scope: Message, send: Callable[[Message], Awaitable[None]], status: int) -> None:
    """Answer without a sandbox. A WebSocket that is closed before it was accepted is refused with 403."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
