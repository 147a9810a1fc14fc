"""The command line: what it says is turned into a program, and what came of the program into output and a status."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sandbox.cli._exit import Exit
from sandbox.cli._flags import (
    ClockResolution,
    Cpu,
    EsModule,
    Fuel,
    Host,
    Json,
    Memory,
    Metering,
    Module,
    ModuleDirectory,
    NoColor,
    OnLimit,
    Output,
    Port,
    Record,
    Seed,
    Stack,
    UsageError,
    VirtualClock,
    Wall,
    make_limits,
)
from sandbox.cli._grants import AllowNet, AllowPrivate, AllowRead, AllowWrite, make_grants
from sandbox.cli._modules import find_modules, guest_path
from sandbox.cli._program import Program, execute
from sandbox.cli._replay import replay_record
from sandbox.cli._report import describe, exit_status, to_json
from sandbox.cli._terminal import Terminal, discard_output
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.capabilities import ConsoleEntry

_ABOUT: Final = "Run untrusted JavaScript: no files and no network but what flags grant, limited memory and time."

_EXAMPLES: Final = """[bold]Examples[/bold]
[cyan]sandbox eval "[3, 1, 2].sort()"[/cyan]             print the value of an expression
[cyan]sandbox run program.js[/cyan]                      run a file and its timers
[cyan]sandbox run --cpu 500ms --memory 16MB -[/cyan]     run standard input, tightly limited
[cyan]sandbox eval --json "new Date()"[/cyan]            value, console, error and usage
[cyan]sandbox serve app.js --port 8000[/cyan]            answer HTTP requests
[cyan]sandbox replay run.record[/cyan]                   do again what `--record run.record` has kept

