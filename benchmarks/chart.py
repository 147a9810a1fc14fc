"""The report as a chart: one panel a group, bars of ratios to our own figure on a logarithmic scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.results import Report, format_figure, format_ratio
from benchmarks.rows import GROUP_TITLES, Row
from benchmarks.table import baseline_of

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.results import EngineInfo

# Okabe and Ito's palette without its black and yellow: told apart by colour-blind readers, legible on white.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
_INK, _FAINT, _GRID = "#222222", "#767676", "#e4e4e4"
_BAR_INCHES = 0.15
_GAP_INCHES = 0.16
_TITLE_INCHES = 0.75  # above each panel: its title, and the scale of the panel before
_HEAD_INCHES, _FOOT_INCHES = 1.3, 0.75
_COLUMN_INCHES = 7.1
_LABEL_INCHES, _MARGIN_INCHES, _EDGE_INCHES = 3.05, 0.3, 0.15
_LABEL_SHARE = 0.18  # of the scale, kept free at both ends for the labels of the bars
# Which groups stand above each other; the two columns are about equally long.
_COLUMNS = (("life", "values"), ("calls", "many", "compute"))


def draw(report: Report, path: Path) -> None:
    """Draw the chart and write it to `path`, as SVG or PNG by its suffix; missing directories are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A fixed salt makes equal reports give equal files.
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9, "text.color": _INK}):
        figure = _figure(report)
        metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=150, facecolor="white", metadata=metadata)


def _figure(report: Report) -> Figure:
    baseline = baseline_of(report)
    peers = [engine.name for engine in _peers(report, baseline)]
    columns = [[rows for group in groups if (rows := _rows_of(report, group))] for groups in _COLUMNS]
    columns = [panels for panels in columns if panels]
    row_inches = _BAR_INCHES * max(1, len(peers)) + _GAP_INCHES
    heights = [sum(len(rows) * row_inches + _TITLE_INCHES for rows in panels) - _TITLE_INCHES for panels in columns]
    total = _HEAD_INCHES + max(heights, default=0) + _FOOT_INCHES
    width = _COLUMN_INCHES * max(1, len(columns))
    figure = Figure(figsize=(width, total))
    limits = _limits(report, peers, baseline)
    for number, panels in enumerate(columns):
        left = number * _COLUMN_INCHES + _LABEL_INCHES
        plot = _COLUMN_INCHES - _LABEL_INCHES - _MARGIN_INCHES
        top = total - _HEAD_INCHES
        for rows in panels:
            height = len(rows) * row_inches
            axes = figure.add_axes((left / width, (top - height) / total, plot / width, height / total))
            _panel(axes, report, rows, peers, baseline)
            axes.set_xlim(*limits)
            axes.set_title(
                GROUP_TITLES[rows[0].group],
                loc="left",
                fontsize=11,
                fontweight="bold",
                x=(_EDGE_INCHES - _LABEL_INCHES) / plot,
            )
            top -= height + _TITLE_INCHES
    _head(figure, report, baseline)
    return figure


def _peers(report: Report, baseline: str) -> list[EngineInfo]:
    """Whom there are bars for: not those of which one group alone was measured, while there are others."""
    shown = {
        engine.name: {row.group for row in report.rows if report.ratio(row.id, engine.name, baseline) is not None}
        for engine in report.engines
        if engine.name != baseline
    }
    most = max(map(len, shown.values()), default=0)
    return [engine for engine in report.engines if engine.name in shown and len(shown[engine.name]) > most // 3]


def _rows_of(report: Report, group: str) -> list[Row]:
    return [row for row in report.rows if row.group == group]


def _head(figure: Figure, report: Report, baseline: str) -> None:
    """Title, machine, legend, and how to read the bars."""
    width, total = figure.get_size_inches()
    left, right = _EDGE_INCHES / width, 1 - _EDGE_INCHES / width
    line = 1 - 0.28 / total
    figure.text(left, line, f"Compared with {baseline}", fontsize=14, fontweight="bold", va="center")
    machine = report.machine
    place = f"{machine.get('processor', '')}, {machine.get('cores', '?')} cores, {machine.get('began', '')[:10]}"
    figure.text(right, line, place, fontsize=8, color=_FAINT, ha="right", va="center")
    peers = _peers(report, baseline)
    if peers:
        figure.legend(
            [mpl.patches.Patch(color=_COLOURS[index % len(_COLOURS)]) for index in range(len(peers))],
            [f"{peer.title} {peer.version}".strip() for peer in peers],
            loc="center left",
            bbox_to_anchor=(left, 1 - 0.62 / total),
            borderpad=0,
            borderaxespad=0,
            ncols=len(peers),
            frameon=False,
            fontsize=9,
        )
    text = (
        f"Bars: the peer's figure divided by {baseline}'s, logarithmic. "
        f"To the right of the line {baseline} is faster or smaller, to the left the peer is."
    )
    figure.text(left, 0.2 / total, text, fontsize=8, color=_FAINT, va="center")


def _limits(report: Report, peers: list[str], baseline: str) -> tuple[float, float]:
    """One scale for all panels, with room at both ends for the labels of the bars."""
    ratios = [report.ratio(row, peer, baseline) for row in report.cells for peer in peers]
    known = [ratio for ratio in ratios if ratio] or [1.0]
    span = math.log10(max(2.0, *known)) - math.log10(min(0.5, *known))
    return min(0.5, *known) / 10 ** (span * _LABEL_SHARE), max(2.0, *known) * 10 ** (span * _LABEL_SHARE)


def _panel(axes: Any, report: Report, rows: list[Row], peers: list[str], baseline: str) -> None:  # noqa: ANN401
    step = max(1, len(peers)) + _GAP_INCHES / _BAR_INCHES
    for index, row in enumerate(rows):
        for place, peer in enumerate(peers):
            _bar(axes, report, row, peer, baseline, index * step + place, _COLOURS[place % len(_COLOURS)])
    axes.axvline(1, color=_INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_ylim(len(rows) * step - 1 - 0.2, -1 + 0.2)
    axes.set_yticks([index * step + (max(1, len(peers)) - 1) / 2 for index in range(len(rows))])
    axes.set_yticklabels([_row_label(report, row, baseline) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", colors=_FAINT, labelsize=8)
    axes.xaxis.set_major_formatter(lambda ratio, _: f"{ratio:,.10g}x")
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)


def _row_label(report: Report, row: Row, baseline: str) -> str:
    median = report.median(row.id, baseline)
    return f"{row.title}\n{format_figure(median, row.unit) if median else 'no figure'}"


def _bar(axes: Any, report: Report, row: Row, peer: str, baseline: str, y: float, colour: str) -> None:  # noqa: ANN401
    ratio = report.ratio(row.id, peer, baseline)
    if ratio is None:
        cell = report.cells[row.id].get(peer)
        median = report.median(row.id, peer)
        missing = "failed" if cell and cell.status == "failed" else "n/a"
        text = missing if median is None else format_figure(median, row.unit)
        axes.annotate(
            text, (1, y), (4, 0), textcoords="offset points", va="center", fontsize=7, color=_FAINT, style="italic"
        )
        return
    axes.barh(y, ratio - 1, left=1, height=0.86, color=colour)
    offset, align = ((4, 0), "left") if ratio >= 1 else ((-4, 0), "right")
    axes.annotate(
        format_ratio(ratio), (ratio, y), offset, textcoords="offset points", va="center", ha=align, fontsize=7.5
    )
