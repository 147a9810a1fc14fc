"""The grant of network requests: what a guest may fetch, and what the host adds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sandbox.fetch.failures import FetchFailure
from sandbox.http import HeadersInit, Request, Response, is_token
from sandbox.network.grant import NetworkGrant, whole
from sandbox.network.urls import HTTP

if TYPE_CHECKING:
    import ssl

    from sandbox.network.urls import WebURL

Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]

# Fetch, section 2.2.1: what nobody may send, as these would turn the request into another one.
_FORBIDDEN_METHODS: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
_MEGABYTE: Final = 1 << 20


class Fetch(NetworkGrant):
    """Which network requests a guest may make. Nothing is allowed that is not said here; an instance does not change.

        Sandbox(fetch=Fetch(allow=["api.example.com"], headers={"api.example.com": {"Authorization": "Bearer ..."}}))

    A pattern is a host, with what else it should be about: `"api.example.com"` is http and https at their own ports,
    `"*.example.com"` all its subdomains, `"*"` every host; `"https://example.com"` is one scheme, `"localhost:8000"`
    one port, `"localhost:*"` any, `"example.com/v1"` that path and what is below it.
    """

    max_request_bytes: int | None
    max_response_bytes: int | None
    redirects: int

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        deny: Iterable[str] = (),
        methods: Iterable[str] | None = None,
        headers: Mapping[str, HeadersInit] | None = None,
        private: bool | Iterable[str] = False,
        max_request_bytes: int | None = 16 * _MEGABYTE,
        max_response_bytes: int | None = 64 * _MEGABYTE,
        timeout: float = 30.0,
        redirects: int = 20,
        connections: int = 32,
        ssl_context: ssl.SSLContext | None = None,
        transport: Handler | None = None,
    ) -> None:
        """Make a grant.

        Args:
            allow: Patterns of the URLs that may be fetched; none: nothing may.
            deny: Patterns of URLs that may not, whatever `allow` says. Redirects are subject to both, each of them.
            methods: The methods that may be used; None: every one.
            headers: By pattern, headers that the host adds, in place of the guest's. The guest never sees them. A
                pattern without a scheme means https here, so that no secret travels in the clear by mistake.
            private: Whether hosts may have private addresses, the machine's own among them; or the networks that they
                may be in, such as `["127.0.0.0/8"]`. Multicast and the metadata services of clouds are reached only by
                a network that includes them.
            max_request_bytes: The largest body of a request; None: no limit.
            max_response_bytes: The largest body of a response, as it arrives and as it is after decompression; None: no
                limit.
            timeout: Seconds that each single wait may take: for a connection, for the server, for the guest to read on
                or to go on with its body.
            redirects: How many are followed in one fetch.
            connections: How many there may be at a time in one sandbox.
            ssl_context: What says whom to trust; None: the certificate authorities of `certifi`, or those that the
                environment variables SSL_CERT_FILE and SSL_CERT_DIR name.
            transport: A function that answers requests in place of the network, plain or `async def`; plain ones are
                called on a worker thread. It is asked for every hop of a redirect, and `private`, `connections` and
                `ssl_context` mean nothing to it.

        Raises:
            ValueError: A pattern, a network, a header or a number is none.
            TypeError: An option has the wrong type.
        """
        super().__init__(HTTP, allow, deny, headers, private, timeout, connections, ssl_context)
        self._methods = None if methods is None else frozenset(_methods(methods))
        self.max_request_bytes = whole("max_request_bytes", max_request_bytes, optional=True)
        self.max_response_bytes = whole("max_response_bytes", max_response_bytes, optional=True)
        self.redirects = whole("redirects", redirects) or 0
        if transport is not None and not callable(transport):
            raise TypeError(f"transport must be callable, not {type(transport).__name__}")
        self.transport = transport

    def check(self, method: str, url: WebURL) -> None:
        """See whether a request may be made.

        Raises:
            FetchFailure: It may not.
        """
        if not is_token(method) or method.upper() in _FORBIDDEN_METHODS:
            raise FetchFailure("denied", "no request may have this method")
        if self._methods is not None and method not in self._methods:
            raise FetchFailure("denied", f"the grant does not allow the method {method}")
        if (refusal := self.refusal(url)) is not None:
            raise FetchFailure("denied", refusal)


def grant_of(option: object) -> Fetch:
    """What the option `fetch` of a sandbox grants: a callable answers every request itself.

    Raises:
        TypeError: It is neither a grant nor a callable.
    """
    if isinstance(option, Fetch):
        return option
    if callable(option):
        return Fetch(["*:*"], transport=option)
    raise TypeError(
        "fetch must be a Fetch, such as Fetch(allow=['api.example.com']), a callable or None,"
        f" not {type(option).__name__}"
    )


def _methods(methods: Any) -> Iterable[str]:  # noqa: ANN401 - checked here
    if isinstance(methods, str):
        raise TypeError("methods must be a list of methods, not str")
    for method in methods:
        if not isinstance(method, str) or not is_token(method):
            raise ValueError(f"{method!r} is no method")
        yield method
