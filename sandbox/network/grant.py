"""The part that grants of a network share: which URLs may be reached, at which addresses, and what the host adds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.http import Headers, HeadersInit
from sandbox.network.addresses import AddressPolicy
from sandbox.network.patterns import Pattern, pattern

if TYPE_CHECKING:
    import ssl

    from sandbox.network.urls import WebURL

# Fetch, section 2.9: ports of other protocols, which a request could be made to speak.
_BAD_PORTS: Final = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
    531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
    5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})  # fmt: skip


class NetworkGrant:
    """Which URLs a guest may reach. Nothing is allowed that is not said; an instance does not change.

    Attributes:
        addresses: What may be connected to.
        timeout: Seconds that each single wait may take.
        connections: How many there may be at a time in one sandbox.
        ssl_context: What says whom to trust; None: see `sandbox.network.backend`.
    """

    addresses: AddressPolicy
    connections: int
    timeout: float

    def __init__(
        self,
        schemes: Mapping[str, str],
        allow: Iterable[str],
        deny: Iterable[str],
        headers: Mapping[str, HeadersInit] | None,
        private: bool | Iterable[str],
        timeout: float,
        connections: int,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        """Make a grant.

        Args:
            schemes: What a pattern may be about: a scheme, and the one of the same protocol that is secure.
            allow: Patterns of the URLs that may be reached.
            deny: Patterns of those that may not, whatever `allow` says.
            headers: By pattern, headers that the host adds. A pattern without a scheme means the secure one.
            private: See `AddressPolicy`.
            timeout: See above.
            connections: Likewise.
            ssl_context: Likewise.

        Raises:
            ValueError: A pattern, a network, a header or a number is none.
            TypeError: An option has the wrong type.
        """
        self._allow = _patterns("allow", allow, schemes)
        self._deny = _patterns("deny", deny, schemes)
        self._headers = tuple((_secret_pattern(text, schemes), Headers(init)) for text, init in (headers or {}).items())
        if isinstance(private, str):
            raise TypeError("private must be a bool or a list of networks, not str")
        self.addresses = AddressPolicy(private)
        self.timeout = _seconds(timeout)
        self.connections = whole("connections", connections) or 1
        self.ssl_context = ssl_context

    def __repr__(self) -> str:  # without the headers, which are secrets
        allow, deny = ([each.text for each in patterns] for patterns in (self._allow, self._deny))
        return f"{type(self).__name__}(allow={allow}, deny={deny})"

    def refusal(self, url: WebURL) -> str | None:
        """Why a URL may not be reached; None: it may."""
        granted = [each for each in self._allow if each.matches(url)]
        if _is_of_another_protocol(url, granted):
            return f"port {url.port} is one of another protocol"
        if not granted or any(each.touches(url) for each in self._deny):
            return f"the grant does not allow {url.origin}{url.path}"
        return None

    def reaches(self, url: WebURL) -> bool:
        """Whether something may be reached at the host and port of a URL, whatever its path is."""
        granted = [each for each in self._allow if each.has_origin(url)]
        if not granted or _is_of_another_protocol(url, granted):
            return False
        return not any(each.has_origin(url) and each.path in ("", "/") for each in self._deny)

    def added_headers(self, url: WebURL) -> list[tuple[str, str]]:
        """The headers that the host adds to a request of such a URL."""
        return [pair for each, headers in self._headers if each.matches(url) for pair in headers.pairs]


def _is_of_another_protocol(url: WebURL, granted: Iterable[Pattern]) -> bool:
    """Whether a URL has such a port, and no pattern that fits it names one."""
    return url.port in _BAD_PORTS and not any(each.names_port for each in granted)


def _patterns(option: str, texts: Any, schemes: Mapping[str, str]) -> tuple[Pattern, ...]:  # noqa: ANN401 - checked here
    if isinstance(texts, str):
        raise TypeError(f"{option} must be a list of patterns, not str")
    return tuple(pattern(text, schemes) for text in texts)


def _secret_pattern(text: object, schemes: Mapping[str, str]) -> Pattern:
    given = pattern(text, schemes)
    return given if given.scheme is not None else pattern(f"{next(iter(schemes.values()))}://{given.text}", schemes)


def _seconds(number: Any) -> float:  # noqa: ANN401 - checked here
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < math.inf:
        raise ValueError(f"timeout must be a positive number of seconds, not {number!r}")
    return float(number)


def whole(option: str, number: Any, *, optional: bool = False) -> int | None:  # noqa: ANN401 - checked here
    """An option that is a number of something.

    Args:
        option: Its name.
        number: What was given.
        optional: Whether it may be None.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative.
    """
    if number is None and optional:
        return None
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{option} must be an int{' or None' if optional else ''}, not {type(number).__name__}")
    if number < 0:
        raise ValueError(f"{option} must not be negative, as {number} is")
    return number
