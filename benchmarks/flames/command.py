"""`python -m benchmarks flames`: sample, and draw the flame graphs that docs/profiles.md talks about."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.environments import CHECKOUT
from benchmarks.flames.guest import guest_stacks
from benchmarks.flames.host import NoProfilerError, host_stacks
from benchmarks.rows import BY_ID, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.flames.host import Stacks

CHART = "profiles.svg"
_SECONDS = 4.0
# What is drawn of the host: id of the row -> what the panel is called.
HOST_ROWS = {
    "spawn": 'create, eval("1+1"), close: Python',
    "eval": 'eval("1+1") in a live sandbox: Python',
    "host_call_record": "host calls, record to record: Python",
    "records_out": "1,000 records out: Python",
}


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks flames",
        description="Where time goes, as flame graphs: of the host by py-spy, of the guest by perf, on Linux.",
        epilog="Exit status: 0 drawn, 1 something could not be sampled and is left out, 2 wrong usage.",
    )
    parser.add_argument("--seconds", type=float, default=_SECONDS, metavar="S", help="for each panel (%(default)s)")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="where the chart goes, .svg or .png")
    parser.add_argument("--page", action="store_true", help=f"write docs/{CHART}")
    options = parser.parse_args(arguments)
    targets = [target for target in (options.chart, CHECKOUT / "docs" / CHART if options.page else None) if target]
    if not targets or any(target.suffix not in (".svg", ".png") for target in targets):
        parser.error("say where the chart goes: --page, or --chart with a file that ends in .svg or .png")
    if options.seconds <= 0:
        parser.error("--seconds must be more than 0")
    return sample_and_draw(options.seconds, targets, Console(stderr=True))


def sample_and_draw(seconds: float, targets: Sequence[Path], notes: Console) -> int:
    """Sample all panels and draw them to each of these files; returns the exit status."""
    from benchmarks.flames.chart import Panel, draw

    share = seconds / len(PROGRAMS)
    todo: list[tuple[str, bool, Callable[[], Stacks]]] = [
        (title, False, partial(host_stacks, BY_ID[row], seconds)) for row, title in HOST_ROWS.items()
    ]
    todo.append((f"{len(PROGRAMS)} programs: the guest's functions", True, partial(guest_stacks, PROGRAMS, share)))
    panels, status = [], 0
    for title, is_guest, sampled in todo:
        notes.print(title, markup=False, highlight=False)
        try:
            panels.append(Panel(title, sampled(), is_guest))
        except NoProfilerError as error:
            notes.print(f"left out: {error}", style="yellow", markup=False)
            status = 1
    if not panels:
        return status
    for target in targets:
        draw(panels, target)
        notes.print(f"chart: {target}", markup=False)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
