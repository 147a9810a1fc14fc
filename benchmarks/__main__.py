"""`python -m benchmarks`: measure, print a table, write JSON and a chart; `hostile` has a command of its own."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import catalog, compare, page, rows, table
from benchmarks.catalog import OURS, Engine
from benchmarks.charts import draw_charts
from benchmarks.environments import CACHE_VARIABLE, CHECKOUT
from benchmarks.fleet import ProcessFleet
from benchmarks.hostile import command as hostile
from benchmarks.results import Report
from benchmarks.runner import QUICK, Runner, Settings

if TYPE_CHECKING:
    from benchmarks.rows import Row

PLAIN_WIDTH = 132  # columns, where the output is not a terminal
SHARED_KINDS = ("eval", "host_call", "guest_call", "out", "in")
METERED_KINDS = ("spawn", "eval", "host_call", "guest_call", "compute")
RESULTS_DIRECTORY = Path(__file__).parent / "results"


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the sandbox beside its peers. Peers are installed on first use into environments of their "
        f"own, in the user's cache directory or in ${CACHE_VARIABLE}.",
        epilog="`python -m benchmarks hostile` compares what becomes of hostile programs instead, `growth` how cost "
        "grows with size, `flames` draws where time goes, `instructions` counts what no load on the machine moves, "
        "`compiling` is a study of compiled guest functions, "
        "`compare OLD.json NEW.json` two runs. "
        "Exit status: 0 done, 1 our own engine failed in a row, 2 wrong usage. No figure makes a run fail.",
    )
    parser.add_argument("--engines", metavar="LIST", help=f"exactly these engines, of: {', '.join(catalog.BY_NAME)}")
    parser.add_argument("--peers", metavar="LIST", help="these engines beside ours; none, all (default), or a list")
    parser.add_argument(
        "--rows", metavar="LIST", help="row ids, beginnings of them, or groups: " + ", ".join(rows.GROUPS)
    )
    parser.add_argument("--list", action="store_true", help="list the rows and leave")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: faster, rougher")
    parser.add_argument("--rounds", type=int, metavar="N", help="samples of each engine in each row")
    parser.add_argument("--shares", action="store_true", help="compare nothing: show what our own time is spent on")
    parser.add_argument(
        "--meters",
        action="store_true",
        help="compare no engines: fuel beside the clock, their cost and their hard stops",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go; default: benchmarks/results/")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="where the chart goes, .svg or .png")
    parser.add_argument("--page", action="store_true", help=f"write docs/{page.PAGE} and docs/{page.CHART}")
    parser.add_argument("--show", type=Path, metavar="FILE", help="measure nothing: show the figures of this JSON file")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.chart is not None and options.chart.suffix not in (".svg", ".png"):
        parser.error("--chart must end in .svg or .png")
    try:
        options.engines = catalog.select(options.engines, options.peers)
        options.rows = rows.select(options.rows)
    except ValueError as error:
        parser.error(str(error))
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings that the command line asks for."""
    chosen = QUICK if options.quick else Settings()
    if options.rounds is None:
        return chosen
    return Settings(options.rounds, chosen.row_seconds, chosen.request_seconds, chosen.live_sandboxes)


def measure(options: argparse.Namespace, console: Console) -> Report:
    """Run the chosen rows on the chosen engines under a progress bar."""
    settings = settings_of(options)
    steps = len(options.rows) * len(options.engines) * (settings.rounds + 1)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress, ProcessFleet(settings) as fleet:
        task = progress.add_task("starting", total=steps)

        seen: set[str] = set()

        def on_step(engine: Engine, row: Row, done: int) -> None:
            if not console.is_terminal and row.id not in seen:  # no bar is shown there
                seen.add(row.id)
                console.print(f"{len(seen)} of {len(options.rows)}: {row.title}", markup=False, highlight=False)
            progress.update(task, advance=done, description=f"{row.title}: {engine.title}"[:60].ljust(60))

        def on_install(engine: Engine) -> None:
            progress.update(task, description=f"environment of {engine.title}"[:60].ljust(60))

        return Runner(fleet, options.engines, settings, on_step).run(options.rows, on_install)


def show_meters(options: argparse.Namespace, console: Console) -> None:
    """Compare the ways of metering, and print it."""
    from benchmarks import meters

    rounds = settings_of(options).rounds
    chosen = [row for row in options.rows if row.kind in METERED_KINDS]
    comparisons = [meters.compare(row, rounds) for row in chosen]
    programs = [one for one, row in zip(comparisons, chosen, strict=True) if row.kind == "compute"]
    stops = [meters.stop(loop, metering, rounds) for loop in meters.LOOPS for metering in meters.METERINGS]
    table.print_meters(comparisons, meters.mean_ratio(programs or comparisons), stops, console)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks.

    Returns:
        The exit status.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["hostile"]:
        return hostile.main(arguments[1:])
    if arguments[:1] == ["compare"]:
        return compare.main(arguments[1:])
    if arguments[:1] == ["growth"]:
        from benchmarks.growth import command as growth

        return growth.main(arguments[1:])
    if arguments[:1] == ["flames"]:
        from benchmarks.flames import command as flames

        return flames.main(arguments[1:])
    if arguments[:1] == ["instructions"]:
        from benchmarks.instructions import command as instructions

        return instructions.main(arguments[1:])
    if arguments[:1] == ["compiling"]:
        from benchmarks.compiling import command as compiling

        return compiling.main(arguments[1:])
    options = parse_arguments(arguments)
    console, notes = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH), Console(stderr=True)
    if options.list:
        for row in rows.ROWS:
            console.print(f"{row.id:20} {row.group:8} {row.title}", highlight=False)
        return 0
    if options.shares:
        from benchmarks.shares import measure_shares

        table.print_shares([measure_shares(row) for row in options.rows if row.kind in SHARED_KINDS], console)
        return 0
    if options.meters:
        show_meters(options, console)
        return 0
    if options.show is not None:
        try:
            report = Report.from_json(json.loads(options.show.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            notes.print(f"cannot show {options.show}: {error}", style="red", markup=False)
            return 2
    else:
        try:
            report = measure(options, notes)
        except KeyboardInterrupt:
            notes.print("stopped; nothing was saved")
            return 130
    table.print_report(report, console)
    if options.show is None:
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        target = options.json or RESULTS_DIRECTORY / f"{stamp}.json"
        report.save(target)
        notes.print(f"figures: {target}", markup=False)
    charts = [options.chart] if options.chart is not None else []
    if options.page:
        (CHECKOUT / "docs" / page.PAGE).write_text(page.render(report), encoding="utf-8")
        charts.append(CHECKOUT / "docs" / page.CHART)
    if charts:
        draw_charts("benchmarks.chart", report, charts, notes)
    return 1 if ours_failed(report) else 0


def ours_failed(report: Report) -> bool:
    """Whether our own engine was asked for and could not be measured somewhere; peers may lack what they like."""
    absent = any(engine.name == OURS and engine.reason for engine in report.engines)
    return absent or any(cells[OURS].status == "failed" for cells in report.cells.values() if OURS in cells)


if __name__ == "__main__":
    sys.exit(main())
