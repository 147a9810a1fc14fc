"""The command `sandbox`.

Each command is a file in `commands/`, found by `_commands`. `_app` reads the command line, `_flags`, `_grants` and
`_modules` have the flags that several commands take, `_launch` and `_program` run code, `_terminal` and `_report` show
what came of it. No other part of the package imports typer.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; None: those of the process.

    Returns:
        The exit status; see `sandbox.cli._exit.Exit`.
    """
    from sandbox.cli._app import run_app

    return run_app(arguments)
