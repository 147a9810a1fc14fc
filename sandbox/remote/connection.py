"""One connection's state, without input or output: bytes come in and become events, commands become bytes to send.

Both sides use it, the daemon on each of its two sides. It knows nothing of sandboxes: there are requests in both
directions, their answers, and bodies, which are streams with a window when they are long.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Literal, NoReturn

from sandbox._records import field, record
from sandbox.remote.errors import ProtocolError
from sandbox.remote.events import (
    Answered,
    Asked,
    Body,
    Cancelled,
    Ended,
    Event,
    Failed,
    Granted,
    Greeted,
    Noticed,
    Ponged,
    Received,
    Refused,
    Reset,
    Stream,
)
from sandbox.remote.protocol import (
    INLINE_BYTES,
    LENGTH,
    MAX_BODY_BYTES,
    MAX_FRAME_BYTES,
    MAX_GREETING_BYTES,
    MAX_NONCE_BYTES,
    MAX_NUMBER,
    MAX_REQUESTS,
    MAX_STREAMS,
    MAX_TEXT,
    REASONS,
    VERSION,
    WINDOW_BYTES,
    Code,
    Kind,
    pack,
    unpack,
)

Role = Literal["client", "server"]


@record(slots=True)
class _Sending:
    """A stream of ours: what waits for a window, and what was not given yet."""

    left: int
    window: int = WINDOW_BYTES
    waiting: deque[memoryview] = field(default_factory=deque)


@record(slots=True)
class _Receiving:
    """A stream of theirs."""

    left: int
    window: int = WINDOW_BYTES


class Connection:
    """The state of one connection. Not thread-safe.

    Attributes:
        state: `greeting`, `open` or `closed`.
        max_body_bytes: The longest body that this side takes.
        peer_body_bytes: The longest body that the other side takes.
    """

    def __init__(self, role: Role, *, max_body_bytes: int = MAX_BODY_BYTES, max_open_bytes: int = MAX_NUMBER) -> None:
        """Begin; a client goes on with `hello`.

        Args:
            role: Which side this is.
            max_body_bytes: The longest body to take.
            max_open_bytes: The bodies of all requests to take that have no answer yet.
        """
        self.state: Literal["greeting", "open", "closed"] = "greeting"
        self.max_body_bytes = max_body_bytes
        self.peer_body_bytes: int = MAX_BODY_BYTES
        self._role = role
        self._was_greeted = False
        self._incoming = bytearray()
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        # Streams of clients have odd numbers, those of servers even ones, so that a number says whose it is.
        self._parity = 1 if role == "client" else 0
        self._next_request, self._next_stream = 1, 2 - self._parity
        self._last_request, self._last_stream = 0, 0
        self._max_open_bytes, self._peer_open_bytes = max_open_bytes, MAX_NUMBER
        # Requests without an answer, and the sizes of their bodies.
        self._ours: dict[int, int] = {}
        self._theirs: dict[int, int] = {}
        self._ours_bytes = self._theirs_bytes = 0
        self._sending: dict[int, _Sending] = {}
        self._receiving: dict[int, _Receiving] = {}

    # --- bytes in ---

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes as they came, in whatever pieces; returns what they say.

        Bytes that no peer sends end in a `Failed`, after which nothing more is taken.
        """
        if self.state == "closed":
            return []
        self._incoming += data
        events: list[Event] = []
        try:
            self._read_all(events)
        except ProtocolError as error:
            events.append(Failed(error))
        return events

    def _read_all(self, events: list[Event]) -> None:
        at, buffer = 0, self._incoming
        while self.state != "closed" and len(buffer) - at >= LENGTH.size:
            (size,) = LENGTH.unpack_from(buffer, at)
            if size > (MAX_FRAME_BYTES if self.state == "open" else MAX_GREETING_BYTES):
                self._fail(Code.TOO_LARGE, f"a frame of {size:,} bytes")
            if len(buffer) - at - LENGTH.size < size:
                break
            frame = bytes(memoryview(buffer)[at + LENGTH.size : at + LENGTH.size + size])
            at += LENGTH.size + size
            if (event := self._read(frame)) is not None:
                events.append(event)
        del buffer[:at]

    def _read(self, frame: bytes) -> Event | None:
        try:
            message = unpack(frame)
        except ValueError:
            self._fail(Code.MALFORMED)
        if type(message) is not list or not message or type(message[0]) is not int:
            self._fail(Code.MALFORMED, "a message is a list that begins with its kind")
        try:
            read, types = _READERS[message[0]]
        except KeyError:
            self._fail(Code.MALFORMED, "there is no such kind of message")
        if len(message) != 1 + len(types) or not all(map(isinstance, message[1:], types)):
            self._fail(Code.MALFORMED, f"this is no {Kind(message[0]).name}")
        for item in message[1:]:
            if isinstance(item, int) and (isinstance(item, bool) or not 0 <= item <= MAX_NUMBER):
                self._fail(Code.MALFORMED, "a number is out of range")
        if (self.state == "greeting") != (message[0] in (Kind.HELLO, Kind.WELCOME)) and message[0] != Kind.CLOSE:
            self._fail(Code.UNEXPECTED, f"no {Kind(message[0]).name} may come here")
        event: Event | None = read(self, *message[1:])
        return event

    def _on_hello(self, facts: dict[str, Any]) -> Event:
        if self._role != "server" or self._was_greeted:
            self._fail(Code.UNEXPECTED)
        self._was_greeted = True
        versions = facts.get("versions")
        if not isinstance(versions, list) or VERSION not in versions:
            self._fail(Code.VERSION, f"this side speaks version {VERSION} of the protocol")
        self._take_bound(facts)
        return Greeted(facts)

    def _on_welcome(self, facts: dict[str, Any]) -> Event:
        if self._role != "client" or not self._was_greeted or facts.get("version") != VERSION:
            self._fail(Code.UNEXPECTED)
        self._take_bound(facts)
        self.state = "open"
        return Greeted(facts)

    def _take_bound(self, facts: dict[str, Any]) -> None:
        bound = facts.get("max_body_bytes")
        if not isinstance(bound, int) or isinstance(bound, bool) or not 0 <= bound <= MAX_NUMBER:
            self._fail(Code.MALFORMED, "max_body_bytes is missing")
        self.peer_body_bytes = bound
        together = facts.get("max_open_bytes", MAX_NUMBER)
        if not isinstance(together, int) or isinstance(together, bool) or not 0 <= together <= MAX_NUMBER:
            self._fail(Code.MALFORMED, "max_open_bytes is no number")
        self._peer_open_bytes = together

    def _on_request(self, number: int, method: str, parameters: dict[str, Any], body: Any) -> Event:  # noqa: ANN401 - checked
        if number <= self._last_request:
            self._fail(Code.UNEXPECTED, "numbers of requests only grow")
        if len(self._theirs) >= MAX_REQUESTS:
            self._fail(Code.TOO_MANY, "too many requests at one time")
        self._last_request = number
        given = self._body(body)
        size = _size_of(given)
        if self._theirs_bytes + size > self._max_open_bytes:
            self._fail(Code.TOO_MANY, "too many bytes at one time")
        self._theirs[number] = size
        self._theirs_bytes += size
        return Asked(number, method, parameters, given)

    def _on_result(self, number: int, result: dict[str, Any], body: Any) -> Event:  # noqa: ANN401 - checked
        self._settle(number)
        return Answered(number, result, self._body(body))

    def _on_error(self, number: int, code: int, text: str, detail: dict[str, Any]) -> Event:
        self._settle(number)
        return Refused(number, code, text, detail)

    def _settle(self, number: int) -> None:
        if number not in self._ours:
            self._fail(Code.UNEXPECTED, "an answer to no request")
        self._ours_bytes -= self._ours.pop(number)

    def _on_cancel(self, number: int) -> Event | None:
        return Cancelled(number) if number in self._theirs else None  # it may have been answered meanwhile

    def _body(self, body: Any) -> Body:  # noqa: ANN401 - checked here
        if body is None:
            return None
        if type(body) is bytes:
            if len(body) > INLINE_BYTES:
                self._fail(Code.TOO_LARGE, "a body that should be a stream")
            return body
        if type(body) is not list or len(body) != 2 or not all(type(each) is int for each in body):
            self._fail(Code.MALFORMED, "this is no body")
        number, size = body
        if number <= self._last_stream or number % 2 == self._parity or not 0 < size <= MAX_NUMBER:
            self._fail(Code.UNEXPECTED, "numbers of streams only grow, and none is empty")
        if size > self.max_body_bytes:
            self._fail(Code.TOO_LARGE, f"a body of {size:,} bytes")
        if len(self._receiving) >= MAX_STREAMS:
            self._fail(Code.TOO_MANY, "too many streams at one time")
        self._last_stream = number
        self._receiving[number] = _Receiving(size)
        return Stream(number, size)

    def _on_data(self, number: int, data: bytes) -> Event | None:
        receiving = self._receiving.get(number)
        if receiving is None:
            if number > self._last_stream or number % 2 == self._parity:
                self._fail(Code.UNEXPECTED, "data of no stream")
            return None  # one that was reset
        if not data or len(data) > min(receiving.left, receiving.window):
            self._fail(Code.OVERRUN)
        receiving.left -= len(data)
        receiving.window -= len(data)
        if not receiving.left:
            del self._receiving[number]
        return Received(number, data, not receiving.left)

    def _on_credit(self, number: int, size: int) -> Event | None:
        sending = self._sending.get(number)
        if sending is None:
            if number >= self._next_stream or number % 2 != self._parity:
                self._fail(Code.UNEXPECTED, "credit for no stream")
            return None
        sending.window += size
        if not size or sending.window > WINDOW_BYTES:
            self._fail(Code.OVERRUN, "a window became larger than it may be")
        self._flush(number, sending)
        return Granted(number, size)

    def _on_reset(self, number: int) -> Event | None:
        if number % 2 == self._parity:
            if number >= self._next_stream:
                self._fail(Code.UNEXPECTED, "a reset of no stream")
            return Reset(number, True) if self._sending.pop(number, None) is not None else None
        if number > self._last_stream:
            self._fail(Code.UNEXPECTED, "a reset of no stream")
        return Reset(number, False) if self._receiving.pop(number, None) is not None else None

    def _on_ping(self, nonce: bytes) -> None:
        if len(nonce) > MAX_NONCE_BYTES:
            self._fail(Code.MALFORMED, "a nonce is too long")
        self._send(Kind.PONG, nonce)

    def _on_pong(self, nonce: bytes) -> Event:
        return Ponged(nonce)

    def _on_notice(self, name: str, facts: dict[str, Any]) -> Event:
        return Noticed(name, facts)

    def _on_close(self, code: int, text: str) -> Event:
        self.state = "closed"
        return Ended(code, text)

    def _fail(self, code: Code, text: str = "") -> NoReturn:
        what = REASONS[code].text
        self.close(code, text)
        raise ProtocolError(f"{what}: {text}" if text else what, code.name)

    # --- commands ---

    def hello(self, facts: dict[str, Any]) -> None:
        """As a client: greet, with further facts such as a token."""
        assert self._role == "client"
        assert not self._was_greeted
        self._was_greeted = True
        self._send(Kind.HELLO, {"versions": [VERSION], "max_body_bytes": self.max_body_bytes, **facts})

    def welcome(self, facts: dict[str, Any]) -> None:
        """As a server: answer a greeting."""
        assert self._role == "server"
        assert self._was_greeted
        assert self.state == "greeting"
        if self._max_open_bytes < MAX_NUMBER:
            facts = {"max_open_bytes": self._max_open_bytes, **facts}
        self._send(Kind.WELCOME, {"version": VERSION, "max_body_bytes": self.max_body_bytes, **facts})
        self.state = "open"

    def request(self, method: str, parameters: dict[str, Any], body: bytes | int | None = None) -> int:
        """Ask for something; returns the number of the request.

        Args:
            method: What for.
            parameters: With which.
            body: Bytes that go along; or how many there will be, to be given by `push`.

        Raises:
            ValueError: The other side takes no body as long, the parameters fit in no frame, or too much is open.
        """
        if len(self._ours) >= MAX_REQUESTS:
            raise ValueError("too many requests are open")
        size = body if isinstance(body, int) else len(body or b"")
        if self._ours_bytes + size > self._peer_open_bytes:
            raise ValueError(f"the other side takes {self._peer_open_bytes:,} bytes at one time")
        number = self._next_request
        stream = self._send_with_body([Kind.REQUEST, number, method, parameters], body)
        self._next_request = number + 1
        self._ours[number] = size
        self._ours_bytes += size
        self._begin(stream, body)
        return number

    def answer(self, number: int, result: dict[str, Any], body: bytes | int | None = None) -> None:
        """Answer a request of the other side's; `body` and errors as for `request`."""
        assert number in self._theirs
        stream = self._send_with_body([Kind.RESULT, number, result], body)
        self._theirs_bytes -= self._theirs.pop(number)
        self._begin(stream, body)

    def refuse(self, number: int, code: int, text: str = "", detail: dict[str, Any] | None = None) -> None:
        """Answer a request of the other side's with an error."""
        self._theirs_bytes -= self._theirs.pop(number)
        self._send(Kind.ERROR, number, int(code), text[:MAX_TEXT], detail or {})

    def cancel(self, number: int) -> None:
        """Say that an answer is no longer wanted; it comes all the same. Idempotent."""
        if number in self._ours:
            self._send(Kind.CANCEL, number)

    def last_stream(self) -> int:
        """The number of the stream that was begun last."""
        return self._next_stream - 2

    def push(self, stream: int, data: bytes) -> None:
        """Give a piece of a stream's bytes; what does not fit its window waits. Of a stream that was reset: nothing."""
        sending = self._sending.get(stream)
        if sending is not None and data:
            sending.waiting.append(memoryview(data))
            self._flush(stream, sending)

    def grant(self, stream: int, size: int) -> None:
        """Ask for as much more of a stream of the other side's as was taken of it."""
        receiving = self._receiving.get(stream)
        if receiving is not None and size:
            receiving.window += size
            self._send(Kind.CREDIT, stream, size)

    def reset(self, stream: int) -> None:
        """End a stream of either side in the middle; idempotent."""
        table = self._sending if stream % 2 == self._parity else self._receiving
        if table.pop(stream, None) is not None:
            self._send(Kind.RESET, stream)

    def ping(self, nonce: bytes) -> None:
        """Ask for a sign of life."""
        self._send(Kind.PING, nonce)

    def notice(self, name: str, facts: dict[str, Any]) -> None:
        """Tell something."""
        self._send(Kind.NOTICE, name, facts)

    def close(self, code: Code, text: str = "") -> None:
        """End the connection; idempotent."""
        if self.state != "closed":
            self._send(Kind.CLOSE, int(code), (text or REASONS[code].text)[:MAX_TEXT])
            self.state = "closed"
            self._incoming.clear()
            self._sending.clear()

    # --- bytes out ---

    @property
    def unread_bytes(self) -> int:
        """What has come of a frame that is not whole yet."""
        return len(self._incoming)

    @property
    def outgoing_bytes(self) -> int:
        """What there is to send."""
        return self._outgoing_bytes

    def take(self) -> bytes:
        """What there is to send, once."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self._outgoing_bytes = 0
        return data

    def _send(self, *message: Any) -> None:  # noqa: ANN401 - plain data
        if self.state != "closed":
            self._put(pack([*message]))

    def _put(self, frame: bytes) -> None:
        self._outgoing.append(frame)
        self._outgoing_bytes += len(frame)

    def _send_with_body(self, message: list[Any], body: bytes | int | None) -> int:
        """Send a message; returns the number of the stream that it begins, or 0."""
        size = body if isinstance(body, int) else len(body) if body is not None else 0
        if isinstance(body, int) or size > INLINE_BYTES:
            if size > self.peer_body_bytes:
                raise ValueError(f"the other side takes {self.peer_body_bytes:,} bytes at most, not {size:,}")
            if len(self._sending) >= MAX_STREAMS:
                raise ValueError("too many streams are open")
            self._send(*message, [self._next_stream, size])
            self._next_stream += 2
            return self._next_stream - 2
        self._send(*message, body)
        return 0

    def _begin(self, stream: int, body: bytes | int | None) -> None:
        if not stream or self.state == "closed":
            return
        self._sending[stream] = sending = _Sending(body if isinstance(body, int) else len(body or b""))
        if isinstance(body, bytes):
            sending.waiting.append(memoryview(body))
            self._flush(stream, sending)

    def _flush(self, number: int, sending: _Sending) -> None:
        while sending.waiting and sending.window:
            view = sending.waiting[0]
            size = min(len(view), sending.window, INLINE_BYTES)
            self._send(Kind.DATA, number, bytes(view[:size]))
            sending.window -= size
            sending.left -= size
            if size == len(view):
                sending.waiting.popleft()
            else:
                sending.waiting[0] = view[size:]
        assert sending.left >= 0
        if not sending.left:
            del self._sending[number]


def _size_of(body: Body) -> int:
    return body.size if isinstance(body, Stream) else len(body or b"")


_ANY: Final = object
_READERS: Final[dict[int, tuple[Any, tuple[Any, ...]]]] = {
    Kind.HELLO: (Connection._on_hello, (dict,)),
    Kind.WELCOME: (Connection._on_welcome, (dict,)),
    Kind.REQUEST: (Connection._on_request, (int, str, dict, _ANY)),
    Kind.RESULT: (Connection._on_result, (int, dict, _ANY)),
    Kind.ERROR: (Connection._on_error, (int, int, str, dict)),
    Kind.CANCEL: (Connection._on_cancel, (int,)),
    Kind.DATA: (Connection._on_data, (int, bytes)),
    Kind.CREDIT: (Connection._on_credit, (int, int)),
    Kind.RESET: (Connection._on_reset, (int,)),
    Kind.PING: (Connection._on_ping, (bytes,)),
    Kind.PONG: (Connection._on_pong, (bytes,)),
    Kind.NOTICE: (Connection._on_notice, (str, dict)),
    Kind.CLOSE: (Connection._on_close, (int, str)),
}
