"""The command line: which command it names, and what an error of the command itself ends with."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import sys
from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Annotated, Final

import typer

from sandbox.cli._commands import COMMANDS, Commands, examples
from sandbox.cli._exit import Exit
from sandbox.cli._flags import UsageError
from sandbox.cli._terminal import Terminal
from sandbox.errors import LimitExceeded, SandboxError
from sandbox.errors import UsageError as SandboxUsageError

_ABOUT: Final = "Run untrusted JavaScript: no files and no network but what flags grant, limited memory and time."

_EXAMPLES: Final = (
    examples(
        ('sandbox eval "[3, 1, 2].sort()"', "print the value of an expression"),
        ("sandbox run program.js", "run a file and its timers"),
        ("sandbox run --cpu 500ms --memory 16MB -", "run standard input, tightly limited"),
        ('sandbox eval --json "new Date()"', "value, console, error, usage as JSON"),
        ("sandbox repl", "type and see what it gives"),
        ("sandbox serve app.js --port 8000", "answer HTTP requests"),
        ("sandbox daemon --socket s.sock", "run sandboxes for other processes"),
        ("sandbox test tests", "run JavaScript tests"),
        ("sandbox replay run.record", "do again what a record says"),
        ("sandbox doctor", "check and measure this installation"),
        ("sandbox --install-completion", "have the shell complete commands"),
    )
    + """

[bold]Exit status[/bold]
0  done                   1  the program failed      2  wrong usage
3  a limit was reached    4  the sandbox failed      130  interrupted"""
)

app = typer.Typer(
    cls=Commands,
    name="sandbox",
    help=_ABOUT,
    epilog=_EXAMPLES,
    rich_markup_mode="rich",
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


def run_app(arguments: Sequence[str] | None) -> int:
    """Read a command line and do what it says.

    Args:
        arguments: What follows the command's name; None: those of the process.

    Returns:
        The exit status.
    """
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in itertools.takewhile(lambda argument: argument != "--", given)
    try:
        status = app(args=arguments, prog_name="sandbox", standalone_mode=False)
    except UsageError as error:
        if as_json:
            return _complain_json(error, Exit.USAGE)
        text = getattr(error, "format_message", error.__str__)()
        first = next(iter(given), "")
        if text.startswith("No such command"):
            if first.endswith((".js", ".mjs")):
                text += f" sandbox run {first} runs a file."
            elif near := difflib.get_close_matches(first, COMMANDS, 1):
                text += f" Did you mean {near[0]!r}?"
        return _complain(text, Exit.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", Exit.INTERRUPTED)
    except LimitExceeded as error:  # before the program began
        if as_json:
            return _complain_json(error, Exit.LIMIT)
        from sandbox.cli._report import limit_text

        return _complain(limit_text(error), Exit.LIMIT)
    except SandboxError as error:
        # Whoever wrote the command line can mend it, or install what is missing.
        status = Exit.USAGE if isinstance(error, SandboxUsageError) else Exit.FAILURE
        if as_json:
            return _complain_json(error, status)
        return _complain(str(error), status)
    return int(status or 0)


def _complain_json(error: Exception, status: Exit) -> Exit:
    from sandbox.cli._report import failure_to_json

    with contextlib.suppress(OSError):
        Terminal(sys.stdout, sys.stderr).write(failure_to_json(error))
    return status


def _complain(text: str, status: Exit) -> Exit:
    with contextlib.suppress(OSError):
        Terminal(sys.stdout, sys.stderr).write(f"sandbox: {' '.join(text.split())}", error=True)
    return status
