"""Bodies, put together again from the pieces of their streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.remote.events import Answered, Asked, Event, Received, Refused, Reset, Stream
from sandbox.remote.protocol import REASONS, Code

if TYPE_CHECKING:
    from sandbox.remote.connection import Connection


class Bodies:
    """Gives the events of a connection with whole bodies, and asks for more of what is taken."""

    def __init__(self, connection: Connection) -> None:
        """Begin with none."""
        self._connection = connection
        self._open: dict[int, tuple[Asked | Answered, bytearray]] = {}

    def take(self, event: Event) -> Iterator[Event]:
        """What there is to hear of an event: at once, later, or never if its body breaks off."""
        if isinstance(event, Asked | Answered) and isinstance(event.body, Stream):
            self._open[event.body.number] = event, bytearray()
        elif isinstance(event, Received) and event.stream in self._open:
            begun, data = self._open[event.stream]
            data += event.data
            if event.is_last:
                del self._open[event.stream]
                yield replace(begun, body=bytes(data))
            else:
                self._connection.grant(event.stream, len(event.data))
        elif isinstance(event, Reset) and not event.is_ours and event.stream in self._open:
            begun, _ = self._open.pop(event.stream)
            if isinstance(begun, Asked):
                yield replace(begun, method="", body=None)  # there is no such method, and so it is answered
            else:
                yield Refused(begun.number, int(Code.WORKER_LOST), REASONS[Code.WORKER_LOST].text, {})
        else:
            yield event
