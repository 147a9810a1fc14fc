"""URLs of http, https, ws and wss as the URL Standard reads them, by a parser of the host's own.

What the guest sends was parsed by its own parser, which it may own; where a redirect leads, a server says. So the
policy reads URLs itself, refuses what it is not sure of, and what it has read is what is connected to.
"""

from __future__ import annotations

import re
from collections.abc import Container
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from sandbox._records import record

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# The schemes of a protocol, each with its secure one.
HTTP: Final = {"http": "https", "https": "https"}
WEBSOCKET: Final = {"ws": "wss", "wss": "wss"}
_SCHEME: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_HOST: Final = re.compile(r"[a-z0-9_\-~!$&'()*+,;=.]+")
_PORT: Final = re.compile(r"[0-9]{0,10}")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_MAX_CHARS: Final = 1 << 16
_BLANKS: Final = "".join(map(chr, range(0x21)))
_IGNORED: Final = dict.fromkeys(map(ord, "\t\r\n"))
# What stays as it is: `%` because an escape is never escaped again.
_PATH_SAFE: Final = "/%:@!$&'()*+,;=~-._|[]\\"
_QUERY_SAFE: Final = "/%:@!$&()*+,;=~-._|[]\\^?{}`"
_DOTS: Final = {".": 1, "%2e": 1, "..": 2, ".%2e": 2, "%2e.": 2, "%2e%2e": 2}


class BadURL(ValueError):
    """A text is no URL of the right scheme, or not one that is sure to be read in one way only."""


@record(frozen=True, slots=True)
class WebURL:
    """A URL, without credentials and fragment.

    Attributes:
        scheme: `"http"`, `"https"`, `"ws"` or `"wss"`.
        host: In lower case, as ASCII; an IPv6 address without its brackets.
        port: Where to connect to.
        path: Begins with a slash, and has no dot segments.
        query: With its mark; empty if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def netloc(self) -> str:
        """Host and port, as the header `Host` says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def target(self) -> str:
        """What a request line asks for."""
        return self.path + self.query

    def __str__(self) -> str:
        return self.origin + self.target


def parse(text: str, base: WebURL | None = None, schemes: Container[str] = HTTP) -> WebURL:
    """Read a URL.

    Args:
        text: The URL; relative ones need a base.
        base: What it is relative to.
        schemes: Those that it may have.

    Raises:
        BadURL: It is none, has another scheme, or has credentials.
    """
    if len(text) > _MAX_CHARS or (not text.isprintable() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise BadURL("a URL is too long, or no text")
    text = text.strip(_BLANKS).translate(_IGNORED).partition("#")[0]
    match = _SCHEME.match(text)
    scheme = base.scheme if base is not None else ""
    if match is not None:
        scheme, text = match[1].lower(), text[match.end() :]
        if scheme not in schemes:
            raise BadURL("a URL of another scheme")
    elif base is None:
        raise BadURL("a relative URL without a base")
    if base is None or scheme != base.scheme or _slashes(text[:2]):
        return _absolute(scheme, text.lstrip("/\\"))
    return _relative(text, base)


def _slashes(text: str) -> bool:
    return len(text) == 2 and set(text) <= {"/", "\\"}


def _absolute(scheme: str, rest: str) -> WebURL:
    match = re.search(r"[/\\?]", rest)
    end = len(rest) if match is None else match.start()
    host, port = _authority(rest[:end], scheme)
    path, mark, query = rest[end:].partition("?")
    return WebURL(scheme, host, port, _path([], path), _query(mark, query))


def _relative(text: str, base: WebURL) -> WebURL:
    path, mark, query = text.partition("?")
    if not path:
        query = _query(mark, query) if mark else base.query
        return WebURL(base.scheme, base.host, base.port, base.path, query)
    before = [] if path[0] in "/\\" else base.path.split("/")[1:-1]
    return WebURL(base.scheme, base.host, base.port, _path(before, path), _query(mark, query))


def _authority(text: str, scheme: str) -> tuple[str, int]:
    if "@" in text:
        raise BadURL("a URL with credentials")
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise BadURL("a URL with a malformed host")
        port = port[1:]
    elif ":" in text:
        host, _, port = text.partition(":")
    if _PORT.fullmatch(port) is None or int(port or "0") > 0xFFFF:
        raise BadURL("a URL with a malformed port")
    return read_host(host), int(port) if port else DEFAULT_PORTS[scheme]


def read_host(text: str) -> str:
    """A host in its one form: an address as such, names in lower case and in ASCII.

    Args:
        text: The host; an IPv6 address begins with a bracket, whose other half is left out.

    Raises:
        BadURL: It is none.
    """
    if text.startswith("["):
        try:
            return IPv6Address(text[1:] if "%" not in text else "").compressed
        except ValueError:
            _refuse()
    host = _ascii(text)
    if _HOST.fullmatch(host) is None:
        _refuse()
    labels = host.split(".")
    last = labels[-1] or (labels[-2] if len(labels) > 1 else "")
    if last.isdigit() or _NUMBER.fullmatch(last) is not None:
        return _ipv4(labels)
    if len(host) > 253 or any(len(label) > 63 for label in labels):
        _refuse()
    return host


def _refuse() -> str:
    raise BadURL("a URL with a malformed host")


def _ascii(text: str) -> str:
    decoded = unquote_to_bytes(text)
    try:
        name = decoded.decode("utf-8")
        if name.isascii():
            return name.lower()
        import idna  # comes with the event loop

        return idna.encode(name, uts46=True, transitional=False).decode("ascii").lower()
    except (UnicodeError, ValueError):
        return _refuse()


def _ipv4(labels: list[str]) -> str:
    """An IPv4 address, whose parts may be decimal, octal or hexadecimal, the last of them several bytes."""
    if labels[-1] == "":
        labels = labels[:-1]
    if not labels or len(labels) > 4:
        _refuse()
    numbers = []
    for label in labels:
        if _NUMBER.fullmatch(label) is None:
            _refuse()
        try:
            if label[:2] in ("0x", "0X"):
                numbers.append(int(label[2:] or "0", 16))
            else:
                numbers.append(int(label, 8 if len(label) > 1 and label[0] == "0" else 10))
        except ValueError:
            _refuse()
    *heads, tail = numbers
    if any(number > 255 for number in heads) or tail >= 256 ** (4 - len(heads)):
        _refuse()
    return str(IPv4Address(sum(number << 8 * (3 - i) for i, number in enumerate(heads)) + tail))


def _path(before: list[str], text: str) -> str:
    segments = list(before)
    text = text.replace("\\", "/")
    parts = (text[1:] if text.startswith("/") else text).split("/")
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        dots = _DOTS.get(part.lower(), 0)
        if dots == 2:
            del segments[-1:]
        if dots == 0:
            segments.append(part)
        elif is_last:
            segments.append("")
    return "/" + quote("/".join(segments), safe=_PATH_SAFE)


def _query(mark: str, text: str) -> str:
    return mark + quote(text, safe=_QUERY_SAFE)
