"""WebSocket: what the guest asks of the network, or of whatever connects in its place. See `sandbox.websocket`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Handler, Malformed, WorkingCapability, checked_number, checked_parts
from sandbox.errors import CapabilityDenied
from sandbox.websocket.failures import BLOCKED, FAILED, NoConnection

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL
    from sandbox.websocket.grant import WebSockets
    from sandbox.websocket.socket import Socket
    from sandbox.websocket.sockets import Sockets

    _Working = WorkingCapability[Sockets]
else:
    _Working = WorkingCapability  # what it works with is imported when it begins

_PROTOCOL_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MOST_PROTOCOL_CHARS: Final = 1 << 12
_MOST_REASON_BYTES: Final = 123


class WebSocketCapability(_Working):
    """Serves the guest's WebSockets, as their grant says. That there is no connection is an answer as well: a text."""

    stem: ClassVar[str] = "websocket"
    begins: ClassVar[str] = "open"
    titles: ClassVar[Mapping[str, str]] = {
        "open": "WebSocket",
        "receive": "WebSocket.receive",
        "send": "WebSocket.send",
        "leave": "WebSocket.leave",
        "close": "WebSocket.close",
        "drop": "WebSocket.drop",
    }
    quiet: ClassVar[frozenset[str]] = frozenset({"receive", "leave", "drop"})

    def __init__(self, grant: WebSockets | None) -> None:
        """Make the capability; None: there is no network."""
        super().__init__(is_granted=grant is not None)
        self._grant = grant

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {
            "open": self._open,
            "receive": self._receive,
            "send": self._send,
            "leave": self._leave,
            "close": self._close,
            "drop": self._drop,
        }

    def withheld(self) -> Mapping[str, Handler]:
        """See `WorkingCapability`: a message that is not sent must not count as on its way."""
        return {"send": self._withhold}

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """See `Capability`: as they are, in a list of their own, since the guest has counted what it sends."""
        return list(arguments)

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: of a connection what programs can see, and the number by which calls name it."""
        if operation != "open":
            return answer
        if isinstance(answer, str):
            return CapabilityDenied("WebSocket", answer) if answer == BLOCKED else NoConnection(answer)
        number, protocol, extensions, _ = answer
        return {"number": number, "protocol": protocol, "extensions": extensions}

    def _begin(self, numbers: Iterator[int]) -> Sockets:
        from sandbox.websocket.sockets import Sockets

        assert self._grant is not None
        return Sockets(self._grant, numbers)

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: the connection is lost, or was never made."""
        return FAILED if operation == "open" else None

    # --- operations ---

    def _open(self, url: object, protocols: object) -> object:
        if not isinstance(url, str):
            raise TypeError("a WebSocket has a URL")
        if not isinstance(protocols, list) or not all(isinstance(each, str) for each in protocols):
            raise TypeError("subprotocols are texts")
        if self._grant is None or sum(map(len, protocols)) > _MOST_PROTOCOL_CHARS:
            return BLOCKED
        if len(set(protocols)) != len(protocols) or not all(re.fullmatch(_PROTOCOL_NAME, each) for each in protocols):
            return BLOCKED
        from sandbox.network.urls import WEBSOCKET, BadURL, parse  # most programs do without

        try:
            parsed = parse(url, schemes=WEBSOCKET)
        except BadURL:
            return BLOCKED
        if self._grant.refusal(parsed) is not None:
            return BLOCKED
        return self._opened(parsed, protocols)

    async def _opened(self, url: WebURL, protocols: list[str]) -> object:
        try:
            return await self.work().open(url, protocols)
        except NoConnection as failure:
            return failure.reason

    def _receive(self, number: object) -> object:
        return None if self._begun is None else self._begun.receive(checked_number(number))

    # What has no answer is said in a turn, and attended to after it.

    def _send(self, *arguments: object) -> Callable[[], object] | None:
        socket, message = self._message(arguments)
        return socket.wake if socket is not None and socket.say(message) else None

    def _withhold(self, *arguments: object) -> Callable[[], object] | None:
        socket, message = self._message(arguments)
        return None if socket is None else partial(socket.pass_over, message)

    def _message(self, arguments: tuple[object, ...]) -> tuple[Socket | None, str | bytes]:
        number, message = checked_parts(arguments, 2)
        if not isinstance(message, str | bytes):
            raise Malformed("a message is a text or bytes")
        return self._find(number), message

    def _find(self, number: object) -> Socket | None:
        known = checked_number(number)
        return None if self._begun is None else self._begun.find(known)

    def _leave(self, *arguments: object) -> Callable[[], object] | None:
        socket = self._find(*checked_parts(arguments, 1))
        return socket.wake if socket is not None and socket.leave() else None

    def _close(self, *arguments: object) -> Callable[[], object] | None:
        number, code, reason = checked_parts(arguments, 3)
        if not isinstance(reason, str) or len(reason.encode("utf-8", "surrogatepass")) > _MOST_REASON_BYTES:
            raise Malformed("a reason is a short text")
        if code is not None and (type(code) is not int or not (code == 1000 or 3000 <= code <= 4999)):
            raise Malformed("a code is one that programs may give")
        socket = self._find(number)
        close = () if code is None else (code, reason)
        return socket.wake if socket is not None and socket.close(*close) else None

    def _drop(self, *arguments: object) -> Callable[[], object] | None:
        begun, dropped = self._begun, checked_number(*checked_parts(arguments, 1))
        if begun is None:
            return None
        begun.disown(dropped)
        return lambda: begun.drop(dropped)
