"""What both adapters are asked in the conformance suite: as a function, and as an application for a real server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio

from sandbox import Request, Response

JSON = {"Content-Type": "application/json"}


async def answer(request: Request) -> Response:
    """Answer as the path says."""
    parts = urlsplit(request.url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.path != "/slow":
        request = replace(request, body=await request.read())
    match parts.path.split("/")[1]:
        case "status":
            status = int(parts.path.split("/")[2])
            return Response(status, body=b"" if status in (204, 205, 304) else b"body", status_text="")
        case "redirect":
            return Response(
                int(query.get("status", "302")), {"Location": query["to"]} if "to" in query else {}, b"gone"
            )
        case "cookies":
            return Response(headers=[("Set-Cookie", f"{name}=1; Path=/") for name in "abc"])
        case "big":
            return Response(body=bytes_of(int(query["size"])))
        case "broken":
            return Response(body=broken())
        case "slow":
            await anyio.sleep(60)
            return Response()
        case _:
            return Response(201, {**JSON, "X-Two": "1, 2"}, await echo(request))


async def echo(request: Request) -> str:
    """What was asked, as JSON."""
    body = await request.read()
    target = request.url.split("/", 3)[3]
    return json.dumps(
        {
            "method": request.method,
            "target": f"/{target}",
            "headers": [[name.lower(), value] for name, value in request.headers.pairs],
            "size": len(body),
            "body": body[:100].decode("latin-1"),
        }
    )


async def bytes_of(size: int) -> AsyncIterator[bytes]:
    """So many bytes, in chunks."""
    while size > 0:
        yield b"x" * min(size, 50_000)
        size -= 50_000


async def broken() -> AsyncIterator[bytes]:
    """A body that ends in the middle."""
    yield b"begun"
    await anyio.sleep(0.05)
    raise OSError("secret/path/of/the/host")


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """`answer` as an ASGI application."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]

    async def body() -> AsyncIterator[bytes]:
        while True:
            message = await receive()
            yield message.get("body", b"")
            if not message.get("more_body"):
                return

    request = Request(scope["method"], f"http://host{target.decode('latin-1')}", _headers(pairs), body())
    response = await answer(request)
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.header_pairs]
    if isinstance(response.body, bytes | str):
        content = response.body.encode() if isinstance(response.body, str) else response.body
        if response.status not in (204, 304):
            headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for chunk in response.body:  # type: ignore[union-attr] # the only other kind here
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _headers(pairs: list[tuple[str, str]]) -> Any:
    from sandbox import Headers

    return Headers([pair for pair in pairs if not pair[0].startswith(":")])
