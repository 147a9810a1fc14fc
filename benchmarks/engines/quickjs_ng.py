"""Native QuickJS-ng. It converts numbers and strings only, so containers go through JSON text on both sides."""

from __future__ import annotations

import importlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import BoundedSession, Budget, HostFunctions, ModuleLoader

_quickjs: Any = importlib.import_module("quickjs")


class _OverdueError(Exception):
    """The embedder's own end to running jobs."""


class NativeSession:
    """A `quickjs.Context`."""

    def __init__(self, functions: HostFunctions, budget: Budget | None, loader: ModuleLoader | None) -> None:
        if loader is not None:
            raise NotImplementedError("quickjs-ng has no module loader")
        if functions and budget is not None:
            raise NotImplementedError("quickjs-ng cannot call Python under a time limit")
        self._context = _quickjs.Context()
        self._seconds = budget.seconds if budget else math.inf
        if budget is not None:
            self._context.set_memory_limit(budget.memory_bytes)
            self._context.set_time_limit(budget.seconds)
        for name, function in functions.items():
            self._context.add_callable(name, function)
        self.eval = self._context.eval

    def take(self, expression: str, kind: type) -> object:
        """Evaluate; an object comes back as JSON text and is parsed."""
        value = self._context.eval(expression)
        if not isinstance(value, _quickjs.Object):
            return value
        text = value.json()  # None of what JSON has no text for
        return None if text is None else json.loads(text)

    def settle(self, expression: str) -> object:
        """Evaluate, run the pending jobs, and read what the promise became; nobody runs jobs for longer than is due."""
        due = time.monotonic() + self._seconds
        self._context.eval(
            f"globalThis.__settled = []; ({expression}).then("
            "value => { __settled = [value]; }, reason => { __settled = [reason, 1]; }); 0"
        )
        while self._context.execute_pending_job():
            if time.monotonic() > due:
                raise _OverdueError
        count = self._context.eval("__settled.length")
        if count == 0:
            return "still pending"
        if count == 2:
            self._context.eval("throw __settled[0]")
        return self._context.eval("__settled[0]")

    def module(self, code: str) -> object:
        """Evaluate as a module; nothing can be imported."""
        return self._context.module(code)

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
        self.__dict__.pop("eval", None)
        self.__dict__.pop("_context", None)


def version() -> str:
    """Version of the installed package."""
    from importlib import metadata  # no part of a first eval

    return metadata.version("quickjs-ng")


def open_session(
    functions: HostFunctions, budget: Budget | None = None, loader: ModuleLoader | None = None
) -> BoundedSession:
    """Make a context in which `functions` are globals."""
    return NativeSession(functions, budget, loader)


def kind_of(error: BaseException) -> str:
    """What the error says: limits have no class of their own, only the engine's own Error and its text tell."""
    if type(error) is _quickjs.StackOverflow:
        return "js"
    if type(error) is _OverdueError:
        return "time"
    if type(error) is not _quickjs.JSException:
        return "foreign"
    text = str(error).splitlines()[0] if str(error) else ""
    if text.startswith("InternalError: interrupted"):
        return "time"
    return "memory" if text.startswith("InternalError: out of memory") else "js"
