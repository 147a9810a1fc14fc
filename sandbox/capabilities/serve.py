"""serve: what the guest says and asks of the requests that it answers. `sandbox.serve` does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Handler, Later, Malformed, NumberingCapability, checked_number, checked_parts

if TYPE_CHECKING:
    from sandbox.serve.served import Served
    from sandbox.serve.sockets import ServerSockets

_LEFT_BEHIND: Final = "the sandbox was restored from a snapshot, without the clients of its program"


class Serve(NumberingCapability):
    """The requests of one sandbox. Who hands one in is the embedder, so there is nothing to grant.

    Attributes:
        open: The requests in progress, by number.
    """

    stem: ClassVar[str] = "serve"
    quiet: ClassVar[frozenset[str]] = frozenset({"closed", "lost"})

    def __init__(self, after_turn: Callable[[Callable[[], object]], None]) -> None:
        """Make the capability.

        Args:
            after_turn: Has something done after the turn, on the thread that owns the loop.
        """
        super().__init__()
        self.open: dict[int, Served] = {}
        self._after_turn = after_turn
        self._sockets: ServerSockets | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {
            "respond": self._respond,
            "read": self._read,
            "write": self._write,
            "closed": self._closed,
            "send": self._send,
            "close": self._close,
            "lost": self._lost,
        }

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """See `Capability`: a response as a program makes it, after the number of the request."""
        if operation != "respond":
            return arguments
        number, status, text, headers, body = arguments
        fields: dict[str, str] = {}
        for name, value in zip(headers[::2], headers[1::2], strict=True):
            key = name.lower()
            fields[key] = f"{fields[key]}, {value}" if key in fields else value
        return [number, {"status": status, "statusText": text, "headers": fields, "body": body}]

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: of a body that is read, the chunk."""
        return answer[0] if operation == "read" else answer

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`. Requests in progress are undone by their runs."""
        return self.sockets.checkpoint()

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: the other side of a request that was in progress, or of a WebSocket, is gone."""
        return {"read": ConnectionAbortedError(_LEFT_BEHIND), "write": False}.get(operation)

    def close(self) -> None:
        """See `Capability`."""
        self.open.clear()

    def begin(self, *, may_upgrade: bool = False) -> Served:
        """Begin a request; `end` follows."""
        from sandbox.serve.served import Served  # most programs serve nothing

        served = Served(next(self._numbers), may_upgrade=may_upgrade)
        self.open[served.number] = served
        return served

    def end(self, served: Served, error: BaseException | None, value: object = None) -> None:
        """The run of a request has ended."""
        self.open.pop(served.number, None)
        served.end(error, value)

    @property
    def sockets(self) -> ServerSockets:
        """The WebSockets of this sandbox."""
        if self._sockets is None:
            from sandbox.serve.sockets import ServerSockets

            self._sockets = ServerSockets(self._after_turn)
        return self._sockets

    # --- operations ---

    def _respond(self, *arguments: object) -> None:
        from sandbox.http import Response
        from sandbox.serve.served import UPGRADED, Head

        number, status, text, headers, body = checked_parts(arguments, 5)
        if isinstance(status, bool) or not isinstance(status, int) or not isinstance(text, str):
            raise Malformed("a response has a status and a text")
        if not isinstance(headers, list) or len(headers) % 2 or not all(isinstance(part, str) for part in headers):
            raise Malformed("headers are names and values")
        if body is not None and body is not True and not isinstance(body, bytes):
            raise Malformed("a body is bytes, or a stream")
        served = self.open.get(checked_number(number))
        if served is None or served.is_aborted:
            return  # nobody wants it
        try:
            pairs = zip(headers[::2], headers[1::2], strict=True)
            checked = Response(200 if status == UPGRADED else status, pairs, status_text=text)
            served.respond(Head(status, text, checked.header_pairs, None if body is True else body or b""))
        except ValueError as error:
            raise Malformed(str(error)) from None
        if status == UPGRADED:
            self.sockets.open(served.number)
        if status == UPGRADED or body is True:
            self._after_turn(served.notify)

    def _read(self, number: object) -> Later:
        served = self._find(number)
        return Later(served.read, served.stop_reading)

    def _write(self, number: object, chunk: object) -> Later:
        if chunk is not None and not isinstance(chunk, bytes):
            raise TypeError("a chunk of a body must be bytes")
        served = self._find(number)
        return Later(lambda answer: served.write(chunk, answer), served.stop_writing)

    def _closed(self, number: object) -> Later:
        served = self._find(number)
        return Later(served.watch, served.stop_watching, holds_time=False)

    def _send(self, number: object, message: object) -> int:
        if not isinstance(message, str | bytes):
            raise TypeError("a message must be text or bytes")
        socket = self.sockets.find(checked_number(number))
        return 0 if socket is None else socket.send(message)

    def _close(self, *arguments: object) -> None:
        number, code, reason = checked_parts(arguments, 3)
        if isinstance(code, bool) or not isinstance(code, int) or not 1000 <= code <= 4999:
            raise Malformed("a WebSocket is closed with a code")
        if not isinstance(reason, str) or len(reason.encode("utf-8", "replace")) > 123:
            raise Malformed("a WebSocket is closed with a short reason")
        if (socket := self.sockets.find(checked_number(number))) is not None:
            socket.close(code, reason)

    def _lost(self) -> Later:
        return Later(_ignore, _nothing, holds_time=False, outlives_run=True)

    def _find(self, number: object) -> Served:
        served = self.open.get(checked_number(number))
        if served is None:
            raise LookupError("the request is over")
        return served


def _ignore(_answer: Callable[[Any], None]) -> None:
    """There is no answer in this life."""


def _nothing() -> None:
    """Nothing was begun."""
