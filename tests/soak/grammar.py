"""A grammar that writes random texts: rules by kind, each a list of alternatives with holes for other kinds.

An alternative is the text itself; `@kind` in it is a hole. The same rules and random numbers give the same text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

Leaf = Callable[[Random], str]
Production = tuple[str, int]
"""A kind, and which of its alternatives."""

_HOLE: Final = re.compile(r"@([a-z_]+)")
_TEXT: Final = -1


def words(text: str) -> list[str]:
    """Alternatives without spaces, as one text."""
    return text.split()


class Grammar:
    """Rules, and the shortest way through each, so that every text ends.

    Args:
        rules: Alternatives by kind. One that stands there twice is chosen twice as often.
        leaves: What cannot be listed, such as numbers, by kind.

    Raises:
        ValueError: A hole has no rule, or a kind can only be written without end.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]], leaves: Mapping[str, Leaf]) -> None:
        self._leaves = dict(leaves)
        # Texts and holes in turns; it begins and ends with a text.
        self._parts = {kind: [_HOLE.split(text) for text in texts] for kind, texts in rules.items()}
        self._check_holes()
        self._heights = self._measure()
        self._lowest = {kind: min(heights) for kind, heights in self._heights.items()}
        self._fitting = {
            (kind, depth): self._choices(kind, depth) for kind in self._parts for depth in range(self.height + 1)
        }

    @property
    def height(self) -> int:
        """Depth from which on every alternative of every kind can be chosen."""
        return max(height for heights in self._heights.values() for height in heights)

    @property
    def productions(self) -> frozenset[Production]:
        """All there are."""
        return frozenset((kind, index) for kind, texts in self._parts.items() for index in range(len(texts)))

    def text_of(self, production: Production) -> str:
        """How an alternative is written in the rules."""
        kind, index = production
        return "".join(f"@{part}" if place % 2 else part for place, part in enumerate(self._parts[kind][index]))

    def write(self, kind: str, random: Random, *, depth: int, budget: int, used: set[Production] | None = None) -> str:
        """Write a text.

        Args:
            kind: What to write.
            random: Decides.
            depth: Levels of holes, unless the shortest text needs more.
            budget: Holes that are filled freely; what is left is written as shortly as possible.
            used: Gets the productions that were used.
        """
        pieces: list[str] = []
        # What is still to be written, innermost last: holes with their depth, and texts.
        todo: list[tuple[str, int]] = [(kind, depth)]
        while todo:
            name, level = todo.pop()
            if level == _TEXT:
                pieces.append(name)
            elif name in self._leaves:
                pieces.append(self._leaves[name](random))
            else:
                budget -= 1
                level = max(self._lowest[name], level if budget > 0 else 0)
                index = random.choice(self._fitting[name, min(level, self.height)])
                if used is not None:
                    used.add((name, index))
                parts = self._parts[name][index]
                below = max(0, level - 1)
                todo.extend((parts[place], below if place % 2 else _TEXT) for place in range(len(parts) - 1, -1, -1))
        return "".join(pieces)

    def _check_holes(self) -> None:
        known = {*self._parts, *self._leaves}
        missing = {hole for texts in self._parts.values() for parts in texts for hole in parts[1::2]} - known
        if missing:
            raise ValueError(f"no rule for {', '.join(sorted(missing))}")

    def _measure(self) -> dict[str, list[int]]:
        """Levels that each alternative needs at least."""
        heights: dict[str, list[float]] = {kind: [math.inf] * len(texts) for kind, texts in self._parts.items()}
        is_changing = True
        while is_changing:
            is_changing = False
            for kind, texts in self._parts.items():
                for index, parts in enumerate(texts):
                    below = [min(heights[hole]) + 1 for hole in parts[1::2] if hole not in self._leaves]
                    height = max(below, default=0)
                    if height < heights[kind][index]:
                        heights[kind][index], is_changing = height, True
        endless = [kind for kind, values in heights.items() if math.inf in values]
        if endless:
            raise ValueError(f"only texts without end for {', '.join(sorted(endless))}")
        return {kind: [int(height) for height in values] for kind, values in heights.items()}

    def _choices(self, kind: str, depth: int) -> list[int]:
        return [index for index, height in enumerate(self._heights[kind]) if height <= depth]
