"""The matrix as a chart: a square for each row and engine, its colour the worst that happened there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from benchmarks.hostile.judge import VERDICTS
from benchmarks.hostile.page import kept_rows
from tests.corpus import ROWS
from tests.corpus.case import NOT_OFFERED

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.hostile.matrix import Matrix

_INK, _FAINT = "#222222", "#767676"
# Okabe and Ito's palette: told apart by colour-blind readers. Beside each colour that of the text on it.
_COLOURS = {
    "survived": ("#009e73", "white"),
    NOT_OFFERED: ("#ececec", _FAINT),
    "wrong value": ("#f0e442", _INK),
    "wrong error": ("#e69f00", _INK),
    "late": ("#56b4e9", _INK),
    "memory": ("#cc79a7", _INK),
    "broken": ("#0072b2", "white"),
    "other hurt": ("#d55e00", "white"),
    "crash": ("#222222", "white"),
}
_ROW_INCHES, _CELL_INCHES, _LABEL_INCHES = 0.25, 1.15, 4.3
_HEAD_INCHES, _FOOT_INCHES, _EDGE_INCHES = 0.75, 0.45, 0.15


def draw(matrix: Matrix, path: Path) -> None:
    """Draw the chart and write it to `path`, as SVG or PNG by its suffix."""
    # Text stays text and a fixed salt makes equal matrices give equal files.
    with mpl.rc_context({"svg.hashsalt": "hostile", "svg.fonttype": "none", "font.size": 8, "text.color": _INK}):
        figure = _figure(matrix)
        metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=150, facecolor="white", metadata=metadata)


def _figure(matrix: Matrix) -> Figure:
    engines = [engine for engine in matrix.engines if not engine.reason]
    width = _LABEL_INCHES + _CELL_INCHES * len(engines) + _EDGE_INCHES
    height = _HEAD_INCHES + _ROW_INCHES * len(ROWS) + _FOOT_INCHES
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.text(_EDGE_INCHES, 0.25, "Hostile programs", fontsize=13, fontweight="bold", va="center")
    axes.text(_EDGE_INCHES, 0.52, "cases survived, of those the engine offers something for", color=_FAINT, va="center")
    for place, engine in enumerate(engines):
        middle = _LABEL_INCHES + (place + 0.5) * _CELL_INCHES
        kept, tried = kept_rows(matrix, engine.name)
        axes.text(middle, 0.18, engine.title, fontsize=9, fontweight="bold", ha="center", va="center")
        axes.text(middle, 0.36, engine.version, color=_FAINT, ha="center", va="center")
        axes.text(middle, 0.55, f"{kept} of {tried} rows", fontsize=9, ha="center", va="center")
    for index, row in enumerate(ROWS):
        top = _HEAD_INCHES + index * _ROW_INCHES
        axes.text(0.45, top + _ROW_INCHES / 2, str(row.number), color=_FAINT, ha="right", va="center")
        axes.text(0.55, top + _ROW_INCHES / 2, row.title.replace("`", ""), va="center")
        for place, engine in enumerate(engines):
            _cell(axes, matrix, row.number, engine.name, _LABEL_INCHES + place * _CELL_INCHES, top)
    used = {matrix.cell(row.number, engine.name).worst for row in ROWS for engine in engines}
    figure.legend(
        handles=[Patch(color=_COLOURS[name][0], label=name) for name in VERDICTS if name in used],
        loc="center",
        bbox_to_anchor=(0.5, _FOOT_INCHES / 2 / height),
        ncols=len(VERDICTS),
        frameon=False,
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
    )
    return figure


def _cell(axes: Any, matrix: Matrix, row: int, engine: str, left: float, top: float) -> None:  # noqa: ANN401
    cell = matrix.cell(row, engine)
    if cell.worst is None:
        return
    colour, ink = _COLOURS[cell.worst]
    gap = 0.02
    box = Rectangle((left + gap, top + gap), _CELL_INCHES - 2 * gap, _ROW_INCHES - 2 * gap, color=colour, linewidth=0)
    axes.add_patch(box)
    text = f"{cell.kept}/{cell.tried}" if cell.tried else "-"
    axes.text(left + _CELL_INCHES / 2, top + _ROW_INCHES / 2, text, color=ink, ha="center", va="center")
