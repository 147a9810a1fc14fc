"""What every adapter provides. Light on imports: a fresh process loads it before the clock starts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

HostFunctions = Mapping[str, Callable[..., Any]]


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
    """An adapter module."""

    def version(self) -> str:
        """Version of the engine's distribution."""

    def open_session(self, functions: HostFunctions) -> Session:
        """Make a sandbox in which `functions` are globals."""


def load(adapter_name: str) -> Adapter:
    """Import the adapter called `adapter_name`, and with it the engine."""
    return cast("Adapter", importlib.import_module(f"benchmarks.engines.{adapter_name}"))
