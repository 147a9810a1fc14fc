"""The exceptions of `py_mini_racer`, and what of this package becomes which of them."""

from __future__ import annotations

from pathlib import Path

from sandbox import JSError
from sandbox.compat._live import stack_of
from sandbox.errors import (
    ConversionError,
    JSSyntaxError,
    MemoryLimitExceeded,
    SandboxClosed,
    Stalled,
)


class MiniRacerBaseException(Exception):
    """Base of the exceptions of this interface."""


class LibNotFoundError(MiniRacerBaseException):
    """The library of V8 is missing. There is none, so nothing raises it."""

    def __init__(self, path: Path | str = "") -> None:
        super().__init__(f"Native library or dependency not available at {path}")


class LibAlreadyInitializedError(MiniRacerBaseException):
    """`init_mini_racer` was called before."""

    def __init__(self) -> None:
        super().__init__("MiniRacer was already initialized before the call to init_mini_racer")


class JSEvalException(MiniRacerBaseException):
    """A program failed."""


class JSParseException(JSEvalException):
    """A program is no JavaScript."""


class JSOOMException(JSEvalException):
    """A program needs more memory than it may have."""


class JSTimeoutException(JSEvalException, TimeoutError):
    """A program took too long."""

    def __init__(self) -> None:
        super().__init__("JavaScript was terminated by timeout")


class JSKeyError(JSEvalException, KeyError):
    """An object has no such property."""


class JSValueError(JSEvalException, ValueError):
    """A value cannot be given to this context."""


class JSArrayIndexError(IndexError, MiniRacerBaseException):
    """An array has no such element to be deleted."""

    def __init__(self) -> None:
        super().__init__("JSArray deletion out of range")


class JSConversionException(MiniRacerBaseException):
    """A value of Python has no form in the guest, or one of the guest none in Python."""


class WrongReturnTypeException(MiniRacerBaseException):
    """The result of `execute` or `call` has no JSON."""


class JSPromiseError(MiniRacerBaseException):
    """A promise was rejected.

    Attributes:
        reason: What it was rejected with, as text; of an Error with its stack.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"JavaScript rejected promise with reason: {reason}\n")
        self.reason = reason


def translated(error: BaseException) -> BaseException:
    """What is raised in place of an exception of this package; others stay what they are."""
    if isinstance(error, TimeoutError | Stalled):
        return JSTimeoutException()
    if isinstance(error, MemoryLimitExceeded):
        return JSOOMException("JavaScript memory limit reached")
    if isinstance(error, JSError):
        kind = JSParseException if isinstance(error, JSSyntaxError) else JSEvalException
        return kind(_described(error))
    if isinstance(error, ConversionError):
        return JSConversionException(str(error))
    if isinstance(error, SandboxClosed):
        return JSEvalException("the MiniRacer is closed")
    return JSEvalException(str(error))


def _described(error: JSError) -> str:
    """As V8 says it: the place, the line of the program with a caret, and the stack."""
    text = str(error) if error.value is error else error.message
    frame = next((each for each in error.frames if each.file in error.sources and each.line), None)
    if frame is None or frame.file is None or frame.line is None:
        return f"{text}\n{stack_of(error.stack)}"
    lines = error.sources[frame.file].splitlines()
    line = lines[frame.line - 1] if frame.line <= len(lines) else ""
    place = f"{frame.file}:{frame.line}: {text}\n{line}\n{' ' * ((frame.column or 1) - 1)}^\n"
    return f"{place}\n{text}\n{stack_of(error.stack)}" if error.value is error else place
