"""This project's own sandbox, with its default limits."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import HostFunctions, Session


class PortableSession:
    """A `Sandbox` as the benchmarks see it."""

    def __init__(self, functions: HostFunctions) -> None:
        self._box = Sandbox(functions=functions) if functions else Sandbox()
        self.eval = self._box.eval
        self._globals: Any = self._box.globals

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; every value converts by itself."""
        return self.eval(expression)

    def put(self, name: str, value: object) -> None:
        """Set a global through the sandbox's `globals`."""
        self._globals[name] = value

    def function(self, expression: str) -> Callable[[object], object]:
        """A guest function is a callable."""
        function: Callable[[object], object] = self._box.eval(f"({expression})")
        return function

    def close(self) -> None:
        """Close the sandbox."""
        self._box.close()


def version() -> str:
    """Version of the installed package, or "checkout" where only the source tree is importable."""
    try:
        return metadata.version("quickjs-sandbox")
    except metadata.PackageNotFoundError:
        return "checkout"


def open_session(functions: HostFunctions) -> Session:
    """Make a sandbox in which `functions` are globals."""
    return PortableSession(functions)
