"""`python -m benchmarks instructions`: count what rows take, show it, and compare it with an earlier count."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import rows
from benchmarks.instructions.counts import KINDS, Count, count
from benchmarks.instructions.machine import Machine, NotCountedError
from benchmarks.rows import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.rows import Row

_PARTS = ("guest", "python", "machine")
_WIDTH = 132


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks instructions",
        description="How many instructions our own engine takes for a row's work: of the guest, by fuel; of Python's "
        "bytecode, on the host; of the processor, by valgrind where that is installed. Repeatable on a busy machine.",
        epilog="Exit status: 0 counted, 1 all but the processor's were, 2 wrong usage.",
    )
    parser.add_argument(
        "--rows", metavar="LIST", help="as for the benchmarks; those that are timed otherwise are left out"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the counts go")
    parser.add_argument("--against", type=Path, metavar="FILE", help="show how they differ from these")
    parser.add_argument(
        "--no-machine", action="store_true", help="leave the processor's out: seconds rather than minutes"
    )
    options = parser.parse_args(arguments)
    try:
        chosen = [row for row in rows.select(options.rows) if row.kind in KINDS]
        before = {} if options.against is None else read(options.against)
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(str(error))
    if not chosen:
        parser.error("none of these rows is counted")
    notes = Console(stderr=True)
    counts, reason = count_all(chosen, notes, with_machine=not options.no_machine)
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table_of(counts, before))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(each) for each in counts], indent=1) + "\n", encoding="utf-8")
    if reason:
        notes.print(f"the processor's instructions were not counted: {reason}", markup=False)
    return int(bool(reason))


def count_all(chosen: Sequence[Row], notes: Console, *, with_machine: bool) -> tuple[list[Count], str]:
    """Count rows under a progress bar; the second part says why the processor's instructions could not be."""
    counts: list[Count] = []
    reason = ""
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console=notes, transient=True))
        task = progress.add_task("", total=len(chosen))
        machine = None
        for row in chosen:
            progress.update(task, description=row.title[:50].ljust(50))
            counted = count(row)
            try:
                if with_machine and not reason:
                    machine = machine or stack.enter_context(Machine())
                    counted = replace(counted, machine=machine.count(row))
            except NotCountedError as error:
                reason = str(error)
            counts.append(counted)
            progress.advance(task)
    return counts, reason


def read(file: Path) -> dict[str, Count]:
    """Counts of an earlier run, by row."""
    counts = [Count(**each) for each in json.loads(file.read_text(encoding="utf-8"))]
    return {each.row: each for each in counts}


def table_of(counts: Sequence[Count], before: Mapping[str, Count]) -> Table:
    """The counts, and where there are earlier ones, by how much each is more or less."""
    table = Table(
        caption="instructions of one unit of work: WebAssembly's, CPython's bytecode, the processor's for both"
    )
    for title in ("", *_PARTS):
        table.add_column(title, justify="right" if title else "left")
    for each in counts:
        old = before.get(each.row, each)
        cells = (_cell(getattr(each, part), getattr(old, part) if each.row in before else None) for part in _PARTS)
        table.add_row(BY_ID[each.row].title, *cells)
    return table


def _cell(now: float | None, before: float | None) -> str:
    if now is None:
        return "n/a"
    shown = f"{now:,.0f}" if now >= 100 else f"{now:.1f}"
    return f"{shown} {now / before - 1:+.1%}" if before else shown
