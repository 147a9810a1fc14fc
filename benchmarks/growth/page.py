"""The curves as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.growth.curves import BY_ID, GROUP_TITLES
from benchmarks.growth.slope import MAX_POWER
from benchmarks.page import BUSY
from benchmarks.results import format_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.growth.slope import Growth

PAGE, CHART = "growth.md", "growth.svg"

_INTRODUCTION = """\
# How cost grows

What costs twice as much when it is twice as large is under control; what costs four times as much is a way to stop a
host. This page and its chart are made by `python -m benchmarks growth --page`, which fails when a cost rises faster
than the power {limit} of its size over the last fourfold growth. A power of 1 is linear; sorting has some 1.1; a cost
that is linear and quadratic in equal parts has 1.34.

![Cost against size, {good} of {count} curves within the bound]({chart})

Measured on {processor}, {cores} cores, {began}. Times are processor time of the whole process, garbage collection
included; memory is shared fairly (PSS). Results are checked at every size.{busy}
"""


def render(growths: Sequence[Growth], machine: dict[str, Any]) -> str:
    """The page, as Markdown."""
    parts = [
        _INTRODUCTION.format(
            limit=MAX_POWER,
            good=sum(growth.good for growth in growths),
            count=len(growths),
            chart=CHART,
            busy=BUSY.format(load=machine["load"]) if (machine.get("load") or 0) > 1 else "",
            processor=machine.get("processor", ""),
            cores=machine.get("cores", "?"),
            began=str(machine.get("began", ""))[:10],
        )
    ]
    for group, title in GROUP_TITLES.items():
        chosen = [growth for growth in growths if BY_ID[growth.id].group == group]
        if not chosen:
            continue
        lines = [f"\n## {title}\n", "| | n | cost | n | cost | power |", "|---|---:|---:|---:|---:|---:|"]
        for growth in chosen:
            curve = BY_ID[growth.id]
            ends = (f"{growth.sizes[at]:,} | {format_figure(growth.costs[at], curve.unit)}" for at in (0, -1))
            power = f"{growth.power:.2f}" if growth.good else f"**{growth.power:.2f}**"
            lines.append(f"| {curve.title} | {' | '.join(ends)} | {power} |")
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)
