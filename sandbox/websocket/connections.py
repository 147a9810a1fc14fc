"""What connects the guest's WebSockets: the contracts, and the connector that asks a function of the embedder."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import anyio.to_thread

from sandbox.websocket.failures import BLOCKED, NoConnection

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL
    from sandbox.websocket.grant import Handler


class Connection(Protocol):
    """One end of a WebSocket connection. Those of the package `websockets` for asyncio are such, and so are ours.

    Attributes:
        subprotocol: What was agreed on, one of those that were offered; None: none.
        close_code: Why it has ended; 1005: for no reason that was said, 1006 or None: without a closing handshake.
        close_reason: The text that came with it.
    """

    @property
    def subprotocol(self) -> str | None: ...  # noqa: D102 - see above
    @property
    def close_code(self) -> int | None: ...  # noqa: D102
    @property
    def close_reason(self) -> str | None: ...  # noqa: D102

    async def send(self, message: str | bytes, /) -> object:
        """Send a message; waits while the other end does not read on."""

    async def recv(self) -> str | bytes:
        """Wait for the next message.

        Raises:
            Exception: The connection has ended; `close_code` says why.
        """

    async def close(self, code: int = ..., reason: str = ...) -> object:
        """Begin the closing handshake, while `recv` goes on in another task; without a code, with none or the usual."""


class Connector(Protocol):
    """Makes the connections of one sandbox. All of them pass `tests/websocket/test_conformance.py`."""

    def connect(self, url: WebURL, protocols: Sequence[str]) -> AbstractAsyncContextManager[Connection]:
        """Connect; the connection is there inside the context, for the task that entered it, which sees to the time.

        Args:
            url: Where to; its policy was checked.
            protocols: The subprotocols that are offered.

        Raises:
            NoConnection: There is none.
            BaseException: What a function of the embedder raised.
        """


class HandlerConnector:
    """Has a function of the embedder give the connections."""

    def __init__(self, handler: Handler) -> None:
        """Make one."""
        self._handler = handler

    @asynccontextmanager
    async def connect(self, url: WebURL, protocols: Sequence[str]) -> AsyncIterator[Connection]:
        """See `Connector`."""
        given = await self._ask(str(url), list(protocols))
        if given is None:
            raise NoConnection(BLOCKED)
        if hasattr(given, "__aenter__"):
            async with given as connection:
                yield _checked(connection, protocols)
        else:
            yield _checked(given, protocols)

    async def _ask(self, url: str, protocols: list[str]) -> Any:  # noqa: ANN401 - checked above
        if inspect.iscoroutinefunction(self._handler):
            return await self._handler(url, protocols)
        given: Any = await anyio.to_thread.run_sync(self._handler, url, protocols, abandon_on_cancel=True)
        return await given if inspect.isawaitable(given) else given


def _checked(connection: Any, protocols: Sequence[str]) -> Connection:  # noqa: ANN401 - checked here
    for name in ("send", "recv", "close"):
        if not callable(getattr(connection, name, None)):
            raise TypeError(f"what answers a WebSocket must give a connection, not {type(connection).__name__}")
    if connection.subprotocol is not None and connection.subprotocol not in protocols:
        raise ValueError(f"the connection has the subprotocol {connection.subprotocol!r}, which was not offered")
    checked: Connection = connection
    return checked
