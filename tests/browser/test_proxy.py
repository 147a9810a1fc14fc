"""The proxy of a context, without a browser: what is handed on, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox.browser.grant import Browser
from sandbox.browser.proxy import Proxy
from tests.browser.fakes import FakePage

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

NOWHERE = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


def through(sent: bytes, talk: Talk, allow: list[str], **options: Any) -> tuple[bytes, int]:
    """What a browser hears that sends some bytes to a proxy, and how often the server was asked.

    `PORT` in the bytes and in the patterns is the server's.
    """
    asked = 0

    async def main() -> tuple[bytes, int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            asked += 1
            try:
                await talk(reader, writer)
            finally:
                writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = str(server.sockets[0].getsockname()[1])
            given = {"private": True, **options}
            grant = Browser(FakePage(), [each.replace("PORT", port) for each in allow], **given)
            proxy = Proxy(grant)
            await proxy.start()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
            writer.write(sent.replace(b"PORT", port.encode()))
            heard = await reader.read()
            writer.close()
            await proxy.close()
            return heard, asked

    async def in_time() -> tuple[bytes, int]:
        async with asyncio.timeout(20):
            return await main()

    return asyncio.run(in_time())


def says(response: bytes, seen: list[bytes], body_bytes: int = 0) -> Talk:
    """A server that reads one request and answers."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(body_bytes))
        writer.write(response)
        await writer.drain()

    return talk


def test_a_request_is_handed_on_as_it_was_written() -> None:
    seen: list[bytes] = []
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    heard, _ = through(
        b"POST http://127.0.0.1:PORT/a%20b?c=%2F HTTP/1.1\r\nHost: 127.0.0.1\r\nProxy-Connection: keep-alive\r\n"
        b"Content-Length: 3\r\nX: 1\r\n\r\nabcGET http://127.0.0.1:PORT/second HTTP/1.1\r\n\r\n",
        says(early + b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nA: b\r\n\r\nbody", seen, 3),
        ["127.0.0.1:PORT"],
    )  # fmt: skip
    assert seen == [
        b"POST /a%20b?c=%2F HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nX: 1\r\n\r\nabc"
    ]
    assert heard == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\nbody"
    )


def test_a_long_answer_comes_as_it_is_sent() -> None:
    body = bytes(range(256)) * 20_000
    heard, _ = through(
        b"GET http://127.0.0.1:PORT HTTP/1.1\r\n\r\n",
        says(b"HTTP/1.1 200 OK\r\n\r\n" + body, []),
        ["127.0.0.1:PORT"],
    )
    assert heard.partition(b"\r\n\r\n")[2] == body


def test_a_tunnel_ends_on_either_side() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(5)).upper())
        await writer.drain()

    heard, asked = through(
        b"CONNECT 127.0.0.1:PORT HTTP/1.1\r\nHost: x\r\n\r\nhello", echo, ["https://127.0.0.1:PORT/only/here"]
    )
    assert (heard, asked) == (b"HTTP/1.1 200 Connected\r\n\r\nHELLO", 1)


@pytest.mark.parametrize(
    ("request_line", "allow", "options", "heard"),
    [
        ("GET http://127.0.0.1:PORT/private/x", ["127.0.0.1:PORT"], {"deny": ["127.0.0.1:*/private"]}, b""),
        ("GET http://127.0.0.1:PORT/b", ["127.0.0.1:PORT/a"], {}, b""),
        ("GET http://localhost:PORT/", ["127.0.0.1:PORT"], {}, b""),
        ("GET https://127.0.0.1:PORT/", ["127.0.0.1:PORT"], {}, b""),
        ("GET http://127.0.0.1:PORT/", ["https://127.0.0.1:PORT"], {}, b""),
        ("GET http://a:b@127.0.0.1:PORT/", ["127.0.0.1:PORT"], {}, b""),
        ("GET /path", ["127.0.0.1:PORT"], {}, b""),
        ("GET ftp://127.0.0.1:PORT/", ["127.0.0.1:PORT"], {}, b""),
        ("CONNECT localhost:PORT", ["127.0.0.1:PORT"], {}, NOWHERE),
        ("CONNECT 127.0.0.1:PORT", ["127.0.0.1"], {}, NOWHERE),
        ("CONNECT 127.0.0.1:PORT", [], {}, NOWHERE),
        ("CONNECT 127.0.0.1:PORT", ["127.0.0.1:PORT"], {"deny": ["*:*"]}, NOWHERE),
        ("CONNECT 127.0.0.1:25", ["127.0.0.1:*"], {}, NOWHERE),
        ("CONNECT nonsense:port", ["*"], {}, NOWHERE),
    ],
)
def test_what_is_not_allowed(request_line: str, allow: list[str], options: dict[str, Any], heard: bytes) -> None:
    sent = f"{request_line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    told, asked = through(sent, says(b"HTTP/1.1 200 OK\r\n\r\n", []), allow, **options)
    assert (told, asked) == (heard, 0)


@pytest.mark.parametrize(
    "sent", [b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET x\r\n\r\n", b"get http://a/ HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_request(sent: bytes) -> None:
    assert through(sent, says(b"", []), ["*:*"]) == (b"", 0)


def test_an_address_that_is_not_admitted() -> None:
    for line in ("GET http://127.0.0.1:PORT/", "CONNECT 127.0.0.1:PORT"):
        sent = f"{line} HTTP/1.1\r\n\r\n".encode()
        assert through(sent, says(b"", []), ["127.0.0.1:PORT"], private=False) == (b"", 0)
