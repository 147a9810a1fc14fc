"""`python -m tests.soak`: random hostile programs for minutes, and whether anything was lost."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.soak import report
from tests.soak.canary import Canary
from tests.soak.lives import Life
from tests.soak.session import Tally, live
from tests.soak.supervisor import Order, Result, supervise

if TYPE_CHECKING:
    from tests.soak.journal import Entry

_RESULTS: Final = Path(__file__).parent / "results"
_PLAIN_WIDTH: Final = 160


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Run random hostile programs in sandboxes that are made and closed throughout, on several threads "
        "of one process, and check after each that every promise holds.",
        epilog="Exit status: 0 everything held, 1 something did not, 2 wrong usage. Every life is told by one number: "
        "--life shows it and lives it again.",
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1, help="number of the first life; the next ones follow")
    parser.add_argument("--lives", type=int, help="at most so many lives")
    parser.add_argument("--slack", type=float, default=5.0, metavar="SECONDS", help="how late a request may end")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="where figures, chart and journal go")
    parser.add_argument("--life", type=int, nargs="+", metavar="SEED", help="live these again, one after the other")
    options = parser.parse_args(arguments)
    if options.threads < 1 or options.minutes <= 0 or options.seed < 0:
        parser.error("--threads, --minutes and --seed must be positive")
    return options


def live_again(seeds: list[int], slack_seconds: float) -> int:
    """Show lives and live them, in this process.

    Returns:
        The exit status.
    """
    failed = False
    canary = Canary()
    for seed in seeds:
        life, tally = Life.from_seed(seed), Tally()
        print(life.describe())
        try:
            live(life, canary, tally, slack_seconds, lambda step: print(f"step {step}", flush=True))
        except BaseException:  # noqa: BLE001 - whatever it is, it is a finding
            failed = True
            traceback.print_exc()
        print(dict(tally.outcomes), tally.latest)
    canary.close()
    return int(failed)


def soak(order: Order, directory: Path, console: Console) -> Result:
    """Run a soak under a progress bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=order.seconds)

        def on_look(result: Result, resident: int, entries: list[Entry]) -> None:
            tally, last = result.tally, result.samples[-1] if result.samples else None
            errors = Counter(tally["outcomes"])
            limits = sum(count for name, count in errors.items() if name.endswith("LimitExceeded"))
            progress.update(
                task,
                completed=last.seconds if last else 0,
                description=f"{tally['programs']:,} programs, {tally['sandboxes']:,} sandboxes, {limits:,} limits, "
                f"{errors['JSError']:,} JSErrors, "
                f"{resident >> 20} MiB ({last.rss_bytes >> 20 if last else 0} at rest), "
                f"{last.threads if last else 0} threads, {last.descriptors if last else 0} files, "
                f"{len(result.failures)} failures, lives {' '.join(str(entry.seed) for entry in entries)}",
            )

        return supervise(order, directory, on_look)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks.

    Returns:
        The exit status.
    """
    options = parse_arguments(arguments)
    if options.life:
        return live_again(options.life, options.slack)
    console, notes = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH), Console(stderr=True)
    order = Order(options.seed, options.threads, options.minutes * 60, options.lives, options.slack)
    result = soak(order, options.output, notes)
    report.show(result, console)
    figures = options.output / "soak.json"
    figures.write_text(json.dumps(result.to_json(), indent=1), encoding="utf-8")
    notes.print(f"figures: {figures}", markup=False)
    try:
        from tests.soak.chart import draw
    except ImportError:
        notes.print("no chart: matplotlib is not installed", style="yellow")
    else:
        draw(result, options.output / "soak.png")
        notes.print(f"chart: {options.output / 'soak.png'}", markup=False)
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
