"""The matrix as a page of the documentation and as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from benchmarks.hostile.judge import SURVIVED, VERDICTS
from tests.corpus import CASES, ROWS
from tests.corpus.case import NOT_OFFERED

if TYPE_CHECKING:
    from benchmarks.hostile.matrix import Cell, Matrix

CHART = "hostile.svg"

_INTRODUCTION = """\
# Hostile programs

Forty ideas of how a program attacks the process it runs in, each tried by several programs: {cases} in all. They are
the tests `tests/test_corpus.py` of this project, and the same programs are put to other engines for Python. The table
and the chart are made by `python -m benchmarks hostile`, which installs the peers, runs every case in a process of its
own and kills what has not ended after ten seconds.

![{kept}]({chart})

## What is promised

In every case, whatever the program does:

- the process of the embedder lives;
- its resident memory grows by no more than the limit and 32 MB;
- the program has ended when its time is over: for this project's own tests within 100 ms, here within twice the limit;
- the error is one of the engine's own, and tells the truth: a limit that the guest has made up is not believed;
- a second sandbox of the process goes on as before;
- the attacked sandbox can be used again, or says at every use that it cannot.

Every engine gets the limits on memory and time that it documents, with the same numbers. An engine that finds a shorter
way to the end of a program than was foreseen, or ends it by another one of its limits, has kept the promise. So has one
that reports its limits as the same class as an error of the program, as long as the program cannot forge them. What
an engine does not offer, host functions or modules for example, is not counted.

## How it went

| | Attack | Cases | {titles} |
|---:|---|---:|{rules}|
"""

_NOTES = """
A cell says how many of its cases an engine survived, of those it offers something for, and the worst of what happened
in the others:

| Word | Meaning |
|---|---|
{verdicts}

The engines, and how each was used:

| Engine | Version | |
|---|---|---|
{engines}

Each case and what happened in it is in `benchmarks/hostile/results.json`.

## What is not in it yet

{waiting}

Row 36 is about a guest that has taken over its engine. JavaScript alone cannot do that, so the row holds what a program
can form; this project's tests also drive the boundary itself with messages that make no sense.
"""


def render(matrix: Matrix) -> str:
    """The page, as Markdown."""
    shown = [engine for engine in matrix.engines if not engine.reason]
    titles = [f"{engine.title} {engine.version}".strip() for engine in shown]
    head = _INTRODUCTION.format(
        cases=len(CASES),
        kept="; ".join(f"{title}: {_total(matrix, engine.name)}" for title, engine in zip(titles, shown, strict=True)),
        chart=CHART,
        titles=" | ".join(titles),
        rules="|".join("---" for _ in shown),
    )
    lines = []
    for row in ROWS:
        count = sum(case.row == row.number for case in CASES)
        cells = " | ".join(_text(matrix.cell(row.number, engine.name)) for engine in shown)
        lines.append(f"| {row.number} | {row.title} | {count} | {cells} |")
    totals = " | ".join(f"**{_total(matrix, engine.name)}**" for engine in shown)
    lines.append(f"| | **rows without a loss** | | {totals} |")
    notes = _NOTES.format(
        verdicts="\n".join(f"| {name} | {meaning} |" for name, meaning in VERDICTS.items()),
        engines="\n".join(
            f"| {e.title} | {e.version or 'not installed'} | {e.reason or e.note} |" for e in matrix.engines
        ),
        waiting="\n".join(f"- Row {row.number}, {row.title}: {row.waits}." for row in ROWS if row.waits),
    )
    return head + "\n".join(lines) + "\n" + notes


def kept_rows(matrix: Matrix, engine: str) -> tuple[int, int]:
    """Rows that an engine came through without a loss, and rows it offers something for."""
    cells = [matrix.cell(row.number, engine) for row in ROWS]
    tried = [cell for cell in cells if cell.tried]
    return sum(cell.worst == SURVIVED for cell in tried), len(tried)


def _total(matrix: Matrix, engine: str) -> str:
    kept, tried = kept_rows(matrix, engine)
    return f"{kept} of {tried}"


def _text(cell: Cell) -> str:
    if cell.worst is None:
        return ""
    if not cell.tried:
        return NOT_OFFERED
    count = f"{cell.kept}/{cell.tried}"
    return count if cell.worst == SURVIVED else f"{count}, {cell.worst}"


def table(matrix: Matrix) -> Table:
    """The matrix for a terminal."""
    drawn = Table(title="Hostile programs: cases survived, of those offered; the worst of the others")
    drawn.add_column("", justify="right")
    drawn.add_column("attack")
    for engine in matrix.engines:
        drawn.add_column(f"{engine.title}\n{engine.version or engine.reason}"[:60])
    for row in ROWS:
        cells = [matrix.cell(row.number, engine.name) for engine in matrix.engines]
        if any(cell.worst for cell in cells):
            drawn.add_row(str(row.number), row.title, *(Text(_text(cell), style=_style(cell)) for cell in cells))
    drawn.add_section()
    drawn.add_row("", "rows without a loss", *(_total(matrix, engine.name) for engine in matrix.engines))
    return drawn


def _style(cell: Cell) -> str:
    if not cell.tried:
        return "dim"
    return "green" if cell.worst == SURVIVED else "red" if cell.worst in {"crash", "other hurt"} else "yellow"
