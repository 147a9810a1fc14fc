"""Native QuickJS-ng. It converts numbers and strings only, so containers go through JSON text on both sides."""

from __future__ import annotations

import importlib
import json
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import HostFunctions, Session

_quickjs: Any = importlib.import_module("quickjs")


class NativeSession:
    """A `quickjs.Context`."""

    def __init__(self, functions: HostFunctions) -> None:
        self._context = _quickjs.Context()
        for name, function in functions.items():
            self._context.add_callable(name, function)
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; an object comes back as JSON text and is parsed."""
        value = self._context.eval(expression)
        return json.loads(value.json()) if isinstance(value, _quickjs.Object) else value

    def put(self, name: str, value: object) -> None:
        """Set a global; a container is written as JSON text and parsed in the guest."""
        if isinstance(value, (list, dict)):
            value = self._context.parse_json(json.dumps(value))
        self._context.set(name, value)

    def function(self, expression: str) -> Callable[[object], object]:
        """A function object; the record goes both ways as JSON text."""
        function = self._context.eval(f"({expression})")

        def call(argument: object) -> object:
            return json.loads(function(self._context.parse_json(json.dumps(argument))).json())

        return call

    def close(self) -> None:
        """Drop the context; it is freed with its last reference."""
        del self.eval, self._context


def version() -> str:
    """Version of the installed package."""
    return metadata.version("quickjs-ng")


def open_session(functions: HostFunctions) -> Session:
    """Make a context in which `functions` are globals."""
    return NativeSession(functions)
