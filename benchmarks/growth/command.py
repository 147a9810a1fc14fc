"""`python -m benchmarks growth`: measure the curves, print and draw them, fail where one rises too fast."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from benchmarks.charts import draw_charts
from benchmarks.environments import CHECKOUT
from benchmarks.growth.curves import BY_ID, CURVES, GROUP_TITLES, Curve
from benchmarks.growth.page import CHART, PAGE, render
from benchmarks.growth.slope import MAX_POWER, STEPS, Growth, WrongResultError, measure
from benchmarks.results import format_figure
from benchmarks.runner import describe_machine

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
_WIDTH = 132
_ROUNDS = 3


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks growth",
        description=f"How cost grows with size; a curve that rises faster than size ** {MAX_POWER} is a failure.",
        epilog="Exit status: 0 nothing grows faster than its size, 1 something does, 2 wrong usage or a wrong result.",
    )
    parser.add_argument(
        "--curves", metavar="LIST", help="ids, beginnings of them, or groups: " + ", ".join(GROUP_TITLES)
    )
    parser.add_argument("--rounds", type=int, default=_ROUNDS, metavar="N", help="tries at each size (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="where the chart goes, .svg or .png")
    parser.add_argument("--show", type=Path, metavar="FILE", help="measure nothing: show the figures of this file")
    parser.add_argument("--page", action="store_true", help=f"write docs/{PAGE} and docs/{CHART}")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.chart is not None and options.chart.suffix not in (".svg", ".png"):
        parser.error("--chart must end in .svg or .png")
    try:
        options.curves = select(options.curves)
    except ValueError as error:
        parser.error(str(error))
    return options


def select(patterns: str | None) -> list[Curve]:
    """Pick curves by a comma-separated list of ids, groups, or beginnings of ids; None picks all.

    Raises:
        ValueError: A pattern matches no curve.
    """
    if patterns is None:
        return list(CURVES)
    chosen: set[str] = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        matches = {curve.id for curve in CURVES if pattern in (curve.id, curve.group)}
        matches = matches or {curve.id for curve in CURVES if curve.id.startswith(pattern)}
        if not matches:
            raise ValueError(f"no curve is called {pattern!r}; there are: {', '.join((*GROUP_TITLES, *BY_ID))}")
        chosen |= matches
    return [curve for curve in CURVES if curve.id in chosen]


def measure_all(curves: Sequence[Curve], rounds: int, notes: Console) -> list[Growth]:
    """Measure under a progress bar.

    Raises:
        WrongResultError: A result was wrong.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    found = []
    with Progress(*columns, console=notes, transient=True) as progress:
        task = progress.add_task("", total=len(curves) * rounds * STEPS)
        for number, curve in enumerate(curves, 1):
            if not notes.is_terminal:  # no bar is shown there
                notes.print(f"{number} of {len(curves)}: {curve.title}", markup=False, highlight=False)
            progress.update(task, description=curve.title[:60].ljust(60))
            found.append(measure(curve, rounds, lambda: progress.update(task, advance=1)))
    return found


def table(growths: Sequence[Growth]) -> Table:
    """Costs at the smallest and largest size, and how fast they rise."""
    drawn = Table(
        caption=f"Power of the size over the last fourfold growth: 1 is linear, more than {MAX_POWER} a failure"
    )
    for title in ("", "smallest", "cost", "largest", "cost", "power"):
        drawn.add_column(title, justify="right" if title else "left")
    for growth in growths:
        curve = BY_ID[growth.id]
        ends = [(f"{growth.sizes[at]:,}", format_figure(growth.costs[at], curve.unit)) for at in (0, -1)]
        power = Text(f"{growth.power:.2f}", style="green" if growth.good else "red")
        drawn.add_row(curve.title, *ends[0], *ends[1], power)
    return drawn


def to_json(growths: Sequence[Growth], machine: dict[str, Any]) -> dict[str, Any]:
    """Plain data; `from_json` reads it back."""
    curves = [asdict(growth) | {"power": growth.power, "good": growth.good} for growth in growths]
    return {"format": FORMAT, "kind": "growth", "machine": machine, "curves": curves}


def from_json(data: object) -> tuple[list[Growth], dict[str, Any]]:
    """Read saved figures.

    Raises:
        ValueError: They are something else.
    """
    if not isinstance(data, dict) or data.get("kind") != "growth" or data.get("format") != FORMAT:
        raise ValueError("this is no file of growth figures")
    growths = [Growth(one["id"], one["sizes"], one["costs"]) for one in data["curves"] if one["id"] in BY_ID]
    return growths, dict(data["machine"])


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks.

    Returns:
        The exit status.
    """
    options = parse_arguments(arguments)
    console, notes = Console(width=None if sys.stdout.isatty() else _WIDTH), Console(stderr=True)
    try:
        if options.show is not None:
            growths, machine = from_json(json.loads(options.show.read_text(encoding="utf-8")))
        else:
            machine = describe_machine()
            growths = measure_all(options.curves, options.rounds, notes)
    except (OSError, ValueError, KeyError, TypeError, WrongResultError) as error:
        notes.print(str(error), style="red", markup=False)
        return 2
    console.print(table(growths))
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(to_json(growths, machine), indent=1) + "\n", encoding="utf-8")
    charts = [options.chart] if options.chart else []
    if options.page:
        (CHECKOUT / "docs" / PAGE).write_text(render(growths, machine), encoding="utf-8")
        charts.append(CHECKOUT / "docs" / CHART)
    draw_charts("benchmarks.growth.chart", growths, charts, notes)
    return 0 if all(growth.good for growth in growths) else 1
