"""The way to the network: connections to checked addresses only, and whom TLS trusts."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import anyio
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


def default_context() -> ssl.SSLContext:
    """What trusts the authorities of `certifi`, or those that the environment names. To read them takes a while."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=certifi.where())
