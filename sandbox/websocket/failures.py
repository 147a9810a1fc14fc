"""How a WebSocket fails: what the program is told, which tells nothing of the host."""

from __future__ import annotations

from typing import Final

ABNORMAL: Final = 1006
"""The close code of a connection that has ended without a closing handshake (RFC 6455, section 7.4.1)."""

BLOCKED: Final = "Connection blocked"
FAILED: Final = "Connection failed"


class NoConnection(Exception):
    """There is no connection, for a reason that the program is told.

    Attributes:
        reason: What it is told, the `reason` of the event `close`.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
