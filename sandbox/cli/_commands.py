"""The commands, each in a file of its own in `sandbox/cli/commands/`, which is imported when the command is used.

A command `x` is a module `commands/x.py` with a `Typer` called `app`, made by `command_app`, and a word in `COMMANDS`.
If the app has one command, it is `sandbox x`; if it has several, they are `sandbox x first`, `sandbox x second`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

# In the order of the help.
COMMANDS: Final = ("run", "eval", "repl", "test", "serve", "daemon", "mcp", "replay", "types", "bench", "doctor")
# What a line of help has on a terminal of 80 columns.
_HELP_COLUMNS: Final = 78


class _Command(TyperCommand):
    """A command in whose help a flag without a value has no type."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's, or click's
        return _without_types(super().get_params(ctx))


class _App(typer.Typer):
    """Makes such commands."""

    def command(self, name: str | None = None, **options: Any) -> Any:  # noqa: ANN401 - as typer has it
        return super().command(name, cls=_Command, **options)


def _without_types(parameters: Any) -> Any:  # noqa: ANN401 - typer's, or click's
    for parameter in parameters:
        if getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


def command_app() -> typer.Typer:
    """What a command's file registers its command, or commands, with."""
    return _App(
        rich_markup_mode="rich",
        add_completion=False,
        pretty_exceptions_enable=False,
        no_args_is_help=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def examples(*lines: tuple[str, str]) -> str:
    """The end of a command's help.

    Args:
        *lines: A command line, and what it does.
    """
    width = max(len(line) for line, _ in lines)
    is_wide = width + 2 + max(len(about) for _, about in lines) > _HELP_COLUMNS
    shown = [
        f"[cyan]{escape(line)}[/cyan]" + ("\n    " if is_wide else " " * (width + 2 - len(line))) + escape(about)
        for line, about in lines
    ]
    return "[bold]Examples[/bold]\n" + "\n".join(shown)


class Commands(TyperGroup):
    """The commands, found by their names. Only what is used is imported, so that none slows down the others."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's, or click's
        """The flags before the command's name."""
        return _without_types(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's, or click's
        """All names, for the help and for completion."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer's, or click's
        """The command of a name; None: there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sandbox.cli.commands.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


def one_of(*words: str) -> Callable[[str], list[str]]:
    """What completes a flag that takes one of some words."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def with_flags(command: Callable[..., int]) -> Callable[..., int]:
    """Spread out the dataclasses that a command takes: each of their fields is a flag of the command line.

    Args:
        command: Its parameters are flags and arguments as typer takes them, or dataclasses of flags.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[parameter.name] = kind
            parameters += _flags_of(kind)
        else:
            parameters.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def run(**given: Any) -> int:  # noqa: ANN401 - what the command line says
        taken = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)}) for name, kind in groups.items()
        }
        return command(**given, **taken)

    setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010 - functions may have one
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _flags_of(kind: type) -> Sequence[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(kind)
    ]
