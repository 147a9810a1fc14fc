"""mini-racer: V8. Containers cross as JSON text (its `execute` and `call`), bytes through a buffer's memory view."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import HostFunctions, Session

_mini_racer: Any = importlib.import_module("py_mini_racer")


class RacerSession:
    """A `MiniRacer` context."""

    def __init__(self, functions: HostFunctions) -> None:
        if functions:
            raise NotImplementedError("mini-racer has no synchronous host functions")
        self._context = _mini_racer.MiniRacer()
        self._has_setter = False
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; a string or a buffer converts directly, everything else comes as JSON text."""
        if kind is bytes:
            return bytes(self._context.eval(expression))
        if kind is str:
            return self.eval(expression)
        return self._context.execute(expression)

    def put(self, name: str, value: object) -> None:
        """Set a global: bytes by filling a new guest buffer, everything else as a JSON argument."""
        if isinstance(value, bytes):
            self._context.eval(f"globalThis.{name} = new ArrayBuffer({len(value)})")[:] = value
            return
        if not self._has_setter:
            self._context.eval("function __set(name, value) { globalThis[name] = value; return 0; }")
            self._has_setter = True
        self._context.call("__set", name, value)

    def function(self, expression: str) -> Callable[[object], object]:
        """A global that is called by name; the record goes both ways as JSON text."""
        self._context.eval(f"globalThis.__function = {expression}; 0")
        return lambda argument: self._context.call("__function", argument)

    def close(self) -> None:
        """Close the context."""
        self._context.close()


def version() -> str:
    """Version of the installed package."""
    return metadata.version("mini-racer")


def open_session(functions: HostFunctions) -> Session:
    """Make a context; `functions` must be empty.

    Raises:
        NotImplementedError: `functions` has members; this engine calls the host asynchronously only.
    """
    return RacerSession(functions)
