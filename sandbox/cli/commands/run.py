"""The command `run`: a file, until it is done."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._flags import ClockFlags, LimitFlags, OutputFlags, Record, VirtualClock
from sandbox.cli._grants import GrantFlags
from sandbox.cli._language import LanguageFlag, TypeScriptFlags, is_module
from sandbox.cli._launch import launch, read_source, source_map_of
from sandbox.cli._modules import EsModule, ModuleFlags
from sandbox.cli._program import Program

_EXAMPLES = examples(
    ("sandbox run program.js", "run a file and its timers"),
    ("sandbox run --cpu 500ms --memory 16MB -", "run standard input, tightly limited"),
    ("sandbox run --modules . main.mjs", "let it import the files here"),
    ("sandbox run --modules . shop.ts", "TypeScript, and JSX as .tsx and .jsx"),
    ("sandbox run --allow-read data total.mjs", "let it read a directory"),
    ("sandbox run --json program.js", "console, error and usage as JSON"),
)

app: typer.Typer = command_app()


@app.command(epilog=_EXAMPLES)
@with_flags
def run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The program; `-` is standard input.")],
    limits: LimitFlags,
    clocks: ClockFlags,
    grants: GrantFlags,
    modules: ModuleFlags,
    typescript: TypeScriptFlags,
    _config: ConfigFlags,
    output: OutputFlags,
    virtual_clock: VirtualClock = False,
    esm: EsModule = False,
    language: LanguageFlag = None,
    record: Record = None,
) -> int:
    """Run a file until it is done, its timers included."""
    code = read_source(file)
    program = Program(
        code=code,
        filename="<stdin>" if file == "-" else modules.guest_path(file),
        language=language,
        typescript=typescript.make(),
        source_map=source_map_of(file, code),
        is_module=esm or is_module(file, code),
        modules=modules.find(),
        limits=limits.make(),
        seed=clocks.seed,
        virtual_clock=virtual_clock,
        clock_resolution_seconds=clocks.clock_resolution,
        record=record,
        grants=grants.make(),
        to_the_end=True,
    )
    return launch(program, output)
