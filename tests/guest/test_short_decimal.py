"""Fractions become the text that ECMA-262 says, the shortest one, which is Python's as well."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox import Sandbox


def written(number: float) -> str:
    """As JavaScript writes it, where that is without an exponent."""
    digits = repr(number)
    if "e" in digits:
        digits = f"{number:.30f}".rstrip("0") if abs(number) < 1 else digits
    return digits.removesuffix(".0")


def test_fractions_as_text(box: Sandbox) -> None:
    source = random.Random(11)
    numbers = [source.randrange(10 ** source.randrange(1, 16)) / 10 ** source.randrange(1, 12) for _ in range(3000)]
    numbers += [source.random() * 10 ** source.randrange(-3, 14) for _ in range(1000)]
    for text in ("0.1", "0.5", "99999999999999.9", "9999999999999.99", "0.00001", "0.000011", "1.5", "100.25", "0.3"):
        bits = struct.unpack("<q", struct.pack("<d", float(text)))[0]
        numbers += [struct.unpack("<d", struct.pack("<q", bits + step))[0] for step in (-2, -1, 0, 1, 2)]
    numbers = [number for number in numbers if 1e-4 <= number < 1e15]
    box.globals["numbers"] = numbers
    assert box.eval("numbers.map((number) => String(number))") == [written(number) for number in numbers]
    assert box.eval("numbers.map((number) => `${-number}`)") == [written(-number) for number in numbers]
    assert box.eval("numbers.every((number) => Number(String(number)) === number)") is True
    assert box.eval("[0.00001, 0.000001, 1.5e-7, 123456.7e9, 1 / 3, 1e-5 * 3].join()") == (
        "0.00001,0.000001,1.5e-7,123456700000000,0.3333333333333333,0.000030000000000000004"
    )
