"""The command `mcp`: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import LimitFlags, UsageError
from sandbox.cli._grants import GrantFlags
from sandbox.cli._language import LanguageFlag, TypeScriptFlags

_POLICY: Final = "Policy"


app: typer.Typer = command_app()


@app.command(
    epilog=examples(
        ("sandbox mcp", "tools that run programs, for a client that starts this command"),
        ("sandbox mcp --files --wall 5s", "with files in memory, and tighter limits"),
        ("sandbox mcp --language ts", "programs may be TypeScript"),
    )
)
@with_flags
def mcp(
    limits: LimitFlags,
    grants: GrantFlags,
    typescript: TypeScriptFlags,
    _config: ConfigFlags,
    sessions: Annotated[
        int,
        typer.Option("--sessions", metavar="N", min=0, rich_help_panel=_POLICY, help="How many may be open; 0: none."),
    ] = 8,
    files: Annotated[
        bool,
        typer.Option(
            "--files", metavar="", rich_help_panel=_POLICY, help="Give programs and tools files in memory, at /files."
        ),
    ] = False,
    max_bytes: Annotated[
        int,
        typer.Option(
            "--max-bytes", metavar="N", min=100, rich_help_panel=_POLICY, help="About how long an answer may be."
        ),
    ] = 16_000,
    language: LanguageFlag = None,
) -> int:
    """Serve the Model Context Protocol on standard input and output: tools that run JavaScript in sandboxes.

    Each program is limited by the flags, and reaches only what they grant. It needs the extra `mcp`.
    """
    try:
        from sandbox.integrations.mcp import make_server
    except ImportError as error:
        raise UsageError(str(error)) from None
    from sandbox import MemoryFiles

    try:
        server = make_server(
            {"limits": limits.make(), "typescript": typescript.make(), **grants.make()},
            files=MemoryFiles() if files else None,
            max_sessions=sessions,
            max_bytes=max_bytes,
            language=language,
        )
    except (TypeError, ValueError) as error:
        raise UsageError(f"mcp: {error}") from None
    if sys.stdin.isatty():
        typer.echo("Waiting for a client of the Model Context Protocol on standard input; Ctrl-C ends.", err=True)
    server.run("stdio")
    return Exit.OK
