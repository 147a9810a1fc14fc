"""The command `types`: TypeScript declarations of what programs find, for editors and compilers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from sandbox._code_cache import ADVICE, ARTIFACTS
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import ColorFlags, UsageError
from sandbox.errors import ArtifactError

_FOLDER: Final = "types"

app: typer.Typer = command_app()


@app.command(
    epilog=examples(
        ("sandbox types types", "write them into a folder"),
        ("sandbox types", "tell where they are"),
    )
)
@with_flags
def types(
    color: ColorFlags,
    directory: Annotated[
        str | None, typer.Argument(metavar="DIR", help="Where they are written; without it their place is told.")
    ] = None,
) -> int:
    """Write TypeScript declarations of what programs and tests find, for editors and tsc."""
    found = sorted(Path(ARTIFACTS, _FOLDER).glob("*.d.ts"))
    if not found:
        raise ArtifactError(f"the declarations are missing; {ADVICE}")
    terminal = color.terminal()
    if directory is None:
        terminal.write(str(found[0].parent))
        return Exit.OK
    target = Path(directory)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in found:
            (target / path.name).write_bytes(path.read_bytes())
            terminal.write(str(target / path.name))
    except (OSError, ValueError) as error:
        raise UsageError(f"{directory}: {getattr(error, 'strerror', None) or error}") from None
    return Exit.OK
