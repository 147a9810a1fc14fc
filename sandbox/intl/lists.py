"""Intl.ListFormat: several things as one phrase."""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.intl.data import load

Part = tuple[str, str]

_NAMES: Final = {"conjunction": "standard", "disjunction": "or", "unit": "unit"}
# Where Babel's data has nothing, another pattern holds.
_FALLBACKS: Final = {
    "or-short": "or",
    "or-narrow": "or-short",
    "standard-short": "standard",
    "standard-narrow": "standard-short",
    "unit": "unit-short",
    "unit-short": "standard",
    "unit-narrow": "unit-short",
}
# Spanish: "y" before the sound of i is "e", "o" before that of o is "u"; Hebrew: a hyphen before other scripts.
_BEFORE_I: Final = re.compile(r"(?i)i|hi(?!a|e)")
_BEFORE_O: Final = re.compile(r"(?i)h?o|8|11(?:\D|$|(?:\d{3})+(?:\D|$))")
_HEBREW: Final = re.compile(r"[֐-׿]")


class ListFormatter:
    """Joins texts."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Look the patterns up."""
        locale = load(options["locale"])
        style = options["style"]
        name = _NAMES[options["type"]] + ("" if style == "long" else f"-{style}")
        self._language = locale.language
        self._patterns = {
            kind: _pattern(locale.data["list_patterns"], name, kind) for kind in ("2", "start", "middle", "end")
        }

    def parts(self, items: list[str]) -> list[Part]:
        """Items and what stands between them, as types and values."""
        if len(items) < 2:
            return [("element", item) for item in items]
        if len(items) == 2:
            return _joined(self._at("2", items[1]), [("element", items[0])], [("element", items[1])])
        head, between, tail = _split(self._patterns["start"])
        parts: list[Part] = [*_literal(head), ("element", items[0]), *_literal(between)]
        before, middle, behind = _split(self._patterns["middle"])
        inner = len(items[1:-2])
        for item in items[1:-2]:
            parts += [("element", item), *_literal(middle)]
        opening, closing = _literal(before) * inner, _literal(behind) * inner + _literal(tail)
        first, last, end = _split(self._at("end", items[-1]))
        parts += [("element", items[-2]), *_literal(last), ("element", items[-1]), *_literal(end)]
        return [*opening, *_literal(first), *parts, *closing]

    def _at(self, kind: str, following: str) -> str:
        pattern = self._patterns[kind]
        if self._language == "es":
            if " y {1}" in pattern and _BEFORE_I.match(following):
                return pattern.replace(" y {1}", " e {1}")
            if " o {1}" in pattern and _BEFORE_O.match(following):
                return pattern.replace(" o {1}", " u {1}")
        if self._language == "he" and "ו{1}" in pattern and not _HEBREW.match(following):
            return pattern.replace("ו{1}", "ו-{1}")
        return pattern


def _pattern(table: Any, name: str, kind: str) -> str:  # noqa: ANN401 - Babel's
    while True:
        if name in table and kind in table[name]:
            return str(table[name][kind])
        if name not in _FALLBACKS:
            return "{0}, {1}"
        name = _FALLBACKS[name]


def _split(pattern: str) -> tuple[str, str, str]:
    before, _, rest = pattern.partition("{0}")
    between, _, after = rest.partition("{1}")
    return before, between, after


def _literal(text: str) -> list[Part]:
    return [("literal", text)] if text else []


def _joined(pattern: str, first: list[Part], second: list[Part]) -> list[Part]:
    before, between, after = _split(pattern)
    return [*_literal(before), *first, *_literal(between), *second, *_literal(after)]
