"""The adapter that uses the network: HTTP/1.1 and HTTP/2 by httpcore, over connections to checked addresses only.

httpcore is the engine of httpx. What httpx adds (redirects, cookies, proxies and passwords from the environment,
headers of its own, decompression without bounds) is what a guest must not have, so it is left out.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import httpcore

from sandbox.fetch.adapters import Answer
from sandbox.fetch.decoding import decoded
from sandbox.fetch.failures import FetchFailure
from sandbox.fetch.hops import Hop, has_body
from sandbox.network.backend import CheckedBackend, Refused, tls_offering

if TYPE_CHECKING:
    from sandbox.fetch.grant import Fetch
    from sandbox.http import Headers

# How long a connection is kept that nobody uses.
_IDLE_SECONDS: Final = 30.0


class NetworkAdapter:
    """Sends requests over the network, and keeps connections for further ones."""

    def __init__(self, grant: Fetch) -> None:
        """Make one, without a connection; the grant says how many there may be, to which addresses, and how slow."""
        self._grant = grant
        self._pool: httpcore.AsyncConnectionPool | None = None
        self._lock = anyio.Lock()
        self._timeouts = {
            "connect": grant.timeout,
            "read": grant.timeout,
            "write": grant.timeout,
            "pool": grant.timeout,
        }

    @asynccontextmanager
    async def exchange(self, hop: Hop, headers: Headers, body: AsyncIterator[bytes] | None) -> AsyncIterator[Answer]:
        """See `Adapter`."""
        url = hop.url
        request = httpcore.Request(
            method=hop.method.encode("ascii"),
            url=httpcore.URL(
                scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode("ascii")
            ),
            headers=[(b"Host", url.netloc.encode()), *_framing(hop), *_encoded(headers)],
            content=body if body is not None else hop.body or b"",
            extensions={"timeout": self._timeouts},
        )
        try:
            response = await (await self._opened()).handle_async_request(request)
        except Exception as error:
            raise _failure_of(error) from error
        stream = response.aiter_stream()
        try:
            pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)
            codings = ",".join(value for name, value in pairs if name.lower() == "content-encoding")
            chunks = self._read(stream)
            yield Answer(
                response.status,
                response.extensions.get("reason_phrase", b"").decode("latin-1"),
                pairs,
                decoded(chunks, codings) if has_body(hop.method, response.status) else chunks,
            )
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()
                await _exhaust(stream)

    async def _opened(self) -> httpcore.AsyncConnectionPool:
        async with self._lock:
            if self._pool is None:
                self._pool = httpcore.AsyncConnectionPool(
                    ssl_context=await tls_offering(("http/1.1", "h2"), self._grant.ssl_context),
                    max_connections=self._grant.connections,
                    max_keepalive_connections=self._grant.connections,
                    keepalive_expiry=_IDLE_SECONDS,
                    http1=True,
                    http2=True,
                    network_backend=CheckedBackend(self._grant.addresses),
                )
        return self._pool

    async def _read(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        total, most = 0, self._grant.max_response_bytes
        try:
            async for chunk in stream:
                total += len(chunk)
                if most is not None and total > most:
                    raise FetchFailure("too-large")
                yield chunk
        except FetchFailure:
            raise
        except Exception as error:
            raise _failure_of(error) from error

    async def aclose(self) -> None:
        """See `Adapter`."""
        if self._pool is not None:
            await self._pool.aclose()


async def _exhaust(stream: AsyncIterator[bytes]) -> None:
    """End the generators of a response that is closed, of which trio warns else: by their cancellation."""
    with anyio.CancelScope() as scope, suppress(Exception):
        scope.cancel()
        async for _ in stream:
            pass


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.pairs]


def _framing(hop: Hop) -> list[tuple[bytes, bytes]]:
    size = hop.body_bytes if hop.body is None else len(hop.body)
    if size is None:
        return [(b"Transfer-Encoding", b"chunked")]
    if size or hop.method in ("POST", "PUT", "PATCH"):
        return [(b"Content-Length", str(size).encode())]
    return []


_CODES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (Refused, "address"),
    (httpcore.TimeoutException, "timeout"),
    (TimeoutError, "timeout"),
    (httpcore.ConnectError, "connect"),
    (httpcore.NetworkError, "closed"),
    (httpcore.LocalProtocolError, "request"),
    (httpcore.ProtocolError, "protocol"),
    (ssl.SSLError, "tls"),
    (OSError, "closed"),
)


def _failure_of(error: Exception) -> Exception:
    """What the program is told; its text is fixed, for the exception's may name addresses."""
    if isinstance(error, FetchFailure):
        return error
    if isinstance(error, httpcore.ConnectError) and isinstance(error.__cause__ or error.__context__, ssl.SSLError):
        return FetchFailure("tls")
    return next((FetchFailure(code) for kind, code in _CODES if isinstance(error, kind)), error)
