"""Values in color, as the console shows them."""

from __future__ import annotations

import re
from typing import Final

_RESET: Final = "\x1b[0m"
_GREEN, _YELLOW, _CYAN, _MAGENTA, _DIM = "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[35m", "\x1b[2m"

# In this order: what looks like a number inside a string belongs to the string. A key is followed by a colon.
_PARTS: Final = re.compile(
    r"""
    (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)
    | (?P<special>\[(?:Function|class|Getter|Setter|Circular|Object|Array)[^\]\n]*\]|<[^>\n]*>)
    | (?P<key>(?:(?<=\ )|^)[A-Za-z_$][\w$]*(?=:\ ))
    | (?P<number>(?<![\w.$'])-?(?:\d[\d_]*\.?\d*(?:e[+-]?\d+)?n?|Infinity)(?![\w$'])|\bNaN\b)
    | (?P<constant>\b(?:true|false)\b)
    | (?P<nothing>\b(?:null|undefined)\b)
    """,
    re.VERBOSE | re.MULTILINE,
)
_STYLES: Final = {
    "string": _GREEN,
    "special": _CYAN,
    "key": "",
    "number": _YELLOW,
    "constant": _YELLOW,
    "nothing": _DIM,
}
# Longer texts are left alone: nobody reads them for their colors.
_MOST_CHARS: Final = 100_000


def colored(text: str) -> str:
    """The text with escape sequences for colors. It has none of its own."""
    return _PARTS.sub(_paint, text) if len(text) <= _MOST_CHARS else text


def _paint(match: re.Match[str]) -> str:
    style = _STYLES[match.lastgroup or "key"]
    return f"{style}{match[0]}{_RESET}" if style else match[0]
