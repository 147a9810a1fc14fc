"""The report in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks import targets
from benchmarks.catalog import OURS
from benchmarks.results import Cell, Report, format_figure, format_ratio
from benchmarks.rows import BY_ID, GROUP_TITLES, GROUPS, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.meters import Comparison, Stops
    from benchmarks.shares import Share


def print_report(report: Report, console: Console) -> None:
    """Print figures, ratios, targets and reasons."""
    console.print(render(report))


def render(report: Report) -> RenderableType:
    """The whole report, for any rich console."""
    parts: list[RenderableType] = [figures(report)]
    if any(verdict.met is not None for verdict in targets.compare(report)):
        parts.append(aims(report))
    parts.append(footnotes(report))
    return Group(*parts)


def print_shares(shares: Sequence[Share], console: Console) -> None:
    """Print what our own time is spent on."""
    table = Table(caption="guest: C and the crossing; codec: msgpack and Python; the rest: driver and host functions")
    for title in ("", "all", "guest", "codec", "copies", "the rest"):
        table.add_column(title, justify="right" if title else "left")
    for share in shares:
        parts = (share.guest, share.codec, share.copies, share.rest)
        row = BY_ID[share.row]
        table.add_row(row.title, format_figure(share.seconds, row.unit), *(f"{part:.0%}" for part in parts))
    console.print(table)


def print_meters(comparisons: Sequence[Comparison], mean: float, stops: Sequence[Stops], console: Console) -> None:
    """Print both ways of metering side by side: what they cost, and how late they stop what never looks."""
    table = Table(caption="clock / fuel: below 1, the clock is faster; the median over rounds that take both in turn")
    for title in ("", "fuel", "clock", "clock / fuel"):
        table.add_column(title, justify="right" if title else "left")
    for comparison in comparisons:
        row = BY_ID[comparison.row]
        figures = (format_figure(comparison.seconds[metering], row.unit) for metering in ("fuel", "clock"))
        table.add_row(row.title, *figures, f"{comparison.ratio:.2f}")
    table.add_row("geometric mean of the programs", "", "", f"{mean:.2f}")
    console.print(table)
    table = Table(caption="milliseconds from the limit to the hard stop of code that never looks at it")
    for title in ("", "metering", "least", "median", "most"):
        table.add_column(title, justify="right" if title not in ("", "metering") else "left")
    for one in stops:
        late = one.late_seconds
        shown = (f"{seconds * 1000:,.0f}" for seconds in (late[0], late[len(late) // 2], late[-1]))
        table.add_row(one.loop, one.metering, *shown)
    console.print(table)


def baseline_of(report: Report) -> str:
    """Name of the engine that ratios refer to: ours, or the first one that has figures."""
    measured = [
        engine.name for engine in report.engines if any(report.median(row, engine.name) for row in report.cells)
    ]
    return OURS if OURS in measured or not measured else measured[0]


def figures(report: Report) -> Table:
    """Medians, and under each peer's how many times the baseline's it is."""
    baseline = baseline_of(report)
    machine = report.machine
    table = Table(
        title=f"{machine.get('processor', '')}, {machine.get('cores', '?')} cores, {machine.get('system', '')}",
        caption=f"Medians; 2x: twice {baseline}'s figure in the same round. Above 1x {baseline} is faster or smaller.",
        title_style="bold",
        caption_style="dim",
    )
    table.add_column("")
    for engine in report.engines:
        table.add_column(f"{engine.title}\n{engine.version}".rstrip(), justify="right", min_width=10)
    for group in GROUPS:
        rows = [row for row in report.rows if row.group == group]
        if not rows:
            continue
        table.add_section()
        table.add_row(Text(GROUP_TITLES[group], style="bold"))
        for row in rows:
            table.add_row(Text(f"  {row.title}"), *(_cell(report, row, name, baseline) for name in _names(report)))
    return table


def _names(report: Report) -> list[str]:
    return [engine.name for engine in report.engines]


def _cell(report: Report, row: Row, engine: str, baseline: str) -> Text:
    cell = report.cells[row.id].get(engine, Cell("not available"))
    median = cell.median
    if median is None:
        return Text("failed" if cell.status == "failed" else "n/a", style="red" if cell.status == "failed" else "dim")
    text = Text(format_figure(median, row.unit))
    ratio = report.ratio(row.id, engine, baseline)
    if ratio is not None and engine != baseline:
        text.append(f" {format_ratio(ratio)}", style="green" if ratio >= 1 else "yellow")
    return text


def aims(report: Report) -> Table:
    """The project's targets beside the measurement."""
    table = Table(title="Targets (information, not a test)", title_style="bold")
    table.add_column("target")
    table.add_column("measured", justify="right")
    table.add_column("")
    for verdict in targets.compare(report):
        mark = {
            True: Text("met", style="green"),
            False: Text("not met", style="yellow"),
            None: Text("n/a", style="dim"),
        }
        table.add_row(verdict.target.text, verdict.measured, mark[verdict.met])
    return table


def footnotes(report: Report) -> Text:
    """How each engine was used, and every reason for a missing figure, once each."""
    lines = []
    for engine in report.engines:
        lines.append(f"{engine.title}: {engine.reason or engine.note}")
        reasons: dict[str, list[str]] = {}
        for row in report.rows:
            cell = report.cells[row.id].get(engine.name)
            if cell and cell.reason and cell.reason != engine.reason:
                reasons.setdefault(cell.reason, []).append(row.title)
        lines += [f"  n/a, {', '.join(titles)}: {reason}" for reason, titles in reasons.items()]
    return Text("\n".join(lines), style="dim")
