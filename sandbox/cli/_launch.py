"""What the commands that run a program share: its source comes in, and what came of it goes out."""

from __future__ import annotations

import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from sandbox._origins import url_in
from sandbox.cli._amounts import show_amount
from sandbox.cli._exit import Exit
from sandbox.cli._flags import OutputFlags, UsageError
from sandbox.cli._program import Program, execute
from sandbox.cli._report import describe, exit_status, to_json
from sandbox.cli._terminal import Terminal, discard_output, harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.capabilities import ConsoleEntry

_MAP_BYTES: Final = 32 << 20


def read_source(file: str) -> str:
    """Read a source text.

    Args:
        file: Its path; `-`: standard input.

    Raises:
        UsageError: It cannot be read, or is no UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:  # a ValueError: the name holds a null character
        raise UsageError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text (byte {error.start:,})") from None


def source_map_of(file: str, code: str) -> Callable[[], bytes | None] | None:
    """What reads the source map that a file names in its last comment, if that is a `.map` file beside it."""
    name = url_in(code)
    if file == "-" or name is None or not name.endswith(".map") or PurePath(name).name != name:
        return None
    path = Path(file).with_name(name)
    return lambda: path.read_bytes() if path.is_file() and path.stat().st_size <= _MAP_BYTES else None


def launch(program: Program, output: OutputFlags) -> Exit:
    """Run a program and show what came of it."""
    try:
        return _show(program, output.terminal(), as_json=output.as_json)
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE


def _status(program: Program, seconds: float) -> str:
    wall = program.limits.wall_seconds
    limit = "" if wall is None else f" of {show_amount(wall, 'seconds')} at most"
    return f"{harmless(program.filename)}: running for {seconds:.0f} s{limit}, Ctrl-C stops it"


def _show(program: Program, terminal: Terminal, *, as_json: bool) -> Exit:
    entries: list[ConsoleEntry] = []
    with terminal.status(lambda seconds: _status(program, seconds)):
        outcome = execute(
            program,
            entries.append if as_json else terminal.entry,
            lambda: terminal.progress("Preparing the sandbox for its first use ..."),
            show=not as_json,
        )
    if as_json:
        terminal.write(to_json(outcome, entries))
    elif outcome.error is not None:
        lines = describe(program, outcome, color=terminal.error_color, columns=terminal.columns(error=True))
        terminal.write(lines, error=True, trusted=True)
    elif outcome.value_text is not None:
        terminal.write(outcome.value_text)
    return exit_status(outcome.error)
