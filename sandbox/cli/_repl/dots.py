"""The session's own commands, which begin with a dot."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox._records import record
from sandbox.cli._amounts import show_amount
from sandbox.cli._flags import UsageError
from sandbox.cli._launch import read_source
from sandbox.cli._terminal import DIM, GREEN, YELLOW
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.cli._repl.loop import Reader, Repl


@record(frozen=True, slots=True)
class Dot:
    """One command.

    Attributes:
        perform: Does it, with what follows its name; False: the session ends.
        about: A line for the help.
        argument: What it takes; empty: nothing.
    """

    perform: Callable[[Repl, str, Reader], bool]
    about: str
    argument: str = ""


def perform(repl: Repl, text: str, reader: Reader) -> bool:
    """Do what a line says that begins with a dot.

    Returns:
        Whether the session goes on.
    """
    name, _, argument = text[1:].partition(" ")
    command = DOTS.get(name)
    if command is None:
        near = difflib.get_close_matches(name, DOTS, 1)
        hint = f" Did you mean .{near[0]}?" if near else " .help lists all."
        repl.terminal.write(f"There is no .{name}.{hint}", error=True, style=YELLOW)
        return True
    argument = argument.strip()
    if bool(argument) != bool(command.argument):
        wanted = f"takes {command.argument}" if command.argument else "takes nothing"
        repl.terminal.write(f".{name} {wanted}.", error=True, style=YELLOW)
        return True
    return command.perform(repl, argument, reader)


def _help(repl: Repl, _argument: str, _reader: Reader) -> bool:
    for name, command in DOTS.items():
        repl.terminal.write(f"  .{f'{name} {command.argument}'.strip():<12} {command.about}")
    repl.say("  Ctrl-C stops the program, Ctrl-D leaves. An input that is not finished goes on in the next line.")
    repl.say("  `_` is the last value. Names may be declared again. `await` works.")
    return True


_UNITS: Final = {"bytes": "bytes", "seconds": "seconds", "fuel": "fuel"}


def _amount(name: str, value: float | None) -> str:
    if value is None or value == math.inf:
        return "none"
    return show_amount(value, name.rpartition("_")[2]) if name.rpartition("_")[2] in _UNITS else f"{value:,}"


def _limits(repl: Repl, _argument: str, _reader: Reader) -> bool:
    limits = repl.box.limits
    for field in fields(limits):
        value = getattr(limits, field.name)
        text = value if isinstance(value, str) else _amount(field.name, value)
        repl.terminal.write(f"  {field.name:<28} {text}")
    repl.say("  They hold for each input, and are set by flags: sandbox repl --cpu 1s --memory 128MB")
    return True


def _usage(repl: Repl, _argument: str, _reader: Reader) -> bool:
    usage = repl.box.usage
    for field in fields(usage):
        value = getattr(usage, field.name)
        if isinstance(value, int | float):
            repl.terminal.write(f"  {field.name:<28} {_amount(field.name, value)}")
    return True


def _save(repl: Repl, argument: str, _reader: Reader) -> bool:
    try:
        repl.box.snapshot().write(argument)
    except OSError as error:
        repl.terminal.write(f"{argument}: {error.strerror or error}", error=True, style=YELLOW)
    except (SandboxError, ValueError) as error:
        repl.terminal.write(f"It cannot be saved: {error}", error=True, style=YELLOW)
    else:
        size = show_amount(Path(argument).stat().st_size, "bytes")
        repl.terminal.write(f"Saved to {argument}: {size}. .load {argument} goes on from here.", style=GREEN)
    return True


def _load(repl: Repl, argument: str, _reader: Reader) -> bool:
    from sandbox import Snapshot

    try:
        snapshot = Snapshot.read(argument)
    except OSError as error:
        repl.terminal.write(f"{argument}: {error.strerror or error}", error=True, style=YELLOW)
    except SandboxError as error:
        repl.terminal.write(f"{argument}: {error}", error=True, style=YELLOW)
    else:
        if repl.restore(snapshot):
            repl.terminal.write(f"Everything is as in {argument}.", style=GREEN)
    return True


def _run(repl: Repl, argument: str, reader: Reader) -> bool:
    try:
        code = read_source(argument)
    except UsageError as error:
        repl.terminal.write(str(error), error=True, style=YELLOW)
    else:
        repl.evaluate(code, reader, filename=argument)
    return True


def _editor(repl: Repl, _argument: str, reader: Reader) -> bool:
    repl.say("Write as many lines as you like. Ctrl-D evaluates them, Ctrl-C drops them.")
    try:
        code = reader.read_all()
    except KeyboardInterrupt:
        return True
    if code.strip():
        repl.evaluate(code, reader)
    return True


def _wait(repl: Repl, _argument: str, _reader: Reader) -> bool:
    repl.wait()
    return True


def _undo(repl: Repl, _argument: str, _reader: Reader) -> bool:
    if repl.undo():
        repl.terminal.write("Everything is as it was before the last input.", style=GREEN)
    else:
        repl.terminal.write("There is nothing to go back to.", error=True, style=YELLOW)
    return True


def _reset(repl: Repl, _argument: str, _reader: Reader) -> bool:
    repl.reset()
    repl.terminal.write("This is a new sandbox.", style=DIM)
    return True


DOTS: Final = {
    "help": Dot(_help, "show this"),
    "limits": Dot(_limits, "the limits of each input"),
    "usage": Dot(_usage, "what this sandbox has used"),
    "save": Dot(_save, "write a snapshot of everything", "FILE"),
    "load": Dot(_load, "go on from a snapshot", "FILE"),
    "run": Dot(_run, "evaluate a file as if you had typed it", "FILE"),
    "editor": Dot(_editor, "write several lines before they are evaluated"),
    "wait": Dot(_wait, "run timers and pending calls until none is left"),
    "undo": Dot(_undo, "go back to before the last input"),
    "reset": Dot(_reset, "begin with a new sandbox"),
    "exit": Dot(lambda _repl, _argument, _reader: False, "leave"),
}
