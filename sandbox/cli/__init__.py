"""The command `sandbox`: run a file or evaluate a piece of code under limits.

`_app` and `_flags` read the command line, `_program` runs the code, `_terminal` and `_report` show what came of it. No
other part of the package imports typer or rich.
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
