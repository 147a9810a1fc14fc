"""The command `eval`: a piece of code, and its value."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._flags import ClockFlags, LimitFlags, OutputFlags, Record, VirtualClock
from sandbox.cli._grants import GrantFlags
from sandbox.cli._language import LanguageFlag, TypeScriptFlags
from sandbox.cli._launch import launch, read_source
from sandbox.cli._program import Program

_EXAMPLES = examples(
    ('sandbox eval "[3, 1, 2].sort()"', "print a value"),
    ('sandbox eval --json "new Date()"', "value, console, error and usage"),
    ('sandbox eval --virtual-clock "await new Promise(f => setTimeout(f, 1e6))"', "wait no time"),
    ('echo "1 + 1" | sandbox eval -', "standard input"),
)

app: typer.Typer = command_app()


@app.command(epilog=_EXAMPLES)
@with_flags
def evaluate(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="An expression or statements; `await` works; `-` is standard input.")
    ],
    limits: LimitFlags,
    clocks: ClockFlags,
    grants: GrantFlags,
    typescript: TypeScriptFlags,
    _config: ConfigFlags,
    output: OutputFlags,
    virtual_clock: VirtualClock = False,
    record: Record = None,
    language: LanguageFlag = None,
) -> int:
    """Evaluate code and print its value, unless that is undefined.

    A string is printed as it is, anything else as the console shows it.
    A promise is waited for; timers still pending then are dropped.
    """
    program = Program(
        code=read_source(code) if code == "-" else code,
        filename="<eval>",
        language=language,
        typescript=typescript.make(),
        limits=limits.make(),
        seed=clocks.seed,
        virtual_clock=virtual_clock,
        clock_resolution_seconds=clocks.clock_resolution,
        record=record,
        grants=grants.make(),
    )
    return launch(program, output)
