"""Rounding numbers to digits, exactly, as ECMA-402 has it (section 16.5)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any, Final

from sandbox._records import record

_MODES: Final = {
    "ceil": decimal.ROUND_CEILING,
    "floor": decimal.ROUND_FLOOR,
    "expand": decimal.ROUND_UP,
    "trunc": decimal.ROUND_DOWN,
    "halfExpand": decimal.ROUND_HALF_UP,
    "halfTrunc": decimal.ROUND_HALF_DOWN,
    "halfEven": decimal.ROUND_HALF_EVEN,
}
# Room for the longest number there is, with a hundred decimals.
CONTEXT: Final = decimal.Context(prec=10_000, Emax=999_999, Emin=-999_999, traps=[])


@record(frozen=True, slots=True)
class Digits:
    """A number without its sign, as it is shown.

    Attributes:
        integer: Digits before the point.
        fraction: Digits behind it.
    """

    integer: str
    fraction: str

    @property
    def is_zero(self) -> bool:
        """Whether nothing but zeros is shown."""
        return not (self.integer + self.fraction).strip("0")


class Rounding:
    """What a formatter says of digits; the names are those of the standard's internal slots."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Take the options, which have been checked."""
        self.integers: int = options["minimumIntegerDigits"]
        self.least_fraction: int = options.get("minimumFractionDigits") or 0
        self.most_fraction: int = options.get("maximumFractionDigits") or 0
        self.least_significant: int = options.get("minimumSignificantDigits") or 1
        self.most_significant: int = options.get("maximumSignificantDigits") or 21
        self.type: str = options["roundingType"]
        self.mode: str = options["roundingMode"]
        self.increment: int = options["roundingIncrement"]
        self.strips: bool = options["trailingZeroDisplay"] == "stripIfInteger"

    def round(self, value: Decimal, *, is_negative: bool) -> tuple[Decimal, Digits]:
        """Round a number that is not negative, on account of one that may be."""
        if self.type == "significantDigits":
            rounded, text, _ = self._precise(value, is_negative=is_negative)
        elif self.type == "fractionDigits":
            rounded, text, _ = self._fixed(value, is_negative=is_negative)
        else:
            precise, fixed = (
                self._precise(value, is_negative=is_negative),
                self._fixed(value, is_negative=is_negative),
            )
            takes_fixed = (precise[2] > fixed[2]) == (self.type == "morePrecision")
            rounded, text, _ = fixed if takes_fixed else precise
        integer, _, fraction = text.partition(".")
        if self.strips and not fraction.strip("0"):
            fraction = ""
        return rounded, Digits(integer.rjust(self.integers, "0"), fraction)

    def _precise(self, value: Decimal, *, is_negative: bool) -> tuple[Decimal, str, int]:
        """ToRawPrecision: the number, its digits, and the place of the last one."""
        place = (value.adjusted() if value else 0) - self.most_significant + 1
        rounded = self._quantize(value, place, is_negative=is_negative)
        # Rounding up may have added a digit.
        shown = (rounded.adjusted() if rounded else 0) + 1
        least = max(self.least_significant - shown, 0)
        return rounded, _trimmed(rounded, max(-place, 0), least), place

    def _fixed(self, value: Decimal, *, is_negative: bool) -> tuple[Decimal, str, int]:
        """ToRawFixed: likewise."""
        if self.increment == 1:
            rounded = self._quantize(value, -self.most_fraction, is_negative=is_negative)
        else:
            steps = CONTEXT.divide(value, Decimal(self.increment))
            steps = self._quantize(steps, -self.most_fraction, is_negative=is_negative)
            rounded = CONTEXT.multiply(steps, Decimal(self.increment))
        return rounded, _trimmed(rounded, self.most_fraction, self.least_fraction), -self.most_fraction

    def _quantize(self, value: Decimal, place: int, *, is_negative: bool) -> Decimal:
        mode = self.mode
        if is_negative:  # the value is given without its sign
            mode = {"ceil": "floor", "floor": "ceil", "halfCeil": "halfFloor", "halfFloor": "halfCeil"}.get(mode, mode)
        mode = {"halfCeil": "halfExpand", "halfFloor": "halfTrunc"}.get(mode, mode)
        return value.quantize(Decimal((0, (1,), place)), rounding=_MODES[mode], context=CONTEXT)


def _trimmed(value: Decimal, most: int, least: int) -> str:
    """The digits of a number with at most and at least so many decimals."""
    integer, _, fraction = format(value, "f").partition(".")
    fraction = fraction[:most]
    kept = fraction.rstrip("0")
    fraction = kept.ljust(min(least, most) if len(kept) < least else len(kept), "0")
    return f"{integer}.{fraction}" if fraction else integer
