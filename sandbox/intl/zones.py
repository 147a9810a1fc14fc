"""Time zones: their transitions, read from the files that `zoneinfo` uses, exact for all time."""

from __future__ import annotations

import importlib.resources
import re
import struct
import zoneinfo
from bisect import bisect_right
from calendar import monthrange, weekday
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from sandbox._records import field, record

_DAY: Final = 86400
_CYCLE_YEARS: Final = 400  # after which the calendar repeats
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_YEAR: Final = 1850  # of rules in zones without any transition

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,3}")
_OFFSET: Final = re.compile(r"([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?")
_NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
_UTC_NAMES: Final = frozenset({
    "utc", "etc/utc", "uct", "etc/uct", "gmt", "etc/gmt", "gmt0", "etc/gmt0", "gmt+0", "etc/gmt+0", "gmt-0",
    "etc/gmt-0", "zulu", "etc/zulu", "greenwich", "etc/greenwich", "universal", "etc/universal",
})  # fmt: skip

_RULE: Final = (
    r"(<[A-Za-z0-9+-]+>|[A-Za-z]+)([+-]?[0-9:]+)"
    r"(?:(<[A-Za-z0-9+-]+>|[A-Za-z]+)([+-]?[0-9:]+)?,([MJ0-9.]+)(?:/([+-]?[0-9:]+))?,([MJ0-9.]+)(?:/([+-]?[0-9:]+))?)?"
)
_FOOTER: Final = re.compile(_RULE)
_HEADER: Final = struct.Struct(">4sc15x6l")


@record(frozen=True, slots=True)
class Local:
    """What holds in a zone for some time.

    Attributes:
        seconds: Offset of local time from UTC.
        is_daylight: Whether clocks are ahead of standard time.
        abbreviation: Such as `CEST`.
    """

    seconds: int
    is_daylight: bool
    abbreviation: str


@record(frozen=True, slots=True)
class Zone:
    """A time zone.

    Attributes:
        name: As it is written.
        moments: Of its transitions, in seconds since the Unix epoch, ascending.
        locals: What holds before the first of them, and after each.
        repeats: Whether what holds in the last 400 years of these holds ever after.
    """

    name: str
    moments: tuple[int, ...]
    locals: tuple[Local, ...]
    repeats: bool
    _table: list[bytes] = field(default_factory=list, repr=False, compare=False)

    def at(self, seconds: float) -> Local:
        """What holds at a moment, in seconds since the Unix epoch."""
        if self.repeats and seconds >= self.moments[-1]:
            seconds -= ((seconds - self.moments[-1]) // _CYCLE_SECONDS + 1) * _CYCLE_SECONDS
        return self.locals[bisect_right(self.moments, seconds)]

    def table(self) -> bytes:
        """The transitions as the guest reads them; see `wasm/src/zones.c`."""
        if not self._table:
            head = struct.pack("<Ii", self.repeats, self.locals[0].seconds)
            pairs = zip(self.moments, self.locals[1:], strict=True)
            self._table.append(head + b"".join(struct.pack("<qi", moment, local.seconds) for moment, local in pairs))
        return self._table[0]


_CYCLE_SECONDS: Final = 146_097 * _DAY
UTC: Final = Zone("UTC", (), (Local(0, False, "UTC"),), repeats=False)


def find(name: str) -> Zone | None:
    """The zone of an IANA name, in any case, or of an offset such as `+05:30`; None: there is none."""
    if len(name) > 120:
        return None
    if name.lower() in _UTC_NAMES:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        return _fixed(offset)
    if not _NAME.fullmatch(name):
        return None
    written = _names().get(name.lower())
    return None if written is None else _zone(written)


def named(name: str) -> Zone | None:
    """As `find`, for a name that is written as in the database: it is not looked for among all of them."""
    if name not in _NO_ZONES and _NAME.fullmatch(name) and name.lower() not in _UTC_NAMES:
        try:
            return _zone(name)
        except LookupError:
            pass
    return find(name)


def names() -> list[str]:
    """All names there are, sorted."""
    return sorted(_names().values())


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones() - _NO_ZONES}


@lru_cache(maxsize=64)
def _zone(name: str) -> Zone:
    return _parse(name, _read(name))


def _fixed(offset: re.Match[str]) -> Zone:
    sign, hours, minutes = offset[1], offset[2], offset[3] or "00"
    seconds = int(hours) * 3600 + int(minutes) * 60
    name = f"{'+' if seconds == 0 else sign}{hours}:{minutes}"
    return Zone(name, (), (Local(-seconds if sign == "-" else seconds, False, name),), repeats=False)


