"""This project's own sandbox, with its default limits where no others are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sandbox import Limits, Sandbox, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.engines.base import BoundedSession, Budget, HostFunctions, ModuleLoader

_UNTESTED_SECONDS = 20.0  # the time limit that a budget does not speak of

# By exact class: a subclass says something else.
_KINDS: dict[type[BaseException], str] = {
    errors.JSError: "js",
    errors.JSSyntaxError: "js",
    errors.UnhandledRejection: "js",
    errors.Stalled: "stalled",
    errors.LimitExceeded: "limit",
    errors.MemoryLimitExceeded: "memory",
    errors.FuelLimitExceeded: "fuel",
    errors.CpuLimitExceeded: "cpu",
    errors.WallLimitExceeded: "wall",
    errors.StackLimitExceeded: "stack",
    errors.OutputLimitExceeded: "output",
    errors.CapabilityError: "refused",
    errors.CapabilityDenied: "refused",
    errors.HostCallFailed: "refused",
    errors.ConversionError: "conversion",
    errors.SandboxBusy: "busy",
    errors.SandboxClosed: "closed",
    errors.SandboxPoisoned: "dead",
    errors.SnapshotError: "refused",
    errors.SnapshotCorrupt: "refused",
    errors.SnapshotMismatch: "refused",
    errors.SnapshotUntrusted: "refused",
}


def _options(functions: HostFunctions, budget: Budget | None, loader: ModuleLoader | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if functions:
        options["functions"] = functions
    if loader is not None:
        options["modules"] = lambda specifier, importer: loader(specifier)
    if budget is not None:
        options["limits"] = Limits(
            memory_bytes=budget.memory_bytes,
            cpu_seconds=_UNTESTED_SECONDS if budget.waits else budget.seconds,
            wall_seconds=budget.seconds if budget.waits else _UNTESTED_SECONDS,
        )
    return options


class PortableSession:
    """A `Sandbox` as the benchmarks see it."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.eval = self.box.eval
        self.settle = self.box.eval
        self.module = self.box.module
        self._globals: Any = self.box.globals

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

    def put(self, name: str, value: object) -> None:
        """Set a global through the sandbox's `globals`."""
        self._globals[name] = value

    def function(self, expression: str) -> Callable[[object], object]:
        """A guest function is a callable."""
        function: Callable[[object], object] = self.box.eval(f"({expression})")
        return function

    def close(self) -> None:
        """Close the sandbox."""
        self.box.close()


def version() -> str:
    """Version of the installed package, or "checkout" where only the source tree is importable."""
    from importlib import metadata  # no part of a first eval

    try:
        return metadata.version("quickjs-sandbox")
    except metadata.PackageNotFoundError:
        return "checkout"


def open_session(
    functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
) -> BoundedSession:
    """Make a sandbox in which `functions` are globals."""
    return PortableSession(Sandbox(**_options(functions, budget, loader)))


def snapshot(session: BoundedSession) -> bytes:
    """What `Sandbox.snapshot` takes, as bytes."""
    return cast("PortableSession", session).box.snapshot().to_bytes()


def restore(data: bytes, functions: HostFunctions, budget: Budget | None = None) -> BoundedSession:
    """`Sandbox.restore` of these bytes."""
    from sandbox import Snapshot

    return PortableSession(Sandbox.restore(Snapshot.from_bytes(data), **_options(functions, budget, None)))


def spawner(session: BoundedSession) -> Callable[[], BoundedSession]:
    """`Sandbox.restore` of one `Snapshot`."""
    taken = cast("PortableSession", session).box.snapshot()
    return lambda: PortableSession(Sandbox.restore(taken))


def template(source: str) -> Callable[[], BoundedSession]:
    """`Template.spawn`."""
    from sandbox import Template

    made = Template(source)
    return lambda: PortableSession(made.spawn())


def fork(session: BoundedSession) -> BoundedSession:
    """`Sandbox.fork`."""
    return PortableSession(cast("PortableSession", session).box.fork())


def transform(source: str) -> str:
    """`typescript.transform`."""
    from sandbox import typescript

    return typescript.transform(source, language="ts", filename="shop.ts").code


def fan_out(codes: Sequence[str]) -> list[object]:
    """An `AsyncSandbox` each."""
    import asyncio

    from sandbox import AsyncSandbox

    async def host(number: int) -> int:
        await asyncio.sleep(0.001)
        return number + 1

    async def run(code: str) -> object:
        async with AsyncSandbox(functions={"host": host}) as box:
            return await box.eval(code)

    async def everything() -> list[object]:
        return await asyncio.gather(*map(run, codes))

    return asyncio.run(everything())


def kind_of(error: BaseException) -> str:
    """What the error says; a class of another package says nothing."""
    return _KINDS.get(type(error), "foreign")


def is_marked_dead(session: BoundedSession) -> bool:
    """Whether everything but `close` says that the sandbox cannot be used."""
    box = cast("PortableSession", session).box
    uses: tuple[Callable[[], object], ...] = (
        lambda: box.eval("1"),
        lambda: box.call("f"),
        lambda: box.module("1"),
        lambda: box.import_module("m"),
        lambda: box.globals["x"],
        lambda: "x" in box.globals,
        box.run_until_idle,
    )
    return all(_is_poisoned(use) for use in uses)


def _is_poisoned(use: Callable[[], object]) -> bool:
    try:
        use()
    except errors.SandboxPoisoned:
        return True
    except errors.SandboxError:
        return False
    return False
