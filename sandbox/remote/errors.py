"""What goes wrong between a client and a daemon; the rest of what a remote sandbox raises is in `sandbox.errors`.

SandboxError
└── RemoteError              a daemon could not do it, or is not there: code
├── ConnectionLost       the connection has ended; the sandboxes that lived by it are gone
├── SandboxLost          the worker process that ran the sandbox has ended
├── NamespaceLost        a namespace's last use ended without being kept; it can be restored
├── DaemonFull           the daemon runs as many sandboxes as it may
└── ProtocolError        the other side sent what no peer sends
"""

from __future__ import annotations

from sandbox.errors import SandboxError

__all__ = ["ConnectionLost", "DaemonFull", "NamespaceLost", "ProtocolError", "RemoteError", "SandboxLost"]


class RemoteError(SandboxError):
    """A daemon refused or could not do what it was asked, or cannot be reached.

    Attributes:
        code: The name of the reason, of the table in `docs/protocol.md`; empty when there was no answer.
    """

    def __init__(self, text: str = "", code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ConnectionLost(RemoteError):
    """The connection to the daemon has ended. What ran in its sandboxes is lost, and was not tried again."""


class SandboxLost(RemoteError):
    """The process that ran the sandbox has ended: killed, out of memory, or crashed. Nothing was tried again."""


class NamespaceLost(RemoteError):
    """The last use of a namespace ended without being kept: what it had changed is lost.

    What it was before that use is there; take it with `restore=True`.
    """


class DaemonFull(RemoteError):
    """The daemon runs as many sandboxes as it may, or this client has as many as it may."""


class ProtocolError(RemoteError):
    """The other side of a connection sent what no peer sends, or is of another version. The connection has ended."""
