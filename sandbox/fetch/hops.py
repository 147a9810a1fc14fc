"""What is sent for a request, and where a redirect leads: sections 4.4 and 4.5 of the Fetch Standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from sandbox._records import record, replace
from sandbox.fetch.decoding import ACCEPTED
from sandbox.fetch.failures import FetchFailure
from sandbox.http import Headers
from sandbox.network.urls import BadURL, WebURL, parse

if TYPE_CHECKING:
    from sandbox.fetch.grant import Fetch

RedirectMode: TypeAlias = Literal["follow", "error", "manual"]
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_NO_BODY: Final = frozenset({101, 103, 204, 205, 304})
# Fetch, section 2.2.2: only who sends a request may set them. The guest's own filter may be the attacker's.
_FORBIDDEN: Final = frozenset({
    "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
    "access-control-request-private-network", "connection", "content-length", "cookie", "cookie2", "date", "dnt",
    "expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
    "via",
})  # fmt: skip
_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
# Of what the host adds, these are for the transport to say.
_FRAMING: Final = frozenset({"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding",
                             "upgrade"})  # fmt: skip
_BODY_HEADERS: Final = frozenset({"content-encoding", "content-language", "content-location", "content-type"})
_DEFAULTS: Final = (
    ("Accept", "*/*"),
    ("Accept-Language", "*"),
    ("User-Agent", "quickjs-sandbox"),
)

Pairs: TypeAlias = "tuple[tuple[str, str], ...]"


@record(frozen=True, slots=True)
class Hop:
    """One request of a fetch.

    Attributes:
        method: The method.
        url: Where it goes.
        headers: Those of the guest.
        body: The bytes; None: a stream of the guest, which can be sent once.
        body_bytes: The length of a stream, if it is known.
    """

    method: str
    url: WebURL
    headers: Pairs
    body: bytes | None = b""
    body_bytes: int | None = None

    @property
    def has_body(self) -> bool:
        """Whether there is a body, which may be empty."""
        return self.body != b""


def first_hop(method: str, url: str, pairs: list[tuple[str, str]], body: bytes | None, size: int | None) -> Hop:
    """The request as a program has made it.

    Raises:
        FetchFailure: It can be none.
    """
    try:
        headers = Headers([pair for pair in pairs if not _is_forbidden(*pair)])
        combined = {name.lower(): (name, headers[name]) for name, _ in reversed(headers.pairs)}
        kept = tuple(combined[name] for name in headers)
        return Hop(method, parse(url), kept, body, size)
    except BadURL:
        raise FetchFailure("denied", "the URL is none of http or https that can be fetched") from None
    except ValueError:
        raise FetchFailure("denied", "a header is malformed") from None


def _is_forbidden(name: str, value: str) -> bool:
    lower = name.lower()
    if lower in _OVERRIDES:
        return any(method.strip().upper() in ("CONNECT", "TRACE", "TRACK") for method in value.split(","))
    return lower in _FORBIDDEN or lower.startswith(("proxy-", "sec-"))


def sent_headers(hop: Hop, grant: Fetch) -> Headers:
    """All headers of a request but those that frame it: the guest's, the usual ones, and the host's in their place."""
    pairs = list(hop.headers)
    names = {name.lower() for name, _ in pairs}
    pairs += [pair for pair in _DEFAULTS if pair[0].lower() not in names]
    # A part of what is encoded cannot be decoded.
    pairs.append(("Accept-Encoding", "identity" if "range" in names else ACCEPTED))
    added = [pair for pair in grant.added_headers(hop.url) if pair[0].lower() not in _FRAMING]
    if added:
        names = {name.lower() for name, _ in added}
        pairs = [pair for pair in pairs if pair[0].lower() not in names] + added
    return Headers(pairs)


def is_redirect(status: int) -> bool:
    """Whether a status asks for another request."""
    return status in _REDIRECTS


def has_body(method: str, status: int) -> bool:
    """Whether such a response has a body."""
    return method != "HEAD" and status not in _NO_BODY


def next_hop(hop: Hop, status: int, location: str) -> Hop:
    """The request that a redirect asks for (HTTP-redirect fetch).

    Args:
        hop: The one that was answered.
        status: With this.
        location: The header of that name, as Latin-1 text.

    Raises:
        FetchFailure: It cannot be followed.
    """
    raw = location.encode("latin-1")
    try:
        url = parse(raw.decode("utf-8", "surrogateescape").translate(_ESCAPES), hop.url)
    except (BadURL, UnicodeError):
        raise FetchFailure("redirect") from None
    if status != 303 and hop.body is None:
        raise FetchFailure("redirect", "the redirect wants a body again that was a stream")
    following = replace(hop, url=url)
    if (status in (301, 302) and hop.method == "POST") or (status == 303 and hop.method not in ("GET", "HEAD")):
        kept = tuple(pair for pair in hop.headers if pair[0].lower() not in _BODY_HEADERS)
        following = replace(following, method="GET", headers=kept, body=b"", body_bytes=None)
    if url.origin != hop.url.origin:
        kept = tuple(pair for pair in following.headers if pair[0].lower() != "authorization")
        following = replace(following, headers=kept)
    return following


# What is no UTF-8 in a location stands for its bytes.
_ESCAPES: Final = {0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}
