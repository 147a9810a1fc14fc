"""The command `serve`: one program behind an HTTP server, until it is interrupted."""

from __future__ import annotations

import json
import logging
import math
import signal
import socket
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sandbox import AsyncSandbox, JSError, SandboxError
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import ClockFlags, ColorFlags, LimitFlags, OnLimit, UsageError
from sandbox.cli._grants import GrantFlags
from sandbox.cli._language import LanguageFlag, TypeScriptFlags
from sandbox.cli._launch import read_source
from sandbox.cli._modules import ModuleFlags
from sandbox.cli._program import Outcome, Program
from sandbox.cli._report import describe, exit_status, json_entry, json_error
from sandbox.errors import UsageError as SandboxUsageError
from sandbox.serve import INSTALL, has_server

if TYPE_CHECKING:
    from sandbox.capabilities import ConsoleEntry
    from sandbox.cli._terminal import Terminal
    from sandbox.limits import Usage

_GRACE_SECONDS: Final = 3.0


_PANEL: Final = "Server"
Host = Annotated[
    str,
    typer.Option("--host", metavar="ADDRESS", rich_help_panel=_PANEL, help="Where to listen."),
]
Port = Annotated[
    int,
    typer.Option("--port", metavar="N", min=0, max=65535, rich_help_panel=_PANEL, help="The port; 0 is any free one."),
]

Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        rich_help_panel="Output",
        help="Print JSON objects, one a line: where it serves, what the program prints, what fails.",
    ),
]

_EXAMPLES = examples(
    ("sandbox serve app.js --port 8000", "answer requests at http://127.0.0.1:8000/"),
    ("sandbox serve app.js --port 0 --json", "at a free port, which the first line tells"),
    ("sandbox serve --config sandbox.toml app.js", "with limits and grants of a file"),
    ("sandbox serve --on-limit rollback app.js", "forget what a request did that was stopped"),
)

app: typer.Typer = command_app()


@app.command(epilog=_EXAMPLES)
@with_flags
def serve(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The program, an ECMAScript module; `-` is standard input.")
    ],
    limits: LimitFlags,
    clocks: ClockFlags,
    grants: GrantFlags,
    modules: ModuleFlags,
    typescript: TypeScriptFlags,
    _config: ConfigFlags,
    color: ColorFlags,
    port: Port = 8000,
    host: Host = "127.0.0.1",
    on_limit: OnLimit = "keep",
    language: LanguageFlag = None,
    as_json: Json = False,
) -> int:
    """Answer HTTP requests and WebSockets by a program that calls serve, or exports default {fetch}.

    Limits hold for each request. Ctrl-C ends it.
    """
    program = Program(
        code=read_source(file),
        filename="<stdin>" if file == "-" else modules.guest_path(file),
        language=language,
        typescript=typescript.make(),
        modules=modules.find(),
        limits=limits.make(),
        seed=clocks.seed,
        clock_resolution_seconds=clocks.clock_resolution,
        grants=grants.make(),
    )
    terminal = color.terminal()
    show = JsonEvents(terminal) if as_json else Events(program, terminal)
    return serve_program(program, show, host=host, port=port, on_limit=on_limit)


class Events:
    """Tells people what happens."""

    def __init__(self, program: Program, terminal: Terminal) -> None:
        """Of a program, on a terminal."""
        self._program, self._terminal = program, terminal

    def serving(self, name: str, url: str) -> None:
        """It has begun."""
        self._terminal.write(f"Serving {name} at {url}", error=True)

    def entry(self, entry: ConsoleEntry) -> None:
        """The program has written to its console."""
        self._terminal.entry(entry)

    def error(self, error: SandboxError, text: str | None, usage: Usage) -> None:
        """The program failed; the text shows what it threw, where that is no error."""
        outcome = Outcome(error=error, error_text=text, usage=usage)
        columns = self._terminal.columns(error=True)
        lines = describe(self._program, outcome, color=self._terminal.error_color, columns=columns)
        self._terminal.write(lines, error=True, trusted=True)

    def failure(self, name: str) -> None:
        """Something else has failed: what, is in the log."""
        self._terminal.write(f"{name} while a request was served", error=True)