def _read(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            data = path.read_bytes()
            if data[:4] == b"TZif":
                return data
    *folders, last = name.split("/")
    try:
        return importlib.resources.files(".".join(("tzdata.zoneinfo", *folders))).joinpath(last).read_bytes()
    except (ModuleNotFoundError, OSError):
        raise LookupError(name) from None


def _parse(name: str, data: bytes) -> Zone:
    """Read a TZif file (RFC 9636)."""
    position, width = 0, 4
    _, version, *counts = _HEADER.unpack_from(data, 0)
    if version >= b"2":  # what follows is for old readers; the same comes again with 64 bits
        utc, walls, leaps, times, types, chars = counts
        position = _HEADER.size + times * 5 + types * 6 + chars + leaps * 8 + walls + utc
        width = 8
        _, version, *counts = _HEADER.unpack_from(data, position)
    utc, walls, leaps, times, types, chars = counts
    position += _HEADER.size
    moments = struct.unpack_from(f">{times}{'q' if width == 8 else 'l'}", data, position)
    position += times * width
    indices = data[position : position + times]
    position += times
    kinds = [struct.unpack_from(">lBB", data, position + 6 * index) for index in range(types)]
    position += types * 6
    letters = data[position : position + chars]
    position += chars + leaps * (width + 4) + walls + utc
    known = [
        Local(seconds, _is_daylight(name, seconds, bool(flag)), letters[at : letters.index(0, at)].decode("ascii"))
        for seconds, flag, at in kinds
    ]
    found = [(moment, known[index]) for moment, index in zip(moments, indices, strict=True)]
    first = known[0] if known else UTC.locals[0]
    while found and found[0][0] < -(1 << 55):  # "the big bang" of old files
        first = found.pop(0)[1]
    footer = data[position:].strip(b"\n").decode("ascii") if version >= b"2" else ""
    ruled = _ruled(name, footer, found, first)
    found += ruled
    # What changes nothing but the abbreviation is kept: it names the time.
    return Zone(
        name,
        tuple(moment for moment, _ in found),
        (first, *(local for _, local in found)),
        repeats=bool(ruled),
    )


def _is_daylight(name: str, seconds: int, flag: bool) -> bool:
    # Irish law calls summer time the standard one; the locales' names go by the clocks.
    return seconds > 0 if name in ("Europe/Dublin", "Eire") else flag


def _ruled(name: str, footer: str, found: list[tuple[int, Local]], first: Local) -> list[tuple[int, Local]]:
    """The transitions after the last one in a file, for 400 years: what its footer says."""
    rule = _FOOTER.fullmatch(footer)
    if rule is None or rule[3] is None:
        return []
    standard = Local(-_clock(rule[2]), False, rule[1].strip("<>"))
    ahead = standard.seconds + 3600 if rule[4] is None else -_clock(rule[4])
    summer = Local(ahead, True, rule[3].strip("<>"))
    standard, summer = (
        Local(local.seconds, _is_daylight(name, local.seconds, local.is_daylight), local.abbreviation)
        for local in (standard, summer)
    )
    begin, end = _clock(rule[6] or "2"), _clock(rule[8] or "2")
    last = found[-1][0] if found else -(1 << 60)
    year = _FIRST_YEAR if not found else date.fromordinal(_EPOCH_DAY + last // _DAY).year
    changes = []
    for each in range(year, year + _CYCLE_YEARS + 2):
        changes.append((_day(rule[5], each) * _DAY + begin - standard.seconds, summer))
        changes.append((_day(rule[7], each) * _DAY + end - summer.seconds, standard))
    return sorted((change for change in changes if change[0] > last), key=lambda change: change[0])


def _clock(text: str) -> int:
    sign = -1 if text[0] == "-" else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _day(rule: str, year: int) -> int:
    """The day that a rule names in a year, in days since the Unix epoch."""
    first = date(year, 1, 1).toordinal() - _EPOCH_DAY
    if rule[0] == "M":
        month, week, of_week = (int(part) for part in rule[1:].split("."))
        day = 1 + (of_week - (weekday(year, month, 1) + 1)) % 7 + 7 * (week - 1)
        if day > monthrange(year, month)[1]:
            day -= 7
        return date(year, month, day).toordinal() - _EPOCH_DAY
    if rule[0] == "J":  # 29 February is never counted
        number = int(rule[1:])
        is_leap = monthrange(year, 2)[1] == 29
        return first + number - 1 + (is_leap and number >= 60)
    return first + int(rule)
