"""Patterns of numbers, such as `#,##0.00 ¤`, taken apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sandbox._records import record

_BODY: Final = re.compile(r"[#0-9@,.]+(?:E\+?0+)?")


@record(frozen=True, slots=True)
class Pattern:
    """A pattern of numbers.

    Attributes:
        prefix: What stands before a number, in `tokens`.
        suffix: What stands behind it.
        negative: Prefix and suffix of a negative one; None: a minus sign before the others.
        groups: Sizes of the group next to the point, and of the others; empty: there are no groups.
        zeros: Digits that there are at least, before the point.
    """

    prefix: tuple[str, ...]
    suffix: tuple[str, ...]
    negative: tuple[tuple[str, ...], tuple[str, ...]] | None
    groups: tuple[int, int] | tuple[()]
    zeros: int


@lru_cache(maxsize=512)
def parse(text: str) -> Pattern:
    """Take a pattern apart."""
    positive, negative = _halves(text)
    prefix, body, suffix = _split(positive)
    other = None
    if negative is not None:
        before, _, behind = _split(negative)
        other = tokens(before), tokens(behind)
    integer = body.partition(".")[0].partition("E")[0]
    sizes = [len(group) for group in integer.split(",")[1:]]
    groups = (sizes[-1], sizes[-2] if len(sizes) > 1 else sizes[-1]) if sizes else ()
    return Pattern(tokens(prefix), tokens(suffix), other, groups, integer.count("0"))


def _halves(text: str) -> tuple[str, str | None]:
    quoted = False
    for index, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif letter == ";" and not quoted:
            return text[:index], text[index + 1 :]
    return text, None


def _split(text: str) -> tuple[str, str, str]:
    quoted = False
    for index, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and (body := _BODY.match(text, index)):
            return text[:index], body[0], text[body.end() :]
    return text, "", ""


def tokens(text: str) -> tuple[str, ...]:
    """The parts of an affix: `¤`, `%`, `-` and `+` stand for themselves, a text begins with a quote."""
    found: list[str] = []
    quoted = False
    index = 0
    while index < len(text):
        letter = text[index]
        index += 1
        if letter == "'":
            if text[index : index + 1] != "'":
                quoted = not quoted
                continue
            index += 1
        elif letter in "¤%-+" and not quoted:
            if letter != "¤" or found[-1:] != ["¤"]:
                found.append(letter)
            continue
        if found and found[-1][0] == "'":
            found[-1] += letter
        else:
            found.append("'" + letter)
    return tuple(found)
