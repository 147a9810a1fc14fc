"""`python -m benchmarks compiling`: what compiling hot functions gains and costs, and whether it is right."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks import workloads
from benchmarks.compiling import cases, measure
from benchmarks.compiling.session import Session, prototype
from sandbox import Sandbox
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.compiling.measure import Row

_WIDTH = 132
_ROUNDS = 15


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks compiling",
        description="A study: hot functions of the guest, compiled to WebAssembly in its instance. The guest that this "
        "needs is built on first use, which takes a minute; the shipped one is not touched. See docs/compiling.md.",
        epilog="Exit status: 0 all answers are right, 1 one is not, 2 wrong usage.",
    )
    parser.add_argument("--programs", metavar="LIST", help=f"of: {', '.join(measure.programs())}")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, metavar="N", help="runs of each kind (%(default)s)")
    parser.add_argument("--cases", action="store_true", help="measure nothing: compare answers, program by program")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    names = list(measure.programs()) if options.programs is None else options.programs.split(",")
    if unknown := sorted(set(names) - set(measure.programs())):
        parser.error(f"no program is called {', '.join(unknown)}")
    options.names = names
    return options


def answers(source: str, *, is_compiled: bool) -> list[str]:
    """What three runs of a program give, the last two compiled if that is wanted; failures as texts."""
    with Sandbox() as box:
        box.eval(source, filename="case.js")
        found = []
        for number in range(3):
            if number == 1 and is_compiled:
                Session(box).compile(0)
            try:
                found.append(repr(box.eval("run()", filename="call.js")))
            except SandboxError as error:
                found.append(f"{type(error).__name__}: {error}")
    return found


def compare(console: Console) -> int:
    """Run all cases both ways; returns how many differ."""
    wrong = 0
    with _progress(console) as progress:
        task = progress.add_task("cases", total=len(cases.ALL))
        for name, source in cases.ALL.items():
            expected, found = (answers(source, is_compiled=which) for which in (False, True))
            if found != expected:
                wrong += 1
                console.print(f"{name}\n  interpreted: {expected}\n  compiled: {found}", markup=False)
            progress.update(task, advance=1, description=name[:40].ljust(40))
    console.print(f"{len(cases.ALL)} programs, {wrong} with another answer", highlight=False)
    return wrong


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table."""
    table = Table(title="compiled, beside interpreted", title_justify="left", pad_edge=False, box=SIMPLE)
    table.add_column("program")
    titles = ("interpreted", "compiled", "gain", "half of them", "fuel", "wasm", "native", "compiler", "Cranelift")
    for title in (*titles, "pays after"):
        table.add_column(title, justify="right")
    for row in rows:
        cost = row.compiled
        table.add_row(
            row.program,
            f"{row.seconds * 1e3:.2f} ms",
            f"{row.compiled_seconds * 1e3:.2f} ms",
            f"{row.ratio:.2f}x",
            f"{row.spread[0]:.2f}-{row.spread[1]:.2f}",
            f"{row.fuel_ratio:.2f}x",
            f"{cost.wasm_bytes / 1024:.0f} KB",
            f"{cost.native_bytes / 1024:.0f} KB",
            f"{cost.translate_seconds * 1e3:.0f} ms",
            f"{cost.compile_seconds * 1e3:.0f} ms",
            f"{math.ceil(row.runs_to_break_even)} runs" if row.runs_to_break_even < math.inf else "never",
        )
    console.print(table)
    suite = [row for row in rows if row.program in workloads.CHECKSUMS]
    if suite:
        console.print(
            f"geometric mean of the suite's {len(suite)}: {measure.mean(row.ratio for row in suite):.2f}x in time, "
            f"{measure.mean(row.fuel_ratio for row in suite):.2f}x in fuel",
            highlight=False,
        )


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks; returns the exit status."""
    options = parse_arguments(arguments)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    notes = Console(stderr=True)
    with prototype():
        if options.cases:
            return int(compare(console) > 0)
        rows = []
        with _progress(notes) as progress:
            task = progress.add_task("starting", total=len(options.names))
            for name in options.names:
                progress.update(task, description=name.ljust(16))
                try:
                    rows.append(measure.measure(name, options.rounds))
                except measure.WrongResultError as error:
                    notes.print(str(error), style="red", markup=False)
                    return 1
                progress.update(task, advance=1)
    show(rows, console)
    if options.json is not None:
        figures = [asdict(row) | {"runs_to_break_even": row.runs_to_break_even} for row in rows]
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        notes.print(f"figures: {options.json}", markup=False)
    return 0
