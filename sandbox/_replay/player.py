"""Runs the guest by a record: what the host did is done again, what the guest does is compared.

The host's half is not there. Functions, clocks, random bytes, modules and networks are what the record says the guest
was told of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

import msgpack

from sandbox import _epochs, _store
from sandbox._abi import CAP_MESSAGE_BYTES, Control, Op, Status
from sandbox._callback import clock_address
from sandbox._instance import OUT_OF_BUDGET, Instance, Trap
from sandbox._replay.entries import FIELDS, U32, Entry, Kind
from sandbox._replay.messages import frames, values
from sandbox.errors import GuestProtocolError, RecordError
from sandbox.limits import PAGE_BYTES

if TYPE_CHECKING:
    from sandbox._memory_copy import MemoryCopy, Origin
    from sandbox.limits import Limits

# A record may be set back to a copy before the last one when a later one was for something else.
_KEPT_COPIES: Final = 4
_TIME_BYTES: Final = 8
_EVAL_FUEL: Final = 20_000_000_000
_NAME: Final = "<replay>"
_STACK: Final = b"\0" + b"".join(map(msgpack.packb, (_NAME, "new Error().stack")))

EVALUATION: Final = 0xFFFF_FFF0
"""The run that `Player.evaluate` makes."""
_BY_THE_CLOCK: Final = "INTERRUPT"


class Divergence(Exception):
    """The guest did not do what the record says.

    Attributes:
        entry: What it says; None: nothing more.
        actual: What the guest did, in words, or as the entry that it would be.
        line: Where its program was, if that can be known.
    """

    def __init__(self, entry: Entry | None, actual: str | Entry, line: str = "") -> None:
        super().__init__(str(actual))
        self.entry = entry
        self.actual = actual
        self.line = line


class _Enough(BaseException):
    """There are no entries left in the middle of a turn."""


class Player:
    """One instance and what it was told so far.

    Attributes:
        instance: The instance.
        at_end: Called when the entries end inside a call of the host, whose guest code is not gone on with then.
    """

    def __init__(self, limits: Limits, origin: Origin | None = None, refusal: bytes = b"") -> None:
        """Make the instance.

        Args:
            limits: Those of the sandbox that was recorded.
            origin: Gives what to continue from.
            refusal: The message that answers what scripts ask of the host that are no part of the record.
        """
        self._refusal = refusal
        self.instance = PlayedInstance(self, limits, origin)
        self.at_end: Callable[[], None] | None = None
        self._entries: Iterator[Entry] = iter(())
        self._entry: Entry | None = None
        self._times: list[tuple[int, int]] = []
        self._last_times = [0, 0]
        self._copies: OrderedDict[int, MemoryCopy] = OrderedDict()
        self._is_free = False
        self._stop: BaseException | None = None

    def stop(self, error: BaseException) -> None:
        """End what is being played with an exception, soon; any thread."""
        self._stop = error

    def close(self) -> None:
        """Free the instance; idempotent."""
        self.instance.close()
        self._copies.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def play(self, entries: Iterable[Entry]) -> None:
        """Go on with some entries.

        Raises:
            Divergence: The guest did something else; it cannot be gone on with.
            RecordError: The entries make no sense.
        """
        self._entries = iter(entries)
        self._advance()
        try:
            while self._entry is not None:
                self._do(self._entry)
        except _Enough:
            pass

    # --- the cursor ---

    def _advance(self) -> None:
        self._entry = next(self._entries, None)
        self._times = list(reversed(self._entry.times)) if self._entry is not None else []

    def _peek(self) -> Entry | None:
        return self._entry

    def _expect(self, kind: Kind, actual: str) -> tuple[Any, ...]:
        """The values of the present entry, which has to be of this kind; the cursor stays."""
        entry = self._entry
        if entry is None or entry.kind is not kind or self._times:
            raise Divergence(entry, actual)
        return entry.values

    def tell_time(self, clock: int) -> int:
        """The next time that the guest is told."""
        if self._stop is not None:
            raise self._stop
        if self._is_free:
            return self._last_times[clock]
        if self._entry is None:
            self._end()
        if not self._times or self._times[-1][0] != clock:
            self._diverge("reads the clock")
        _, now = self._times.pop()
        self._last_times[clock] = now
        if not self._times:
            self._after_times()
        return now

    def _after_times(self) -> None:
        """Do what the host did when the guest was told the last time of an entry."""
        while (entry := self._entry) is not None and not self._times:
            if entry.kind is Kind.INTERRUPT:
                self.instance.control.interrupt = 1
            elif entry.kind is not Kind.TIMES:
                break
            self._advance()
        self._watch()

    def _watch(self) -> None:
        """Stop guest code that the clock has stopped, here: nothing that it did since can be seen."""
        entry = self._entry
        if entry is not None and entry.kind is Kind.TRAP and not self._times and entry.values[0] == _BY_THE_CLOCK:
            self.instance.expire()

    def _end(self) -> NoReturn:
        if self.at_end is not None:
            self._is_free = True
            self.at_end()
        raise _Enough

    def _diverge(self, actual: str | Entry) -> NoReturn:
        """The guest has done something else in the middle of a turn."""
        raise Divergence(self._entry, actual, self._line())

    # --- what the host did ---

    def _do(self, entry: Entry) -> None:
        """Do what an entry says; the cursor is behind it then."""
        if entry.times and entry.kind not in (Kind.TIMES, Kind.END):
            raise Divergence(entry, "reads the clock less often")
        instance, values = self.instance, entry.values
        match entry.kind:
            case Kind.CALL:
                self._call(*values)
                return
            case Kind.CONTROL:
                _set(instance.control, *values)
            case Kind.WRITE:
                instance.put(values[0])
            case Kind.FUEL:
                instance.refuel(values[0])
            case Kind.READ:
                self._compare(*values)
            case Kind.INTERRUPT:
                instance.control.interrupt = 1
            case Kind.COPY:
                self._copies[values[0]] = instance.copy()
                while len(self._copies) > _KEPT_COPIES:
                    self._copies.popitem(last=False)
            case Kind.RESTORE:
                self._restore(values[0])
            case Kind.GROW:
                instance.grow(values[0])
            case Kind.PAGES:
                instance.fill(*values)
            case Kind.TIMES | Kind.END | Kind.HEAD:
                pass
            case _:
                raise Divergence(entry, "does nothing")
        self._advance()

    def _restore(self, number: int) -> None:
        copy = self._copies.get(number)
        if copy is None or self.instance.depth:
            raise RecordError("the record goes back to what is not there")
        self.instance.restore(copy)

    def _call(self, name: str, arguments: list[int]) -> None:
        instance = self.instance
        self._advance()
        self._watch()
        try:
            status = instance.call(name, arguments)
        except Trap as trap:
            if instance.pending is not None:
                error, instance.pending = instance.pending, None
                raise error from None
            (code,) = self._expect(Kind.TRAP, f"has crashed ({trap})")
            if trap.code != code and not {trap.code, code} <= OUT_OF_BUDGET:
                raise Divergence(self._entry, f"has crashed ({trap})") from None
            self._advance()
            return
        if instance.pending is not None:
            error, instance.pending = instance.pending, None
            raise error
        if self._entry is None:
            raise _Enough
        told = self._expect(Kind.RETURN, "ends its turn")
        control = instance.control
        did = (status & U32, instance.fuel_left(), max(instance.burnt(), 0), control.reason, control.outbox_bytes)
        if told != did:
            raise Divergence(self._entry, Entry(Kind.RETURN, (), did))
        self._advance()

    def _compare(self, address: int, expected: bytes) -> None:
        actual = self.instance.look(address, len(expected))
        if actual != expected:
            raise Divergence(self._entry, Entry(Kind.READ, (), (address, actual or b"")), self._line())

    # --- what the guest does ---

    def serve(self, op: int, address: int, length: int) -> int:
        """Answer the import as the record says; returns the status."""
        if self._is_free:
            return self._refuse(op)
        if self._entry is None:
            self._end()
        instance = self.instance
        entry = self._entry
        assert entry is not None
        message = instance.look(address, length)
        op &= U32
        if entry.kind is not Kind.IMPORT or self._times:
            self._diverge(Entry(Kind.IMPORT, (), (op, address, length, message or b"")))
        *numbers, expected = entry.values
        if numbers != [op, address, length] or (expected and message != expected):
            self._diverge(Entry(Kind.IMPORT, (), (op, address, length, message or b"")))
        self._advance()
        while (following := self._peek()) is not None and following.kind is not Kind.REPLY:
            self._do(following)
        if following is None:
            self._end()
        status: int = following.values[0]
        self._advance()
        self._watch()
        return status

    def _refuse(self, op: int) -> int:
        """Answer what a script asks that is no part of the record."""
        instance = self.instance
        if op == Op.POLL:
            return Status.OK
        if not self._refusal or len(self._refusal) > instance.control.inbox_bytes:
            return Status.STOP
        instance.put(self._refusal)
        instance.control.reply_bytes = len(self._refusal)
        return Status.FAILED

    # --- a look inside, in the middle of a turn or between two ---

    def evaluate(self, message: bytes) -> bytes:
        """Run a script in the instance as it stands, which changes it; returns the frames it has left.

        Args:
            message: What the export `eval` takes.

        Raises:
            RecordError: It crashed, or ran into the limits of the sandbox.
        """
        was_free, self._is_free = self._is_free, True
        instance = self.instance
        control = instance.control
        try:
            control.outbox_bytes = control.interrupt = control.reason = control.cpu_budget_ns = 0
            if instance.deadline is None:
                instance.set_fuel(_EVAL_FUEL)
            if not instance.reserve(len(message)):
                raise RecordError("the guest has no room for what it is asked")
            instance.put(message)
            instance.call("eval", (EVALUATION, len(message)))
            return instance.look(control.outbox, control.outbox_bytes) or b""
        except (Trap, GuestProtocolError) as error:
            raise RecordError(f"the guest cannot be looked at here: {error}") from None
        finally:
            self._is_free = was_free

    def _line(self) -> str:
        """Where the program is, if it is on the stack."""
        if not self.instance.depth:
            return ""
        with suppress(RecordError):
            for frame in frames(self.evaluate(_STACK)):
                if frame[:2] == (Op.FINISH, EVALUATION):
                    for text in values(frame.message):
                        lines = [line.strip() for line in str(text).splitlines()]
                        return "\n".join(line for line in lines if line and _NAME not in line and "native" not in line)
        return ""


class PlayedInstance(Instance):
    """An instance that a player runs."""

    __slots__ = ("_player",)

    clock_address = clock_address

    def __init__(self, player: Player, limits: Limits, origin: Origin | None) -> None:
        """Instantiate the guest."""
        self._player = player
        super().__init__(limits.memory_bytes, _nobody, limits.metering, origin)

    def serve(self, op: int, address: int, length: int) -> int:
        """See `Instance`."""
        if self.pending is not None:
            self.halt()
            return Status.STOP
        try:
            return self._player.serve(op, address, length)
        except BaseException:
            self.halt()
            raise

    def tell_time(self, clock: int, address: int) -> None:
        """See `Instance`."""
        if self.pending is not None:
            return
        try:
            now = self._player.tell_time(1 if clock else 0)
        except BaseException:
            self.halt()
            raise
        if address + _TIME_BYTES <= self.memory_bytes():
            self._memory[address : address + _TIME_BYTES] = now.to_bytes(_TIME_BYTES, "little")

    def look(self, address: int, length: int) -> bytes | None:
        """A copy of guest memory; None: it has no such."""
        if length > CAP_MESSAGE_BYTES or address + length > self.memory_bytes():
            return None
        return bytes(self._memory[address : address + length])

    def put(self, message: bytes) -> None:
        """Write a message where the guest has made room for it."""
        if len(message) > self.control.inbox_bytes:
            raise RecordError("the record has a message for which there is no room")
        try:
            self.write(message)
        except GuestProtocolError as error:
            raise RecordError(str(error)) from None

    def grow(self, memory_bytes: int) -> None:
        """Have as much memory as the instance that was recorded had."""
        assert self._store is not None
        if self.depth or memory_bytes > self._limit_bytes or memory_bytes % PAGE_BYTES:
            raise RecordError("the record has an impossible memory")
        self._store.grow(memory_bytes)

    def fill(self, address: int, pages: bytes) -> None:
        """Fill a part of the memory with pages that are XORed with those of a new instance."""
        end = address + len(pages)
        if self.depth or end > self.memory_bytes():
            raise RecordError("the record has memory where there is none")
        self._memory[address:end] = _store.pristine(self.image, self.image.memory_bytes).xored(address, pages)

    def refuel(self, fuel: int) -> None:
        """Set the tank, and count what is burnt from a turn's beginning on."""
        if self.deadline is not None:
            raise RecordError("the record counts fuel where there is none")
        self._filled = self._filled + fuel - self.fuel() if self.depth else fuel
        self.set_fuel(fuel)

    def expire(self) -> None:
        """Trap as soon as guest code goes on, where the clock is what stops it."""
        if self.deadline is not None:
            self.deadline.expire()
            _epochs.expire(self._context)

    def halt(self) -> None:
        """See `Instance`."""
        super().halt()
        self.expire()


def _nobody(_op: int, _message: bytes | memoryview) -> NoReturn:
    raise AssertionError


def _set(control: Control, number: int, value: float) -> None:
    try:
        setattr(control, FIELDS[number], value)
    except TypeError:
        raise RecordError("the record writes what is no number to the control block") from None
