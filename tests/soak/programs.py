"""Random programs: one whole number gives one text, always the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.soak import attacks, boundary, expressions, outside, statements, web
from tests.soak.grammar import Grammar, Production

if TYPE_CHECKING:
    from random import Random

# Every program begins so; a sandbox that runs several of them keeps what the earlier ones made of the variables.
PRELUDE: Final = """
    var n0 = 1, n1 = 2, s0 = 'text', s1 = '\\u4e00', a0 = [3, 1, 2], a1 = [{}], o0 = {x: 1}, o1 = {y: {}}, f0 = x => x;
    var f1 = function () { return this }, b0 = new Uint8Array(8), p0 = Promise.resolve(1), i0 = [1, 2].values();
    var v0, v1, v2, x, y, z, Base = class { x() { return 1 } }, Derived = class extends Base {};
"""

_TEXTS: Final = [
    *[
        "",
        "a",
        "ab",
        "aab!",
        "text",
        "1",
        "1e3",
        "0x1f",
        "true",
        "x y",
        "\u00e9\u0301",
        "\u4e00\U0001f600",
        "%41%",
        "a=b&c=d",
    ],
    *[
        "http://u:p@a/b?c#d",
        "//[::1]:99",
        '{"x": [1, {}]}',
        "\0",
        "\ud800",
        "\u2028",
        "__proto__",
        "(",
        "[z-a]",
        "\\",
        "x" * 300,
    ],
    *["var q = 1; q", "throw 1", "for (;;);", "(() => {})()", "${x}", "</script>", "\x1b[31m"],
]
_DIGITS: Final = [
    *["0", "1", "2", "7", "10", "255", "1.5", "0.1", "1e21", "1e308", "NaN", "Infinity", "(-0)", "(-1)", "2147483648"],
    *["4294967295", "9007199254740991", "9007199254740993", "0b11", "0o17", "0xff", "1_000", "5e-324"],
]
_LARGE: Final = [
    "1e4",
    "65536",
    "1e5",
    "300007",
    "1e6",
    "5e6",
    "2 ** 24",
    "2 ** 31",
    "(2 ** 32 - 1)",
    "(2 ** 53 - 1)",
    "Infinity",
]
_SMALL_BELOW: Final = 20

GRAMMAR: Final = Grammar(
    {**expressions.RULES, **web.RULES, **outside.RULES, **statements.RULES, **boundary.RULES, **attacks.RULES},
    {
        "small": lambda random: str(random.randrange(_SMALL_BELOW)),
        "digits": lambda random: random.choice(_DIGITS),
        "large": lambda random: random.choice(_LARGE),
        "quoted": lambda random: json.dumps(random.choice(_TEXTS)),
        "text": lambda random: random.choice(["", "a", "b ", "1", "\u4e00"]),
    },
)
_DEPTH: Final = 9
_BUDGET: Final = 200
_TOKENS: Final = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "`",
    "'",
    "=>",
    "...",
    ";",
    "/",
    "await ",
    "yield ",
    "\\u",
    "0n",
    "\0",
    "\ufeff",
    "?.",
    "#x",
]
_BROKEN_SHARE: Final = 0.06


def program(random: Random, kind: str = "program", used: set[Production] | None = None) -> str:
    """Write a program; one in many is then broken somewhere.

    Args:
        random: Decides everything.
        kind: `"program"` for a script, `"module_program"` for a module, or any other kind of the grammar.
        used: Gets the productions that were used.
    """
    depth, budget = random.randrange(2, _DEPTH), random.randrange(5, _BUDGET)
    text = GRAMMAR.write(kind, random, depth=depth, budget=budget, used=used)
    return _broken(text, random) if random.random() < _BROKEN_SHARE else text


def _broken(text: str, random: Random) -> str:
    start, end = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
    match random.randrange(4):
        case 0:
            return text[:start] + text[end:]
        case 1:
            return text[:end] + text[start:]
        case 2:
            return text[:start] + random.choice(_TOKENS) + text[start:]
        case _:
            return text[:end]
