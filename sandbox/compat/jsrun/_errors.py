"""The exceptions of `jsrun`, and what of this package becomes which of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.compat._live import stack_of
from sandbox.errors import SandboxClosed

if TYPE_CHECKING:
    from sandbox import JSError


class JavaScriptError(Exception):
    """A program threw.

    Attributes:
        name: The Error's name; None where something else was thrown.
        message: Its message.
        stack: Its stack, after a line with name and message.
        frames: The calls on it: `function_name`, `file_name`, `line_number` and `column_number`, as far as known.
    """

    message: str
    name: str | None
    stack: str | None

    def __init__(
        self,
        text: str = "",
        *,
        name: str | None = None,
        message: str = "",
        stack: str | None = None,
        frames: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(text)
        self.name, self.message, self.stack = name, message, stack
        self.frames: list[dict[str, Any]] = frames or []


class RuntimeTerminated(RuntimeError):
    """The runtime was terminated, or has reached its heap limit."""


class EvaluationTimeout(RuntimeError, TimeoutError):
    """A call took too long: a RuntimeError, as that package raises, and a TimeoutError, as its documentation says."""


def translated(error: JSError, prefix: str) -> JavaScriptError:
    """What is raised where a program has thrown."""
    if error.value is not error:
        message = f"Uncaught {error.message}"
        return JavaScriptError(f"{prefix}: Error: {message}", message=message, stack=message)
    frames: list[dict[str, Any]] = []
    stack = stack_of(error.stack)
    for frame in error.frames:
        if frame.file is None or frame.file not in stack:
            continue
        known = {"file_name": frame.file, "line_number": frame.line, "column_number": frame.column}
        named = {} if frame.function in (None, "<eval>") else {"function_name": frame.function}
        frames.append({**named, **{key: value for key, value in known.items() if value is not None}})
    return JavaScriptError(
        f"{prefix}: {error}",
        name=error.name,
        message=error.message,
        stack=f"{error}\n{stack}".rstrip("\n"),
        frames=frames,
    )


def closed() -> RuntimeError:
    """What is raised for uses of a runtime that was closed."""
    failure = RuntimeError("Runtime has been closed")
    failure.__cause__ = SandboxClosed()
    return failure
