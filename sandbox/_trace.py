"""What is written down of one run while it goes on. Bounded: what is more is counted, and said to be missing."""

from __future__ import annotations

import struct
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox._abi import CAP_TRACED_LINES, Evaluation, Op
from sandbox._brief import brief
from sandbox._records import record, replace
from sandbox.calls import payload_bytes
from sandbox.context import copied
from sandbox.errors import GuestProtocolError
from sandbox.trace import CallEvent, CommentEvent, ConsoleEvent, Event, TraceOption
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._events import Told
    from sandbox._instance import Instance
    from sandbox.calls import Call

MOST_EVENTS: Final = 10_000
MOST_BYTES: Final = 4 << 20
MOST_NAMES: Final = 10_000
_KEPT_BYTES: Final = 64 << 10  # of the values of one call; what is larger is kept as a short text
_EVENT_BYTES: Final = 300
_EXECUTED: Final = struct.Struct("<III")
MOST_EXECUTED_BYTES: Final = 4 * CAP_TRACED_LINES * _EXECUTED.size
TRACE_OPTIONS: Final[frozenset[TraceOption]] = frozenset({"console", "calls", "variables", "lines", "comments"})
_FLAGS: Final[Mapping[TraceOption, int]] = {
    "console": Evaluation.PLACES,
    "calls": Evaluation.PLACES,
    "variables": Evaluation.NAMES,
    "lines": Evaluation.LINES,
    "comments": Evaluation.COMMENTS,
}


@record(frozen=True, slots=True)
class Place:
    """Where in the program, and when, something of the next events is done."""

    line: int
    file: str
    time: float