class JsonEvents(Events):
    """Tells programs: an object a line, in ASCII."""

    def __init__(self, terminal: Terminal) -> None:
        """On a terminal's standard output."""
        self._terminal = terminal

    def _write(self, event: str, **fields: object) -> None:
        self._terminal.write(json.dumps({"event": event, **fields}))
        self._terminal.out.flush()

    def serving(self, name: str, url: str) -> None:
        """See `Events`."""
        self._write("serving", program=name, url=url)

    def entry(self, entry: ConsoleEntry) -> None:
        """See `Events`."""
        self._write("console", **json_entry(entry))

    def error(self, error: SandboxError, text: str | None, usage: Usage) -> None:
        """See `Events`."""
        self._write("error", error=json_error(error))

    def failure(self, name: str) -> None:
        """See `Events`."""
        self._write("error", error={"type": name, "name": name, "message": "", "stack": "", "frames": []})


def serve_program(program: Program, show: Events, *, host: str, port: int, on_limit: str) -> Exit:
    """Serve a program's requests until SIGINT or SIGTERM.

    Args:
        program: What answers. Its limits hold for each request.
        show: Is told what happens.
        host: The address to listen at.
        port: 0: any that is free.
        on_limit: What becomes of it when a request reaches a limit.

    Raises:
        UsageError: There is no server, the address cannot be listened at, or an option makes no sense.
    """
    if not has_server():
        raise UsageError(f"serve needs a server: {INSTALL}")
    import trio

    with _listen(host, port) as listener:
        return trio.run(_serve, program, show, listener, on_limit)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(f"{host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    return listener


async def _serve(program: Program, show: Events, listener: socket.socket, on_limit: Any) -> Exit:  # noqa: ANN401 - checked by the sandbox
    status = Exit.OK

    def report(error: BaseException) -> None:
        nonlocal status
        if isinstance(error, SandboxError):
            thrown = error.value if isinstance(error, JSError) else error
            text = None if thrown is error else repr(thrown)
            show.error(error, text, box.usage)
            status = exit_status(error)
        else:
            show.failure(type(error).__name__)
            status = Exit.FAILURE

    resolution = program.clock_resolution_seconds
    try:
        box = AsyncSandbox(
            limits=program.limits,
            console=show.entry,
            clock_resolution_seconds=None if resolution == math.inf else resolution,
            seed=program.seed,
            modules=program.modules or None,
            on_limit=on_limit,
            typescript=program.typescript,
            **program.grants,
        )
    except (ValueError, SandboxUsageError) as error:
        raise UsageError(str(error)) from None
    address, port = listener.getsockname()[:2]
    place = f"http://{f'[{address}]' if ':' in address else address}:{port}/"
    app = box.asgi(program.code, filename=program.filename, language=program.language, on_error=report)
    has_begun = False

    async def announced(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - messages of ASGI
        async def tell(message: Any) -> None:  # noqa: ANN401 - likewise
            nonlocal has_begun
            if message["type"] == "lifespan.startup.complete":
                has_begun = True
                show.serving(program.filename, place)
            await send(message)

        await app(scope, receive, tell if scope["type"] == "lifespan" else send)

    await _run_server(announced, listener)
    return Exit.OK if has_begun else status


async def _run_server(app: Any, listener: socket.socket) -> None:  # noqa: ANN401 - hypercorn has types of its own
    import trio
    from hypercorn.config import Config
    from hypercorn.trio import serve as run
    from hypercorn.utils import LifespanFailureError

    log = logging.getLogger("sandbox.serve.server")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = config.shutdown_timeout = _GRACE_SECONDS
    config.errorlog, config.accesslog = log, None
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:

        async def stopped() -> None:
            await anext(signals)

        try:
            await run(app, config, shutdown_trigger=stopped)
        except* LifespanFailureError:  # why was reported
            pass
