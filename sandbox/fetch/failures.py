"""How a fetch fails: a code and a text for the program, neither of which tells anything of the host."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "denied": "the grant does not allow this request",
    "address": "the host name has no address that may be connected to",
    "connect": "the connection could not be made",
    "tls": "the secure connection could not be made",
    "timeout": "it took too long",
    "closed": "the connection was closed",
    "protocol": "the answer is malformed",
    "redirect": "the redirect cannot be followed",
    "too-large": "the body is larger than the grant allows",
    "encoding": "the body cannot be decoded",
    "request": "the request cannot be sent",
    "dropped": "the response is no longer there",
}


class FetchFailure(Exception):
    """A fetch has failed, for a reason that the program is told.

    Attributes:
        code: One of `TEXTS`.
        text: What the program is told.
    """

    text: str

    def __init__(self, code: str, text: str | None = None) -> None:
        """A failure of a kind, with the text of that kind or a more exact one."""
        self.code = code
        self.text = TEXTS[code] if text is None else text
        super().__init__(self.text)
