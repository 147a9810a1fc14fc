"""Intl.RelativeTimeFormat: times as seen from now."""

from __future__ import annotations

import math
from typing import Any, Final

from sandbox.intl import phrases
from sandbox.intl.data import load
from sandbox.intl.numbers import NumberFormatter

_WORDS_FROM: Final = -2
_WORDS_TO: Final = 2
_NUMBERS: Final[dict[str, Any]] = {
    "style": "decimal",
    "notation": "standard",
    "useGrouping": "auto",
    "signDisplay": "auto",
    "minimumIntegerDigits": 1,
    "minimumFractionDigits": 0,
    "maximumFractionDigits": 3,
    "roundingType": "fractionDigits",
    "roundingMode": "halfExpand",
    "roundingIncrement": 1,
    "trailingZeroDisplay": "auto",
}


class RelativeFormatter:
    """Says how long ago something was, or how soon it will be."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Look the patterns up."""
        self._locale = load(options["locale"])
        self._style: str = options["style"]
        self._has_words = options["numeric"] == "auto"
        numbers = {"locale": options["locale"], "numberingSystem": options["numberingSystem"]}
        self._numbers = NumberFormatter({**_NUMBERS, **numbers})

    def parts(self, value: float, unit: str) -> list[tuple[str, str, str]]:
        """Types, values, and of a number's parts the unit."""
        if self._has_words and _WORDS_FROM <= value <= _WORDS_TO and value == int(value):
            tag = self._locale.tag
            is_traditional = tag.script == "Hant" or tag.region in ("TW", "HK", "MO")
            chinese = "zh-Hant" if is_traditional else "zh"
            short = "en-short" if self._style != "long" else "en"
            names = ({"zh": chinese, "en": short}.get(tag.language, tag.base), tag.language)
            word = phrases.relative(names, unit, int(value))
            if word:
                return [("literal", word, "")]
        pattern = self._pattern(value, unit)
        before, found, after = pattern.partition("{0}")
        parts = [("literal", before, "")] if before else []
        if found:
            parts += [(kind, part, unit) for kind, part in self._numbers.parts(abs(value))]
        return parts + ([("literal", after, "")] if after else [])

    def _pattern(self, value: float, unit: str) -> str:
        fields = self._locale.data["date_fields"]
        direction = "past" if math.copysign(1, value) < 0 else "future"
        category = self._numbers.category(abs(value))
        styles = {"long": ("",), "short": ("-short", ""), "narrow": ("-narrow", "-short", "")}[self._style]
        for style in styles:
            field = fields.get(unit + style, {})
            forms = field.get(direction, {})
            for form in (category, "other"):
                if form in forms:
                    return str(forms[form])
        return "{0}"
