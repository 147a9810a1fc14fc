"""The report as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import targets
from benchmarks.results import format_figure, format_ratio
from benchmarks.rows import GROUP_TITLES, GROUPS
from benchmarks.table import baseline_of

if TYPE_CHECKING:
    from benchmarks.results import Report
    from benchmarks.rows import Row

PAGE, CHART = "benchmarks.md", "benchmarks.svg"

_INTRODUCTION = """\
# Benchmarks

Measured on {processor}, {cores} cores, {began}, at most {rounds} samples of each engine in each row, all engines in
turns. `make bench` does the same on your machine; how it measures is said in `benchmarks/README.md`. This page and its
chart are made by `python -m benchmarks --page`. How cost grows with size, and [where time
goes](profiles.md), are on [pages](growth.md) of their own.

![Figures of other engines, divided by those of {baseline}]({chart})

A figure is the median. `2.0x` beside a peer: it takes twice what {baseline} takes, in the same round. Every answer is
checked before it is timed; the programs give the checksums that Node computes.{busy}
"""
BUSY = (
    "\n\nThe machine was busy with other work meanwhile (load average {load}): the ratios mean more than the figures."
)


def render(report: Report) -> str:
    """The page, as Markdown."""
    baseline, machine = baseline_of(report), report.machine
    parts = [
        _INTRODUCTION.format(
            processor=machine.get("processor", ""),
            cores=machine.get("cores", "?"),
            began=str(machine.get("began", ""))[:10],
            rounds=report.settings.get("rounds", "?"),
            baseline=baseline,
            chart=CHART,
            busy=BUSY.format(load=machine["load"]) if (machine.get("load") or 0) > 1 else "",
        )
    ]
    for group in GROUPS:
        rows = [row for row in report.rows if row.group == group]
        if not rows:
            continue
        engines = [one for one in report.engines if any(_text(report, row, one.name, baseline) for row in rows)]
        titles = " | ".join(f"{engine.title} {engine.version}".strip() for engine in engines)
        lines = [f"\n## {GROUP_TITLES[group]}\n", f"| | {titles} |", f"|---|{'---:|' * len(engines)}"]
        for row in rows:
            cells = " | ".join(_text(report, row, engine.name, baseline) for engine in engines)
            lines.append(f"| {row.title} | {cells} |")
        parts.append("\n".join(lines) + "\n")
    verdicts = targets.compare(report)
    if any(verdict.met is not None for verdict in verdicts):
        lines = ["\n## Aims\n", "| | measured | |", "|---|---:|---|"]
        marks = {True: "met", False: "not met", None: ""}
        lines += [f"| {one.target.text} | {one.measured} | {marks[one.met]} |" for one in verdicts]
        parts.append("\n".join(lines) + "\n")
    lines = ["\n## How each engine is used\n", "| | |", "|---|---|"]
    lines += [f"| {engine.title} | {engine.reason or engine.note} |" for engine in report.engines]
    return "".join(parts) + "\n".join(lines) + "\n"


def _text(report: Report, row: Row, engine: str, baseline: str) -> str:
    median, ratio = report.median(row.id, engine), report.ratio(row.id, engine, baseline)
    if median is None:
        cell = report.cells[row.id].get(engine)
        return "failed" if cell and cell.status == "failed" else ""
    figure = format_figure(median, row.unit)
    return figure if ratio is None or engine == baseline else f"{figure} ({format_ratio(ratio)})"
