"""What differs between two texts, for a terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

_CONTEXT_LINES: Final = 5
_MAX_LINES: Final = 2_000
_SHOWN_LINES: Final = 120
_RED, _GREEN, _DIM, _INVERSE, _PLAIN, _RESET = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[7m", "\x1b[27m", "\x1b[0m"


def render_diff(expected: str, received: str, *, color: bool = False) -> str:
    """Show what differs, line by line: `-` was expected, `+` was received.

    Args:
        expected: A text.
        received: Another.
        color: Use ANSI colors; in two lines that differ in part, that part is marked.
    """
    red, green, dim, reset = (_RED, _GREEN, _DIM, _RESET) if color else ("", "", "", "")
    lines = [f"{red}- Expected{reset}", f"{green}+ Received{reset}", ""]
    lines += _lines(_visible(expected).split("\n"), _visible(received).split("\n"), color=color)
    if len(lines) > _SHOWN_LINES:
        left = len(lines) - _SHOWN_LINES
        lines[_SHOWN_LINES:] = [f"{dim}... {left:,} more lines{reset}"]
    return "\n".join(lines)


def _lines(before: list[str], after: list[str], *, color: bool) -> Iterator[str]:
    red, green, dim, reset = (_RED, _GREEN, _DIM, _RESET) if color else ("", "", "", "")
    # The comparison takes the product of the lengths where nothing is alike.
    before, after = before[:_MAX_LINES], after[:_MAX_LINES]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    groups = list(matcher.get_grouped_opcodes(_CONTEXT_LINES))
    for number, group in enumerate(groups):
        if number:
            yield f"{dim}  ...{reset}"
        for tag, first, end, other, other_end in group:
            if tag == "equal":
                yield from (f"{dim}  {line}{reset}" for line in before[first:end])
                continue
            removed, added = before[first:end], after[other:other_end]
            if color and len(removed) == len(added):
                pairs = [_marked(*pair) for pair in zip(removed, added, strict=True)]
                removed, added = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            yield from (f"{red}- {line}{reset}" for line in removed)
            yield from (f"{green}+ {line}{reset}" for line in added)


def _marked(before: str, after: str) -> tuple[str, str]:
    """Two lines with the parts marked in which they differ, where they are alike for the most part."""
    matcher = difflib.SequenceMatcher(None, before[:500], after[:500], autojunk=False)
    if matcher.ratio() < 0.5:
        return before, after
    parts: tuple[list[str], list[str]] = ([], [])
    for tag, first, end, other, other_end in matcher.get_opcodes():
        for found, text in zip(parts, (before[first:end], after[other:other_end]), strict=True):
            found.append(text if tag == "equal" or not text else f"{_INVERSE}{text}{_PLAIN}")
    return "".join(parts[0]) + before[500:], "".join(parts[1]) + after[500:]


def _visible(text: str) -> str:
    return "".join(
        char
        if char == "\n" or char.isprintable()
        else "    "
        if char == "\t"
        else char.encode("unicode_escape").decode()
        for char in text
    )
