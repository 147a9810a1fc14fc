"""Babel's data of locales: which there are, which one serves a language tag, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from babel import localedata

from sandbox.intl import tags

if TYPE_CHECKING:
    from sandbox.intl.tags import Tag

MAX_LOADED: Final = 4  # of one or two megabytes each
_MAX_BABELS: Final = 6
_HOUR_CYCLES: Final = {"h": "h12", "H": "h23", "K": "h11", "k": "h24"}
_UNUSUAL: Final = frozenset({"en_US_POSIX", "root"})


@lru_cache(maxsize=1)
def available() -> dict[str, str]:
    """Language tags of the locales there is data for, with Babel's names of the data."""
    found: dict[str, str] = {}
    for name in sorted(localedata.locale_identifiers()):
        tag = tags.parse(name.replace("_", "-"))
        if name not in _UNUSUAL and tag is not None:
            found[tag.base] = name
    # zh-TW is zh-Hant-TW: the script is what is likely there.
    for base in list(found):
        tag = tags.parse(base)
        assert tag is not None
        short = replace(tag, script="")
        if tag.script and tag.region and short.base not in found:
            full = tags.maximize(short)
            if full is not None and full.base == base:
                found[short.base] = found[base]
    return found


def match(tag: Tag) -> str | None:
    """The locale there is data for, by the standard's lookup; None: there is none for this language."""
    base, known = tag.base, available()
    while base and base not in known:
        base = base.rpartition("-")[0]
    return base or None


@dataclass(frozen=True)
class Locale:
    """The data of one locale.

    Attributes:
        name: Its tag.
        data: What Babel has.
    """

    name: str
    data: Any

    @cached_property
    def tag(self) -> Tag:
        """The parts of the name."""
        tag = tags.parse(self.name)
        assert tag is not None
        return tag

    @cached_property
    def language(self) -> str:
        """Its language."""
        return self.tag.language

    @cached_property
    def region(self) -> str:
        """Where it is spoken, if that can be told; else the world."""
        full = tags.maximize(self.tag)
        return full.region if full is not None else "001"

    @cached_property
    def numbering_system(self) -> str:
        """The one it uses by default."""
        return str(self.data["default_numbering_system"] or "latn")

    @cached_property
    def hour_cycle(self) -> str:
        """How its hours are counted by default."""
        pattern = self.data["time_formats"]["short"].pattern
        return next((cycle for letter, cycle in _HOUR_CYCLES.items() if letter in pattern), "h23")

    def symbols(self, system: str) -> dict[str, str]:
        """The symbols of numbers, in a numbering system or, where it has none of its own, as in the default one."""
        table = self.data["number_symbols"]
        for name in (system, "latn"):
            symbols = table.get(name, None)
            if symbols is not None and "decimal" in symbols:
                return dict(symbols)
        return {"decimal": ".", "group": ",", "minusSign": "-", "plusSign": "+", "percentSign": "%"}


@lru_cache(maxsize=MAX_LOADED)
def load(name: str) -> Locale:
    """The data of a locale that `match` has named.

    Raises:
        KeyError: There is none.
    """
    known: Any = localedata.load(available()[name])
    locale = Locale(name, localedata.LocaleDataDict(known))
    # Babel keeps whatever it has loaded. A program that goes through all locales would have it keep half a gigabyte.
    kept, lock = getattr(localedata, "_cache", {}), getattr(localedata, "_cache_lock", None)
    if len(kept) > _MAX_BABELS and lock is not None:
        with lock:
            kept.clear()
    return locale
