"""mini-racer: V8. Containers cross as JSON text (its `execute` and `call`), bytes through a buffer's memory view."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import BoundedSession, Budget, HostFunctions, ModuleLoader

_mini_racer: Any = importlib.import_module("py_mini_racer")


class RacerSession:
    """A `MiniRacer` context."""

    def __init__(self, functions: HostFunctions, budget: Budget | None, loader: ModuleLoader | None) -> None:
        if loader is not None:
            raise NotImplementedError("mini-racer has no modules")
        if functions:
            raise NotImplementedError("mini-racer has no synchronous host functions")
        self._context = _mini_racer.MiniRacer()
        self._has_setter = False
        self._seconds = budget.seconds if budget else None
        if budget is not None:
            self._context.set_hard_memory_limit(budget.memory_bytes)
        self.eval = partial(self._context.eval, timeout_sec=self._seconds)

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; a string or a buffer converts directly, everything else comes as JSON text."""
        if kind is bytes:
            return bytes(self.eval(expression))
        if kind is str:
            return self.eval(expression)
        return self._context.execute(expression, timeout_sec=self._seconds)

    def settle(self, expression: str) -> object:
        """Evaluate, and wait for the promise."""
        promise: Any = self.eval(expression)
        return promise.get(timeout=self._seconds)

    def module(self, code: str) -> object:
        """There are no modules."""
        raise NotImplementedError("mini-racer has no modules")

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
    from importlib import metadata  # no part of a first eval

    return metadata.version("mini-racer")


def open_session(
    functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
) -> BoundedSession:
    """Make a context; `functions` must be empty.

    Raises:
        NotImplementedError: `functions` has members; this engine calls the host asynchronously only.
    """
    return RacerSession(functions, budget, loader)


def kind_of(error: BaseException) -> str:
    """What the error says; some of its classes are not in the package's list of names."""
    if isinstance(error, _mini_racer.JSTimeoutException):
        return "time"
    if isinstance(error, _mini_racer.JSOOMException):
        return "memory"
    bases = {base.__name__ for base in type(error).__mro__}
    if "JSTerminatedException" in bases:
        return "limit"
    if bases & {"JSConversionException", "WrongReturnTypeException"}:
        return "conversion"
    return "js" if "MiniRacerBaseException" in bases else "foreign"
