"""Pieces of programs in two spellings, and how they are put together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, NamedTuple


class Pair(NamedTuple):
    """One piece of a program in its two spellings."""

    short: str
    long: str


NAMES: Final = ("a", "b", "c", "length", "x", "size", "0x")
METHODS: Final = ("slice", "indexOf", "concat", "trim", "at", "join", "toString", "charAt", "f", "a")
NUMBERS: Final = (
    "0", "-0", "1", "-1", "2", "7", "1.5", "-0.5", "NaN", "Infinity", "2147483647", "-2147483648", "2147483648",
    "4294967295", "4294967296", "9007199254740991", "9007199254740993", "1e21", "1e-7", "0.1", "5e-324",
)  # fmt: skip
TEXTS: Final = (
    "''", "'a'", "'b'", "'length'", "'abc'", "'aXbXc'", "'\\u4e00a\\u4e00'", "'\\ud83d\\ude00'", "'line\\nab\\r\\nb'", "'0'", "'1'",
    "'e\\u0301'", "'a b  c'", "'x'.repeat(40)", "'ab'.repeat(3000)", "'\\u00ff\\u0080\"\\\\'", "'\\u2028a'", "'-1'",
    "('q'.repeat(5000) + 'r'.repeat(5000))",
)  # fmt: skip
PATTERNS: Final = (
    "a", "[ab]", "[^a]", "b+", "(b)(c)?", "\\\\bb", "^b", "^", "$", "a|b", "[^]*?b", "(?:[^]*?)(b)", "x*?", "\\\\d+", "\\\\s",
    "(?<n>a)|b", "[\\\\u4e00-\\\\uffff]", "(?<=a)b", "(?!a)[a-z]", "\\\\Bb", "[]", "[^]", ".", "b$", "(^a)", "a{2,}", "\\\\u4e00", "(a)\\\\1",
    "[a-c\\\\u4e00]", "\\\\bX", "q+r", "(?:^b|c)", "\\\\w+", "(?=b)b", "\\\\ud83d", "c?b",
)  # fmt: skip
FLAGS: Final = ("", "g", "i", "m", "s", "y", "gm", "gi", "gy", "u", "gu", "gmi", "d", "gs", "v", "gv")
JSONS: Final = (
    "1", "-0", "-1", "0.5", "-0.0", "1e5", "1E+2", "1e400", "12345678901234567890", "9007199254740993", "0.1", "123456.789",
    "123456789012345.678", "0.30000000000000004", "2147483648", "-2147483648", "-2147483649", "1.0", "01", "1.", "-", "+1", ".5", "0x1",
    "\"a\"", "\"\"", "\"a\\\\nb\"", "\"\\\\u4e00\"", "\"\\u4e00\"", "\"\\u0001\"", "\"abc", "\"\\u00ff\"", "\"\\\\x\"", "true", "null", "nul",
    "[1,2]", "[1,]", "{\"a\":1,\"a\":2}", "{\"__proto__\":1}", "{\"0\":1,\"b\":2,\"a\":3}", "{\"length\":[]}", "[[],{}]", " [ 1 , \"b\" ] ",
    "1 2", "99999999999999999.5", "4503599627370497.5", "0.000001", "1e-7", "123e-20", "100000000000000000",
)  # fmt: skip


class Draft:
    """What is written down while a program is made; the same number always comes to the same program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.scopes: list[list[str]] = [[]]
        self.fresh = 0
        self.budget = self.random.choice((12, 20, 35))
        self.loops = 0
        self.labels: list[str] = []
        self.in_function = 0
        self.in_generator = [False]

    def put(self, template: str, *parts: Pair) -> Pair:
        """The same around both spellings; `@` stands for a part."""
        pieces = template.split("@")
        assert len(pieces) == len(parts) + 1, template
        return Pair(*(
            "".join(a + b for a, b in zip(pieces, [*(part[way] for part in parts), ""], strict=True)) for way in (0, 1)
        ))  # fmt: skip

    def two(self, short: str, long: str, *parts: Pair) -> Pair:
        """Different ones."""
        return Pair(self.put(short, *parts).short, self.put(long, *parts).long)

    def plain(self, text: str) -> Pair:
        return Pair(text, text)

    def pick(self, choices: Sequence[str]) -> str:
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def name(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    def known(self) -> str | None:
        every = [name for scope in self.scopes for name in scope]
        if not every:
            return None
        return self.pick(self.scopes[-1]) if self.scopes[-1] and self.chance(0.5) else self.pick(every)
