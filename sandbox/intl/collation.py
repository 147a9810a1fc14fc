"""Intl.Collator: the order of texts, by the Unicode Collation Algorithm (UTS 10) with short rules of languages.

The default order is the table that the package pyuca carries, which is read when texts are first compared.
"""

from __future__ import annotations

import importlib.resources
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

from sandbox.intl.data import load
from sandbox.intl.tailorings import RULES, SCRIPTS_FIRST

Element = tuple[int, int, int]
"""Weights: of the letter, of its accents, of its case."""
Elements = tuple[Element, ...]

_TABLE: Final = "allkeys-10.0.0.txt"
_WEIGHTS: Final = re.compile(r"\[[.*]([0-9A-F]{4})\.([0-9A-F]{4})\.([0-9A-F]{4})\]")
_RULE: Final = re.compile(r"(&(?:\[before 1\])?|<{1,3})([^&<]+)")
# Between two weights of the table there is room for those of rules.
_ROOM: Final = 1 << 12
_LETTERS: Final = 1 << 40
_FIRST_LETTERS: Final = 1 << 39
_COMMON_ACCENT: Final = 0x20 * _ROOM
_LOWER: Final = 0x02 * _ROOM
_UPPER: Final = 0x08 * _ROOM
_UPPERS: Final = frozenset({0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0E, 0x11, 0x12, 0x1D})
_MAX_CHARS: Final = 4000  # of a text; what follows is ordered by its code points
_MAX_KEPT_CHARS: Final = 64
_MAX_KEYS: Final = 512
_IDEOGRAPHS: Final = ((0x4E00, 0x9FFF), (0xF900, 0xFAFF))
_MORE_IDEOGRAPHS: Final = ((0x3400, 0x4DBF), (0x20000, 0x323AF))


class _Root:
    """The default order."""

    def __init__(self) -> None:
        self.elements: dict[str, Elements] = {}
        # Letters with which longer entries begin, and how long those are.
        self.longest: dict[str, int] = {}
        text = importlib.resources.files("pyuca").joinpath(_TABLE).read_text("ascii")
        for line in text.splitlines():
            codes, semicolon, weights = line.partition(";")
            if not semicolon or line[0] in "@#":
                continue
            key = "".join(chr(int(code, 16)) for code in codes.split())
            self.elements[key] = tuple(
                (int(first, 16) * _ROOM, int(second, 16) * _ROOM, int(third, 16) * _ROOM)
                for first, second, third in _WEIGHTS.findall(weights.partition("#")[0])
            )
            if len(key) > 1:
                self.longest[key[0]] = max(self.longest.get(key[0], 1), len(key))
        self.first_letter = self.elements["a"][0][0]

    def of(self, letter: str) -> Elements:
        """The weights of one letter."""
        found = self.elements.get(letter)
        if found is not None:
            return found
        code = ord(letter)
        base = 0xFBC0
        if any(low <= code <= high for low, high in _IDEOGRAPHS):
            base = 0xFB40
        elif any(low <= code <= high for low, high in _MORE_IDEOGRAPHS):
            base = 0xFB80
        return (
            ((base + (code >> 15)) * _ROOM, _COMMON_ACCENT, _LOWER),
            (((code & 0x7FFF) | 0x8000) * _ROOM, 0, 0),
        )


@lru_cache(maxsize=1)
def _root() -> _Root:
    return _Root()


