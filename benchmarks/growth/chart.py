"""The curves as a chart: a small panel each, both scales logarithmic, beside the line of what is linear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.growth.curves import BY_ID
from benchmarks.growth.slope import MAX_POWER
from benchmarks.results import format_figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.growth.slope import Growth

_INK, _FAINT, _GRID = "#222222", "#767676", "#e4e4e4"
_GOOD, _BAD = "#0072b2", "#d55e00"
_COLUMNS = 4
_PANEL_INCHES = (2.9, 1.75)
_HEAD_INCHES = 0.75


def draw(growths: Sequence[Growth], path: Path) -> None:
    """Draw the chart and write it to `path`, as SVG or PNG by its suffix; missing directories are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 8, "text.color": _INK}):
        metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
        _figure(growths).savefig(path, dpi=150, facecolor="white", metadata=metadata)


def _figure(growths: Sequence[Growth]) -> Figure:
    rows = math.ceil(len(growths) / _COLUMNS)
    width, height = _COLUMNS * _PANEL_INCHES[0], rows * _PANEL_INCHES[1] + _HEAD_INCHES
    figure = Figure(figsize=(width, height))
    figure.text(
        0.12 / width, 1 - 0.25 / height, "How cost grows with size", fontsize=13, fontweight="bold", va="center"
    )
    text = f"Both scales are logarithmic. Dashed: linear. A power over {MAX_POWER} at the upper end is a failure."
    figure.text(0.12 / width, 1 - 0.5 / height, text, color=_FAINT, va="center")
    for place, growth in enumerate(growths):
        row, column = divmod(place, _COLUMNS)
        left = (column * _PANEL_INCHES[0] + 0.62) / width
        bottom = 1 - (_HEAD_INCHES + (row + 1) * _PANEL_INCHES[1] - 0.3) / height
        size = ((_PANEL_INCHES[0] - 0.75) / width, (_PANEL_INCHES[1] - 0.68) / height)
        _panel(figure.add_axes((left, bottom, *size)), growth)
    return figure


def _panel(axes: Any, growth: Growth) -> None:  # noqa: ANN401 - matplotlib has no types
    curve = BY_ID[growth.id]
    colour = _GOOD if growth.good else _BAD
    # Through the point from which the power is reckoned: what rises above it at the end is faster than linear.
    linear = [growth.costs[-3] * size / growth.sizes[-3] for size in growth.sizes]
    axes.plot(growth.sizes, linear, color=_FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot(growth.sizes, growth.costs, color=colour, linewidth=1.6, marker="o", markersize=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(curve.title, loc="left", fontsize=7, x=-0.22)
    axes.text(0.04, 0.86, f"{growth.power:.2f}", transform=axes.transAxes, color=colour, fontweight="bold", fontsize=9)
    low, high = min(*growth.costs, *linear), max(*growth.costs, *linear)
    axes.set_ylim(low / 1.5, high * 2)
    ends = (growth.sizes[0], growth.sizes[-1])
    axes.set_xticks(ends, [f"{size / 1e6:.3g} million" if size >= 1e6 else f"{size:,}" for size in ends])
    axes.set_yticks([low, high], [format_figure(cost, curve.unit) for cost in (low, high)])
    axes.minorticks_off()
    axes.tick_params(colors=_FAINT, labelsize=6.5, length=2)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(_GRID)
