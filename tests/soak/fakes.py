"""What answers a random program that reaches outside: requests, WebSockets and files, all of them in memory.

What happens is in the address, so that a life is lived again in the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel

from sandbox import Fetch, MemoryFiles, Request, Response, WebSockets
from sandbox.websocket.memory import MemoryConnection, memory_server

_QUOTA_BYTES: Final = 1 << 18
_MOST_ENTRIES: Final = 50
_FLOOD: Final = 200


def grants() -> dict[str, Any]:
    """The options of one sandbox."""
    return {
        "fetch": Fetch(["a:*"], transport=answer, max_request_bytes=1 << 20, max_response_bytes=1 << 20, timeout=1),
        "websocket": WebSockets(["a:*"], transport=memory_server(serve, subprotocols=["chat"]), timeout=1),
        "files": {
            "/": MemoryFiles(quota_bytes=_QUOTA_BYTES, max_entries=_MOST_ENTRIES),
            "/read": MemoryFiles({"a": "text", "b/c": b"\0" * 5000}, quota_bytes=6000),
        },
    }


async def answer(request: Request) -> Any:
    """Answer a request as its path says, rightly or not."""
    match urlsplit(request.url).path:
        case "/echo":
            return Response(200, {"x-method": request.method}, await request.read())
        case "/stream":
            return Response(200, {"content-type": "text/plain"}, _chunks(5))
        case "/torn":
            return Response(200, {}, _torn())
        case "/big":
            return Response(200, {}, (b"x" * 50_000 for _ in range(100)))
        case "/redirect":
            return Response(302, {"location": "/later"})
        case "/later":
            await anyio.sleep(0.002)
            return Response(404, {}, "later")
        case "/fail":
            raise ValueError("/secret/path")
        case "/odd":
            return {"status": 200}
    return Response(204)


async def _chunks(most: int) -> AsyncIterator[bytes]:
    for number in range(most):
        await anyio.lowlevel.checkpoint()
        yield b"%d " % number


def _torn() -> Iterator[bytes]:
    yield b"torn"
    raise OSError("/secret/path")


async def serve(socket: MemoryConnection) -> None:
    """Be the other end of a WebSocket, as its path says."""
    match urlsplit(socket.url).path:
        case "/flood":
            for number in range(_FLOOD):
                await socket.send("x" * number)
        case "/lost":
            await socket.send(b"bytes")
            socket.lose()
        case "/fails":
            raise ValueError("/secret/path")
        case "/closes":
            await socket.close(4000, "as it pleases")
        case _:
            async for message in socket:
                await socket.send(message)
