"""A place in a record, where the guest can be looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from sandbox import _failures, _threads
from sandbox._abi import OPS, Op, Tag
from sandbox._codec import Codec
from sandbox._pace import Pace
from sandbox._replay.entries import Entry, Kind
from sandbox._replay.messages import frames
from sandbox._replay.player import EVALUATION, Divergence, Player
from sandbox._replay.timeline import ReplayEvent, Timeline
from sandbox.errors import (
    GuestProtocolError,
    JSError,
    RecordError,
    RecordTruncated,
    ReplayDiverged,
    SandboxError,
    Stalled,
)
from sandbox.values import Generation, JSAsyncIterator, JSFunction, JSHandle, JSIterator, JSPromise, Question, undefined

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox._codec import Owner
    from sandbox.limits import Limits

_T = TypeVar("_T")

_FILENAME: Final = "<replay>"
_CONSOLE: Final = OPS["console", "write"][0]
_HELD: Final[dict[int, type[JSPromise | JSIterator | JSAsyncIterator]]] = {
    Tag.PROMISE: JSPromise,
    Tag.ITERATOR: JSIterator,
    Tag.ASYNC_ITERATOR: JSAsyncIterator,
}


class Moment:
    """A guest as it was after an event of a record; see `Replay.to`.

    What is evaluated here runs in a copy of the guest, and changes nothing of what follows. Used by one thread.

    Attributes:
        event: The event.
        codec: Decodes the messages of events.
    """

    codec: Codec
    event: ReplayEvent

    def __init__(self, entries: Iterator[Entry], limits: Limits) -> None:
        """Begin before the first event, with the entries of a record and the limits it was made with."""
        self.event = ReplayEvent(-1, "start", "", 0)
        self._entries = entries
        self._limits = limits
        self._timeline = Timeline()
        self._player = Player(limits)
        self.codec = Codec(cast("Owner", Nobody()), limits)
        self._refusal, _ = self.codec.encode_answer(JSError("there is no host in a replay"))
        # What is known of the turn in progress, not played yet: entries, each with the number of events before it.
        self._turn: list[tuple[int, Entry]] = []
        self._events: deque[ReplayEvent] = deque()

    def step(self) -> ReplayEvent | None:
        """Go on to the next event, which is returned; None: there is none, and nothing has happened.

        Raises:
            ReplayDiverged: The guest does not do what the record says.
            RecordError: The record is damaged or cut off here.
        """
        while not self._events:
            try:
                entry = next(self._entries, None)
            except RecordTruncated:
                self._check_turn()
                raise
            if entry is None:
                if self._turn:
                    self._check_turn()
                    raise RecordError("the record ends in the middle of a turn")
                return None
            self._turn.append((self._timeline.count, entry))
            self._events.extend(self._timeline.feed(entry))
            if not self._timeline.depth:
                turn, self._turn = self._turn, []
                self._play(self._player, turn)
                if entry.kind is Kind.HEAD:
                    self._fill()
        self.event = self._events.popleft()
        return self.event

    def _fill(self) -> None:
        """Take up the memory that the record begins with, which belongs to its first event."""
        try:
            for entry in self._entries:
                if entry.kind not in (Kind.GROW, Kind.PAGES):
                    self._entries = chain((entry,), self._entries)
                    return
                self._play(self._player, [(self._timeline.count, entry)])
        except RecordError as error:
            self._entries = _failing(error)

    def _play(self, player: Player, turn: list[tuple[int, Entry]]) -> None:
        try:
            on_guest_thread(player, lambda: player.play(entry for _, entry in turn))
        except Divergence as divergence:
            raise diverged(divergence, turn, self._timeline) from None

    def _check_turn(self) -> None:
        """See whether the guest does what is known of the turn in progress, in a copy: one may still look at it."""
        if self._turn:
            with self._copied() as copy:
                self._play(copy, self._turn)

    def _copied(self) -> Player:
        return Player(self._limits, self._player.instance.view(), self._refusal)

    def eval(self, code: str) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script in a copy of the guest, in the middle of whatever it does, and return its value.

        There is no host: calls of its functions throw, and a promise that is not settled at once stays so. Functions,
        promises and iterators can be looked at and not be used.

        Args:
            code: The source text.

        Returns:
            The value, converted as by `Sandbox.eval`.

        Raises:
            JSError: The script threw.
            Stalled: Its value is a promise that is not settled.
            RecordError: The guest cannot be looked at here: it has crashed, or the script ran into its limits.
            ReplayDiverged: The guest does not do what the record says in the turn that this is a part of.
            ConversionError: The value cannot be converted.
        """
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        try:
            return self._outcome(self._evaluated(self.codec.encode_many(_FILENAME, code)))
        except GuestProtocolError as error:
            raise RecordError(str(error)) from None

    def _evaluated(self, message: bytes) -> bytes:
        """The frames that a script leaves in a copy of the guest."""
        found: list[bytes] = []
        with self._copied() as copy:
            if self._turn:
                copy.at_end = lambda: found.append(copy.evaluate(message))
                self._play(copy, self._turn)
            else:
                found.append(on_guest_thread(copy, lambda: copy.evaluate(message)))
        return found[0] if found else b""

    def _outcome(self, data: bytes) -> Any:  # noqa: ANN401 - any value
        for frame in frames(data):
            if frame[:2] == (Op.FINISH, EVALUATION):
                return self.codec.decode(frame.message)
            if frame[:2] == (Op.FAIL, EVALUATION):
                raise self.thrown(frame.message)
        raise Stalled

    def thrown(self, message: bytes) -> SandboxError:
        """The exception for what the guest threw."""
        return _failures.thrown(self.codec.decode_thrown(message))

    def show(self, code: str) -> str:
        """Evaluate a script as `eval` does, and return its value as the guest's own console shows it.

        Raises:
            BaseException: As `eval`.
        """
        message = self.codec.encode_many(_FILENAME, f"console.log({code.strip().rstrip(';')})")
        for frame in frames(self._evaluated(message)):
            match frame.op == _CONSOLE and self.codec.decode(frame.message):
                case [{"text": str(text)}]:
                    return text
            if frame[:2] == (Op.FAIL, EVALUATION):
                raise self.thrown(frame.message)
        raise Stalled

    def get(self, name: str) -> Any:  # noqa: ANN401 - any value
        """The value of a global, also of one that `let`, `const` or `class` has declared; `undefined`: there is none.

        Raises:
            BaseException: As `eval`.
        """
        if not name.replace("$", "_").isidentifier():
            raise ValueError(f"not a name of a global: {name!r}")
        return self.eval(f"typeof {name} === 'undefined' ? undefined : {name}")

    def stack(self) -> str:
        """Where the program is, as its stack says, innermost first; empty when no guest code runs.

        Raises:
            BaseException: As `eval`.
        """
        lines = str(self.eval("new Error().stack")).splitlines()
        return "\n".join(line.strip() for line in lines if _FILENAME not in line and "(native)" not in line)

    @property
    def memory_bytes(self) -> int:
        """Size of the guest's memory at the beginning of the turn."""
        return self._player.instance.memory_bytes()

    def close(self) -> None:
        """Free the guest; idempotent."""
        self._player.close()

    def __enter__(self) -> Moment:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Moment after {self.event}>"


