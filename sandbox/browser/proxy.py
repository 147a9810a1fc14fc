"""The only way of a sandbox's own context to the network: a proxy in this process, which holds it against the grant.

The gate asks about requests of pages before they are sent, by their whole URLs. A browser sends more than that: what
shared workers ask for, WebSockets of workers, pages that are loaded before somebody goes there, WebRTC over TCP. All of
it comes here, and gets to hosts and ports that the grant allows, at addresses that were checked and are connected to.
"""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sandbox.network.urls import BadURL, WebURL, parse

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sandbox.browser.grant import Browser

_CHUNK_BYTES: Final = 1 << 16
_MOST_HEAD_BYTES: Final = 1 << 18
_MOST_CONNECTIONS: Final = 256
# An address that does not answer must not use up the time for the next one.
_MOST_ADDRESSES: Final = 4
_GREETING_SECONDS: Final = 30.0
_REQUEST: Final = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")
_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1(?!01)")
# Of one connection, which is closed after one request; and what is for proxies.
_HOP: Final = re.compile(rb"(?im)^(?:connection|keep-alive|proxy-[a-z-]+):[^\r\n]*\r\n")
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,18})[ \t]*\r\n")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding:")
_CLOSE: Final = b"Connection: close\r\n"


class Proxy:
    """The proxy of one context, on the loop of the browser.

    Attributes:
        url: Where it is, once it has begun.
    """

    def __init__(self, grant: Browser) -> None:
        """Make it; `grant` says what may be reached."""
        self._grant = grant
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.url: str = ""

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._on_client, "127.0.0.1", 0, limit=_MOST_HEAD_BYTES)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _MOST_CONNECTIONS:
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):  # it goes away, or talks nonsense
                async with asyncio.timeout(_GREETING_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                request = _REQUEST.match(head)
                if request is None:
                    return
                if request[1] == b"CONNECT":
                    await self._tunnel(request[2].decode("ascii"), reader, writer)
                else:
                    await self._forward(request, head, reader, writer)
        finally:
            writer.close()

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Have the browser speak to a host and a port, in secret for all this side knows."""
        urls = _urls_of(target)
        if not any(self._grant.reaches(url) for url in urls):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = await self._connect(urls[0])
        try:
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await _all(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()

    async def _forward(
        self, request: re.Match[bytes], head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Hand on one request of HTTP, and what comes back. One that cannot be sent has no answer: it fails."""
        method, text = request[1].decode("ascii"), request[2].decode("ascii")
        try:
            url = parse(text)
        except BadURL:
            return
        if url.scheme != "http" or self._grant.refusal(url) is not None:
            return
        # Its path is sent as it was written, since the gate and its server have read it so.
        target = re.sub(r"^[^/]*//[^/?]*", "", text).partition("#")[0]
        line = f"{method} {target if target.startswith('/') else '/' + target} HTTP/1.1\r\n".encode("ascii")
        fields = _HOP.sub(b"", head[request.end() :])
        length = _LENGTH.search(fields)
        size = None if _CHUNKED.search(fields) else int(length[1]) if length else 0
        far_reader, far_writer = await self._connect(url)
        try:
            far_writer.write(line + _CLOSE + fields)
            sending = asyncio.get_running_loop().create_task(_pump(reader, far_writer, size, ends=False))
            try:
                await _answer(far_reader, writer)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        finally:
            far_writer.close()

    async def _connect(self, url: WebURL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a host, at an address that the grant admits.

        Raises:
            OSError: There is none, or nobody answers.
        """
        async with asyncio.timeout(self._grant.timeout):
            found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
            addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
            failure = OSError("no address that is allowed")
            for address in [each for each in addresses if self._grant.addresses.admits(each)][:_MOST_ADDRESSES]:
                try:
                    return await asyncio.open_connection(address, url.port, limit=_MOST_HEAD_BYTES)
                except OSError as error:
                    failure = error
            raise failure


def _urls_of(target: str) -> list[WebURL]:
    """What may be meant by a host and a port: pages are secure there, or not, as WebSockets without TLS are."""
    try:
        return [parse(f"{scheme}://{target}/") for scheme in ("https", "http")]
    except BadURL:
        return []


async def _all(*coroutines: Coroutine[object, object, None]) -> None:
    """Do things at the same time until all are done, or one fails."""
    tasks = [asyncio.get_running_loop().create_task(each) for each in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int | None = None, *, ends: bool = True
) -> None:
    """Hand bytes on, until they end or there were so many."""
    left = size
    while left is None or left > 0:
        data = await reader.read(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES))
        if not data:
            break
        writer.write(data)
        await writer.drain()
        left = None if left is None else left - len(data)
    if ends and writer.can_write_eof():
        writer.write_eof()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on a response, and say that nothing follows it."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        is_interim = _INTERIM.match(head) is not None
        writer.write(line + b"\r\n" + (b"" if is_interim else _CLOSE) + _HOP.sub(b"", fields))
        if not is_interim:
            break
    await _pump(reader, writer)
