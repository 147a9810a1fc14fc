"""Intl.DateTimeFormat: moments as text in the manner of a locale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sandbox._records import record
from sandbox.intl import zones
from sandbox.intl.data import load
from sandbox.intl.digits import translate
from sandbox.intl.skeletons import KINDS, POINT, Fields, Token, best, fields_of, glued, joiner, tokens, with_hours
from sandbox.intl.zone_names import zone_name

if TYPE_CHECKING:
    from sandbox.intl.zones import Local

Part = tuple[str, str]

_LENGTHS: Final = {"numeric": 1, "2-digit": 2, "short": 3, "long": 4, "narrow": 5}
_ZONE_FIELDS: Final = {
    "short": ("z", 1),
    "long": ("z", 4),
    "shortOffset": ("O", 1),
    "longOffset": ("O", 4),
    "shortGeneric": ("v", 1),
    "longGeneric": ("v", 4),
}
_ZONE_OPTIONS: Final = {field: option for option, field in _ZONE_FIELDS.items()}
HOURS: Final = {"h11": "K", "h12": "h", "h23": "H", "h24": "k"}
_CYCLES: Final = {letter: cycle for cycle, letter in HOURS.items()}
_WIDTHS: Final = {3: "abbreviated", 4: "wide", 5: "narrow"}
_TYPES: Final = {**KINDS, "S": "fractionalSecond"}
_MS_A_DAY: Final = 86_400_000
_NOON: Final = 43_200
_FALLBACK_WIDTHS: Final = {
    "narrow": ("narrow", "abbreviated", "wide"),
    "abbreviated": ("abbreviated", "wide"),
    "wide": ("wide", "abbreviated"),
    "short": ("short", "abbreviated", "wide"),
}


@record(frozen=True, slots=True)
class Moment:
    """A moment by the clocks on a wall.

    Attributes:
        year: Astronomical: 0 is the year before 1 AD.
        month: 1 to 12.
        day: Of the month.
        weekday: 0 is Monday.
        ms: Of the day.
        local: What holds in the zone.
    """

    year: int
    month: int
    day: int
    weekday: int
    ms: int
    local: Local

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.ms // 3_600_000

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.ms // 60_000 % 60

    @property
    def second(self) -> int:
        """0 to 59."""
        return self.ms // 1000 % 60


def _civil(days: int) -> tuple[int, int, int]:
    """The date of a day since the Unix epoch, by the Gregorian calendar for all time."""
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_index = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_index + 2) // 5 + 1
    month = month_index + 3 if month_index < 10 else month_index - 9
    return year_of_era + era * 400 + (month <= 2), month, day


class DateFormatter:
    """Formats moments."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Choose the pattern."""
        self.locale: Final = load(options["locale"])
        self.system: Final[str] = options["numberingSystem"]
        self.calendar: Final[str] = options["calendar"]
        zone = zones.find(options["timeZone"])
        assert zone is not None
        self.zone: Final = zone
        self.cycle: Final = self._hour_cycle(options)
        self.options: Final = options
        self.pattern: Final = self._pattern()

    def _hour_cycle(self, options: dict[str, Any]) -> str:
        own = self.locale.hour_cycle
        is_twelve = options.get("hour12")
        if is_twelve is None:
            return str(options.get("hourCycle") or own)
        if is_twelve:
            return own if own in ("h11", "h12") else "h11" if self.locale.region == "JP" else "h12"
        return "h23"

    def wanted(self) -> Fields:
        """The fields that were asked for."""
        if self.options.get("dateStyle") or self.options.get("timeStyle"):
            return fields_of(tuple(token for token in self.pattern if token[1]))
        options, fields = self.options, dict[str, tuple[str, int]]()
        for kind, letter in (("era", "G"), ("year", "y"), ("month", "M"), ("weekday", "E"), ("day", "d"), ("hour", ""),
                             ("minute", "m"), ("second", "s"), ("dayPeriod", "B")):  # fmt: skip
            value = options.get(kind)
            if value is not None:
                length = _LENGTHS[value]
                if kind in ("era", "dayPeriod", "weekday") and length == 3:
                    length = 1
                fields[kind] = (letter or HOURS[self.cycle], length)
        if options.get("fractionalSecondDigits"):
            fields["fractionalSecond"] = ("S", options["fractionalSecondDigits"])
        if options.get("timeZoneName"):
            fields["timeZoneName"] = _ZONE_FIELDS[options["timeZoneName"]]
        if "hour" in fields and fields["hour"][0] in "hK" and "dayPeriod" not in fields:
            fields["dayPeriod"] = ("a", 1)
        elif "hour" in fields and fields["hour"][0] in "Hk":
            fields.pop("dayPeriod", None)
        return fields

    def _pattern(self) -> tuple[Token, ...]:
        date_style, time_style = self.options.get("dateStyle"), self.options.get("timeStyle")
        if date_style is None and time_style is None:
            parts = best(self.locale, self.wanted())
            return with_hours(parts, HOURS[self.cycle])
        data = self.locale.data
        date = tokens(data["date_formats"][date_style].pattern) if date_style else ()
        time = self._time(time_style) if time_style else ()
        if date and time:
            return glued(joiner(self.locale, str(date_style)), date, time)
        return date or time

    def _time(self, style: str) -> tuple[Token, ...]:
        parts = tokens(self.locale.data["time_formats"][style].pattern)
        if self.cycle == self.locale.hour_cycle:
            return parts
        twelve = ("h11", "h12")
        if (self.cycle in twelve) != (self.locale.hour_cycle in twelve):
            fields: Fields = {_TYPES[letter]: (letter, count) for letter, count in parts if count and letter != "a"}
            fields["hour"] = (HOURS[self.cycle], fields["hour"][1] if self.cycle not in twelve else 1)
            if self.cycle in twelve:
                fields["dayPeriod"] = ("a", 1)
            parts = best(self.locale, fields)
        return with_hours(parts, HOURS[self.cycle])

    # --- what was chosen ---

    def resolved(self) -> list[str]:
        """Keys and values of what the pattern shows, in turn."""
        found: list[str] = []
        for letter, count in self.pattern:
            if not count:
                continue
            kind = _TYPES[letter]
            if kind == "hour":
                found += ["hourCycle", _CYCLES[letter]]
            if kind == "timeZoneName":
                value = _ZONE_OPTIONS.get((letter, 4 if count == 4 else 1), "short")
            elif kind == "fractionalSecond":
                found += ["fractionalSecondDigits", str(count)]
                continue
            elif kind == "dayPeriod" and letter == "a":
                continue
            elif kind in ("weekday", "era", "dayPeriod") or (kind == "month" and count > 2):
                value = {4: "long", 5: "narrow"}.get(count, "short")
            else:
                value = "2-digit" if count == 2 else "numeric"
            found += [kind, value]
        return found

    # --- one moment ---

    def moment(self, time_ms: float) -> Moment:
        """A time value, in the zone."""
        local = self.zone.at(math.floor(time_ms / 1000))
        days, ms = divmod(int(time_ms) + local.seconds * 1000, _MS_A_DAY)
        year, month, day = _civil(days)
        return Moment(year, month, day, (days + 3) % 7, ms, local)

    def parts(self, time_ms: float) -> list[Part]:
        """A time value as types and values."""
        # Browsers and Node put plain spaces for CLDR's narrow ones here, though not into ranges: programs split there.
        shown = self.shown(self.pattern, self.moment(time_ms))
        return [(kind, value.replace("\u202f", " ")) for kind, value in shown]

    def shown(self, pattern: tuple[Token, ...], moment: Moment) -> list[Part]:
        """A moment by a pattern."""
        parts: list[Part] = []
        for text, count in pattern:
            if not count:
                part = ("literal", self.locale.symbols(self.system)["decimal"] if text == POINT else text)
            else:
                part = (_TYPES[text], self._field(text, count, moment))
            if part[0] == "literal" and parts and parts[-1][0] == "literal":
                parts[-1] = ("literal", parts[-1][1] + part[1])
            elif part[1]:
                parts.append(part)
        return parts

    def _field(self, letter: str, count: int, moment: Moment) -> str:
        kind = _TYPES[letter]
        if kind == "year":
            year = moment.year if self.calendar == "iso8601" or moment.year > 0 else 1 - moment.year
            return self._number(year % 100 if count == 2 else year, count)
        if kind == "month":
            return self._month(letter, count, moment.month)
        if kind == "day":
            return self._number(moment.day, count)
        if kind == "weekday":
            form = "stand-alone" if letter == "c" else "format"
            return self._name(
                "days", form, _WIDTHS.get(count, "short" if count == 6 else "abbreviated"), moment.weekday
            )
        if kind == "era":
            return self._era(count, int(moment.year > 0))
        if kind == "dayPeriod":
            return self._day_period(letter, count, moment)
        if kind == "hour":
            hour = moment.hour
            hour = {"h": (hour + 11) % 12 + 1, "K": hour % 12, "k": hour or 24}.get(letter, hour)
            return self._number(hour, count)
        if kind == "fractionalSecond":
            return translate(f"{moment.ms % 1000:03}"[:count].ljust(count, "0"), self.system)
        if kind == "timeZoneName":
            return zone_name(self.locale, self.system, self.zone, moment.local, letter, count)
        return self._number(moment.minute if kind == "minute" else moment.second, count)

    def _number(self, value: int, count: int) -> str:
        sign = "-" if value < 0 else ""
        return translate(sign + str(abs(value)).rjust(count, "0"), self.system)

    def _month(self, letter: str, count: int, month: int) -> str:
        if count < 3:
            return self._number(month, count)
        return self._name("months", "stand-alone" if letter == "L" else "format", _WIDTHS[count], month)

    def _name(self, table: str, form: str, width: str, key: int) -> str:
        """A name, of a width, or of a similar one if there is none."""
        names = self.locale.data[table]
        forms = (form, "stand-alone" if form == "format" else "format")
        for each in _FALLBACK_WIDTHS[width]:
            for kind in forms:
                found = names[kind][each] if kind in names and each in names[kind] else {}
                if key in found:
                    return str(found[key])
        return str(key)

    def _era(self, count: int, era: int) -> str:
        eras = self.locale.data["eras"]
        for width in _FALLBACK_WIDTHS[_WIDTHS.get(count, "abbreviated")]:
            if width in eras and era in eras[width]:
                return str(eras[width][era])
        return ""

    def _day_period(self, letter: str, count: int, moment: Moment) -> str:
        key = "am" if moment.hour < 12 else "pm"
        width = _WIDTHS.get(count, "abbreviated")
        if letter == "B":
            key = self._flexible(moment) or key
        periods = self.locale.data["day_periods"]
        for each in _FALLBACK_WIDTHS[width]:
            for form in ("format", "stand-alone"):
                names = periods[form][each] if form in periods and each in periods[form] else {}
                if key in names:
                    return str(names[key])
        return key.upper() if key in ("am", "pm") else key

    def _flexible(self, moment: Moment) -> str:
        """The part of the day, such as `morning1`; empty: the locale has none."""
        rules = self.locale.data["day_period_rules"]
        rules = rules.get(None, {})
        seconds = moment.ms // 1000
        shows_minutes = any(letter in "ms" for letter, count in self.pattern if count)
        if seconds // (1 if shows_minutes else 3600) * (1 if shows_minutes else 3600) == _NOON and "noon" in rules:
            return "noon"
        for name, spans in rules.items():
            for span in spans:
                start, end = span.get("from"), span.get("before")
                if start is None:
                    continue
                if start <= seconds < end or (start > end and (seconds >= start or seconds < end)):
                    return str(name)
        return ""
