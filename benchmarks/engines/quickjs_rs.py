"""quickjs-rs: QuickJS in wasm under wasmtime. A context of its own runtime is its unit of isolation."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.engines.base import HostFunctions, Session

_quickjs_rs: Any = importlib.import_module("quickjs_rs")


class WasmSession:
    """A runtime with one context."""

    def __init__(self, functions: HostFunctions) -> None:
        self._runtime = _quickjs_rs.Runtime()
        self._context = self._runtime.new_context()
        for name, function in functions.items():
            self._context.register(name, function)
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

    def put(self, name: str, value: object) -> None:
        """Set a global through the context's `globals`."""
        self._context.globals[name] = value

    def close(self) -> None:
        """Close the context, then its runtime."""
        self._context.close()
        self._runtime.close()


def version() -> str:
    """Version of the installed package."""
    return metadata.version("quickjs-rs")


def open_session(functions: HostFunctions) -> Session:
    """Make a context in which `functions` are globals."""
    return WasmSession(functions)
