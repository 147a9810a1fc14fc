"""The host's half of the guest's server WebSockets: what is to be sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

# Beyond that a socket tells the program that it waits, and nothing more is taken for all of them.
HIGH_WATER_BYTES: Final = 1 << 20
MOST_QUEUED_BYTES: Final = 16 << 20
# A message weighs more than its text.
_MESSAGE_BYTES: Final = 100

SENT_LATER: Final = -1
NO_ROOM: Final = -2
GONE: Final = 0


class ServerSocket:
    """A WebSocket of the guest. `send` and `close` are called in turns, all else on the event loop.

    Attributes:
        number: What the guest calls it.
        closing: Code and reason, once the guest wants it closed.
        is_lost: Whether the guest knows nothing of it any more, after a rollback.
        notify: Called on the loop after a turn that has sent something.
    """

    is_lost: bool

    def __init__(self, number: int, sockets: ServerSockets) -> None:
        """Make one; see `ServerSockets.open`."""
        self.number = number
        self.closing: tuple[int, str] | None = None
        self.is_lost = False
        self.notify: Callable[[], object] = _nobody
        self._sockets = sockets
        self._outbox: deque[str | bytes] = deque()
        # Each is written by one thread only.
        self._sent_bytes = self._taken_bytes = 0
        self._is_rung = self._was_full = False

    @property
    def queued_bytes(self) -> int:
        """What waits to be sent, about."""
        return self._sent_bytes - self._taken_bytes

    def send(self, message: str | bytes) -> int:
        """Queue a message; its length, or one of the constants above."""
        if self.closing is not None or self.is_lost:
            return GONE
        weight = len(message) + _MESSAGE_BYTES
        if not self._sockets.has_room(weight):
            self._was_full = True
            return NO_ROOM
        self._sockets.sent_bytes += weight
        self._sent_bytes += weight
        self._outbox.append(message)
        self._ring()
        if self.queued_bytes > HIGH_WATER_BYTES:
            self._was_full = True
            return SENT_LATER
        return len(message) or 1

    def close(self, code: int, reason: str) -> None:
        """Close it when all is sent."""
        if self.closing is None:
            self.closing = code, reason
            self._ring()

    def lose(self) -> None:
        """The guest has forgotten it; between turns, any thread."""
        self.is_lost = True
        self._ring()

    def _ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            self._sockets.after_turn(self._tell)

    def _tell(self) -> None:
        self._is_rung = False
        self.notify()

    def take(self) -> str | bytes | None:
        """The next message to send; None: there is none."""
        if not self._outbox:
            return None
        message = self._outbox.popleft()
        weight = len(message) + _MESSAGE_BYTES
        self._taken_bytes += weight
        self._sockets.taken_bytes += weight
        return message

    def has_drained(self) -> bool:
        """Whether there is room again, after there was none; true once."""
        if not self._was_full or self._outbox:
            return False
        self._was_full = False
        return True

    def drop(self) -> None:
        """It is closed: what was not sent never will be."""
        while self.take() is not None:
            pass
        self._sockets.forget(self)


class ServerSockets:
    """Those of one sandbox."""

    def __init__(self, after_turn: Callable[[Callable[[], object]], None]) -> None:
        """Begin with none; `after_turn` has something done on the event loop after the turn."""
        self.after_turn = after_turn
        self.sent_bytes = self.taken_bytes = 0
        self._open: dict[int, ServerSocket] = {}

    def open(self, number: int) -> ServerSocket:
        """The request of this number has become a WebSocket."""
        socket = self._open[number] = ServerSocket(number, self)
        return socket

    def find(self, number: int) -> ServerSocket | None:
        """The one of this number, if it is open."""
        return self._open.get(number)

    def forget(self, socket: ServerSocket) -> None:
        """It is closed."""
        self._open.pop(socket.number, None)

    def has_room(self, weight: int) -> bool:
        """Whether that much more may wait; one message always may."""
        queued = self.sent_bytes - self.taken_bytes
        return queued == 0 or queued + weight <= MOST_QUEUED_BYTES

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability.checkpoint`: what has become a WebSocket since, the guest will know nothing of."""
        known = set(self._open)

        def undo() -> None:
            for number, socket in self._open.copy().items():
                if number not in known:
                    socket.lose()

        return undo


def _nobody() -> None:
    """Nobody sends yet."""