class Trace:
    """What is told of a run. The thread of the turn writes it; it is read when the run is over.

    Attributes:
        ops: See `CallLog`: every call is written down.
        names: The variables that the script declares.
        began: When the run did, in seconds since the epoch.
        dropped: Events for which there was no room.
    """

    ops: ClassVar[tuple[str, ...]] = ("*",)

    def __init__(self, options: Collection[TraceOption]) -> None:
        """Begin one.

        Args:
            options: What is written down.
        """
        self.options: frozenset[TraceOption] = frozenset(options)
        self.names: list[str] = []
        self.dropped: int = 0
        self._code = ""
        self._text: bytes | None = None
        self._events: list[Event] = []
        self._open: dict[int, int] = {}
        self._bytes = 0
        self._place: Place | None = None
        self._executed = b""
        self.began: float = time.time()
        self._last = 0.0

    @property
    def flags(self) -> int:
        """What the guest is asked for, as a set of `Evaluation`."""
        flags = 0
        for option in self.options:
            flags |= _FLAGS[option]
        return flags

    def read(self, code: str) -> None:
        """The program begins, in which comments are looked up."""
        self._code, self._text = code, None

    def hand_over(self, other: Trace) -> None:
        """Have another one tell what comes after a pause: events of its own, and all else goes on."""
        other.names, other.began, other._last = self.names, self.began, self._last
        other._code, other._text, other._executed = self._code, self._text, self._executed

    # --- what the guest tells ---

    def told(self, event: Told) -> None:
        """What the guest tells of the run itself."""
        if event.op is Op.PLACE:
            file, milliseconds = event.value
            self._place = Place(event.number, file, milliseconds / 1000)
        elif event.op is Op.NAMES:
            self.names = event.value[:MOST_NAMES]
        else:
            self._comments(event.value)

    def entry(self, type: str, level: str, text: str) -> None:
        """A console entry."""
        place = self._take_place()
        if "console" in self.options and self._has_room(len(text)):
            self._events.append(ConsoleEvent(level=level, text=text, type=type, **self._at(place)))

    def _comments(self, offset: int) -> None:
        """The comments that stand before a statement, in what begins at an offset of the text, in bytes of UTF-8."""
        if "comments" not in self.options:
            return
        if self._text is None:
            self._text = self._code.encode("utf-8", "surrogatepass")
        line = self._text.count(b"\n", 0, offset) + 1
        for begin, text in comments_at(self._text, offset):
            at = line + self._text.count(b"\n", offset, begin)
            if self._has_room(len(text)):
                self._events.append(CommentEvent(text=text, **{**self._at(None), "line": at}))

    def look(self, instance: Instance) -> None:
        """At the end of a turn, note which lines were executed so far: a guest that crashes tells it no more."""
        length = min(instance.control.executed_bytes, MOST_EXECUTED_BYTES)
        if length and "lines" in self.options:
            with suppress(GuestProtocolError):  # there is no such memory: then nothing is known
                self._executed = bytes(instance.read(instance.control.executed, length - length % _EXECUTED.size))

    # --- calls; see `CallLog` ---

    def begin(self, _sandbox: int, call: Call) -> None:
        """A call is made."""
        place = self._take_place()
        if "calls" not in self.options or not self._has_room(min(call.bytes_in, _KEPT_BYTES)):
            return
        self._open[call.number] = len(self._events)
        arguments = _kept(call.arguments, call.bytes_in)
        shown = tuple(arguments) if isinstance(arguments, list) else (arguments,)
        self._events.append(CallEvent(name=call.name, arguments=shown, **self._at(place)))

    def end(self, _sandbox: int, call: Call) -> None:
        """A call has ended."""
        index = self._open.pop(call.number, None)
        if index is None:
            return
        self._bytes += min(call.bytes_out, _KEPT_BYTES)
        has_room = self._bytes <= MOST_BYTES
        event = self._events[index]
        assert isinstance(event, CallEvent)
        self._events[index] = replace(
            event,
            outcome=call.outcome,
            value=_kept(call.value, call.bytes_out) if has_room else brief(call.value),
            error=None if call.error is None else call.error.with_traceback(None),
            duration_seconds=call.wall_seconds,
        )

    def answered(self, name: str, arguments: tuple[Any, ...], value: object, error: Exception | None) -> None:
        """A call that was paused has an answer of the embedder's; values are as they were given."""
        if "calls" not in self.options:
            return
        sizes = payload_bytes(list(arguments)), payload_bytes(value)
        if self._has_room(sum(min(size, _KEPT_BYTES) for size in sizes)):
            shown = _kept(list(arguments), sizes[0])
            self._events.append(
                CallEvent(
                    name=name,
                    arguments=tuple(shown) if isinstance(shown, list) else (shown,),
                    outcome="value" if error is None else "error",
                    value=undefined if error is not None else _kept(value, sizes[1]),
                    error=None if error is None else error.with_traceback(None),
                    **self._at(None),
                )
            )

    def after_fork(self) -> None:
        """It has no lock."""

    # --- what it comes to ---

    def events(self) -> tuple[Event, ...]:
        """All events, in order."""
        return tuple(self._events)

    def lines(self, run: int) -> dict[int, int]:
        """How often each line was executed, in the order of the first time."""
        return {line: count for number, line, count in _EXECUTED.iter_unpack(self._executed) if number == run and line}

    def _has_room(self, size: int) -> bool:
        if len(self._events) >= MOST_EVENTS or self._bytes + size + _EVENT_BYTES > MOST_BYTES:
            self.dropped += 1
            return False
        self._bytes += size + _EVENT_BYTES
        return True

    def _take_place(self) -> Place | None:
        place, self._place = self._place, None
        return place

    def _at(self, place: Place | None) -> dict[str, Any]:
        """What an event says of where and when; a guest may tell any time, but none that cannot be."""
        now = time.time()
        at = now if place is None else min(max(place.time, self.began), now)
        self._last = max(self._last, at - self.began)
        told: dict[str, Any] = {"time": at, "seconds": self._last}
        if place is not None and place.line:
            told |= {"line": place.line, "file": place.file}
        return told


def _kept(value: Any, size: int) -> Any:  # noqa: ANN401 - any value
    """A copy that nobody else changes, of what is not too large."""
    if size > _KEPT_BYTES:
        return brief(value)
    return copied(value)


def comments_at(text: bytes, start: int) -> list[tuple[int, str]]:
    """The comments between one word of a program and the next: where each begins, and what it says."""
    found: list[tuple[int, str]] = []
    at = start
    while at < len(text):
        if text.startswith(b"//", at):
            end = text.find(b"\n", at)
            end = len(text) if end < 0 else end
            found.append((at, _said(text[at + 2 : end])))
        elif text.startswith(b"/*", at):
            end = text.find(b"*/", at + 2)
            if end < 0:
                break
            found.append((at, _said(text[at + 2 : end])))
            end += 2
        elif text[at : at + 1].isspace() or text[at] >= 0x80:
            end = at + 1
        else:
            break
        at = end
    return found


def _said(comment: bytes) -> str:
    lines = comment.decode("utf-8", "replace").splitlines()
    return "\n".join(line.strip().removeprefix("*").strip() for line in lines).strip()