[bold]Exit status[/bold]
0  done                   1  the program failed      2  wrong usage
3  a limit was reached    4  the sandbox failed      130  interrupted"""

app = typer.Typer(
    name="sandbox",
    help=_ABOUT,
    epilog=_EXAMPLES,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", metavar="", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"sandbox {version_of('quickjs-sandbox')}")
        raise typer.Exit(Exit.OK)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(Exit.USAGE)


@app.command("run")
def _run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The program; `-` is standard input.")],
    memory: Memory = None,
    cpu: Cpu = None,
    wall: Wall = None,
    fuel: Fuel = None,
    metering: Metering = None,
    stack: Stack = None,
    output: Output = None,
    seed: Seed = None,
    virtual_clock: VirtualClock = False,
    clock_resolution: ClockResolution = None,
    allow_net: AllowNet = None,
    allow_private: AllowPrivate = None,
    allow_read: AllowRead = None,
    allow_write: AllowWrite = None,
    esm: EsModule = False,
    module: Module = None,
    modules: ModuleDirectory = None,
    record: Record = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> int:
    """Run a file until it is done, its timers included."""
    program = Program(
        code=_read(file),
        filename="<stdin>" if file == "-" else guest_path(file, modules),
        is_module=esm or file.endswith(".mjs"),
        modules=find_modules(module or [], modules, _read),
        limits=make_limits(memory, cpu, wall, fuel, metering, stack, output),
        seed=seed,
        virtual_clock=virtual_clock,
        clock_resolution_seconds=clock_resolution,
        record=record,
        grants=make_grants(allow_net, allow_private, allow_read, allow_write),
        to_the_end=True,
    )
    return _execute(program, as_json=as_json, no_color=no_color)


@app.command("eval")
def _eval(
    code: Annotated[str, typer.Argument(metavar="CODE", help="An expression or statements; `await` works.")],
    memory: Memory = None,
    cpu: Cpu = None,
    wall: Wall = None,
    fuel: Fuel = None,
    metering: Metering = None,
    stack: Stack = None,
    output: Output = None,
    seed: Seed = None,
    virtual_clock: VirtualClock = False,
    clock_resolution: ClockResolution = None,
    allow_net: AllowNet = None,
    allow_private: AllowPrivate = None,
    allow_read: AllowRead = None,
    allow_write: AllowWrite = None,
    record: Record = None,
    as_json: Json = False,
    no_color: NoColor = False,
) -> int:
    """Evaluate code and print its value, unless that is undefined.

    A string is printed as it is, anything else as the console shows it.
    A promise is waited for; timers still pending then are dropped.
    """
    program = Program(
        code=code,
        filename="<eval>",
        limits=make_limits(memory, cpu, wall, fuel, metering, stack, output),
        seed=seed,
        virtual_clock=virtual_clock,
        clock_resolution_seconds=clock_resolution,
        record=record,
        grants=make_grants(allow_net, allow_private, allow_read, allow_write),
    )
    return _execute(program, as_json=as_json, no_color=no_color)


@app.command("serve")
def _serve(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The program, an ECMAScript module.")],
    port: Port = 8000,
    host: Host = "127.0.0.1",
    memory: Memory = None,
    cpu: Cpu = None,
    wall: Wall = None,
    fuel: Fuel = None,
    metering: Metering = None,
    stack: Stack = None,
    output: Output = None,
    on_limit: OnLimit = "keep",
    seed: Seed = None,
    clock_resolution: ClockResolution = None,
    allow_net: AllowNet = None,
    allow_private: AllowPrivate = None,
    allow_read: AllowRead = None,
    allow_write: AllowWrite = None,
    module: Module = None,
    modules: ModuleDirectory = None,
    no_color: NoColor = False,
) -> int:
    """Answer HTTP requests and WebSockets by a program that calls serve, or exports default {fetch}.

    Limits hold for each request. Ctrl-C ends it.
    """
    from sandbox.cli._serve import serve  # brings an event loop, which the other commands do without

    program = Program(
        code=_read(file),
        filename=guest_path(file, modules),
        modules=find_modules(module or [], modules, _read),
        limits=make_limits(memory, cpu, wall, fuel, metering, stack, output),
        seed=seed,
        clock_resolution_seconds=clock_resolution,
        grants=make_grants(allow_net, allow_private, allow_read, allow_write),
    )
    terminal = Terminal(sys.stdout, sys.stderr, color=False if no_color else None)
    return serve(program, terminal, host=host, port=port, on_limit=on_limit)


@app.command("replay")
def _replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record, made by `--record` or `Sandbox.record`.")],
    as_list: Annotated[bool, typer.Option("--list", metavar="", help="List its events, and run nothing.")] = False,
    to: Annotated[int | None, typer.Option("--to", metavar="N", min=0, help="Stop after this event.")] = None,
    code: Annotated[
        str | None, typer.Option("--eval", metavar="CODE", help="What to evaluate there, in a copy of the guest.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", metavar="", help="Print what came of it only.")] = False,
    no_color: NoColor = False,
) -> int:
    """Do again what a record says, without the host, and compare all of it.

    Each event is printed as it happens, and the first difference ends it.
    """
    terminal = Terminal(sys.stdout, sys.stderr, color=False if no_color else None)
    try:
        return replay_record(terminal, file, as_list=as_list, to=to, code=code, quiet=quiet)
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:  # a ValueError: the name holds a null character
        raise UsageError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text (byte {error.start:,})") from None


def _execute(program: Program, *, as_json: bool, no_color: bool) -> Exit:
    try:
        return _show(program, Terminal(sys.stdout, sys.stderr, color=False if no_color else None), as_json=as_json)
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE


def _show(program: Program, terminal: Terminal, *, as_json: bool) -> Exit:
    entries: list[ConsoleEntry] = []
    outcome = execute(
        program,
        entries.append if as_json else terminal.entry,
        lambda: terminal.progress("Preparing the sandbox for its first use ..."),
        show=not as_json,
    )
    if as_json:
        terminal.write(to_json(outcome, entries))
    elif outcome.error is not None:
        terminal.write(describe(program, outcome, color=terminal.error_color), error=True, trusted=True)
    elif outcome.value_text is not None:
        terminal.write(outcome.value_text)
    return exit_status(outcome.error)


def run_app(arguments: Sequence[str] | None) -> int:
    """Read a command line and do what it says.

    Args:
        arguments: What follows the command's name; None: those of the process.

    Returns:
        The exit status.
    """
    try:
        status = app(args=arguments, prog_name="sandbox", standalone_mode=False)
    except UsageError as error:
        text = getattr(error, "format_message", error.__str__)()
        first = next(iter(sys.argv[1:] if arguments is None else arguments), "")
        if text.startswith("No such command") and first.endswith((".js", ".mjs")):
            text += f" sandbox run {first} runs a file."
        return _complain(text, Exit.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", Exit.INTERRUPTED)
    except SandboxError as error:
        return _complain(str(error), Exit.FAILURE)
    return int(status or 0)


def _complain(text: str, status: Exit) -> Exit:
    with contextlib.suppress(OSError):
        Terminal(sys.stdout, sys.stderr).write(f"sandbox: {' '.join(text.split())}", error=True)
    return status
