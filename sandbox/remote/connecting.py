"""The client's face: `connect`, the sandboxes of a daemon, and its namespaces."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, Unpack
from urllib.parse import urlsplit

from sandbox._image import image_digest
from sandbox._quiescing import putting_aside, without_calls
from sandbox._sandbox import Sandbox
from sandbox.errors import NamespaceInUse, SandboxClosed, SandboxError, UsageError
from sandbox.remote.errors import ConnectionLost, ProtocolError, RemoteError
from sandbox.remote.instance import RemoteInstance
from sandbox.remote.link import Link
from sandbox.remote.mailboxes import Sandboxes
from sandbox.remote.protocol import Code
from sandbox.remote.statistics import as_prometheus
from sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncSandbox
    from sandbox._option_types import SandboxOptions
    from sandbox._settings import MakeInstance
    from sandbox.remote.events import Asked

_CONNECT_SECONDS: Final = 10.0
_PUT_ASIDE_SECONDS: Final = 1.0
_JOIN_SECONDS: Final = 2.0


def connect(
    address: str | Path,
    *,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
    timeout: float = _CONNECT_SECONDS,
) -> Remote:
    """A daemon, for the length of a `with` or an `async with` block.

        with sandbox.connect("/run/sandbox.sock") as remote:
            with remote.sandbox() as box:
                box.eval("1 + 1")

    Args:
        address: A path or `unix:PATH`, `tcp://HOST:PORT`, or `tls://HOST:PORT`.
        token: Who this is, if the daemon has tokens.
        tls: How to check the daemon's certificate; None: as the system does.
        timeout: Seconds that connecting may take.

    Returns:
        The daemon, not connected yet.

    Raises:
        ValueError: The address is none, or the timeout is not positive.
        TypeError: An argument has the wrong type.
    """
    return Remote(address, token=token, tls=tls, timeout=timeout)


class Remote:
    """A daemon and the connection to it. Any thread may use it, under trio and asyncio any task.

    When the connection is lost, what was running is reported as lost where it is used, and never tried again. What is
    begun afterwards connects anew. In a forked child it has to be made anew.

    Attributes:
        address: Of the daemon.
    """

    def __init__(self, address: str | Path, *, token: str | None, tls: ssl.SSLContext | None, timeout: float) -> None:
        """See `connect`."""
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
        if not timeout > 0:
            raise ValueError(f"timeout must be positive, not {timeout}")
        if token is not None and not isinstance(token, str):
            raise TypeError(f"token must be a str or None, not {type(token).__name__}")
        self.address: str = str(address)
        self._place = place_of(self.address)
        self._token, self._tls, self._timeout = token, tls, timeout
        self._sandboxes: Sandboxes | None = None
        self._is_open = self._is_draining = False
        self._lost: SandboxError | None = None

    # --- the connection ---

    def __enter__(self) -> Self:
        self._connect()
        self._is_open = True
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        from sandbox import _portal

        await _portal.in_thread(self._connect)
        self._is_open = True
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; idempotent. The sandboxes that live by it are lost."""
        self._is_open = False
        if self._sandboxes is not None:
            self._sandboxes.link.close()
            self._sandboxes.close_lines()
            self._sandboxes.link.join(_JOIN_SECONDS)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as this side knows."""
        return self._sandboxes is not None and self._sandboxes.link.lost is None

    def _connect(self) -> Sandboxes:
        """The sandboxes of the connection, which is made anew if it was lost. It waits.

        Raises:
            ConnectionLost: The daemon cannot be reached.
            RemoteError: It lets nobody in, or not this client.
        """
        if self._sandboxes is not None and self._sandboxes.link.lost is None:
            return self._sandboxes
        sandboxes = Sandboxes(None if self._place[0] == "tls" else self._open_line)
        sock = self._dial()
        hello = {"client": f"sandbox {version('quickjs-sandbox')}"}
        if self._token is not None:
            hello["token"] = self._token
        link = sandboxes.link = Link(
            sock,
            hello,
            on_asked=sandboxes.on_asked,
            on_noticed=sandboxes.on_noticed,
            on_lost=lambda _error: sandboxes.close_lines(),
        )
        link.start()
        facts = link.wait_until_open(self._timeout)
        if facts.get("image") != image_digest():
            link.close()
            raise ProtocolError("the daemon runs another build of the guest than this package has", Code.VERSION.name)
        heap_bytes = facts.get("heap_bytes")
        sandboxes.heap_bytes = heap_bytes if isinstance(heap_bytes, int) else 0
        self._sandboxes = sandboxes
        return sandboxes

    def _open_line(self, ticket: str, on_asked: Callable[[Link, Asked], None]) -> Link:
        """See `OpenLine`."""
        line = Link(self._dial(), {"line": ticket}, on_asked=lambda asked: on_asked(line, asked))
        line.start()
        line.wait_until_open(self._timeout)
        return line

    def _dial(self) -> socket.socket:
        family, target = self._place
        sock = None
        try:
            if family == "unix":
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(self._timeout)
                sock.connect(*target)
                return sock
            sock = socket.create_connection(target, self._timeout)
            if family == "tls":
                context = self._tls or ssl.create_default_context()
                return context.wrap_socket(sock, server_hostname=str(target[0]))
        except OSError as error:
            if sock is not None:
                sock.close()
            reason = (isinstance(error, ssl.SSLError) and error.reason) or error.strerror or error
            kind = RemoteError if isinstance(error, ssl.SSLError) else ConnectionLost
            raise kind(f"{self.address} cannot be reached: {reason}") from None
        return sock

    def _ready(self) -> Sandboxes:
        if not self._is_open:
            raise SandboxClosed("the connection to the daemon is closed, or was not entered")
        return self._connect()

    def instances(self) -> MakeInstance:
        """What makes instances there: a `Place`, for the option `remote` of `Sandbox`.

        Raises:
            SandboxClosed: The block has ended, or not begun.
            RemoteError: The daemon cannot be reached.
        """
        return partial(RemoteInstance, self._ready())

    # --- what it gives ---

    def sandbox(self, **options: Unpack[SandboxOptions]) -> Loan:
        """A new sandbox in the daemon for the length of a block: a `Sandbox`, or in `async with` an `AsyncSandbox`.

        Args:
            **options: Those of `Sandbox`. Functions, grants, modules and the console are served by this process.

        Returns:
            The context manager. Entering it raises what the constructor of `Sandbox` raises, and `RemoteError`.
        """
        return Loan(self, dict(options))

    def namespace(self, name: str, *, restore: bool = False, **options: Unpack[SandboxOptions]) -> NamespaceLoan:
        """The sandbox of a name for the length of a block; a new one if there is none.

        Between two uses the daemon keeps it, for the owner that the token belongs to: see `Namespaces`, whose rules
        are the same.

        Args:
            name: Any text.
            restore: Whether to go on with what it was before, if its last use was lost.
            **options: As for `sandbox`. Functions that the program has seen must be given again.

        Returns:
            The context manager, which also raises `NamespaceInUse`, and `NamespaceLost` without `restore`.
        """
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, not {type(name).__name__}")
        return NamespaceLoan(self, dict(options), name, restore=restore)

    def drop(self, name: str) -> bool:
        """Forget a namespace; whether there was one. It waits for the daemon.

        Raises:
            NamespaceInUse: Somebody uses it.
            RemoteError: The daemon cannot be reached.
        """
        result, _ = self._request("namespace.drop", {"name": name})
        return bool(result.get("was_here"))

    def names(self) -> list[str]:
        """The namespaces of this owner that the daemon keeps. It waits for the daemon.

        Raises:
            RemoteError: The daemon cannot be reached.
        """
        _, body = self._request("namespace.names", {})
        return body.decode().split("\0") if body else []

    def statistics(self) -> dict[str, int]:
        """What the daemon has counted. It waits for the daemon.

        Raises:
            RemoteError: The daemon cannot be reached.
        """
        result, _ = self._request("statistics", {})
        counts = result.get("counts")
        return {str(name): int(value) for name, value in counts.items()} if isinstance(counts, dict) else {}

    def prometheus(self) -> str:
        """The same in the text format of Prometheus."""
        return as_prometheus(self.statistics())

    def _request(
        self, method: str, parameters: dict[str, Any], body: bytes | None = None
    ) -> tuple[dict[str, Any], bytes | None]:
        try:
            return self._ready().link.request(method, parameters, body)
        except ValueError as error:
            raise RemoteError(str(error)) from None
        except RemoteError as error:
            if error.code == Code.NAMESPACE_IN_USE.name:
                raise NamespaceInUse(str(error)) from None
            raise

    def __repr__(self) -> str:
        return f"<Remote {self.address} {'connected' if self.is_connected else 'not connected'}>"


class Loan:
    """A sandbox of a daemon for the length of a block, blocking or asynchronous; see `Remote.sandbox`."""

    def __init__(self, remote: Remote, options: dict[str, Any]) -> None:
        """Ask for nothing yet."""
        if options.get("remote") is not None:
            raise TypeError("remote= is this connection")
        self._remote, self._options = remote, options
        self._box: Sandbox | AsyncSandbox | None = None

    def __enter__(self) -> Sandbox:
        self._check()
        given = self._begin()
        box: Sandbox = self._make(Sandbox, given)
        self._box = box
        return box

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        box, self._box = self._box, None
        assert isinstance(box, Sandbox)
        try:
            self._finish(box)
        except Exception:
            if kind is None:
                raise
        finally:
            box.close()

    async def __aenter__(self) -> AsyncSandbox:
        from sandbox import _portal
        from sandbox._async_sandbox import AsyncSandbox

        self._check()
        try:
            given = await _portal.in_thread(self._begin)
            box: AsyncSandbox = self._make(AsyncSandbox, given)
            await box.__aenter__()
        except BaseException:
            self._give_up()
            raise
        self._box = box
        return box

    async def __aexit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        box: Any
        box, self._box = self._box, None
        try:
            await self._finish_async(box)
        except Exception:
            if kind is None:
                raise
        finally:
            await box.__aexit__(kind, *exception)

    def _give_up(self) -> None:
        """It could not be entered."""

    def _check(self) -> None:
        if self._box is not None:
            raise UsageError("this sandbox is inside its `with` already")

    def _make(self, face: Callable[..., Any], snapshot: Snapshot | None) -> Any:  # noqa: ANN401 - of that face
        options = {**self._options, "remote": self._remote}
        return face(**options) if snapshot is None else face.restore(snapshot, **options)  # type: ignore[attr-defined] # a face

    def _begin(self) -> Snapshot | None:
        """What it continues from; it waits."""
        self._remote._ready()
        return None

    def _finish(self, box: Sandbox) -> None:
        """The block has ended."""

    async def _finish_async(self, box: AsyncSandbox) -> None:
        """Likewise."""


class NamespaceLoan(Loan):
    """A namespace for the length of a block; see `Remote.namespace`."""

    def __init__(self, remote: Remote, options: dict[str, Any], name: str, *, restore: bool) -> None:
        """Ask for nothing yet."""
        super().__init__(remote, options)
        self._name, self._restore = name, restore
        self._has_name = self._is_given_up = False

    def _begin(self) -> Snapshot | None:
        _, body = self._remote._request("namespace.take", {"name": self._name, "restore": self._restore})
        self._has_name = True
        if self._is_given_up:  # its task was cancelled meanwhile
            self._leave()
            return None
        try:
            return None if body is None else Snapshot.from_bytes(body)
        except BaseException:
            self._leave()
            raise

    def _give_up(self) -> None:
        self._is_given_up = True
        self._leave()

    def _make(self, face: Callable[..., Any], snapshot: Snapshot | None) -> Any:  # noqa: ANN401 - of that face
        try:
            return super()._make(face, snapshot)
        except BaseException:
            self._leave()
            raise

    def _finish(self, box: Sandbox) -> None:
        try:
            if not _is_spent(box):
                for steps in putting_aside(box._driver):
                    box._runner.run(steps, _PUT_ASIDE_SECONDS)
                self._keep(box.snapshot())
        finally:
            self._leave()

    async def _finish_async(self, box: AsyncSandbox) -> None:
        from sandbox import _portal

        try:
            if not _is_spent(box):
                for steps in putting_aside(box._driver):
                    await box._runner.run(steps, _PUT_ASIDE_SECONDS)
                snapshot = await box.snapshot()
                await _portal.in_thread(lambda: self._keep(snapshot))
        finally:
            self._leave()

    def _keep(self, snapshot: Snapshot) -> None:
        snapshot._state = without_calls(snapshot._state)
        self._remote._request("namespace.keep", {"name": self._name}, snapshot.to_bytes())
        self._has_name = False

    def _leave(self) -> None:
        """Let others have it as it was before; nothing is waited for."""
        if self._has_name:
            self._has_name = False
            with suppress(SandboxError):
                sandboxes = self._remote._sandboxes
                if sandboxes is not None:
                    sandboxes.link.tell("namespace.leave", {"name": self._name})


def _is_spent(box: Sandbox | AsyncSandbox) -> bool:
    from sandbox._events import State

    return box.closed or box._driver.guest.state in (State.POISONED, State.CLOSED)


def place_of(address: str) -> tuple[str, Any]:
    """What an address says: `unix`, `tcp` or `tls`, and a path, or host and port.

    Raises:
        ValueError: It is none.
    """
    if "://" not in address:
        path = address.removeprefix("unix:")
        if not path:
            raise ValueError("an address is a path, tcp://HOST:PORT or tls://HOST:PORT")
        return "unix", (path,)
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or parts.port is None or parts.path:
        raise ValueError(f"an address is a path, tcp://HOST:PORT or tls://HOST:PORT, not {address!r}")
    return parts.scheme, (parts.hostname, parts.port)
