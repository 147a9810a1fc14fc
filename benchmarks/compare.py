"""`python -m benchmarks compare OLD.json NEW.json`: what changed between two runs, and whether it is only noise."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.catalog import OURS
from benchmarks.results import Cell, Report, format_figure, geometric_mean
from benchmarks.rows import BY_ID, GROUP_TITLES, GROUPS, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 132


@dataclass(frozen=True, slots=True)
class Change:
    """One row in two runs.

    Attributes:
        row: Which.
        old: The engine in the old run.
        new: The engine in the new run.
        machine: How many times the old figure the other engines' new figure is, their geometric mean; they have not
            changed, so this is what the machine did. 1 where no other engine has been measured in both runs.
    """

    row: Row
    old: Cell
    new: Cell
    machine: float

    @property
    def ratio(self) -> float:
        """How many times the old figure the new one is, the machine's part taken out."""
        return (self.new.median or 0.0) / (self.old.median or 1.0) / self.machine

    @property
    def certain(self) -> bool:
        """Whether the middle halves of the samples, the machine's part taken out, lie apart."""
        if self.old.spread is None or self.new.spread is None or len(self.old.samples) < 3 or len(self.new.samples) < 3:
            return False
        old, new = (edge * self.machine for edge in self.old.spread), self.new.spread
        low, high = old
        return new[1] < low or new[0] > high


def changes(old: Report, new: Report, engine: str) -> list[Change]:
    """The rows in which the engine has a figure in both runs, in the order of the table."""
    others = {one.name: one.version for one in old.engines if one.name != engine}
    same = [one.name for one in new.engines if others.get(one.name) == one.version and one.name in others]
    found = []
    for row in new.rows:
        before, after = (report.cells.get(row.id, {}).get(engine) for report in (old, new))
        if before is None or after is None or not before.median or not after.median:
            continue
        known = [
            after_other / before_other
            for name in same
            if (after_other := new.median(row.id, name)) and (before_other := old.median(row.id, name))
        ]
        found.append(Change(row, before, after, geometric_mean(known) if known else 1.0))
    return found


def table(found: Sequence[Change], engine: str) -> Table:
    """All changes, and the geometric mean of each group."""
    drawn = Table(
        title=f"{engine}: old and new",
        caption="change: new / old, divided by what engines that are the same in both runs did (machine).\n"
        "Coloured where the middle halves of the samples lie apart; the rest may be noise.",
    )
    for title in ("", "old", "new", "machine", "change"):
        drawn.add_column(title, justify="right" if title else "left")
    for group in GROUPS:
        chosen = [change for change in found if change.row.group == group]
        if not chosen:
            continue
        drawn.add_section()
        mean = geometric_mean([change.ratio for change in chosen if change.row.kind != "derived"])
        drawn.add_row(Text(GROUP_TITLES[group], style="bold"), "", "", "", Text(f"{mean:.3f}", style="bold"))
        for change in chosen:
            medians = [format_figure(cell.median or 0.0, change.row.unit) for cell in (change.old, change.new)]
            style = ("green" if change.ratio < 1 else "red") if change.certain else "dim"
            drawn.add_row(
                f"  {change.row.title}", *medians, f"{change.machine:.2f}", Text(f"{change.ratio:.3f}", style=style)
            )
    return drawn


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks.

    Returns:
        The exit status: 0, or 2 for files that cannot be compared. A change is never a failure.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks compare", description="What changed between two runs of the benchmarks."
    )
    parser.add_argument("old", type=Path, metavar="OLD.json")
    parser.add_argument("new", type=Path, metavar="NEW.json")
    parser.add_argument("--engine", default=OURS, help="whose figures (%(default)s)")
    options = parser.parse_args(arguments)
    console, notes = Console(width=None if sys.stdout.isatty() else _WIDTH), Console(stderr=True)
    reports = []
    for path in (options.old, options.new):
        try:
            reports.append(Report.from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            notes.print(f"cannot read {path}: {error}", style="red", markup=False)
            return 2
    old, new = reports
    found = changes(old, new, options.engine)
    if not found:
        notes.print(f"no row has figures of {options.engine} in both files", style="red", markup=False)
        return 2
    console.print(table(found, options.engine))
    missing = [row.title for row in old.rows if row.id in BY_ID and row.id not in {one.row.id for one in found}]
    if missing:
        console.print("not compared: " + ", ".join(missing), style="dim", markup=False, highlight=False)
    return 0
