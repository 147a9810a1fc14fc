"""The command `bench`: how quick this package is on this machine."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import OutputFlags
from sandbox.cli._measuring import MEASURES, Times, show_time
from sandbox.cli._tables import Table, working

if TYPE_CHECKING:
    from sandbox.cli._terminal import Terminal

_EXAMPLES = examples(
    ("sandbox bench", "about six seconds"),
    ("sandbox bench --seconds 5", "five seconds for each row: steadier"),
    ("sandbox bench --json", "for programs"),
)

app: typer.Typer = command_app()


@app.command(epilog=_EXAMPLES)
@with_flags
def bench(
    output: OutputFlags,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="N", min=0.01, max=600, help="How long to measure each row.")
    ] = 1.0,
) -> int:
    """Measure what this package does often, on this machine as it is now.

    Medians of many samples, beside the quickest one: if they are far apart, something else is using the machine.
    """
    terminal = output.terminal()
    with working(terminal, "Measuring", len(MEASURES)) as advance:
        rows: list[Times] = []
        for measure in MEASURES:
            rows.append(measure.take(seconds))
            advance()
    if output.as_json:
        machine = {"python": platform.python_version(), "platform": platform.platform(), "cpus": os.cpu_count()}
        result = {
            "ok": True,
            "version": version_of("quickjs-sandbox"),
            **machine,
            "rows": [asdict(row) for row in rows],
        }
        terminal.write(json.dumps(result))
        return Exit.OK
    _show(terminal, rows)
    return Exit.OK


def _show(terminal: Terminal, rows: list[Times]) -> None:
    table = Table("", ">median", ">best", ">a second", "what is done")
    for row, measure in zip(rows, MEASURES, strict=True):
        table.add(row.name, show_time(row.median), show_time(row.best), f"{1 / row.median:,.0f}", measure.about)
    table.write(terminal)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    terminal.write(f"quickjs-sandbox {version_of('quickjs-sandbox')}, {python}, {sys.platform}, one thread")
