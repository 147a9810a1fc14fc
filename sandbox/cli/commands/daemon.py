"""The command `daemon`: sandboxes for clients of other processes and machines, until it is told to stop."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sandbox.cli._amounts import parse_bytes, parse_seconds
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._exit import Exit
from sandbox.cli._flags import ColorFlags, UsageError
from sandbox.cli._terminal import Terminal

if TYPE_CHECKING:
    import trio

    from sandbox.remote.books import Bounds
    from sandbox.remote.daemon import Daemon

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


app: typer.Typer = command_app()


@app.command(
    epilog=examples(
        ("sandbox daemon --socket sandbox.sock", "for this user, at a Unix socket"),
        ("sandbox daemon --tcp 127.0.0.1:7777 --token-file tokens", "for owners with a token each"),
    )
)
@with_flags
def daemon(
    color: ColorFlags,
    socket: Annotated[
        Path | None, typer.Option("--socket", metavar="PATH", help="Listen at a Unix socket, for this user.")
    ] = None,
    tcp: Annotated[
        str | None, typer.Option("--tcp", metavar="HOST:PORT", help="Listen at an address; needs --token-file.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Owners and their tokens, one pair a line; mode 600."),
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain (PEM) for --tcp.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key (PEM).")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Processes that run guests; one a processor.")
    ] = None,
    max_sandboxes: Annotated[
        int, typer.Option("--max-sandboxes", metavar="N", min=1, help="Sandboxes at one time.")
    ] = 1000,
    max_each: Annotated[
        int | None, typer.Option("--max-each", metavar="N", min=1, help="Of them, those of one owner.")
    ] = None,
    max_memory: Annotated[
        str, typer.Option("--max-memory", metavar="SIZE", help="Memory that one sandbox may ask for.")
    ] = "256MB",
    max_namespaces: Annotated[
        int, typer.Option("--max-namespaces", metavar="N", min=1, help="Namespaces kept; the oldest goes first.")
    ] = 1000,
    max_namespace_bytes: Annotated[
        str, typer.Option("--max-namespace-bytes", metavar="SIZE", help="What they hold together.")
    ] = "256MB",
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="HOST:PORT", help="Tell statistics to Prometheus.")
    ] = None,
    drain: Annotated[
        str, typer.Option("--drain", metavar="TIME", help="How long clients may finish after SIGTERM.")
    ] = "30s",
) -> int:
    """Run sandboxes for clients that use sandbox.connect().

    SIGTERM or Ctrl-C lets nobody in any more and waits for what runs; a second one ends it at once.
    """
    import trio

    from sandbox.remote.books import Bounds
    from sandbox.remote.workers import processors

    try:
        bounds = Bounds(
            sandboxes=max_sandboxes,
            sandboxes_each=max_each or max_sandboxes,
            memory_bytes=parse_bytes(max_memory),
            namespaces=max_namespaces,
            namespace_bytes=parse_bytes(max_namespace_bytes),
        )
        drain_seconds = parse_seconds(drain)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if socket is None and tcp is None:
        raise UsageError("say where to listen: --socket PATH, --tcp HOST:PORT, or both")
    terminal = color.terminal()
    tokens = _tokens(token_file)
    tls = _tls(tls_certificate, tls_key)
    if tcp is not None and not tokens:
        raise UsageError("--tcp needs --token-file: anybody who reaches the port could use the daemon")
    if tcp is not None and tls is None and _split(tcp)[0] not in _LOOPBACK:
        raise UsageError("--tcp at an address that is not loopback needs --tls-cert and --tls-key")
    return trio.run(_run, terminal, socket, tcp, tls, tokens, workers or processors(), bounds, metrics, drain_seconds)


async def _run(
    terminal: Terminal,
    path: Path | None,
    tcp: str | None,
    tls: ssl.SSLContext | None,
    tokens: dict[str, str],
    workers: int,
    bounds: Bounds,
    metrics: str | None,
    drain_seconds: float,
) -> Exit:
    import signal

    import trio

    from sandbox.remote.daemon import Daemon, listen_tcp, listen_unix

    try:
        listeners = [] if path is None else [listen_unix(path)]
        places = [] if path is None else [str(path)]
        if tcp is not None:
            listener = listen_tcp(*_split(tcp), tls)
            listeners.append(listener)  # type: ignore[arg-type] # a listener of either kind
            places.append(f"{'tls' if tls else 'tcp'}://{_shown(listener)}")
        told = [] if metrics is None else [listen_tcp(*_split(metrics), None)]
    except OSError as error:
        raise UsageError(error.strerror or str(error)) from None
    daemon = Daemon(workers=workers, bounds=bounds, tokens=tokens)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def serve(*, task_status: trio.TaskStatus[None]) -> None:
                await daemon.run(
                    listeners,  # type: ignore[arg-type] # as above
                    metrics=told,  # type: ignore[arg-type] # without TLS
                    drain_seconds=drain_seconds,
                    task_status=task_status,
                )
                nursery.cancel_scope.cancel()

            try:
                await nursery.start(serve)
                terminal.write(f"Listening at {' and '.join(places)}, {workers} workers", error=True)
                if told:
                    terminal.write(f"Statistics at http://{_shown(told[0])}/metrics", error=True)
                await anext(signals)
                _say_draining(terminal, daemon)
                daemon.drain()
                await anext(signals)
                nursery.cancel_scope.cancel()
            finally:
                if path is not None:
                    path.unlink(missing_ok=True)  # noqa: ASYNC240 - at once
    return Exit.OK


def _say_draining(terminal: Terminal, daemon: Daemon) -> None:
    counts = daemon.counts()
    running = counts["sandboxes"]
    terminal.write(f"Stopping: waiting for {running} sandbox{'' if running == 1 else 'es'}", error=True)


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"{address}: an address is HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _shown(listener: Any) -> str:  # noqa: ANN401 - a listener of either kind
    inner = getattr(listener, "transport_listener", listener)
    host, port = inner.socket.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tokens(path: Path | None) -> dict[str, str]:
    from sandbox.remote.daemon import read_tokens

    try:
        return {} if path is None else read_tokens(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None:
        raise UsageError("--tls-key needs --tls-cert")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{certificate}: {error.strerror or error}") from None
    return context
