"""Answers what the guest asks of locales. All answers are pure: they depend on nothing but the question.

A formatter is a text: its kind, locale and options as JSON. What was made of the latest ones, of few locales, is kept
for all sandboxes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from babel.core import get_global

from sandbox.intl import data, digits, tags, zones
from sandbox.intl.collation import CollationRules
from sandbox.intl.dates import DateFormatter
from sandbox.intl.intervals import dates as date_range
from sandbox.intl.intervals import numbers as number_range
from sandbox.intl.lists import ListFormatter
from sandbox.intl.names import Namer
from sandbox.intl.numbers import NumberFormatter
from sandbox.intl.plurals import Plurals
from sandbox.intl.relative import RelativeFormatter
from sandbox.intl.schema import Refused, checked

_MAX_FORMATTERS: Final = 128
_MAX_KEY_CHARS: Final = 2000
_MAX_DIGITS: Final = 4000
_MAX_ITEMS: Final = 10_000
_FARTHEST_MS: Final = 8.64e15


class Plural:
    """Tells plural categories."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Look the rules up."""
        numbers = {"numberingSystem": "latn", "style": "decimal", "useGrouping": False}
        self._numbers = NumberFormatter({**options, **numbers, "signDisplay": "auto"})
        locale = data.load(options["locale"])
        self._plurals = Plurals(locale.data["plural_form" if options["type"] == "cardinal" else "ordinal_form"])
        self._numbers._plurals = self._plurals

    def categories(self) -> list[str]:
        """All there are."""
        return self._plurals.categories()

    def select(self, value: float | str) -> str:
        """The one of a number."""
        return self._numbers.category(value)


_MAKERS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "number": NumberFormatter,
    "date": DateFormatter,
    "plural": Plural,
    "relative": RelativeFormatter,
    "list": ListFormatter,
    "names": Namer,
    "collator": CollationRules,
}


@lru_cache(maxsize=_MAX_FORMATTERS)
def _parsed(key: str) -> tuple[str, dict[str, Any]]:
    try:
        options = json.loads(key)
    except (ValueError, RecursionError):
        raise Refused("a formatter that is no JSON") from None
    return checked(options)


@lru_cache(maxsize=data.MAX_LOADED)
def _made(locale: str) -> dict[str, Any]:
    """What was made for a locale, by its text: it holds the locale's data, so few locales have any."""
    return {}


def formatter(key: object) -> tuple[str, Any]:
    """What a text stands for.

    Raises:
        Refused: It is no formatter.
    """
    if not isinstance(key, str) or len(key) > _MAX_KEY_CHARS:
        raise Refused("no formatter")
    kind, options = _parsed(key)
    if kind == "locale":
        return kind, options
    made = _made(options["locale"])
    found = made.get(key)
    if found is None:
        if len(made) >= _MAX_FORMATTERS:
            made.clear()
        found = made[key] = _MAKERS[kind](options)
    return kind, found


def locale(text: object) -> list[Any] | None:
    """A language tag: its canonical form, the locale there is data for, its keywords, and defaults of the locale."""
    tag = tags.parse(text) if isinstance(text, str) else None
    if tag is None:
        return None
    found = data.match(tag)
    keywords = [part for keyword in tag.keywords for part in keyword]
    if found is None:
        return [str(tag), None, keywords, "latn", "h23"]
    known = data.load(found)
    return [str(tag), found, keywords, known.numbering_system, known.hour_cycle]


def likely(text: object, add: object) -> str:
    """A tag with its likely subtags, or without."""
    if not isinstance(text, str):
        raise Refused("no tag")
    tag = _tag(text)
    return str((tags.maximize(tag) or tag) if add else tags.minimize(tag))


def _tag(text: str) -> tags.Tag:
    tag = tags.parse(text)
    if tag is None:  # a canonical one may be longer than that it was made of
        raise ValueError("the language tag is too long")
    return tag


def zone(name: object) -> str | None:
    """How the name of a time zone is written."""
    found = zones.find(name) if isinstance(name, str) else None
    return None if found is None else found.name


def describe(key: object) -> Any:  # noqa: ANN401 - any value
    """What the options of a formatter resolve to."""
    kind, found = formatter(key)
    if kind == "date":
        return found.resolved()
    if kind == "plural":
        return found.categories()
    if kind == "locale":
        return _of_locale(found)
    raise Refused("nothing to describe")


