"""`python -m benchmarks hostile`: run the corpus, print the matrix, write the results and the page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import catalog
from benchmarks.catalog import OURS, Engine
from benchmarks.charts import draw_charts
from benchmarks.environments import CACHE_VARIABLE, CHECKOUT
from benchmarks.hostile import page
from benchmarks.hostile.judge import SURVIVED
from benchmarks.hostile.matrix import Matrix, run
from tests.corpus import CASES, ROWS

if TYPE_CHECKING:
    from tests.corpus.case import Case

RESULTS = Path(__file__).parent / "results.json"
PAGE = CHECKOUT / "docs" / "hostile.md"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line after the word `hostile`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks hostile",
        description="Put the attack corpus to the sandbox and its peers, each case in a process of its own. Peers "
        "are installed on first use into environments of their own, in the user's cache directory or in "
        f"${CACHE_VARIABLE}.",
        epilog="Exit status: 0 done, 1 our own engine lost a case, 2 wrong usage. Peers never make a run fail.",
    )
    parser.add_argument("--engines", metavar="LIST", help=f"exactly these engines, of: {', '.join(catalog.BY_NAME)}")
    parser.add_argument("--peers", metavar="LIST", help="these engines beside ours; none, all (default), or a list")
    parser.add_argument("--rows", metavar="LIST", help="numbers of rows, or ids of cases; default: all")
    parser.add_argument("--list", action="store_true", help="list the rows and leave")
    parser.add_argument("--losses", action="store_true", help="also print what happened in every case that was lost")
    parser.add_argument("--json", type=Path, metavar="FILE", help="what was found is added to this file")
    parser.add_argument("--show", type=Path, metavar="FILE", help="run nothing: show the results in this file")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="where a chart goes, .svg or .png")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.relative_to(CHECKOUT)} and its chart as well")
    options = parser.parse_args(arguments)
    if options.chart is not None and options.chart.suffix not in (".svg", ".png"):
        parser.error("--chart must end in .svg or .png")
    try:
        options.engines = [one for one in catalog.select(options.engines, options.peers) if one.limits]
        options.cases = _select(options.rows)
    except ValueError as error:
        parser.error(str(error))
    return options


def _select(text: str | None) -> list[Case]:
    if text is None:
        return list(CASES)
    wanted = {part.strip() for part in text.split(",")} - {""}
    unknown = wanted - {str(row.number) for row in ROWS} - {case.id for case in CASES}
    if unknown or not wanted:
        raise ValueError(f"no row or case is called {', '.join(sorted(unknown)) or repr(text)}")
    return [case for case in CASES if {str(case.row), case.id} & wanted]


def measure(engines: tuple[Engine, ...], cases: list[Case], console: Console) -> Matrix:
    """Run the cases under a progress bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=len(engines) * (len(cases) + 1))

        def on_step(engine: Engine, case: Case | None) -> None:
            text = f"{engine.title}: {case.id if case else 'environment'}"
            progress.update(task, advance=1, description=text[:60].ljust(60))

        return run(engines, cases, on_step)


def main(arguments: list[str]) -> int:
    """Do what the command line asks.

    Returns:
        The exit status.
    """
    options = parse_arguments(arguments)
    console, notes = Console(width=None if Console().is_terminal else 150), Console(stderr=True)
    if options.list:
        for row in ROWS:
            count = sum(case.row == row.number for case in CASES)
            console.print(f"{row.number:3} {count:3} cases  {row.title}", highlight=False, markup=False)
        return 0
    kept_in = options.show or options.json or RESULTS
    try:
        matrix = Matrix.load(kept_in)
    except (OSError, ValueError, KeyError, TypeError) as error:
        notes.print(f"cannot read {kept_in}: {error}", style="red", markup=False)
        return 2
    lost = False
    if options.show is None:
        try:
            found = measure(options.engines, options.cases, notes)
        except KeyboardInterrupt:
            notes.print("stopped; nothing was saved")
            return 130
        lost = any(
            cells[OURS].name not in {SURVIVED, "not offered"} for cells in found.verdicts.values() if OURS in cells
        )
        matrix.update(found)
        matrix.save(kept_in)
        notes.print(f"results: {kept_in}", markup=False)
    console.print(page.table(matrix))
    if options.losses:
        _print_losses(matrix, console)
    if options.page:
        PAGE.write_text(page.render(matrix), encoding="utf-8")
    charts = [*([options.chart] if options.chart else []), *([PAGE.parent / page.CHART] if options.page else [])]
    draw_charts("benchmarks.hostile.chart", matrix, charts, notes)
    return 1 if lost else 0


def _print_losses(matrix: Matrix, console: Console) -> None:
    for engine in matrix.engines:
        for row in ROWS:
            for name, text in matrix.cell(row.number, engine.name).texts.items():
                console.print(f"{engine.title}, {row.number}, {name}: {text}", highlight=False, markup=False)
