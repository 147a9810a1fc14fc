"""The verdict of a soak, for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from tests.soak.supervisor import Result

_MOST_SEEDS: Final = 8


def show(result: Result, console: Console) -> None:
    """Print what happened, what was held, and what failed."""
    tally, samples = result.tally, result.samples
    rate = tally["programs"] / result.took_seconds if result.took_seconds else 0.0
    console.print(
        f"{tally['programs']:,} programs in {tally['sandboxes']:,} sandboxes on {result.order.threads} threads, "
        f"{result.took_seconds:,.0f} s, {rate:.0f} programs a second",
        highlight=False,
    )
    outcomes = Table("how requests ended", "", box=None, pad_edge=False)
    for name, count in Counter(tally["outcomes"]).most_common():
        outcomes.add_row(name, f"{count:,}")
    console.print(outcomes)
    if samples:
        held = Table("held at rest", "at first", "median", "at last", box=None, pad_edge=False)
        for name in ("rss_bytes", "objects", "threads", "descriptors", "mappings"):
            values = [getattr(sample, name) for sample in samples]
            held.add_row(name, *(f"{value:,}" for value in (values[0], sorted(values)[len(values) // 2], values[-1])))
        held.add_row("rss_bytes, busy", "", "", f"{max((size for _, size in result.busy), default=0):,} at most")
        console.print(held)
    if tally["latest"]:
        console.print(
            "latest ends: "
            + "; ".join(f"{over:.2f} s beyond {name} ({where})" for over, name, where in tally["latest"])
        )
    by_title: dict[str, list[dict[str, object]]] = {}
    for failure in result.failures:
        by_title.setdefault(str(failure["title"])[:120], []).append(failure)
    for title, failures in by_title.items():
        seeds = [str(failure["seed"]) for failure in failures if failure["seed"] is not None]
        console.print(f"FAILED {len(failures)} times: {title}", style="red", markup=False)
        if seeds:
            console.print("  python -m tests.soak --life " + " ".join(seeds[:_MOST_SEEDS]), markup=False)
        else:
            console.print(str(failures[0]["traceback"]), markup=False, highlight=False)
    for text in result.grown:
        console.print(f"GREW: {text}", style="red")
    console.print(
        "everything held" if result.is_good else "not everything held", style="green" if result.is_good else "red"
    )