def _failing(error: RecordError) -> Iterator[Entry]:
    raise error
    yield


class Nobody:
    """Whom the guest's functions, promises and iterators belong to in a replay: nothing can be asked of them."""

    served: object = None
    labels: None = None

    def __init__(self) -> None:
        """Nobody looks how long a message takes."""
        self.pace = Pace()

    def held(self, tag: Tag, handle: int, name: str, /) -> JSHandle:
        """See `DecodeOwner`."""
        if tag is Tag.FUNCTION:
            return JSFunction(self, handle, name, _GENERATION)
        return _HELD[tag](self, handle, _GENERATION)

    def target(self, op: int, /) -> object:
        """See `DecodeOwner`: an object of the host is not there."""
        return undefined

    def exception(self, _key: int, /) -> None:
        """See `DecodeOwner`: neither are its exceptions."""

    def call(self, *_question: object) -> NoReturn:
        """See `HandleOwner`."""
        raise RecordError("what is held of a replay can only be looked at")

    construct = ask = call

    def ask_later(self, _held: JSHandle, _question: Question, _value: object) -> Awaitable[Any]:
        """See `HandleOwner`."""
        self.call()

    def release(self, handle: int, generation: Generation) -> None:
        """See `HandleOwner`: the guest is a copy."""


_GENERATION: Final = Generation()


def on_guest_thread(player: Player, function: Callable[[], _T]) -> _T:
    """Call a function that runs a player's guest where there is stack enough."""
    return _threads.run_guest(function, player.stop)


def diverged(divergence: Divergence, turn: list[tuple[int, Entry]], timeline: Timeline) -> ReplayDiverged:
    """What to raise for a divergence.

    Args:
        divergence: Where the guest did something else.
        turn: The entries that were played, each with the number of events before it.
        timeline: Tells what they mean.
    """
    before = next((count for count, entry in turn if entry is divergence.entry), timeline.count)
    actual = divergence.actual
    if isinstance(actual, Entry):
        further, ours, theirs = timeline.compare(divergence.entry, actual)
        return ReplayDiverged(before + further - 1, ours, theirs, divergence.line)
    return ReplayDiverged(before - 1, timeline.describe(divergence.entry), actual, divergence.line)
