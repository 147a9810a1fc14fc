"""jsrun: V8 through deno_core. It has no way to set a global, so values go in as the argument of a guest function."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import HostFunctions, Session

_jsrun: Any = importlib.import_module("jsrun")


class DenoSession:
    """A `jsrun.Runtime`."""

    def __init__(self, functions: HostFunctions) -> None:
        self._runtime = _jsrun.Runtime()
        self._setters: dict[str, Any] = {}
        for name, function in functions.items():
            self._runtime.bind_function(name, function)
        self.eval = self._runtime.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

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
    return metadata.version("jsrun")


def open_session(functions: HostFunctions) -> Session:
    """Make a runtime in which `functions` are globals."""
    return DenoSession(functions)
