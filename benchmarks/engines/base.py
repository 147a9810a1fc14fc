"""What every adapter provides. Light on imports: a fresh process loads it before the clock starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

HostFunctions = Mapping[str, Callable[..., Any]]
ModuleLoader = Callable[[str], str | None]


class Budget(NamedTuple):
    """What a sandbox may use, by whatever limits of that kind its engine documents.

    Attributes:
        memory_bytes: All that the guest may hold.
        seconds: How long one evaluation may take.
        waits: Whether the time is the caller's, waits included. Otherwise it is the guest's own, where the engine can
            tell the two apart.
    """

    memory_bytes: int
    seconds: float
    waits: bool = False


class Session(Protocol):
    """One live sandbox of an engine."""

    def eval(self, code: str) -> object:
        """Run `code` as a script and return its value, which is a number, a string or a boolean."""

    def take(self, expression: str, kind: type) -> object:
        """Evaluate `expression` and return its value, a `kind`, as plain Python data, all of it converted."""

    def put(self, name: str, value: object) -> None:
        """Set the global `name` in the guest to `value`, converted."""

    def function(self, expression: str) -> Callable[[object], object]:
        """The guest function that `expression` is, as a callable: argument and result are converted."""

    def close(self) -> None:
        """End the sandbox and free what it holds."""


class Adapter(Protocol):
    """An adapter module, as far as measuring needs it."""

    def version(self) -> str:
        """Version of the engine's distribution."""

    def open_session(self, functions: HostFunctions) -> Session:
        """Make a sandbox in which `functions` are globals, with the engine's default limits."""


class BoundedSession(Session, Protocol):
    """One live sandbox, for programs that may do anything."""

    def settle(self, expression: str) -> object:
        """Evaluate `expression`, a promise of a number, a string or a boolean, and return what it is fulfilled with."""

    def module(self, code: str) -> object:
        """Run `code` as a module, whose imports the session's loader serves; what is returned says nothing."""


class BoundedAdapter(Adapter, Protocol):
    """An adapter module, as far as hostile programs need it."""

    def open_session(
        self, functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
    ) -> BoundedSession:
        """Make a sandbox with limits.

        Args:
            functions: Globals of the guest.
            budget: Its limits; None: those the engine has by default.
            loader: Gives the source of a module, or None; None: nothing can be imported.

        Raises:
            NotImplementedError: The engine has no such thing; the text says what.
        """

    def kind_of(self, error: BaseException) -> str:
        """Which kind of failure an engine's error reports: see `benchmarks.hostile.kinds`."""


class SnapshotAdapter(Protocol):
    """An adapter module of an engine that has snapshots of running sandboxes."""

    def snapshot(self, session: Session) -> bytes:
        """All that a sandbox is, as bytes."""

    def restore(self, data: bytes, functions: HostFunctions, budget: Budget | None = None) -> BoundedSession:
        """Make a sandbox that goes on from there."""

    def spawner(self, session: Session) -> Callable[[], Session]:
        """What makes sandboxes of a snapshot that is kept in memory."""

    def fork(self, session: Session) -> Session:
        """A twin of a sandbox.

        Raises:
            NotImplementedError: The engine has no such thing.
        """


class TemplateAdapter(Protocol):
    """An adapter module of an engine whose sandboxes can begin with a library that was loaded before."""

    def template(self, source: str) -> Callable[[], Session]:
        """What makes sandboxes in which a script has run, however the engine does that best."""


class TypeScriptAdapter(Protocol):
    """An adapter module of an engine whose programs may be TypeScript."""

    def transform(self, source: str) -> str:
        """The JavaScript that becomes of it."""


class CrowdAdapter(Protocol):
    """An adapter module of an engine whose sandboxes can wait on an event loop."""

    def fan_out(self, codes: Sequence[str]) -> list[object]:
        """Give every program a sandbox of its own, all on one event loop at the same time.

        `host(number)` is an asynchronous function of theirs: a moment of sleep, then the number and one.

        Returns:
            What the programs' promises are fulfilled with, in order; every sandbox is closed.
        """
