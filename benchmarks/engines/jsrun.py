"""jsrun: V8 through deno_core. It has no way to set a global, so values go in as the argument of a guest function."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import BoundedSession, Budget, HostFunctions, ModuleLoader

_jsrun: Any = importlib.import_module("jsrun")
_MAIN, _SCHEME = "main", "app:"


class DenoSession:
    """A `jsrun.Runtime`."""

    def __init__(
        self,
        functions: HostFunctions,
        budget: Budget | None,
        loader: ModuleLoader | None,
        snapshot: bytes | None = None,
    ) -> None:
        self._seconds = budget.seconds if budget else None
        if snapshot is not None:
            self._runtime = _jsrun.Runtime(_jsrun.RuntimeConfig(snapshot=snapshot))
        elif budget is None:
            self._runtime = _jsrun.Runtime()
        else:
            limits = _jsrun.RuntimeConfig(max_heap_size=budget.memory_bytes, timeout=budget.seconds)
            self._runtime = _jsrun.Runtime(limits)
        if loader is not None:
            # Keys are URLs; None leaves the program itself, which is registered, to the runtime.
            self._runtime.set_module_resolver(lambda name, importer: None if name == _MAIN else f"{_SCHEME}{name}")
            self._runtime.set_module_loader(lambda url: loader(url.removeprefix(_SCHEME)))
        self._setters: dict[str, Any] = {}
        for name, function in functions.items():
            self._runtime.bind_function(name, function)
        self.eval = self._runtime.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

    def settle(self, expression: str) -> object:
        """Evaluate on an event loop; the promise is awaited by the runtime."""
        import asyncio

        async def evaluate() -> object:
            return await self._runtime.eval_async(expression, timeout=self._seconds)

        return asyncio.run(evaluate())

    def module(self, code: str) -> object:
        """Evaluate as a module that is registered under a name of its own."""
        import asyncio

        async def evaluate() -> object:
            self._runtime.add_static_module(_MAIN, code)
            return await self._runtime.eval_module_async(_MAIN, timeout=self._seconds)

        return asyncio.run(evaluate())

    def put(self, name: str, value: object) -> None:
        """Set a global by a guest function made once for each name."""
        setter = self._setters.get(name)
        if setter is None:
            setter = self._setters[name] = self._runtime.eval(f"(value) => {{ globalThis.{name} = value; return 0; }}")
        setter(value)

    def function(self, expression: str) -> Callable[[object], object]:
        """A guest function is a callable."""
        function: Callable[[object], object] = self._runtime.eval(f"({expression})")
        return function

    def close(self) -> None:
        """Close the runtime, which also ends its thread."""
        self._setters.clear()
        self._runtime.close()


def version() -> str:
    """Version of the installed package."""
    from importlib import metadata  # no part of a first eval

    return metadata.version("jsrun")


def open_session(
    functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
) -> BoundedSession:
    """Make a runtime in which `functions` are globals."""
    return DenoSession(functions, budget, loader)


def template(source: str) -> Callable[[], BoundedSession]:
    """A startup snapshot of V8's, made by `SnapshotBuilder`."""
    builder = _jsrun.SnapshotBuilder()
    builder.execute_script("library.js", source)
    data = builder.build()
    return lambda: DenoSession({}, None, None, data)


def kind_of(error: BaseException) -> str:
    """What the error says: only a guest's failure and the end of a runtime have classes, the rest is RuntimeError."""
    text = str(error)
    if type(error) is _jsrun.JavaScriptError:
        return "js"
    if type(error) is _jsrun.RuntimeTerminated:
        return "memory" if "Heap limit" in text else "dead"
    if type(error) is not RuntimeError:
        return "foreign"
    if "timed out" in text:
        return "time"
    return "closed" if "closed" in text else "conversion" if "serialize" in text else "refused"
