"""Plural rules: which form of a word goes with a number."""

from __future__ import annotations

from typing import Any, Final

from sandbox._records import record

_ORDER: Final = ("zero", "one", "two", "few", "many", "other")


@record(frozen=True, slots=True)
class Operands:
    """What the rules look at (UTS 35, part 3, section 5.1.1). `c` and `e` are the power of ten of a compact number."""

    n: float
    i: int
    v: int
    w: int
    f: int
    t: int
    e: int = 0

    @classmethod
    def of(cls, integer: str, fraction: str, exponent: int = 0) -> Operands:
        """The operands of a number that is shown with these digits, times a power of ten."""
        stripped = fraction.rstrip("0")
        # The rules ask for remainders by at most a million, and for small numbers.
        integer = integer.lstrip("0")[-15:] if len(integer) <= 15 else "1" + integer[-14:]
        whole = int(integer or "0")
        number = whole if not stripped else float(f"{whole}.{stripped[:30]}")
        return cls(
            number, whole, len(fraction), len(stripped), int(fraction[:15] or 0), int(stripped[:15] or 0), exponent
        )

    def get(self, name: str) -> float:
        """An operand by its letter."""
        value: float = self.e if name == "c" else getattr(self, name)
        return value


class Plurals:
    """The rules of a locale, as Babel has parsed them."""

    def __init__(self, rule: Any) -> None:  # noqa: ANN401 - Babel's
        """Take the rules from a locale's data."""
        self._rules: list[tuple[str, Any]] = list(rule.abstract)

    def categories(self) -> list[str]:
        """All categories there are, in the standard's order."""
        names = {name for name, _ in self._rules} | {"other"}
        return [name for name in _ORDER if name in names]

    def select(self, operands: Operands) -> str:
        """The category of a number."""
        return next((name for name, rule in self._rules if _holds(rule, operands)), "other")


def _holds(rule: Any, operands: Operands) -> bool:  # noqa: ANN401 - Babel's
    kind, arguments = rule
    if kind == "and":
        return all(_holds(part, operands) for part in arguments)
    if kind == "or":
        return any(_holds(part, operands) for part in arguments)
    if kind == "not":
        return not _holds(arguments[0], operands)
    relation, expression, ranges = arguments
    value = _value(expression, operands)
    spans = [(low[1][0], high[1][0]) for low, high in ranges[1]]
    if relation == "within":
        return any(low <= value <= high for low, high in spans)
    return value == int(value) and any(low <= value <= high for low, high in spans)


def _value(expression: Any, operands: Operands) -> float:  # noqa: ANN401 - Babel's
    kind, arguments = expression
    if kind == "mod":
        return _value(arguments[0], operands) % _value(arguments[1], operands)
    if kind == "value":
        number: float = arguments[0]
        return number
    return operands.get(kind)