def form(key: object, parts: object, first: object, second: object) -> Any:  # noqa: ANN401 - any value
    """A text, or types and values of its parts in turn."""
    kind, found = formatter(key)
    if kind == "number":
        shown = found.parts(_number(first)) if second is None else number_range(found, _number(first), _number(second))
    elif kind == "date":
        shown = found.parts(_time(first)) if second is None else date_range(found, _time(first), _time(second))
    elif kind == "plural":
        return found.select(_number(first)) if second is None else found.select(_number(second))
    elif kind == "relative":
        shown = found.parts(_number(first), _unit(second))
    elif kind == "list":
        shown = found.parts(_strings(first))
    elif kind == "names" and isinstance(first, str):
        return found.name(first)
    else:
        raise Refused("nothing to format")
    return [value for part in shown for value in part] if parts else "".join(part[1] for part in shown)


def compare(key: object, first: object, second: object) -> int:
    """How two texts are ordered."""
    kind, found = formatter(key)
    if kind != "collator" or not isinstance(first, str) or not isinstance(second, str):
        raise Refused("nothing to compare")
    order: int = found.compare(first, second)
    return order


def supported(key: object) -> list[str]:
    """The values of `Intl.supportedValuesOf`."""
    if key == "calendar":
        return ["gregory", "iso8601"]
    if key == "collation":
        return ["phonebk", "trad"]
    if key == "currency":
        return sorted(str(code) for code in get_global("all_currencies"))
    if key == "numberingSystem":
        return list(digits.SYSTEMS)
    if key == "timeZone":
        return _zone_names()
    raise Refused("no such key")


@lru_cache(maxsize=1)
def _zone_names() -> list[str]:
    aliases = get_global("zone_aliases")
    territories = get_global("zone_territories")
    known = {str(aliases.get(name, name)) for name in zones.names() if name in territories or name in aliases}
    known |= {f"Etc/GMT{hours:+}" for hours in range(-14, 13) if hours}
    found = (zones.find(name) for name in known if "/" in name)
    return sorted({"UTC", *(zone.name for zone in found if zone is not None)})


def _of_locale(options: Mapping[str, Any]) -> list[Any] | None:
    tag = _tag(options["locale"])
    keywords, what = dict(tag.keywords), options["what"]
    known = _regional(tag, keywords)
    if what == "calendars":
        return [keywords["ca"]] if keywords.get("ca") else ["gregory"]
    if what == "collations":
        return [keywords["co"]] if keywords.get("co") else {"de": ["phonebk"], "es": ["trad"]}.get(tag.language, [])
    if what == "hourCycles":
        return [keywords["hc"]] if keywords.get("hc") else [known.hour_cycle]
    if what == "numberingSystems":
        return [keywords["nu"]] if keywords.get("nu") else [known.numbering_system]
    if what == "direction":
        return ["rtl" if known.data["character_order"] == "right-to-left" else "ltr"]
    if what == "timeZones":
        return sorted(get_global("territory_zones").get(tag.region, ())) if tag.region else None
    return _week(keywords, known)


def _regional(tag: tags.Tag, keywords: Mapping[str, str]) -> data.Locale:
    """The locale whose habits hold for a tag: those of its region, which a keyword may name."""
    region = next((keywords[key][:2].upper() for key in ("rg", "sd") if len(keywords.get(key, "")) > 2 and
                   (key == "rg" or not tag.region)), "")  # fmt: skip
    full = tags.maximize(replace(tag, region=region or tag.region)) or tag
    exact = data.match(full)
    if exact is None or full.region not in exact.split("-"):
        exact = next((name for name in data.available() if name.endswith("-" + full.region)), exact)
    return data.load(exact or "en")


def _week(keywords: Mapping[str, str], known: data.Locale) -> list[int]:
    """The first day of the week, then those of the weekend; 1 is Monday."""
    week = known.data["week_data"]
    first = week["first_day"] + 1
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    if keywords.get("fw") in days:
        first = days.index(keywords["fw"]) + 1
    start, end = week["weekend_start"], week["weekend_end"]
    return [first, *((start + offset) % 7 + 1 for offset in range((end - start) % 7 + 1))]


def _number(value: object) -> float | str:
    if isinstance(value, bool):
        raise Refused("no number")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _is_decimal(value):
        return value
    raise Refused("no number")


def _is_decimal(text: str) -> bool:
    try:
        return text.isascii() and math.isfinite(float(text) if len(text) < 300 else 0)
    except ValueError:
        return False


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _FARTHEST_MS:
        raise Refused("no time")
    return value


def _unit(value: object) -> str:
    if value not in ("second", "minute", "hour", "day", "week", "month", "quarter", "year"):
        raise Refused("no unit")
    return str(value)


def _strings(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS or not all(isinstance(item, str) for item in value):
        raise Refused("no list of texts")
    return value
