"""The entries of a record: what crosses the boundary of one wasm instance, in order.

Each entry is a msgpack array: its kind, the times that the guest was told since the entry before, and its values.
What the guest does to the host is there as well as what the host does to the guest: the one is compared, the other done
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

from sandbox import _abi
from sandbox._abi import Control, Status
from sandbox._records import NamedTuple
from sandbox.errors import RecordError

VERSION: Final = 1
"""Of the format; a record of another one is refused."""

FIELDS: Final = tuple(str(field[0]) for field in Control._fields_)
"""Fields of the control block, by their numbers in a record."""

U32: Final = 0xFFFFFFFF

TURNS: Final = frozenset({"eval", "module", "call", "access", "settle", "abandon", "release", "resume"})
"""Exports that run the program."""

_EXPORTS: Final = TURNS | {"start", "zone", "reserve", "collect"}
_STATUSES: Final = frozenset(Status)
_MOST_VARINT_BITS: Final = 70


class Kind(IntEnum):
    """What an entry says. `guest` marks what the guest does; the rest the host does to it."""

    HEAD = 0  # what the record is of: a map
    GROW = 1  # the instance continues from a memory of this size
    PAGES = 2  # address and bytes of that memory, XORed with those of a new instance
    CONTROL = 3  # number of a field of the control block, and what was written to it
    WRITE = 4  # a message was put into the inbox
    CALL = 5  # an export was called: name, arguments
    FUEL = 6  # the tank was set
    IMPORT = 7  # guest: `sandbox.call`: op, address and length of the message, the message
    READ = 8  # the host read memory: address, the bytes (guest: they are compared)
    REPLY = 9  # the import returned: status
    RETURN = (
        10  # guest: the export returned: status, fuel that is left, fuel that was burnt, [reason] it was stopped for
    )
    TRAP = 11  # guest: it trapped instead: code
    TIMES = 12  # nothing but times
    INTERRUPT = 13  # the interrupt flag was set, when the guest was told the last of the times
    COPY = 14  # the memory was copied: a number
    RESTORE = 15  # the memory became that of a copy: its number
    END = 16  # the record ended as intended: why


_SHAPES: Final[dict[Kind, tuple[type | tuple[type, ...], ...]]] = {
    Kind.HEAD: (dict,),
    Kind.GROW: (int,),
    Kind.PAGES: (int, bytes),
    Kind.CONTROL: (int, (int, float)),
    Kind.WRITE: (bytes,),
    Kind.CALL: (str, list),
    Kind.FUEL: (int,),
    Kind.IMPORT: (int, int, int, bytes),
    Kind.READ: (int, bytes),
    Kind.REPLY: (int,),
    Kind.RETURN: (int, int, int, int, int),
    Kind.TRAP: (str,),
    Kind.TIMES: (),
    Kind.INTERRUPT: (),
    Kind.COPY: (int,),
    Kind.RESTORE: (int,),
    Kind.END: (str,),
}


class Entry(NamedTuple):
    """One entry.

    Attributes:
        kind: What it says.
        times: What the guest was told since the entry before: which clock, and nanoseconds.
        values: As `Kind` says.
    """

    kind: Kind
    times: tuple[tuple[int, int], ...]
    values: tuple[Any, ...]


def check(items: object, times: TimesReader) -> Entry:
    """An entry of a record, of which nothing is known yet.

    Raises:
        RecordError: It is none.
    """
    try:
        number, told, *values = items if isinstance(items, list) else []
        kind = Kind(number)
    except ValueError:
        raise RecordError("an entry that is none") from None
    shape = _SHAPES[kind]
    is_sound = len(values) == len(shape) and all(map(isinstance, values, shape)) and isinstance(told, bytes)
    if not is_sound or any(isinstance(value, bool) for value in values) or not _is_possible(kind, values):
        raise RecordError(f"an entry {kind.name} with values that it cannot have")
    return Entry(kind, tuple(times.read(told)), tuple(values))


def _is_possible(kind: Kind, values: list[Any]) -> bool:
    if kind is Kind.CALL:
        name, arguments = values
        count = _abi.EXPORTS[name] if name in _EXPORTS else -1
        return len(arguments) == count and all(type(each) is int and 0 <= each <= U32 for each in arguments)
    if kind is Kind.CONTROL:
        return 0 <= values[0] < len(FIELDS) and (isinstance(values[1], float) or 0 <= values[1] < 1 << 64)
    if kind is Kind.REPLY:
        return values[0] in _STATUSES
    return all(0 <= value < 1 << 64 for value in values if isinstance(value, int))


class TimesWriter:
    """Writes times down as differences: one byte for most that the engine asks for by itself."""

    def __init__(self) -> None:
        """Begin with none."""
        self.pending = bytearray()
        self._last = [0, 0]

    def add(self, clock: int, nanoseconds: int) -> None:
        """Note a time."""
        unit = 1000 if clock else 1
        difference = (nanoseconds - self._last[clock]) // unit
        self._last[clock] = nanoseconds
        # Zigzag: the machine's clock may be set back. The lowest bit says which clock it is.
        number = ((difference << 1) ^ (difference >> 63)) << 1 | clock
        while number > 0x7F:
            self.pending.append(number & 0x7F | 0x80)
            number >>= 7
        self.pending.append(number)

    def take(self) -> bytes:
        """All that was noted since the last time."""
        if not self.pending:
            return b""
        taken = bytes(self.pending)
        self.pending.clear()
        return taken


class TimesReader:
    """Reads what a `TimesWriter` wrote."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last = [0, 0]

    def read(self, told: bytes) -> Iterator[tuple[int, int]]:
        """The times in some bytes.

        Raises:
            RecordError: They end in the middle of one.
        """
        number = shift = 0
        for byte in told:
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > _MOST_VARINT_BITS:
                raise RecordError("a time that is none")
            if byte & 0x80:
                continue
            clock, zigzag = number & 1, number >> 1
            difference = (zigzag >> 1) ^ -(zigzag & 1)
            self._last[clock] += difference * (1000 if clock else 1)
            yield clock, self._last[clock] & (1 << 64) - 1
            number = shift = 0
        if shift:
            raise RecordError("half a time")
