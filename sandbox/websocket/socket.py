"""One WebSocket of a guest, from its connection to its end.

A task of its own connects, then two of them read and write, since what a connection is belongs to the task that entered
it. The guest asks one question at a time, `receive`, which is answered by all that has come; what it sends it says.
It knows how much it may have on the way, and the answers tell how much of that has gone. So a guest that reads nothing
and a server that reads nothing both cost a bounded amount.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import anyio

from sandbox.network.tasks import Signal
from sandbox.websocket.failures import ABNORMAL, FAILED, NoConnection

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL
    from sandbox.websocket.connections import Connection, Connector
    from sandbox.websocket.grant import WebSockets

# What a message costs beside its bytes where it waits; the guest counts it as well.
MESSAGE_BYTES: Final = 128
# After what was sent has gone, the guest is told so with the next message, or when none has come for so long.
_TELL_SECONDS: Final = 0.005
# How long the news of a lost connection may take from the one direction to the other, and a farewell.
_LINGER_SECONDS: Final = 1.0
_MOST_TOGETHER: Final = 64
_TOO_BIG: Final = 1009
_GOING_AWAY: Final = 1001


class Socket:
    """A WebSocket in use. All of it happens on the event loop, but for what is said in a turn.

    Attributes:
        number: See `sandbox.network.tasks.Open`.
        used: Likewise.
        is_undone: Likewise.
        must_wake: Whether `wake` must be called for what was said.
    """

    must_wake: bool

    def __init__(self, number: int, grant: WebSockets, connector: Connector, url: WebURL, protocols: list[str]) -> None:
        self.number = number
        self.used = 0
        self.is_undone = self.must_wake = False
        self._grant = grant
        self._connector = connector
        self._url = url
        self._protocols = protocols
        self._scope = anyio.CancelScope()
        self._told, self._room, self._said = Signal(), Signal(), Signal()
        self._head: tuple[str, str] | None = None
        self._failure: BaseException | None = None
        self._end: tuple[bool, int, str] | None = None  # whether it was clean, code, reason
        self._has_failed = self._is_leaving = False
        self._incoming: deque[str | bytes] = deque()
        self._incoming_bytes = 0
        self._outgoing: deque[str | bytes] = deque()
        # Of the guest's messages: bytes of those it has said, that have gone, and that it knows to have gone.
        self._said_bytes = self._sent_bytes = self._sent_messages = 0
        self._known_bytes = self._known_messages = 0
        self._close: tuple[Any, ...] | None = None

    # --- what the guest asks ---

    async def begin(self) -> tuple[str, str]:
        """Wait until there is a connection: its subprotocol and extensions.

        Raises:
            NoConnection: There is none.
            BaseException: What a function of the embedder raised.
        """
        while self._head is None:
            if self._failure is not None:
                raise self._failure
            if self._end is not None:
                raise NoConnection(FAILED)
            await self._told.wait()
        return self._head

    async def receive(self) -> list[Any] | None:
        """Wait for something new: bytes and messages that have gone, those that have come, and the end.

        Returns:
            None: The socket is not the guest's any more.
        """
        half = self._grant.max_queued_bytes // 2
        while not (self._incoming or self._end is not None):
            untold = self._sent_bytes - self._known_bytes
            if untold > half:
                break
            with anyio.move_on_after(None if not untold or self._outgoing else _TELL_SECONDS) as scope:
                await self._told.wait()
            if scope.cancelled_caught:
                break
        if self.is_undone:
            return None
        sent = self._sent_bytes, self._sent_messages
        gone = [sent[0] - self._known_bytes, sent[1] - self._known_messages]
        self._known_bytes, self._known_messages = sent
        messages = list(self._incoming)
        self._incoming.clear()
        self._incoming_bytes = 0
        self._room.set()
        return [*gone, messages, self._end]

    def is_done(self) -> bool:
        """Whether there is nothing left to ask for."""
        return self._end is not None and not self._incoming

    def cancel(self) -> None:
        """Nobody is interested any more."""
        self._scope.cancel()

    def pass_over(self, message: str | bytes) -> None:
        """A message of the guest is not sent, and counts as gone."""
        self._known_bytes -= weight_of(message)
        self._known_messages -= 1
        self._told.set()

    def wake(self) -> None:
        """Attend to what was said in the turn that is over."""
        self.must_wake = False
        self._said.set()
        self._room.set()

    # --- what it says; in a turn ---

    def say(self, message: str | bytes) -> bool:
        """Take a message of the guest; whether `wake` must be called after the turn."""
        size = weight_of(message)
        queued = self._said_bytes - self._sent_bytes
        self._said_bytes += size
        if self._close is None and not self._has_failed:
            if size - MESSAGE_BYTES > self._grant.max_message_bytes or (
                queued and queued + size > self._grant.max_queued_bytes
            ):
                self._has_failed = True  # as the standard says of a full buffer
            else:
                self._outgoing.append(message)
        return self._rouse()

    def leave(self) -> bool:
        """Nothing that comes is of interest any more, and what is still said should go without delay; likewise."""
        self._is_leaving = True
        return self._rouse()

    def close(self, *close: Any) -> bool:  # noqa: ANN401 - code and reason, or nothing
        """Begin the closing handshake after what was said before; likewise."""
        self._is_leaving = True
        if self._close is None:
            self._close = close
        return self._rouse()

    def _rouse(self) -> bool:
        must_wake, self.must_wake = not self.must_wake, True
        return must_wake

    # --- the tasks ---

    async def run(self) -> None:
        """Take all steps."""
        try:
            with self._scope:
                await self._run()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            self._failure = error
            if self._head is not None and not isinstance(error, Exception):
                raise
        finally:
            self._end = self._end or (False, ABNORMAL, "")
            self._outgoing.clear()
            self._told.set()

    async def _run(self) -> None:
        self._scope.deadline = anyio.current_time() + self._grant.timeout
        async with self._connector.connect(self._url, self._protocols) as connection:
            self._scope.deadline = math.inf
            self._head = (connection.subprotocol or "", getattr(connection, "extensions", ""))
            self._told.set()
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch)
                    tasks.start_soon(self._write, connection, tasks.cancel_scope)
                    await self._read(connection)
                    tasks.cancel_scope.cancel()
            finally:
                await self._part(connection)

    async def _read(self, connection: Connection) -> None:
        most = self._grant.max_queued_bytes
        while not self._has_failed:
            try:
                message = await connection.recv()
                size = weight_of(message)
            except Exception:  # noqa: BLE001 - however it has ended
                break
            if size - MESSAGE_BYTES > self._grant.max_message_bytes:
                self._has_failed = True
                await connection.close(_TOO_BIG)
                break
            while not self._is_leaving and self._incoming and self._incoming_bytes + size > most:
                await self._room.wait()
            if not self._is_leaving:  # else nobody listens any more
                self._incoming.append(message)
                self._incoming_bytes += size
                self._told.set()
        code = connection.close_code
        if self._has_failed or code is None or code == ABNORMAL:
            self._end = (False, ABNORMAL, "")
        else:
            self._end = (True, code, connection.close_reason or "")

    async def _write(self, connection: Connection, reading: anyio.CancelScope) -> None:
        try:
            await self._send_all(connection)
            if not self._has_failed:
                await connection.close(*self._close or ())
                return
        except Exception:  # noqa: BLE001 - who reads finds out why; or there is nothing to be read
            await anyio.sleep(_LINGER_SECONDS)
        reading.cancel()

    async def _send_all(self, connection: Connection) -> None:
        """Send what the guest says, until it leaves or says too much."""
        send_several: Callable[[Sequence[str | bytes]], Any] | None = getattr(connection, "send_several", None)
        while not self._has_failed:
            if self._outgoing:
                count = min(len(self._outgoing), _MOST_TOGETHER) if send_several is not None else 1
                messages = [self._outgoing.popleft() for _ in range(count)]
                await (connection.send(messages[0]) if send_several is None else send_several(messages))
                self._sent_messages += count
                self._sent_bytes += sum(map(weight_of, messages))
                self._told.set()
            elif self._close is not None:
                return
            else:
                await self._said.wait()

    async def _watch(self) -> None:
        """End what the guest has forgotten, and what makes no progress after it has left."""
        sent, waited = -1, 0.0
        step = min(self._grant.timeout, _LINGER_SECONDS)
        while True:
            await anyio.sleep(step)
            waited = waited + step if self._is_leaving and sent == self._sent_bytes else 0.0
            sent = self._sent_bytes
            if self.is_undone or waited >= self._grant.timeout:
                self._scope.cancel()

    async def _part(self, connection: Connection) -> None:
        """Say farewell to a connection that the guest has not closed."""
        self._room.set()
        if self._end is None or self._has_failed:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_LINGER_SECONDS):
                try:
                    await connection.close(_GOING_AWAY)
                except Exception:  # noqa: BLE001 - whatever it is, it has ended
                    return


def weight_of(message: str | bytes) -> int:
    """What a message counts where it waits.

    Raises:
        TypeError: It is none.
    """
    if isinstance(message, str):
        return MESSAGE_BYTES + (len(message) if message.isascii() else len(message.encode("utf-8", "surrogatepass")))
    if isinstance(message, bytes):
        return MESSAGE_BYTES + len(message)
    raise TypeError(f"a message must be str or bytes, not {type(message).__name__}")
