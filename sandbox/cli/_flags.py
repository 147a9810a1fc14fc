"""The flags that several commands take, and what they mean."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from sandbox.cli._amounts import parse_bytes, parse_seconds
from sandbox.cli._commands import one_of
from sandbox.cli._terminal import Terminal
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
        autocompletion=one_of("fuel", "clock"),
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


@dataclass(frozen=True, kw_only=True)
class LimitFlags:
    """The flags that limit a program. None: a flag was not given, infinity: there shall be no limit."""

    memory: Memory = None
    cpu: Cpu = None
    wall: Wall = None
    fuel: Fuel = None
    metering: Metering = None
    stack: Stack = None
    output: Output = None

    def make(self) -> Limits:
        """The limits that they ask for.

        Raises:
            UsageError: A limit is out of bounds; the text names the flag.
        """
        given: dict[str, float | str | None] = {
            "memory_bytes": self.memory,
            "cpu_seconds": self.cpu,
            "wall_seconds": self.wall,
            "metering": self.metering,
            "fuel": self.fuel,
            "stack_bytes": self.stack,
            "output_bytes": self.output,
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


@dataclass(frozen=True, kw_only=True)
class ClockFlags:
    """The flags for what a program finds of chance and time."""

    seed: Seed = None
    clock_resolution: ClockResolution = None


@dataclass(frozen=True, kw_only=True)
class ColorFlags:
    """The flag of every command that writes for people."""

    no_color: NoColor = False

    def terminal(self) -> Terminal:
        """Where the command writes."""
        return Terminal(sys.stdout, sys.stderr, color=False if self.no_color else None)


@dataclass(frozen=True, kw_only=True)
class OutputFlags(ColorFlags):
    """Those of a command whose result programs may read as well."""

    as_json: Json = False
