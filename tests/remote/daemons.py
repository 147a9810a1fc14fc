"""Daemons for tests: in this process on a thread of their own, with worker processes; or as the command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from sandbox.remote.daemon import Daemon, listen_tcp, listen_unix

if TYPE_CHECKING:
    from sandbox.remote.books import Bounds


class Running:
    """A daemon that runs.

    Attributes:
        address: Where to connect.
        daemon: The daemon; its methods are called by `ask`.
    """

    def __init__(self, address: str, daemon: Daemon, token: trio.lowlevel.TrioToken) -> None:
        self.address, self.daemon, self._token = address, daemon, token

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return trio.from_thread.run_sync(function, *arguments, trio_token=self._token)

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.ask(self.daemon.counts)
        return counts

    @property
    def pids(self) -> list[int]:
        pids: list[int] = self.ask(lambda: self.daemon.pids)
        return pids


@contextmanager
def running(
    path: Path | None = None,
    *,
    workers: int = 1,
    bounds: Bounds | None = None,
    tokens: Mapping[str, str] | None = None,
    tls: Any = None,
    drain_seconds: float = 0.0,
) -> Iterator[Running]:
    """A daemon at a Unix socket, or without a path at a port of loopback."""
    began: list[Running] = []
    failed: list[BaseException] = []
    has_begun = threading.Event()

    async def main() -> None:
        daemon = Daemon(workers=workers, bounds=bounds, tokens=tokens)
        if path is None:
            listener = listen_tcp("127.0.0.1", 0, tls)
            inner: Any = getattr(listener, "transport_listener", listener)
            port = inner.socket.getsockname()[1]
            address = f"{'tls' if tls else 'tcp'}://{'localhost' if tls else '127.0.0.1'}:{port}"
        else:
            listener, address = listen_unix(path), str(path)
        async with trio.open_nursery() as nursery:

            async def serve(*, task_status: trio.TaskStatus[None]) -> None:
                await daemon.run([listener], drain_seconds=drain_seconds, task_status=task_status)

            await nursery.start(serve)
            began.append(Running(address, daemon, trio.lowlevel.current_trio_token()))
            has_begun.set()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001 - raised where the daemon is wanted
            failed.append(error)
        finally:
            has_begun.set()

    thread = threading.Thread(target=run, name="daemon")
    thread.start()
    has_begun.wait(30)
    try:
        if failed:
            raise failed[0]
        yield began[0]
    finally:
        if began and thread.is_alive():
            began[0].ask(began[0].daemon.drain)
        thread.join(30)
    assert not thread.is_alive()
    if failed:
        raise failed[0]
