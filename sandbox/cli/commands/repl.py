"""The command `repl`: an interactive session."""

from __future__ import annotations

import math
import sys
from importlib.metadata import version as version_of
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import ClockFlags, ColorFlags, LimitFlags, UsageError
from sandbox.cli._grants import GrantFlags
from sandbox.cli._language import LanguageFlag, TypeScriptFlags
from sandbox.cli._modules import ModuleFlags
from sandbox.cli._repl.loop import Reader, Repl, Setting
from sandbox.cli._repl.reading import LineReader, PipeReader
from sandbox.cli._terminal import BOLD, DIM, discard_output
from sandbox.errors import UsageError as SandboxUsageError

if TYPE_CHECKING:
    import typer

    from sandbox._languages import Language

INSTALL = "pip install 'quickjs-sandbox[repl]'"

_EXAMPLES = examples(
    ("sandbox repl", "begin a session"),
    ("sandbox repl --cpu 1s --allow-read data", "with a limit and a grant"),
    ('echo "const a = 1; a + 1" | sandbox repl', "evaluate what comes from a pipe"),
)

app: typer.Typer = command_app()


@app.command(epilog=_EXAMPLES)
@with_flags
def repl(
    limits: LimitFlags,
    clocks: ClockFlags,
    grants: GrantFlags,
    modules: ModuleFlags,
    typescript: TypeScriptFlags,
    _config: ConfigFlags,
    color: ColorFlags,
    language: LanguageFlag = None,
) -> int:
    """Type JavaScript and see what it gives, in a sandbox that keeps its variables.

    Limits hold for each input. `.help` lists commands: limits, usage, snapshots.
    Of a pipe, each finished input is evaluated in turn; the exit status is that of the first one that fails.
    It writes for people, and has no --json: programs use `sandbox eval --json`, or Sandbox in Python.
    """
    options = {
        "modules": modules.find() or None,
        "seed": clocks.seed,
        "typescript": typescript.make(),
        **grants.make(),
    }
    if clocks.clock_resolution not in (None, math.inf):
        options["clock_resolution_seconds"] = clocks.clock_resolution
    try:
        session = Repl(Setting(limits=limits.make(), options=options, language=language), color.terminal())
    except (ValueError, SandboxUsageError) as error:
        raise UsageError(str(error)) from None
    try:
        status = session.run(_reader(session, language))
        return status if not sys.stdin.isatty() else Exit.OK
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE
    finally:
        session.close()


def _reader(session: Repl, language: Language | None = None) -> Reader:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return PipeReader(sys.stdin, language)
    session.terminal.write(f"sandbox {version_of('quickjs-sandbox')}", style=BOLD)
    session.terminal.write("JavaScript, with nothing of this machine but what flags grant.", style=DIM)
    session.terminal.write(".help lists commands, Ctrl-D leaves.", style=DIM)
    if find_spec("prompt_toolkit") is None:
        session.terminal.write(f"History, completion and colors: {INSTALL}", style=DIM)
        return LineReader(language=language)
    from sandbox.cli._repl.prompting import PromptReader

    return PromptReader(session)
