"""What a formatter may say: every option is checked here again, for a guest may have taken over its engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sandbox.intl import data, digits, zones

Check = Callable[[Any], bool]


class Refused(Exception):
    """What no binding asks."""


def _one_of(*values: object) -> Check:
    return lambda value: any(type(value) is type(each) and value == each for each in values)


def _whole(least: int, most: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(form: str) -> Check:
    pattern = re.compile(form)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_WIDTHS: Final = _one_of("long", "short", "narrow")
_NUMERALS: Final = _one_of("numeric", "2-digit")
_SYSTEM: Final[Check] = lambda value: isinstance(value, str) and value in digits.SYSTEMS  # noqa: E731 - a check like others
_LOCALE: Final[Check] = lambda value: isinstance(value, str) and value in data.available()  # noqa: E731
_ZONE: Final[Check] = lambda value: isinstance(value, str) and zones.find(value) is not None  # noqa: E731
_FLAG: Final = _one_of(True, False)
_STYLES: Final = _one_of("full", "long", "medium", "short")

_DIGITS: Final[dict[str, Check]] = {
    "minimumIntegerDigits": _whole(1, 21),
    "roundingIncrement": _whole(1, 5000),
    "roundingMode": _one_of(
        "ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"
    ),
    "roundingType": _one_of("fractionDigits", "significantDigits", "morePrecision", "lessPrecision"),
    "trailingZeroDisplay": _one_of("auto", "stripIfInteger"),
}
_MORE_DIGITS: Final[dict[str, Check]] = {
    "minimumFractionDigits": _whole(0, 100),
    "maximumFractionDigits": _whole(0, 100),
    "minimumSignificantDigits": _whole(1, 21),
    "maximumSignificantDigits": _whole(1, 21),
}
_SIMPLE_UNITS: Final = frozenset(
    [
        "acre",
        "bit",
        "byte",
        "celsius",
        "centimeter",
        "day",
        "degree",
        "fahrenheit",
        "fluid-ounce",
        "foot",
        "gallon",
        "gigabit",
        "gigabyte",
        "gram",
        "hectare",
        "hour",
        "inch",
        "kilobit",
        "kilobyte",
        "kilogram",
        "kilometer",
        "liter",
        "megabit",
        "megabyte",
        "meter",
        "microsecond",
        "mile",
        "mile-scandinavian",
        "milliliter",
        "millimeter",
        "millisecond",
        "minute",
        "month",
        "nanosecond",
        "ounce",
        "percent",
        "petabyte",
        "pound",
        "second",
        "stone",
        "terabit",
        "terabyte",
        "week",
        "yard",
        "year",
    ]
)


def _is_unit(value: object) -> bool:
    """Whether it is a unit of ECMA-402, or one per another."""
    if not isinstance(value, str):
        return False
    first, per, second = value.partition("-per-")
    return first in _SIMPLE_UNITS and (not per or second in _SIMPLE_UNITS)


# Of each kind of formatter: the options that there must be, and those that there may be.
_KINDS: Final[dict[str, tuple[dict[str, Check], dict[str, Check]]]] = {
    "number": (
        {
            **_DIGITS,
            "numberingSystem": _SYSTEM,
            "style": _one_of("decimal", "percent", "currency", "unit"),
            "notation": _one_of("standard", "scientific", "engineering", "compact"),
            "useGrouping": _one_of("min2", "auto", "always", False),
            "signDisplay": _one_of("auto", "never", "always", "exceptZero", "negative"),
        },
        {
            **_MORE_DIGITS,
            "currency": _text(r"[A-Z]{3}"),
            "currencyDisplay": _one_of("code", "symbol", "narrowSymbol", "name"),
            "currencySign": _one_of("standard", "accounting"),
            "unit": _is_unit,
            "unitDisplay": _WIDTHS,
            "compactDisplay": _one_of("short", "long"),
        },
    ),
    "plural": (
        {
            **_DIGITS,
            "type": _one_of("cardinal", "ordinal"),
            "notation": _one_of("standard", "scientific", "engineering", "compact"),
        },
        {**_MORE_DIGITS, "compactDisplay": _one_of("short", "long")},
    ),
    "date": (
        {"calendar": _one_of("gregory", "iso8601"), "numberingSystem": _SYSTEM, "timeZone": _ZONE},
        {
            "hour12": _FLAG,
            "hourCycle": _one_of("h11", "h12", "h23", "h24"),
            "dateStyle": _STYLES,
            "timeStyle": _STYLES,
            "weekday": _WIDTHS,
            "era": _WIDTHS,
            "year": _NUMERALS,
            "month": _one_of("numeric", "2-digit", "long", "short", "narrow"),
            "day": _NUMERALS,
            "dayPeriod": _WIDTHS,
            "hour": _NUMERALS,
            "minute": _NUMERALS,
            "second": _NUMERALS,
            "fractionalSecondDigits": _whole(1, 3),
            "timeZoneName": _one_of("short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"),
        },
    ),
    "relative": ({"style": _WIDTHS, "numeric": _one_of("always", "auto"), "numberingSystem": _SYSTEM}, {}),
    "list": ({"style": _WIDTHS, "type": _one_of("conjunction", "disjunction", "unit")}, {}),
    "names": (
        {
            "style": _WIDTHS,
            "type": _one_of("language", "region", "script", "currency", "calendar", "dateTimeField"),
            "languageDisplay": _one_of("dialect", "standard"),
        },
        {},
    ),
    "collator": (
        {
            "collation": _one_of("default", "phonebk", "trad"),
            "numeric": _FLAG,
            "caseFirst": _one_of("upper", "lower", "false"),
            "sensitivity": _one_of("base", "accent", "case", "variant"),
            "ignorePunctuation": _FLAG,
        },
        {},
    ),
    "locale": (
        {
            "what": _one_of(
                "calendars", "collations", "hourCycles", "numberingSystems", "timeZones", "direction", "week"
            )
        },
        {},
    ),
}


def checked(options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - whatever the guest has sent
    """The kind of a formatter and its options.

    Raises:
        Refused: Something is missing, too much, or out of range.
    """
    if type(options) is not dict or not isinstance(kind := options.pop("kind", None), str) or kind not in _KINDS:
        raise Refused("a formatter of no known kind")
    needed, allowed = _KINDS[kind]
    locale = options.pop("locale", None)
    if not (isinstance(locale, str) and len(locale) < 400 if kind == "locale" else _LOCALE(locale)):
        raise Refused("a locale without data")
    for key, check in needed.items():
        if key not in options or not check(options[key]):
            raise Refused(f"the option {key}")
    for key, value in options.items():
        if key not in needed and not (key in allowed and allowed[key](value)):
            raise Refused(f"the option {key}")
    return kind, {**options, "locale": locale}
