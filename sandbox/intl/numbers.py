"""Intl.NumberFormat: numbers as text in the manner of a locale."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sandbox.intl import currencies, patterns
from sandbox.intl.data import Locale, load
from sandbox.intl.digits import translate
from sandbox.intl.plurals import Operands, Plurals
from sandbox.intl.rounding import CONTEXT, Digits, Rounding
from sandbox.intl.units import unit_affixes

if TYPE_CHECKING:
    from sandbox.intl.patterns import Pattern

Part = tuple[str, str]

# Languages that set no separator into numbers of four digits; Babel does not say.
_FOUR_TOGETHER: Final = frozenset({"be", "bg", "es", "et", "hu", "hy", "ia", "ie", "it", "ka", "lv", "pl", "sl", "sq"})
_FOUR_APART: Final = frozenset({"es-419", "pt"})
_MOST_EXPONENT: Final = 14
_NBSP: Final = "\xa0"
_SIGNS: Final = {"-": "minusSign", "+": "plusSign", "~": "approximatelySign"}


class NumberFormatter:
    """Formats numbers; its options are those of the standard's internal slots, checked."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Look everything up that does not depend on the number."""
        self.locale: Final = load(options["locale"])
        self._options = options
        self._system: str = options["numberingSystem"]
        self._symbols = self.locale.symbols(self._system)
        self._style: str = options["style"]
        self._notation: str = options["notation"]
        self._rounding = Rounding(options)
        self._plurals = Plurals(self.locale.data["plural_form"])
        self._pattern = self._base_pattern()
        self._currency = ""
        if self._style == "currency" and options["currencyDisplay"] != "name":
            self._currency = currencies.symbol(
                self.locale.data, self.locale.language, options["currency"], options["currencyDisplay"]
            )

    def _base_pattern(self) -> Pattern:
        data = self.locale.data
        if self._style == "percent":
            return patterns.parse(data["percent_formats"][None].pattern)
        if self._style == "currency" and self._options["currencyDisplay"] != "name":
            kind = "accounting" if self._options["currencySign"] == "accounting" else "standard"
            return patterns.parse(data["currency_formats"][kind].pattern)
        return patterns.parse(data["decimal_formats"][None].pattern)

    # --- one number ---

    def parts(self, value: float | str, *, is_about: bool = False) -> list[Part]:
        """A number as types and values.

        Args:
            value: A number, or one as text that has too many digits for that.
            is_about: Whether a sign says that it is not exact.
        """
        number, is_negative, odd = _read(value)
        exponent = 0
        digits = Digits("", "")
        affixes = self._pattern
        if odd:
            body: list[Part] = [
                (odd, self._symbols.get(odd[:3] if odd == "nan" else odd, "NaN" if odd == "nan" else "∞"))
            ]
        else:
            if self._style == "percent":
                number = number.scaleb(2, context=CONTEXT)
            exponent, number, digits, compact = self._scaled(number, is_negative=is_negative)
            if compact is not None:
                affixes = compact
            body = self._body(digits)
            if self._notation in ("scientific", "engineering"):
                body += self._exponent(exponent)
        sign = (
            "~"
            if is_about
            else self._sign(is_negative=is_negative, is_zero=not odd and digits.is_zero, is_nan=odd == "nan")
        )
        shown = self._with_affixes(body, affixes, sign, is_compact=affixes is not self._pattern)
        return self._named(shown, Operands.of(digits.integer, digits.fraction))

    def text(self, value: float | str) -> str:
        """A number as text."""
        return "".join(part for _, part in self.parts(value))

    def category(self, value: float | str) -> str:
        """The plural category of a number as it is shown."""
        number, is_negative, odd = _read(value)
        if odd:
            return "other"
        exponent, _, digits, _ = self._scaled(number, is_negative=is_negative)
        shown = exponent if self._notation == "compact" else 0
        return self._plurals.select(Operands.of(digits.integer, digits.fraction, shown))

    def _scaled(self, number: Decimal, *, is_negative: bool) -> tuple[int, Decimal, Digits, Pattern | None]:
        """Round, to a multiple of a power of ten if the notation says so."""
        magnitude = number.adjusted() if number else 0
        while True:
            exponent, pattern = self._exponent_for(magnitude)
            scaled = number.scaleb(-exponent, context=CONTEXT) if exponent else number
            rounded, digits = self._rounding.round(scaled, is_negative=is_negative)
            if self._notation == "standard" or not rounded or rounded.adjusted() + exponent <= magnitude:
                break
            magnitude += 1  # 999.9 thousand are one million
        if pattern is None or self._notation != "compact":
            return exponent, rounded, digits, None
        category = self._plurals.select(Operands.of(digits.integer, digits.fraction))
        return exponent, rounded, digits, self._compact_pattern(min(magnitude, _MOST_EXPONENT), category)

    def _exponent_for(self, magnitude: int) -> tuple[int, Pattern | None]:
        if self._notation == "scientific":
            return magnitude, None
        if self._notation == "engineering":
            return magnitude // 3 * 3, None
        if self._notation == "standard" or magnitude < 3:
            return 0, None
        place = min(magnitude, _MOST_EXPONENT)
        pattern = self._compact_pattern(place, "other")
        if pattern is None:
            return 0, None
        return place - pattern.zeros + 1, pattern

    def _compact_pattern(self, magnitude: int, category: str) -> Pattern | None:
        """What a power of ten is shown by; None: as any other number."""
        data, display = self.locale.data, self._options["compactDisplay"]
        table = data["compact_decimal_formats"]
        if self._currency and "short" in data["compact_currency_formats"]:
            table, display = data["compact_currency_formats"], "short"
        forms = table[display] if display in table and len(table[display]) else table["short"]
        key = str(10**magnitude)
        for form in (category, "other"):
            found = forms.get(form, None)
            if found is not None and key in found:
                text = found[key].pattern
                break
        else:
            return None
        if text.replace("'", "").strip("¤ \xa0") == "0":
            return None
        return patterns.parse(text)

    # --- digits ---

    def _body(self, digits: Digits) -> list[Part]:
        parts: list[Part] = []
        groups = self._groups(digits.integer)
        for index, group in enumerate(groups):
            if index:
                parts.append(("group", self._symbols["group"]))
            parts.append(("integer", translate(group, self._system)))
        if digits.fraction:
            parts.append(("decimal", self._symbols["decimal"]))
            parts.append(("fraction", translate(digits.fraction, self._system)))
        return parts

    def _groups(self, integer: str) -> list[str]:
        grouping, sizes = self._options["useGrouping"], self._pattern.groups
        if grouping is False or not sizes or self._notation in ("scientific", "engineering"):
            return [integer]
        first, others = sizes
        least = {"min2": 2, "always": 1}.get(grouping) or self._least_group()
        if len(integer) < first + least:
            return [integer]
        found = [integer[-first:]]
        rest = integer[:-first]
        while rest:
            found.append(rest[-others:])
            rest = rest[:-others]
        return found[::-1]

    def _least_group(self) -> int:
        name, language = self.locale.name, self.locale.language
        if language == "es":  # Latin America follows the United States
            return 2 if name == "es" or self.locale.region in ("ES", "EA", "IC", "GQ", "PH") else 1
        if language == "pt":
            return 2 if name not in ("pt", "pt-BR") else 1
        return 2 if language in _FOUR_TOGETHER else 1

    def _exponent(self, exponent: int) -> list[Part]:
        parts = [("exponentSeparator", self._symbols.get("exponential", "E"))]
        if exponent < 0:
            parts.append(("exponentMinusSign", self._symbols["minusSign"]))
        parts.append(("exponentInteger", translate(str(abs(exponent)), self._system)))
        return parts

    # --- what stands around them ---

    def _sign(self, *, is_negative: bool, is_zero: bool, is_nan: bool) -> str:
        display = self._options["signDisplay"]
        if display == "never" or (is_nan and display != "always"):
            return ""
        if display == "always":
            return "-" if is_negative else "+"
        if display == "exceptZero":
            return "" if is_zero else "-" if is_negative else "+"
        if display == "negative" and is_zero:
            return ""
        return "-" if is_negative else ""

    def _with_affixes(self, body: list[Part], pattern: Pattern, sign: str, *, is_compact: bool) -> list[Part]:
        prefix, suffix = pattern.prefix, pattern.suffix
        if sign == "-" and pattern.negative is not None:
            prefix, suffix = pattern.negative
        elif sign == "-" and is_compact and self._pattern.negative is not None and "-" not in self._pattern.negative[0]:
            # Accounting shows negative amounts in parentheses, compact ones too.
            prefix, suffix = ("'(", *prefix), (*suffix, "')")
        elif sign and pattern.negative is not None and "-" in pattern.negative[0] + pattern.negative[1]:
            prefix, suffix = (tuple(sign if piece == "-" else piece for piece in half) for half in pattern.negative)
        elif sign:
            prefix = (sign, *prefix)
        before = self._affix(prefix, is_compact=is_compact)
        behind = self._affix(suffix, is_compact=is_compact)
        if self._currency:
            if before and before[-1][0] == "currency" and _wants_space(before[-1][1][-1], body[0]):
                before.append(("literal", _NBSP))
            if behind and behind[0][0] == "currency" and _wants_space(behind[0][1][0], body[-1]):
                behind.insert(0, ("literal", _NBSP))
            for index in range(len(behind) - 1, 0, -1):
                if (
                    behind[index][0] == "currency"
                    and behind[index - 1][0] == "compact"
                    and behind[index][1][0].isalpha()
                ):
                    behind.insert(index, ("literal", _NBSP))
        return before + body + behind

    def _affix(self, tokens: tuple[str, ...], *, is_compact: bool) -> list[Part]:
        parts: list[Part] = []
        for piece in tokens:
            if piece == "¤":
                parts.append(("currency", self._currency))
            elif piece == "%":
                parts.append(("percentSign", self._symbols["percentSign"]))
            elif piece in _SIGNS:
                kind = _SIGNS[piece]
                parts.append((kind, self._symbols.get(kind, piece)))
            elif is_compact and piece not in ("'(", "')"):
                parts += spaced("compact", piece[1:])
            else:
                parts.append(("literal", piece[1:]))
        return parts

    def _named(self, parts: list[Part], operands: Operands) -> list[Part]:
        """Put the name of a unit or a currency beside a number."""
        if self._style == "unit":
            category = self._plurals.select(operands)
            before, behind = unit_affixes(self.locale, self._options["unit"], self._options["unitDisplay"], category)
            return spaced("unit", before) + parts + spaced("unit", behind)
        if self._style == "currency" and self._options["currencyDisplay"] == "name":
            category = self._plurals.select(operands)
            table = self.locale.data["currency_unit_patterns"]
            template = str(table[category] if category in table else table["other"])
            name = currencies.name(self.locale.data, self._options["currency"], category)
            before, _, behind = template.partition("{0}")
            return _filled(before, name) + parts + _filled(behind, name)
        return parts


