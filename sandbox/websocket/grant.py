"""The grant of WebSockets: which servers a guest may talk to, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sandbox.network.grant import NetworkGrant, whole
from sandbox.network.urls import WEBSOCKET

if TYPE_CHECKING:
    import ssl

    from sandbox.http import HeadersInit

Handler: TypeAlias = Callable[[str, list[str]], Any]
"""Takes a URL and the subprotocols that are offered; gives a connection, None, or what these can be awaited of."""

_MEGABYTE: Final = 1 << 20


class WebSockets(NetworkGrant):
    """Which WebSockets a guest may open. Nothing is allowed that is not said here; an instance does not change.

        Sandbox(websocket=WebSockets(allow=["wss://stream.example.com"]))

    Patterns are those of `Fetch`, for the schemes ws and wss: `"stream.example.com"`, `"wss://*.example.com/v1"`,
    `"localhost:8000"`.
    """

    max_message_bytes: int
    max_queued_bytes: int

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        deny: Iterable[str] = (),
        headers: Mapping[str, HeadersInit] | None = None,
        private: bool | Iterable[str] = False,
        max_message_bytes: int = 4 * _MEGABYTE,
        max_queued_bytes: int = _MEGABYTE,
        timeout: float = 30.0,
        connections: int = 32,
        compression: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        transport: Handler | None = None,
    ) -> None:
        """Make a grant.

        Args:
            allow: Patterns of the URLs that may be connected to; none: nothing may.
            deny: Patterns of URLs that may not, whatever `allow` says.
            headers: By pattern, headers that the host adds to the handshake. The guest never sees them. A pattern
                without a scheme means wss here, so that no secret travels in the clear by mistake.
            private: Whether hosts may have private addresses, the machine's own among them; or the networks that they
                may be in, such as `["127.0.0.0/8"]`. Multicast and the metadata services of clouds are reached only by
                a network that includes them.
            max_message_bytes: The largest message, either way, after decompression. A socket with a larger one fails.
            max_queued_bytes: What is kept in the host, of each socket and each way, for a guest that does not read on
                or a server that does not; or one message, if that is larger. Who sends more has to wait.
            timeout: Seconds until a connection must be there, and until a socket that is being closed must have made
                some progress.
            connections: How many sockets may be open at a time in one sandbox. Further ones fail.
            compression: Whether servers are offered permessage-deflate.
            ssl_context: What says whom to trust; None: the certificate authorities of `certifi`, or those that the
                environment variables SSL_CERT_FILE and SSL_CERT_DIR name.
            transport: A function that gives connections in place of the network, plain or `async def`; plain ones are
                called on a worker thread. It takes the URL and the list of subprotocols, and gives a `Connection`, an
                async context manager of one, or None, which blocks. `headers`, `private`, `compression` and
                `ssl_context` mean nothing to it.

        Raises:
            ValueError: A pattern, a network, a header or a number is none.
            TypeError: An option has the wrong type.
        """
        super().__init__(WEBSOCKET, allow, deny, headers, private, timeout, connections, ssl_context)
        self.max_message_bytes = whole("max_message_bytes", max_message_bytes) or 0
        self.max_queued_bytes = whole("max_queued_bytes", max_queued_bytes) or 0
        self.compression = compression
        if transport is not None and not callable(transport):
            raise TypeError(f"transport must be callable, not {type(transport).__name__}")
        self.transport = transport


def grant_of(option: object) -> WebSockets:
    """What the option `websocket` of a sandbox grants: a callable gives every connection itself.

    Raises:
        TypeError: It is neither a grant nor a callable.
    """
    if isinstance(option, WebSockets):
        return option
    if callable(option):
        return WebSockets(["*:*"], transport=option)
    raise TypeError(
        "websocket must be a WebSockets, such as WebSockets(allow=['api.example.com']), a callable or None,"
        f" not {type(option).__name__}"
    )
