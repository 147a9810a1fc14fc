"""The way to the network: connections to checked addresses only, and whom TLS trusts."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import anyio.to_thread
import certifi
import httpcore

if TYPE_CHECKING:
    from sandbox.network.addresses import AddressPolicy

# An address that does not answer must not use up the time for the next one.
_MOST_ADDRESSES: Final = 4


class Refused(Exception):
    """No address of a host may be connected to."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the policy admits: what was checked is connected to."""

    def __init__(self, addresses: AddressPolicy) -> None:
        self._addresses = addresses
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that may be, and can be, connected to."""
        failure: Exception = Refused()
        for address in await self._resolve(host, port, timeout):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:  # noqa: ASYNC109 - the same
        try:
            with anyio.fail_after(timeout):
                found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Refused from None
        admitted = dict.fromkeys(entry[4][0] for entry in found if self._addresses.admits(entry[4][0]))
        return list(admitted)[:_MOST_ADDRESSES]

    async def connect_unix_socket(self, *_arguments: object, **_options: object) -> httpcore.AsyncNetworkStream:
        """Never asked for."""
        raise Refused

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await anyio.sleep(seconds)


async def tls_offering(protocols: Sequence[str], context: ssl.SSLContext | None) -> ssl.SSLContext:
    """A context, or the default one, as connections of one kind use it: with these protocols (RFC 7301)."""
    if context is None:
        # To read the authorities takes long enough to hold up a loop.
        context = await anyio.to_thread.run_sync(_default_context)
    return cast("ssl.SSLContext", _Offering(protocols, context))


@lru_cache(maxsize=1)
def _default_context() -> ssl.SSLContext:
    """What trusts the authorities of `certifi`, or those that the environment names."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())


class _Offering:
    """The part of a context that makes connections.

    A context is shared by threads and by kinds of connections, and has one list of the protocols that are offered.
    OpenSSL reads it for a connection while Python's own lock is free, so nobody may set it then.
    """

    _lock = threading.Lock()

    def __init__(self, protocols: Sequence[str], context: ssl.SSLContext) -> None:
        self._protocols = list(protocols)
        self._context = context

    def set_alpn_protocols(self, protocols: Sequence[str]) -> None:
        """What httpcore calls for each connection, with the same protocols."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 - as the context says
        """Make a connection; see `ssl.SSLContext`."""
        with _Offering._lock:
            self._context.set_alpn_protocols(self._protocols)
            return self._context.wrap_bio(*arguments, **options)

    @classmethod
    def after_fork(cls) -> None:
        """A forked child has no other thread that could release the lock."""
        cls._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Offering.after_fork)