class _Order:
    """The order of a language: the default one and its rules."""

    def __init__(self, rules: str) -> None:
        self.root = _root()
        self.own: dict[str, Elements] = {}
        self.longest: dict[str, int] = {}
        self._places: dict[int, int] = {}
        place: Elements = ()
        for sign, text in _RULE.findall(rules):
            text = unicodedata.normalize("NFD", text)
            if sign[0] == "&":
                place = self.elements(text)
                if sign != "&":
                    last = place[-1]
                    place = (*place[:-1], (last[0] - _ROOM // 2, last[1], last[2]))
                continue
            place = (*place[:-1], self._behind(place[-1], sign, text))
            self.own[text] = place
            self.longest[text[0]] = max(self.longest.get(text[0], 1), len(text))

    def _behind(self, last: Element, sign: str, text: str) -> Element:
        case = _LOWER if text == text.lower() else _UPPER
        if sign == "<":
            base = last[0] - last[0] % (_ROOM // 2)
            self._places[base] = self._places.get(base, 0) + 1
            return base + self._places[base], _COMMON_ACCENT, case
        if sign == "<<":
            return last[0], last[1] + 1, case
        upper = case if case == _LOWER else case + sum(letter != letter.lower() for letter in text) - 1
        return last[0], last[1], upper

    def elements(self, text: str) -> Elements:
        """The weights of a text in the form NFD."""
        found: list[Element] = []
        position, length = 0, len(text)
        own, root = self.own, self.root.elements
        while position < length:
            letter = text[position]
            longest = max(self.longest.get(letter, 1), self.root.longest.get(letter, 1))
            while longest > 1:
                piece = text[position : position + longest]
                weights = own.get(piece) or (root.get(piece) if len(piece) > 1 else None)
                if weights is not None and len(piece) == longest:
                    found += weights
                    break
                longest -= 1
            if longest > 1:
                position += longest
                continue
            position += 1
            if position < length and (self.longest.get(letter, 1) > 1) and unicodedata.combining(text[position]):
                joined = self._discontiguous(letter, text, position)
                if joined is not None:
                    weights, skipped = joined
                    found += weights
                    for mark in text[position:skipped]:
                        found += self.root.of(mark)
                    position = skipped + 1
                    continue
            found += own.get(letter) or self.root.of(letter)
        return tuple(found)

    def _discontiguous(self, letter: str, text: str, position: int) -> tuple[Elements, int] | None:
        """A letter that stands for another together with a mark that does not follow it at once."""
        last = 0
        for index in range(position, min(position + 16, len(text))):
            kind = unicodedata.combining(text[index])
            if not kind:
                return None
            if kind != last and letter + text[index] in self.own:
                return self.own[letter + text[index]], index
            last = kind
        return None


@lru_cache(maxsize=48)
def _order(rules: str) -> _Order:
    return _Order(rules)


@lru_cache(maxsize=_MAX_KEYS)
def _kept_key(rules: CollationRules, text: str) -> tuple[Any, ...]:
    return rules.key(text)


class CollationRules:
    """Compares texts; its options have been checked."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Choose the rules."""
        locale = load(options["locale"])
        language, variant = locale.language, options["collation"]
        script = locale.tag.script
        names = (f"{language}-{variant}", f"{language}-{script}", language)
        self._order = _order(next((RULES[name] for name in names if name in RULES), ""))
        self._levels: str = options["sensitivity"]
        self._is_numeric: bool = options["numeric"]
        self._case_first: str = options["caseFirst"]
        self._skips: bool = options["ignorePunctuation"]
        self._is_backwards = locale.name == "fr-CA"
        self._first = (0, -1)
        for languages, (low, high) in SCRIPTS_FIRST.items():
            if language in languages.split() and not (language == "sr" and script == "Latn"):
                root = self._order.root
                self._first = root.of(low)[0][0], root.of(high)[0][0] + _ROOM
        self._zero = self._order.root.of("0")[0][0]

    def compare(self, first: str, second: str) -> int:
        """Below, at or above 0, as the first comes before, with or after the second."""
        if first == second:
            return 0
        left, right = self._key_of(first), self._key_of(second)
        if left == right and max(len(first), len(second)) > _MAX_CHARS:
            left, right = (first[_MAX_CHARS:],), (second[_MAX_CHARS:],)
        return (left > right) - (left < right)

    def _key_of(self, text: str) -> tuple[Any, ...]:
        return _kept_key(self, text) if len(text) <= _MAX_KEPT_CHARS else self.key(text[:_MAX_CHARS])

    def key(self, text: str) -> tuple[Any, ...]:
        """What orders a text: a list of weights for each level that counts."""
        text = unicodedata.normalize("NFD", text)
        elements = self._numbered(text) if self._is_numeric else self._order.elements(text)
        if self._skips:
            elements = self._without_punctuation(text)
        letters = [self._letter(element[0]) for element in elements if element[0]]
        if self._levels == "base":
            return (letters,)
        accents = [element[1] for element in elements if element[1]]
        if self._is_backwards:
            accents.reverse()
        if self._levels == "accent":
            return (letters, accents)
        if self._levels == "case":
            cases = [self._case(element[2])[0] for element in elements if element[0] and element[2]]
            return (letters, cases)
        return (letters, accents, [self._case(element[2]) for element in elements if element[2]])

    def _letter(self, weight: int) -> int:
        if weight < self._order.root.first_letter:
            return weight
        low, high = self._first
        return weight + (_FIRST_LETTERS if low <= weight <= high else _LETTERS)

    def _case(self, weight: int) -> tuple[int, int]:
        is_upper = weight // _ROOM in _UPPERS
        if self._case_first == "upper":
            return (0 if is_upper else 1, weight)
        if self._case_first == "lower" or self._levels == "case":
            return (1 if is_upper else 0, weight)
        return (0, weight)

    def _numbered(self, text: str) -> Elements:
        """Weights that order runs of digits by the numbers they are."""
        found: list[Element] = []
        for run in re.finditer(r"\d+|\D+", text):
            if not run[0][0].isdecimal():
                found += self._order.elements(run[0])
                continue
            digits = "".join(str(unicodedata.decimal(digit)) for digit in run[0]).lstrip("0")
            found.append((self._zero, _COMMON_ACCENT, _LOWER))
            found.append((len(digits) + 1, 0, 0))
            found += [(int(digit) + 1, 0, 0) for digit in digits]
        return tuple(found)

    def _without_punctuation(self, text: str) -> Elements:
        kept = "".join(
            letter for letter in text if unicodedata.category(letter)[0] not in "PZ" and letter not in "\t\n\v\f\r\x85"
        )
        return self._numbered(kept) if self._is_numeric else self._order.elements(kept)
