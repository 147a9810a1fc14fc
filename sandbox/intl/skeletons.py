"""Which pattern of a locale shows the fields that were asked for, best (UTS 35, part 4, section 2.6.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sandbox._records import record
from sandbox.intl import phrases
from sandbox.intl.data import Locale, load

Fields = dict[str, tuple[str, int]]
"""Letter and length of each field, by kind."""

# The kind of field that a letter shows.
KINDS: Final = {
    "G": "era", "y": "year", "Y": "year", "u": "year", "M": "month", "L": "month", "E": "weekday", "c": "weekday",
    "e": "weekday", "d": "day", "a": "dayPeriod", "b": "dayPeriod", "B": "dayPeriod", "h": "hour", "H": "hour",
    "K": "hour", "k": "hour", "m": "minute", "s": "second", "S": "fractionalSecond", "z": "timeZoneName",
    "O": "timeZoneName", "v": "timeZoneName", "V": "timeZoneName", "Q": "quarter", "q": "quarter", "w": "week",
    "W": "week",
}  # fmt: skip
_DATE: Final = ("era", "year", "quarter", "month", "week", "weekday", "day")
_TIME: Final = ("dayPeriod", "hour", "minute", "second", "fractionalSecond", "timeZoneName")
# The letters of a skeleton are in this order; the half of the day goes without saying.
_KEYS: Final = ("era", "year", "month", "weekday", "day", "hour", "minute", "second")
_OTHERS: Final = frozenset({"quarter", "week"})
_MISSING: Final = 0x1000
_EXTRA: Final = 0x10000
_FAR: Final = 1 << 40
_RUN: Final = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")
_TWELVE: Final = "hK"

POINT: Final = "\0"
"""Stands for the locale's decimal sign."""

Token = tuple[str, int]
"""A letter and how often, or a text and 0."""


@lru_cache(maxsize=1024)
def tokens(pattern: str) -> tuple[Token, ...]:
    """A pattern of dates, taken apart."""
    found: list[Token] = []
    for run in _RUN.finditer(pattern):
        text = run[0]
        if run[1]:
            found.append((run[1], len(text)))
            continue
        if text[0] == "'":
            text = "'" if text == "''" else text[1:-1].replace("''", "'")
        if found and not found[-1][1]:
            found[-1] = (found[-1][0] + text, 0)
        else:
            found.append((text, 0))
    return tuple(found)


def fields_of(parts: tuple[Token, ...]) -> Fields:
    """The fields of a pattern or a skeleton."""
    fields = {KINDS[letter]: (letter, count) for letter, count in parts if count and letter in KINDS}
    hour = fields.get("hour")
    if hour and hour[0] in _TWELVE and "dayPeriod" not in fields:
        fields["dayPeriod"] = ("a", 1)
    return fields


@record(frozen=True, slots=True)
class Choice:
    """A pattern of a locale.

    Attributes:
        fields: What it shows, as its skeleton says.
        parts: The pattern.
        is_named: Whether the skeleton is the locale's own: then its fields are as long as they should be.
    """

    fields: Fields
    parts: tuple[Token, ...]
    is_named: bool = True


@lru_cache(maxsize=24)
def choices(name: str) -> tuple[Choice, ...]:
    """The patterns of a locale, without those of weeks and quarters."""
    data = load(name).data
    found: dict[str, Choice] = {}
    space = "\u202f" if "\u202f" in data["time_formats"]["short"].pattern else " "
    for table in ("date_formats", "time_formats"):
        for pattern in data[table].values():
            parts = tokens(pattern.pattern)
            fields = fields_of(parts)
            key = "".join(letter * count for letter, count in (fields[kind] for kind in _KEYS if kind in fields))
            if "timeZoneName" not in fields:
                found.setdefault(key, Choice(fields, parts, is_named=False))
    for skeleton, pattern in data["datetime_skeletons"].items():
        text = pattern.pattern if hasattr(pattern, "pattern") else str(pattern)
        # Of English times Babel keeps the patterns whose spaces are made for ASCII.
        found[skeleton] = Choice(fields_of(tokens(skeleton)), tokens(text.replace(" a", space + "a")))
    # Every field can stand alone, and minutes with seconds.
    for letter in "GyMEdaHmsSzOv":
        found.setdefault(letter, Choice(fields_of(((letter, 1),)), ((letter, 1),), is_named=False))
    medium = tokens(data["time_formats"]["medium"].pattern)
    separator = next((text for text, count in medium if not count), ":")
    minutes: tuple[Token, ...] = (("m", 2), (separator, 0), ("s", 2))
    found.setdefault("ms", Choice(fields_of(minutes), minutes, is_named=False))
    # Of several that lack one field each, weekdays are the last to be chosen.
    fitting = [choice for choice in found.values() if not _OTHERS & choice.fields.keys()]
    return tuple(sorted(fitting, key=lambda choice: choice.fields.keys() == {"weekday"}))


def _type(field: Token) -> int:
    """A number that is near for fields that look alike."""
    letter, count = field
    if letter in "yYudmsS" or letter in "hHKk" or (letter in "ML" and count < 3):
        delta = {"H": 160, "k": 176, "K": 16, "L": 16, "u": 32}.get(letter, 0)
        return 0x100 + delta + count
    base = {1: -0x103, 2: -0x103, 3: -0x103, 4: -0x104, 5: -0x101, 6: -0x102}.get(count, -0x103)
    delta = {"L": 16, "c": 32, "B": 48, "b": 16, "v": 160, "O": 32, "V": 64}.get(letter, 0)
    return base - delta


