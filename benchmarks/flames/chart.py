"""Flame graphs: a box for each function, as wide as its share of the samples, on the box of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.flames.host import Stacks

_GUEST = ("#d55e00", "#e69f00", "#e2893a")  # by the name, so that neighbours are told apart
_HOST = ("#56b4e9", "#7fc4ea", "#9ad0ec")
_INK = "#222222"
_WIDTH_INCHES, _ROW_INCHES, _TITLE_INCHES = 11.0, 0.19, 0.55
_POINTS_A_CHARACTER = 4.6
_LEAST_SHARE = 0.004
_DEPTH = 24


class Panel(NamedTuple):
    """One flame graph.

    Attributes:
        title: What was done, and where the time of it was looked at.
        stacks: The samples.
        is_guest: Whether these are functions of the guest; else they are Python's.
    """

    title: str
    stacks: Stacks
    is_guest: bool


class Box(NamedTuple):
    """A function in a flame graph; `left` and `share` are parts of all samples."""

    name: str
    depth: int
    left: float
    share: float


def boxes(stacks: Stacks) -> list[Box]:
    """The boxes of a flame graph, callers first, those too small to be seen left out."""
    total = sum(stacks.values())
    found: list[Box] = []

    def place(group: Sequence[tuple[tuple[str, ...], int]], depth: int, left: float) -> None:
        children: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        for stack, count in group:
            if len(stack) > depth:
                children.setdefault(stack[depth], []).append((stack, count))
        for name, inner in sorted(children.items()):
            share = sum(count for _, count in inner) / total
            if share >= _LEAST_SHARE and depth < _DEPTH:
                found.append(Box(name, depth, left, share))
                place(inner, depth + 1, left)
            left += share

    place(list(stacks.items()), 0, 0.0)
    return found


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Draw the panels one above the other, as SVG or PNG by the suffix."""
    placed = [(panel, boxes(panel.stacks)) for panel in panels]
    rows = [1 + max((box.depth for box in found), default=0) for _, found in placed]
    height = sum(_TITLE_INCHES + _ROW_INCHES * count for count in rows) + 0.2
    # A fixed salt makes equal samples give equal files.
    with mpl.rc_context({"svg.hashsalt": "flames", "svg.fonttype": "none", "font.size": 8, "text.color": _INK}):
        figure = Figure(figsize=(_WIDTH_INCHES, height), facecolor="white")
        top = height
        for (panel, found), count in zip(placed, rows, strict=True):
            top -= _TITLE_INCHES
            tall = _ROW_INCHES * count
            axes = figure.add_axes((0.01, (top - tall) / height, 0.98, tall / height))
            _panel(axes, panel, found, count)
            top -= tall
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)


def _panel(axes: Any, panel: Panel, found: Sequence[Box], rows: int) -> None:  # noqa: ANN401 - matplotlib's
    axes.set_xlim(0, 1)
    axes.set_ylim(0, rows)
    axes.set_axis_off()
    axes.set_title(panel.title, loc="left", fontsize=10, pad=4)
    colours = _GUEST if panel.is_guest else _HOST
    for box in found:
        colour = colours[sum(map(ord, box.name)) % len(colours)]
        axes.add_patch(
            Rectangle((box.left, box.depth), box.share, 0.94, facecolor=colour, edgecolor="white", linewidth=0.4)
        )
        fitting = int(box.share * _WIDTH_INCHES * 72 / _POINTS_A_CHARACTER)
        label = f"{box.name} {box.share:.0%}"
        label = label if len(label) <= fitting else box.name[: max(fitting - 1, 0)]
        if len(label) >= 3:
            axes.text(box.left + 0.002, box.depth + 0.47, label, va="center", ha="left", fontsize=7)
