"""The flags that both commands take, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from sandbox.cli._amounts import parse_bytes, parse_seconds
from sandbox.limits import Limits

# What typer raises for a wrong command line, whichever parser it was built with.
UsageError: Final[type[Exception]] = typer.BadParameter.__bases__[0]
_T = TypeVar("_T")


def _parser(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    def parse_flag(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parse_flag


_LIMITS: Final = "Limits"
_OUTPUT: Final = "Output"

Memory = Annotated[
    int | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        parser=_parser(parse_bytes),
        rich_help_panel=_LIMITS,
        help="Memory of the guest, all of it. [dim]Default: 64MB[/dim]",
    ),
]
Cpu = Annotated[
    float | None,
    typer.Option(
        "--cpu",
        metavar="TIME",
        parser=_parser(parse_seconds),
        rich_help_panel=_LIMITS,
        help="Time the guest itself runs. [dim]Default: 5s[/dim]",
    ),
]
Wall = Annotated[
    float | None,
    typer.Option(
        "--wall",
        metavar="TIME",
        parser=_parser(parse_seconds),
        rich_help_panel=_LIMITS,
        help="Time in all, waiting for timers included. [dim]Default: 30s[/dim]",
    ),
]
Fuel = Annotated[
    int | None,
    typer.Option(
        "--fuel",
        metavar="N",
        min=1,
        rich_help_panel=_LIMITS,
        help="Instructions, the same on every machine. [dim]Default: none[/dim]",
    ),
]
Metering = Annotated[
    str | None,
    typer.Option(
        "--metering",
        metavar="fuel|clock",
        rich_help_panel=_LIMITS,
        help="What stops code that does not look at its limits: fuel at the same place every time, the clock sooner. "
        "[dim]Default: fuel[/dim]",
    ),
]
Stack = Annotated[
    int | None,
    typer.Option(
        "--stack",
        metavar="SIZE",
        parser=_parser(parse_bytes),
        rich_help_panel=_LIMITS,
        help="Stack of the guest. [dim]Default: that of the build[/dim]",
    ),
]
Output = Annotated[
    int | None,
    typer.Option(
        "--output",
        metavar="SIZE",
        parser=_parser(parse_bytes),
        rich_help_panel=_LIMITS,
        help="Console text. [dim]Default: 8MB[/dim]",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Make Math.random and crypto repeatable.")]
VirtualClock = Annotated[
    bool, typer.Option("--virtual-clock", metavar="", help="Timers take no time: the clock jumps to the next one.")
]
ClockResolution = Annotated[
    float | None,
    typer.Option(
        "--clock-resolution",
        metavar="TIME",
        parser=_parser(parse_seconds),
        help="Steps of every clock the program can read. [dim]Default: none[/dim]",
    ),
]
_MODULES: Final = "Modules"
EsModule = Annotated[
    bool,
    typer.Option(
        "--esm",
        metavar="",
        rich_help_panel=_MODULES,
        help="The file is an ECMAScript module. [dim]Default: when its name ends in .mjs[/dim]",
    ),
]
Module = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        metavar="NAME=PATH",
        rich_help_panel=_MODULES,
        help="Let the program import the file PATH as NAME. May be given several times.",
    ),
]
ModuleDirectory = Annotated[
    str | None,
    typer.Option(
        "--modules",
        metavar="DIR",
        rich_help_panel=_MODULES,
        help="Let the program import the JavaScript and JSON files in a directory.",
    ),
]
_SERVE: Final = "Server"
Host = Annotated[
    str,
    typer.Option("--host", metavar="ADDRESS", rich_help_panel=_SERVE, help="Where to listen."),
]
Port = Annotated[
    int,
    typer.Option("--port", metavar="N", min=0, max=65535, rich_help_panel=_SERVE, help="The port; 0 is any free one."),
]
OnLimit = Annotated[
    str,
    typer.Option(
        "--on-limit",
        metavar="keep|poison|rollback",
        rich_help_panel=_LIMITS,
        help="What becomes of the program when a request reaches a limit.",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Record the run, for `sandbox replay`."),
]
Json = Annotated[
    bool,
    typer.Option("--json", metavar="", rich_help_panel=_OUTPUT, help="Print one JSON object instead of anything else."),
]
NoColor = Annotated[bool, typer.Option("--no-color", metavar="", rich_help_panel=_OUTPUT, help="Never use colors.")]


def make_limits(
    memory: int | None,
    cpu: float | None,
    wall: float | None,
    fuel: int | None,
    metering: str | None,
    stack: int | None,
    output: int | None,
) -> Limits:
    """The limits that the flags ask for; None: a flag was not given, infinity: there shall be no limit.

    Raises:
        UsageError: A limit is out of bounds; the text names the flag.
    """
    given: dict[str, float | str | None] = {
        "memory_bytes": memory,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "metering": metering,
        "fuel": fuel,
        "stack_bytes": stack,
        "output_bytes": output,
    }
    limits = Limits()
    for name, value in given.items():
        if value is not None:
            try:
                changed: dict[str, Any] = {name: None if value == math.inf else value}
                limits = replace(limits, **changed)
            except ValueError as error:
                flag = f"--{name.partition('_')[0]}"
                raise UsageError(f"{flag}: {str(error).removeprefix(name).strip()}") from None
    return limits