def _distance(wanted: Fields, given: Fields) -> tuple[int, set[str]]:
    distance, missing = 0, set()
    for kind in wanted.keys() | given.keys():
        if kind not in wanted:
            distance += _EXTRA
        elif kind not in given:
            distance += _MISSING
            missing.add(kind)
        elif wanted[kind] != given[kind]:
            distance += abs(_type(wanted[kind]) - _type(given[kind]))
    return distance, missing


def nearest(wanted: Fields, candidates: tuple[Choice, ...]) -> tuple[Choice, set[str]]:
    """The pattern that is nearest to fields, and the fields that it lacks."""
    best, lacks, least = candidates[0], set(wanted), _FAR
    for choice in candidates:
        distance, missing = _distance(wanted, choice.fields)
        if distance < least:
            best, lacks, least = choice, missing, distance
            if not distance:
                break
    return best, lacks


def adjusted(choice: Choice, wanted: Fields) -> tuple[Token, ...]:
    """A pattern with fields as long as they were asked for."""
    parts: list[Token] = []
    for letter, count in choice.parts:
        kind = KINDS.get(letter, "") if count else ""
        if kind not in wanted:
            parts.append((letter, count))
            continue
        asked, length = wanted[kind]
        if asked == "E" and length < 3:
            length = 3
        own = choice.fields.get(kind, (letter, count))[1]
        if kind in ("minute", "second"):
            length = count
        elif choice.is_named:
            is_numeric, was_numeric = _type((letter, count)) > 0, _type(choice.fields.get(kind, (letter, count))) > 0
            if own == length or is_numeric != was_numeric:
                length = count
        keeps = kind in ("hour", "month", "weekday", "year")
        new = letter if keeps else asked
        if kind == "dayPeriod" and letter == "a" and asked != "a":
            new = asked
        parts.append((new, length))
        if (
            kind == "second"
            and "fractionalSecond" in wanted
            and all(part[0] != "S" for part in choice.parts if part[1])
        ):
            parts += [(POINT, 0), wanted["fractionalSecond"]]
    return tuple(parts)


def best(locale: Locale, wanted: Fields) -> tuple[Token, ...]:
    """The pattern that shows these fields."""
    known = choices(locale.name)
    searched = dict(wanted)
    if "fractionalSecond" in searched and "second" in searched:
        del searched["fractionalSecond"]
    choice, lacks = nearest(searched, known)
    extra = choice.fields.keys() - searched.keys()
    if not lacks and not extra:
        return adjusted(choice, wanted)
    date = {kind: field for kind, field in searched.items() if kind in _DATE}
    time = {kind: field for kind, field in searched.items() if kind in _TIME}
    if "fractionalSecond" in wanted:
        time["fractionalSecond"] = wanted["fractionalSecond"]
    parts = [_appended(known, half) for half in (date, time) if half]
    if len(parts) == 1:
        return parts[0]
    return glued(glue(locale, wanted), *parts)


def _appended(known: tuple[Choice, ...], wanted: Fields) -> tuple[Token, ...]:
    """A pattern for the fields of a date or of a time; what none shows together is put behind."""
    searched = dict(wanted)
    fraction = searched.pop("fractionalSecond", None) if "second" in wanted else None
    fitting = tuple(choice for choice in known if choice.fields.keys() <= searched.keys())
    choice, lacks = nearest(searched, fitting)
    parts = adjusted(choice, wanted)
    while lacks:
        choice, left = nearest({kind: searched[kind] for kind in lacks},
                               tuple(each for each in fitting if each.fields.keys() <= lacks))  # fmt: skip
        parts = glued("{1} {0}", parts, adjusted(choice, wanted))
        if left >= lacks:
            break
        lacks = left
    if fraction is not None and all(part[0] != "S" for part in parts if part[1]):
        parts = (*parts, fraction)
    return parts


def glue(locale: Locale, wanted: Fields) -> str:
    """What joins a date, `{1}`, and a time, `{0}`."""
    length = wanted.get("month", ("M", 1))[1]
    if length == 4:
        return joiner(locale, "full" if "weekday" in wanted else "long")
    return joiner(locale, "medium" if length == 3 else "short")


def joiner(locale: Locale, style: str) -> str:
    """The pattern that joins a date of some style and a time."""
    if style in ("full", "long"):
        special = phrases.at(locale.language, style)
        if special is not None:
            return special
    return str(locale.data["datetime_formats"][style])


def glued(pattern: str, date: tuple[Token, ...], time: tuple[Token, ...]) -> tuple[Token, ...]:
    """Two patterns in one."""
    parts: list[Token] = []
    for piece in re.split(r"(\{[01]\})", pattern):
        if piece == "{0}":
            parts += time
        elif piece == "{1}":
            parts += date
        elif piece:
            text = tokens(piece)
            # Letters of a pattern that joins others stand for themselves.
            quoted = "".join(letter * max(count, 1) for letter, count in text) if "'" in piece else piece
            parts.append((quoted, 0))
    return tuple(parts)


def with_hours(parts: tuple[Token, ...], letter: str) -> tuple[Token, ...]:
    """A pattern whose hours are counted in another way."""
    return tuple((letter, count) if count and part in "hHKk" else (part, count) for part, count in parts)