def _filled(text: str, name: str) -> list[Part]:
    if "{1}" not in text:
        return [("literal", text)] if text else []
    left, _, right = text.partition("{1}")
    return [part for part in (("literal", left), ("currency", name), ("literal", right)) if part[1]]


def spaced(kind: str, text: str) -> list[Part]:
    """A text of some type, with the spaces around it as literals."""
    bare = text.strip(" \xa0\u202f\u2009\u200e\u200f\u061c")
    if not bare:
        return [("literal", text)] if text else []
    left, _, right = text.partition(bare)
    return [part for part in (("literal", left), (kind, bare), ("literal", right)) if part[1]]


def _wants_space(letter: str, part: Part) -> bool:
    return part[0] in ("integer", "fraction") and unicodedata.category(letter)[0] not in "SZ"


def _read(value: float | str) -> tuple[Decimal, bool, str]:
    """A number without its sign, whether it is negative, and what it is if it is no number of digits."""
    # The shortest decimal that is read as the same number is what everybody takes it for.
    number = Decimal(value if isinstance(value, str) else repr(value))
    if number.is_nan():
        return Decimal(0), False, "nan"
    if number.is_infinite():
        return Decimal(0), number < 0, "infinity"
    return number.copy_abs(), number.is_signed(), ""


__all__ = ["Locale", "NumberFormatter", "Part", "spaced"]
