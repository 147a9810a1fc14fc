"""Ranges of dates and of numbers: what both ends have in common is said once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from sandbox.intl.dates import HOURS, DateFormatter, Moment
from sandbox.intl.skeletons import (
    KINDS,
    Choice,
    Fields,
    Token,
    adjusted,
    best,
    fields_of,
    glue,
    nearest,
    tokens,
    with_hours,
)

if TYPE_CHECKING:
    from sandbox.intl.numbers import NumberFormatter

Part = tuple[str, str, str]
"""Type, value, and where it comes from."""

# From the largest field to the smallest: the first in which two moments differ decides.
_ORDER: Final = (
    ("era", "G"),
    ("year", "y"),
    ("month", "M"),
    ("day", "d"),
    ("dayPeriod", "a"),
    ("hour", "h"),
    ("minute", "m"),
    ("second", "s"),
    ("fractionalSecond", "S"),
)
_DAY_PLACE: Final = 3
_DATE: Final = frozenset({"era", "year", "month", "weekday", "day"})
_LEAST_SHARED: Final = 2
# What stands between two numbers, where it is not a dash; Babel does not say.
_BETWEEN: Final = {
    **dict.fromkeys(("ca", "da", "es", "eu", "fil", "fy", "it", "ka", "ml", "nl", "sq", "th", "vi", "zh"), "-"),
    **dict.fromkeys(("bg", "bs", "hr", "mk", "sk"), " \u2013 "),
    "et": "\u2012",
    "ja": "\uff5e",
    "ko": "~",
    "ro": " - ",
}


def dates(formatter: DateFormatter, start_ms: float, end_ms: float) -> list[Part]:
    """A range of moments."""
    start, end = formatter.moment(start_ms), formatter.moment(end_ms)
    pattern = formatter.pattern
    shown = {KINDS[letter] for letter, count in pattern if count}
    difference = _difference(shown, start, end)
    if difference is None:
        return [(kind, value, "shared") for kind, value in formatter.parts(start_ms)]
    wanted = formatter.wanted()
    lacking = _lacking(shown, difference)
    if lacking:
        # Two times of different days, or two days of different years, are shown with what tells them apart.
        wanted = {**wanted, **lacking}
        pattern = with_hours(best(formatter.locale, wanted), HOURS[formatter.cycle])
    found = _interval(formatter, wanted, difference)
    if found is not None:
        return _both(formatter, *found, start, end)
    template = formatter.locale.data["interval_formats"]
    between = str(template[None]) if None in template else "{0} \u2013 {1}"
    before, _, rest = between.partition("{0}")
    middle, _, after = rest.partition("{1}")
    return [
        *([("literal", before, "shared")] if before else []),
        *((kind, value, "startRange") for kind, value in formatter.shown(pattern, start)),
        ("literal", middle, "shared"),
        *((kind, value, "endRange") for kind, value in formatter.shown(pattern, end)),
        *([("literal", after, "shared")] if after else []),
    ]


def _lacking(shown: set[str], difference: str) -> Fields:
    """Fields that must be shown as well, so that two moments look different."""
    if difference not in ("year", "month", "day") or difference in shown:
        return {}
    if not shown & {"year", "month", "day", "weekday"}:
        return {"year": ("y", 1), "month": ("M", 1), "day": ("d", 1)}
    if difference == "year":
        return {"year": ("y", 1)}
    return {"month": ("M", 1)} if difference == "month" else {}


def _difference(shown: set[str], start: Moment, end: Moment) -> str | None:
    values = {
        "era": (start.year > 0, end.year > 0),
        "year": (start.year, end.year),
        "month": (start.month, end.month),
        "day": (start.day, end.day),
        "dayPeriod": (start.hour < 12, end.hour < 12),
        "hour": (start.hour, end.hour),
        "minute": (start.minute, end.minute),
        "second": (start.second, end.second),
        "fractionalSecond": (start.ms % 1000, end.ms % 1000),
    }
    smallest = max((index for index, (kind, _) in enumerate(_ORDER) if kind in shown), default=-1)
    if "weekday" in shown:
        smallest = max(smallest, _DAY_PLACE)
    return next((kind for kind, _ in _ORDER[: smallest + 1] if values[kind][0] != values[kind][1]), None)


def _interval(
    formatter: DateFormatter, wanted: Fields, difference: str
) -> tuple[tuple[Token, ...], tuple[Token, ...]] | None:
    """The patterns of both ends, or None where the locale has none."""
    date = {kind: field for kind, field in wanted.items() if kind in _DATE}
    time = {kind: field for kind, field in wanted.items() if kind not in _DATE}
    if time and date and difference in _DATE:
        return None
    found = _nearest_interval(formatter, time or date, difference)
    if found is None or not (time and date):
        return found
    # The date is said once, before or behind the times.
    before, between, after = re.split(r"\{[01]\}", glue(formatter.locale, wanted))
    day, (first, second) = best(formatter.locale, date), found
    if glue(formatter.locale, wanted).index("{1}") < glue(formatter.locale, wanted).index("{0}"):
        return (*_text(before), *day, *_text(between), *first), (*second, *_text(after))
    return (*_text(before), *first), (*second, *_text(between), *day, *_text(after))


def _text(text: str) -> tuple[Token, ...]:
    return ((text, 0),) if text else ()


def _nearest_interval(
    formatter: DateFormatter, wanted: Fields, difference: str
) -> tuple[tuple[Token, ...], tuple[Token, ...]] | None:
    table = formatter.locale.data["interval_formats"]
    letter = dict(_ORDER)[difference]
    choices: list[Choice] = []
    halves: dict[int, Any] = {}
    for skeleton, forms in table.items():
        if skeleton is None:
            continue
        fields = fields_of(tokens(skeleton))
        if fields.keys() != wanted.keys() or (
            "hour" in wanted and (fields["hour"][0] in "hK") != (wanted["hour"][0] in "hK")
        ):
            continue
        keys = ("H", "h") if letter == "h" and fields["hour"][0] in "Hk" else (letter,)
        if letter == "a" and fields["hour"][0] in "Hk":
            keys = ("H",)
        for key in keys:
            if key in forms and len(forms[key]) == 2:
                choice = Choice(fields, tokens(forms[key][0]))
                halves[id(choice)] = tokens(forms[key][1])
                choices.append(choice)
                break
    if not choices:
        return None
    choice, lacks = nearest(wanted, tuple(choices))
    if lacks:
        return None
    hours = HOURS[formatter.cycle]
    asked = {kind: field for kind, field in wanted.items() if kind != "dayPeriod" or field[0] != "a"}
    first = with_hours(adjusted(choice, asked), hours)
    second = with_hours(adjusted(Choice(choice.fields, halves[id(choice)]), asked), hours)
    return first, second


def _both(
    formatter: DateFormatter, first: tuple[Token, ...], second: tuple[Token, ...], start: Moment, end: Moment
) -> list[Part]:
    left, right = formatter.shown(first, start), formatter.shown(second, end)
    repeated = {kind for kind, _ in left} & {kind for kind, _ in right} - {"literal"}
    parts: list[Part] = []
    for side, source in ((left, "startRange"), (right, "endRange")):
        places = [index for index, (kind, _) in enumerate(side) if kind in repeated]
        low, high = (places[0], places[-1]) if places else (1, 0)
        for index, (kind, value) in enumerate(side):
            where = source if low <= index <= high else "shared"
            if parts and parts[-1][0] == "literal" == kind and parts[-1][2] == where:
                parts[-1] = ("literal", parts[-1][1] + value, where)
            else:
                parts.append((kind, value, where))
    return parts


def numbers(formatter: NumberFormatter, start: float | str, end: float | str) -> list[Part]:
    """A range of numbers."""
    left, right = formatter.parts(start), formatter.parts(end)
    if left == right:
        return [(kind, value, "shared") for kind, value in formatter.parts(start, is_about=True)]
    # What both have around their digits is said once, if it is more than a sign.
    head, tail = _affix(left), _affix(left[::-1])[::-1]
    is_common = (head, tail) == (_affix(right), _affix(right[::-1])[::-1])
    if not is_common or sum(len(value) for _, value in head + tail) < _LEAST_SHARED:
        middle = (left, right)
        is_spaced = bool(head or tail or _affix(right) or _affix(right[::-1]))
        head = tail = []
    else:
        middle = (left[len(head) : len(left) - len(tail)], right[len(head) : len(right) - len(tail)])
        is_spaced = False
    name, language = formatter.locale.name, formatter.locale.language
    between = " - " if language == "pt" and name not in ("pt", "pt-BR") else _BETWEEN.get(language, "\u2013")
    if is_spaced and between == between.strip():
        between = f" {between} "
    return [
        *((kind, value, "shared") for kind, value in head),
        *((kind, value, "startRange") for kind, value in middle[0]),
        ("literal", between, "shared"),
        *((kind, value, "endRange") for kind, value in middle[1]),
        *((kind, value, "shared") for kind, value in tail),
    ]


def _affix(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    found = []
    for part in parts:
        if part[0] in ("integer", "infinity", "nan", "fraction", "exponentInteger"):
            break
        found.append(part)
    return found
