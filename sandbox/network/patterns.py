"""Patterns that say which URLs a grant is about."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote

from sandbox._records import record
from sandbox.network.urls import DEFAULT_PORTS, HTTP, BadURL, WebURL, read_host

_SHAPE: Final = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\*|\[[0-9A-Fa-f:.]+\]|[^/:\[\]?#@\s\\]+)(?::(?P<port>[0-9]{1,5}|\*))?(?P<path>/[^?#]*)?"
)
_DECODINGS: Final = 3


@record(frozen=True, slots=True)
class Pattern:
    """What stands for a set of URLs.

    Attributes:
        text: As it was given.
        scheme: As `WebURL` has it; None: either of its protocol.
        host: A host; after `"*."` one whose subdomains are meant; `"*"`: any.
        port: None: the default one of the URL's scheme; 0: any.
        path: What the path begins with, as whole segments; empty: any.
    """

    text: str
    scheme: str | None
    host: str
    port: int | None
    path: str

    def matches(self, url: WebURL) -> bool:
        """Whether a URL is meant for certain: also if its path is decoded once more than it should be."""
        return self.has_origin(url) and all(self._has_path(path) for path in _readings(url.path))

    def touches(self, url: WebURL) -> bool:
        """Whether a URL may be meant, in any reading of its path."""
        return self.has_origin(url) and any(self._has_path(path) for path in _readings(url.path))

    @property
    def names_port(self) -> bool:
        """Whether it is about a certain port."""
        return bool(self.port)

    def has_origin(self, url: WebURL) -> bool:
        """Whether a URL has the scheme, the host and the port, whatever its path is."""
        if self.scheme is not None and url.scheme != self.scheme:
            return False
        if self.port != 0 and url.port != (DEFAULT_PORTS[url.scheme] if self.port is None else self.port):
            return False
        host = url.host.removesuffix(".")
        if self.host == "*":
            return True
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host

    def _has_path(self, path: str) -> bool:
        prefix = self.path.removesuffix("/")
        return path == prefix or path.startswith(prefix + "/")


def pattern(text: object, schemes: Collection[str] = HTTP) -> Pattern:
    """Read a pattern: a host, with `*.` before it for its subdomains, `*` for any; then a scheme, a port, a path.

    Args:
        text: The pattern.
        schemes: Those that it may be about.

    Raises:
        TypeError: It is no text.
        ValueError: It is no pattern.
    """
    if not isinstance(text, str):
        raise TypeError(f"a pattern of URLs must be a str, not {type(text).__name__}")
    match = _SHAPE.fullmatch(text)
    if match is None or (match["scheme"] is not None and match["scheme"] not in schemes):
        example = f"{list(schemes)[-1]}://*.example.com:8443/path"
        raise ValueError(f"{text!r} is no pattern of URLs; it is written like {example!r}")
    host = match["host"]
    if host != "*":
        star, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
        if "*" in name:
            raise ValueError(f"{text!r}: a star stands for all hosts, or for the names before a dot")
        try:
            host = star + read_host(name.removesuffix("]")).removesuffix(".")
        except BadURL:
            raise ValueError(f"{text!r} has a host that no URL has") from None
    port = None if match["port"] is None else 0 if match["port"] == "*" else int(match["port"])
    if port is not None and not 0 <= port <= 0xFFFF:
        raise ValueError(f"{text!r} has a port that is none")
    return Pattern(text, match["scheme"], host, port, match["path"] or "")


def _readings(path: str) -> set[str]:
    """The path, and what servers may take it for that decode escapes early, twice, or before they look at dots."""
    readings = {path}
    for _ in range(_DECODINGS):
        decoded = unquote(path, errors="replace").replace("\\", "/")
        segments: list[str] = []
        for part in decoded.split("/")[1:]:
            name = part.partition(";")[0]
            if name == "..":
                del segments[-1:]
            elif name not in (".", ""):
                segments.append(part)
        readings.add("/" + "/".join(segments))
        if decoded == path:
            break
        path = decoded
    return readings
