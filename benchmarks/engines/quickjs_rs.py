"""quickjs-rs: QuickJS in wasm under wasmtime. A context of its own runtime is its unit of isolation."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.engines.base import BoundedSession, Budget, HostFunctions, ModuleLoader

_quickjs_rs: Any = importlib.import_module("quickjs_rs")

# By exact class. What is not its own, a trap of wasmtime for one, says nothing.
_KINDS = {
    _quickjs_rs.JSError: "js",
    _quickjs_rs.HostError: "js",
    _quickjs_rs.MarshalError: "conversion",
    _quickjs_rs.InterruptError: "time",
    _quickjs_rs.TimeoutError: "time",
    _quickjs_rs.MemoryLimitError: "memory",
    _quickjs_rs.DeadlockError: "stalled",
    _quickjs_rs.ConcurrentEvalError: "busy",
    _quickjs_rs.HostCancellationError: "js",
    _quickjs_rs.InvalidHandleError: "closed",
    _quickjs_rs.QuickJSError: "refused",
}


class WasmSession:
    """A runtime with one context."""

    def __init__(self, functions: HostFunctions, budget: Budget | None, loader: ModuleLoader | None) -> None:
        self._runtime = _quickjs_rs.Runtime(**({"memory_limit": budget.memory_bytes} if budget else {}))
        if loader is not None:
            self._runtime.set_module_loader(normalize=lambda base, specifier: specifier, load=loader)
        self._context = self._runtime.new_context(**({"timeout": budget.seconds} if budget else {}))
        for name, function in functions.items():
            self._context.register(name, function)
        self._handles: list[Any] = []
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

    def settle(self, expression: str) -> object:
        """Evaluate on an event loop, as its promises need."""
        import asyncio

        return asyncio.run(self._context.eval_async(f"await ({expression})"))

    def module(self, code: str) -> object:
        """Evaluate as a module, on an event loop, so that its own promises settle."""
        import asyncio

        return asyncio.run(self._context.eval_async(code, module=True))

    def put(self, name: str, value: object) -> None:
        """Set a global through the context's `globals`."""
        self._context.globals[name] = value

    def function(self, expression: str) -> Callable[[object], object]:
        """A handle that is called; its result is a handle as well, which is converted and given back."""
        handle = self._context.eval_handle(f"({expression})")
        self._handles.append(handle)

        def call(argument: object) -> object:
            with handle.call(argument) as result:
                return result.to_python()

        return call

    def close(self) -> None:
        """Give the handles back, close the context, then its runtime."""
        for handle in self._handles:
            handle.dispose()
        self._context.close()
        self._runtime.close()


def version() -> str:
    """Version of the installed package."""
    from importlib import metadata  # no part of a first eval

    return metadata.version("quickjs-rs")


def open_session(
    functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
) -> BoundedSession:
    """Make a context in which `functions` are globals."""
    return WasmSession(functions, budget, loader)


def snapshot(session: BoundedSession) -> bytes:
    """A snapshot of the context, as bytes."""
    data: bytes = cast("WasmSession", session)._context.create_snapshot().to_bytes()
    return data


def restore(data: bytes, functions: HostFunctions, budget: Budget | None = None) -> BoundedSession:
    """A new context that the snapshot is restored into."""
    return _restored(_quickjs_rs.Snapshot.from_bytes(data), functions, budget)


def spawner(session: BoundedSession) -> Callable[[], BoundedSession]:
    """The same, of one `Snapshot` object."""
    taken = cast("WasmSession", session)._context.create_snapshot()
    return lambda: _restored(taken, {}, None)


def template(source: str) -> Callable[[], BoundedSession]:
    """A snapshot that is kept, as `spawner`."""
    session = open_session({})
    session.eval(source)
    return spawner(session)


def _restored(taken: Any, functions: HostFunctions, budget: Budget | None) -> BoundedSession:  # noqa: ANN401 - untyped
    session = WasmSession(functions, budget, None)
    session._runtime.restore_snapshot(taken, session._context)
    return session


def fan_out(codes: Sequence[str]) -> list[object]:
    """A runtime and a context each."""
    import asyncio

    async def host(number: int) -> int:
        await asyncio.sleep(0.001)
        return number + 1

    async def run(code: str) -> object:
        session = WasmSession({"host": host}, None, None)
        try:
            return await session._context.eval_async(f"await {code}")
        finally:
            session.close()

    async def everything() -> list[object]:
        return await asyncio.gather(*map(run, codes))

    return asyncio.run(everything())


def kind_of(error: BaseException) -> str:
    """What the error says."""
    kind = _KINDS.get(type(error), "foreign")
    return "closed" if kind == "refused" and "closed" in str(error) else kind
