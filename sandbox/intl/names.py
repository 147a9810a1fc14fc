"""Intl.DisplayNames: what languages, regions, scripts and currencies are called."""

from __future__ import annotations

from typing import Any, Final

from sandbox.intl import currencies, tags
from sandbox.intl.data import load

_TABLES: Final = {"region": "territories", "script": "scripts"}
# What stands between details of a language's name, before the first and behind the last, if not comma and parentheses.
_DETAILS: Final = {
    "ar": ("، ", " (", ")"),
    "fa": ("، ", " (", ")"),
    "ja": ("、", " (", ")"),
    "ko": (", ", "(", ")"),
    "ur": ("،", " (", ")"),
    "yue": ("，", "（", "）"),
    "zh": ("，", "（", "）"),
}


class Namer:
    """Knows names in one language."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Take the options."""
        locale = load(options["locale"])
        self._data, self._language_of = locale.data, locale.language
        self._type: str = options["type"]
        self._style: str = options["style"]
        self._is_dialect = options["languageDisplay"] == "dialect"

    def name(self, code: str) -> str:
        """The name of a code in its canonical form; empty: there is none."""
        if self._type in _TABLES:
            return self._lookup(_TABLES[self._type], code)
        if self._type == "currency":
            if self._style != "long":
                display = "narrowSymbol" if self._style == "narrow" else "symbol"
                symbol = currencies.symbol(self._data, self._language_of, code, display)
                return symbol if symbol != code or code in self._data["currency_names"] else ""
            return self._lookup("currency_names", code)
        return self._language(code) if self._type == "language" else ""

    def _lookup(self, table: str, key: str) -> str:
        names = self._data[table]
        return str(names[key]) if key in names and names[key] is not None else ""

    def _language(self, code: str) -> str:
        tag = tags.parse(code)
        if tag is None:
            return ""
        script, region = tag.script, tag.region
        name = ""
        if self._is_dialect:
            for parts, rest in (
                ((tag.language, script, region), ("", "")),
                ((tag.language, script), ("", region)),
                ((tag.language, region), (script, "")),
            ):
                if all(parts) and (name := self._lookup("languages", "_".join(parts))):
                    script, region = rest
                    break
        name = name or self._lookup("languages", tag.language)
        if not name:
            return ""
        details = [
            self._lookup("scripts", script) or script,
            self._lookup("territories", region) or region,
            *(self._lookup("variants", variant.upper()) or variant.upper() for variant in tag.variants),
        ]
        separator, before, after = _DETAILS.get(self._language_of, (", ", " (", ")"))
        shown = separator.join(detail for detail in details if detail)
        return f"{name}{before}{shown}{after}" if shown else name
