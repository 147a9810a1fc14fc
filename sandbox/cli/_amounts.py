"""Sizes and times as people write them: `64MB`, `256KiB`, `1.5s`, `500ms`, `none`."""

from __future__ import annotations

import math
import re
from typing import Final

_AMOUNT: Final = re.compile(r"\s*([0-9]+(?:[.][0-9]+)?|[.][0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)

# A prefix means powers of 1024, with or without the `i`, as for the memory of containers and virtual machines.
_BYTES: Final = {
    "": 1,
    "b": 1,
    **{f"{prefix}{end}": 1 << 10 * power for power, prefix in enumerate("kmgt", 1) for end in ("", "b", "ib")},
}
_SECONDS: Final = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_bytes(text: str) -> int:
    """Read a size.

    Raises:
        ValueError: It is none; the text says what is expected.
    """
    number, factor = _split(text, _BYTES)
    if number is None or factor is None:
        raise ValueError(f"{text!r} is not a size; write bytes, or a number with KB, MB or GB, such as 64MB")
    size = number * factor
    if size != int(size):
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def parse_seconds(text: str) -> float:
    """Read a time; `none` is infinity.

    Raises:
        ValueError: It is none; the text says what is expected.
    """
    if text.strip().lower() == "none":
        return math.inf
    number, factor = _split(text, _SECONDS)
    if number is None or factor is None:
        raise ValueError(
            f"{text!r} is not a time; write seconds, or a number with ms, s, m or h, such as 500ms, or none"
        )
    return number * factor


def _split(text: str, units: dict[str, int] | dict[str, float]) -> tuple[float | None, float | None]:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None, None
    return float(match[1]), units.get(match[2].lower())


def show_amount(number: float, unit: str) -> str:
    """Write an amount as people do: 67108864 bytes as `64 MB`, 0.5 seconds as `0.5 s`, fuel bare."""
    if unit == "bytes":
        return _show_bytes(number)
    if unit == "seconds":
        return f"{number:.3g} s" if number < 100 else f"{number:.0f} s"
    text = f"{number:,}" if isinstance(number, int) else f"{number:,g}"
    return text if unit == "fuel" else f"{text} {unit}".rstrip()


def _show_bytes(number: float) -> str:
    for power, prefix in (3, "GB"), (2, "MB"), (1, "KB"):
        if number >= 1 << 10 * power:
            return f"{number / (1 << 10 * power):.4g} {prefix}"
    return f"{number:.0f} bytes"
