"""Units of measurement beside their amounts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sandbox.intl.data import Locale, load


def unit_affixes(locale: Locale, unit: str, display: str, category: str) -> tuple[str, str]:
    """What stands before and behind an amount of a unit, in a plural category."""
    keys = _keys(locale.name)
    if unit in keys:
        return _halves(_form(locale, keys[unit], display, category))
    unit, _, per = unit.partition("-per-")
    before, behind = _halves(_form(locale, keys[unit], display, category))
    pattern = _form(locale, keys[per], display, "per", default="")
    if not pattern:
        compound = locale.data["compound_unit_patterns"]["per"]
        shown = compound[display] if display in compound else compound["short"]
        # The name of one of them, without the amount.
        name = _form(locale, keys[per], display, "one").replace("{0}", "").strip()
        pattern = str(shown["compound"]).replace("{1}", name)
    left, right = _halves(pattern)
    return left + before, behind + right


@lru_cache(maxsize=24)
def _keys(name: str) -> dict[str, str]:
    """Units, with the names that the data has for them: those begin with what is measured."""
    return {str(key).partition("-")[2]: str(key) for key in load(name).data["unit_patterns"]}


def _form(locale: Locale, key: str, display: str, category: str, default: str = "{0}") -> str:
    forms: Any = locale.data["unit_patterns"][key]
    for style in (display, "short", "long"):
        found = forms.get(style, {})
        for form in (category, "other") if category != "per" else ("per",):
            if form in found:
                return str(found[form])
    return default


def _halves(pattern: str) -> tuple[str, str]:
    before, _, behind = pattern.partition("{0}")
    return before, behind
