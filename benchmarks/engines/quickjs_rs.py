"""quickjs-rs: QuickJS in wasm under wasmtime. A context of its own runtime is its unit of isolation."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import HostFunctions, Session

_quickjs_rs: Any = importlib.import_module("quickjs_rs")


class WasmSession:
    """A runtime with one context."""

    def __init__(self, functions: HostFunctions) -> None:
        self._runtime = _quickjs_rs.Runtime()
        self._context = self._runtime.new_context()
        for name, function in functions.items():
            self._context.register(name, function)
        self._handles: list[Any] = []
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

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
    return metadata.version("quickjs-rs")


def open_session(functions: HostFunctions) -> Session:
    """Make a context in which `functions` are globals."""
    return WasmSession(functions)
