"""Records on the command line: their events, as a timeline, and the guest at one of them."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from sandbox import Moment, Replay, ReplayEvent, replay
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import OutputFlags, UsageError
from sandbox.cli._terminal import BOLD, DIM, GREEN, RED, YELLOW, Terminal, discard_output
from sandbox.errors import GuestError, RecordError, ReplayDiverged

_STYLES: Final = {
    "start": DIM,
    "eval": BOLD,
    "module": BOLD,
    "call": BOLD,
    "access": BOLD,
    "settle": BOLD,
    "turn": DIM,
    "end": DIM,
    "release": DIM,
    "resume": DIM,
    "log": GREEN,
    "interrupt": YELLOW,
    "stopped": YELLOW,
    "rollback": YELLOW,
    "error": RED,
    "uncaught": RED,
    "crash": RED,
}
_INDENT: Final = "  "
_SAME: Final = "the same as in the record"


_EXAMPLES = examples(
    ("sandbox run --record run.record program.js", "make a record"),
    ("sandbox replay run.record", "do again what it says"),
    ("sandbox replay --list run.record", "list its events"),
    ('sandbox replay run.record --to 7 --eval "seen"', "look into the guest at an event"),
    ("sandbox replay --json run.record", "what came of it as JSON"),
)

app: typer.Typer = command_app()


@app.command("replay", epilog=_EXAMPLES)
@with_flags
def replay_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record, made by `--record` or `Sandbox.record`.")],
    output: OutputFlags,
    as_list: Annotated[bool, typer.Option("--list", metavar="", help="List its events, and run nothing.")] = False,
    to: Annotated[int | None, typer.Option("--to", metavar="N", min=0, help="Stop after this event.")] = None,
    code: Annotated[
        str | None, typer.Option("--eval", metavar="CODE", help="What to evaluate there, in a copy of the guest.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", metavar="", help="Print what came of it only.")] = False,
) -> int:
    """Do again what a record says, without the host, and compare all of it.

    Each event is printed as it happens, and the first difference ends it.
    """
    try:
        if output.as_json:
            if as_list or to is not None or code is not None:
                raise UsageError("--json: it is for a whole replay, without --list, --to and --eval")
            return _replay_to_json(output.terminal(), file)
        return replay_record(output.terminal(), file, as_list=as_list, to=to, code=code, quiet=quiet)
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE


def replay_record(
    terminal: Terminal, file: Path, *, as_list: bool, to: int | None, code: str | None, quiet: bool
) -> Exit:
    """Do what the command line asks of a record.

    Raises:
        UsageError: The file cannot be read, the record has no such event, or options do not go together.
        RecordError: It is no record, or damaged.
    """
    if code is not None and to is None:
        raise UsageError("--eval needs --to: an event to stop after")
    try:
        record = replay(file)
        if as_list:
            for event in itertools.islice(record.events(), None if to is None else to + 1):
                _show(terminal, event)
            return Exit.OK
        return _run(terminal, record, to, code, quiet=quiet)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None


def _run(terminal: Terminal, record: Replay, to: int | None, code: str | None, *, quiet: bool) -> Exit:
    began = datetime.fromtimestamp(record.began_ns / 1e9, UTC)
    if not quiet:
        terminal.write(f"recorded {began:%Y-%m-%d %H:%M:%S} UTC by quickjs-sandbox {record.package}", style=DIM)
    turns = fuel = count = 0
    waiting = terminal.progress("Replaying ...") if quiet else contextlib.nullcontext()
    with record.start() as moment, waiting:
        try:
            for event in _until(moment, to):
                count += 1
                turns += event.what in ("turn", "crash")
                fuel += event.fuel
                if not quiet:
                    _show(terminal, event)
        except ReplayDiverged as error:
            _show_difference(terminal, error)
            return Exit.GUEST_ERROR
        except RecordError as error:
            terminal.write(f"{error}: {count:,} events, {_SAME}", error=True, style=YELLOW)
            return Exit.FAILURE
        if to is not None:
            return _look(terminal, moment, code)
    terminal.write(f"{count:,} events, {turns:,} turns, {fuel:,} units of fuel: {_SAME}", style=GREEN)
    return Exit.OK


def _replay_to_json(terminal: Terminal, file: Path) -> Exit:
    """Replay all of it, and say what came of it as one line of JSON."""
    events = turns = fuel = 0
    error: dict[str, object] | None = None
    status = Exit.OK
    try:
        record = replay(file)
        with record.start() as moment, terminal.progress("Replaying ..."):
            for event in _until(moment, None):
                events += 1
                turns += event.what in ("turn", "crash")
                fuel += event.fuel
    except OSError as problem:
        raise UsageError(f"{file}: {problem.strerror or problem}") from None
    except ReplayDiverged as problem:
        status = Exit.GUEST_ERROR
        error = {"event": problem.event, "expected": problem.expected, "actual": problem.actual}
        error = {"type": "ReplayDiverged", "message": str(problem), **error}
    except RecordError as problem:
        status = Exit.FAILURE
        error = {"type": type(problem).__name__, "message": str(problem)}
    result = {"ok": error is None, "events": events, "turns": turns, "fuel": fuel, "error": error}
    terminal.write(json.dumps(result))
    return status


def _until(moment: Moment, to: int | None) -> Iterator[ReplayEvent]:
    while (event := moment.step()) is not None:
        yield event
        if event.number == to:
            return
    if to is not None:
        raise UsageError(f"--to: the record has no event {to:,}")


def _show(terminal: Terminal, event: ReplayEvent) -> None:
    text = f"{event.number:>6}  {event.what:<9} {_INDENT * event.depth}{event.text}"
    terminal.write(text.rstrip(), style=_STYLES.get(event.what, ""))


def _show_difference(terminal: Terminal, error: ReplayDiverged) -> None:
    terminal.write(f"After event {error.event:,} the guest does something else.", error=True, style=RED)
    lines: Iterable[tuple[str, str]] = (("record", error.expected), ("guest", error.actual))
    for name, text in lines:
        terminal.write(f"  {name:<7} {text}", error=True)
    for line in error.line.splitlines():
        terminal.write(f"  {line}", error=True, style=DIM)


def _look(terminal: Terminal, moment: Moment, code: str | None) -> Exit:
    """Show where the program is, and what an expression is there."""
    try:
        if code is None:
            terminal.write(moment.stack() or "no program is running", style=DIM)
            return Exit.OK
        terminal.write(moment.show(code))
    except GuestError as error:
        terminal.write(f"Uncaught {error}", error=True, style=RED)
        return Exit.GUEST_ERROR
    return Exit.OK
