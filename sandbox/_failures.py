"""Exceptions of the host as Errors of the guest, and thrown values of the guest as exceptions: one table each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sandbox._abi import CAP_ERROR_TEXT_BYTES, FAILURES, Failure
from sandbox.errors import ConversionError, JSError, JSSyntaxError

if TYPE_CHECKING:
    from sandbox.errors import ErrorDetail

# Python class -> row of [failure] in the ABI table. The first class that fits counts, so the special ones come first.
EXCEPTIONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (PermissionError, "not_allowed"),
    (FileNotFoundError, "not_found"),
    (TimeoutError, "timeout"),
    (RecursionError, "range"),
    (MemoryError, "quota"),
    (SyntaxError, "syntax"),
    (NameError, "reference"),
    (TypeError, "type"),
    (AttributeError, "type"),
    (IndexError, "range"),
    (ArithmeticError, "range"),
    (ValueError, "range"),
    (BaseException, "error"),
)

# Classes of Error the guest can make; whatever else an Error says it is, it goes back as a plain Error.
_GUEST_CLASSES: Final = frozenset(
    {
        "Error",
        "EvalError",
        "RangeError",
        "ReferenceError",
        "SyntaxError",
        "TypeError",
        "URIError",
        "InternalError",
        "AggregateError",
        "DOMException",
    }
)
# The class name under which the guest reports its own refusals to convert; guest code sees a TypeError.
CONVERSION_CLASS: Final = "ConversionError"
_CONVERSION_SUFFIX: Final = " cannot cross the sandbox boundary (at "
# Of UTF-16, each of which takes at most three bytes on the wire; `wasm/src/encode_builtins.c` cuts at the same one.
_TEXT_UNITS: Final = CAP_ERROR_TEXT_BYTES // 3
# Such as ENOENT, invalid_request or 429; a text that says more is none.
_CODE: Final = r"[A-Za-z0-9_.:-]{1,64}"
_MAX_CODE: Final = (1 << 53) - 1
_UNKNOWN_ERROR: Final = "the host function failed"
_UNKNOWN_VALUE: Final = "a value that cannot cross the sandbox boundary"
# Where the host's classes come from is its own affair.
_MODULE: Final = r"(?<=of type )(?:[^\s.;]+\.)+"
# How Python shows objects that have no text of their own: where their classes and they themselves are.
_OBJECT: Final = r"<[^<>]* at 0x[0-9A-Fa-f]+>| at 0x[0-9A-Fa-f]+"


def failure_of(error: BaseException) -> Failure:
    """The row of the ABI table for an exception."""
    for kind, row in EXCEPTIONS:
        if isinstance(error, kind):
            return FAILURES[row]
    return FAILURES["error"]


def guest_class(error: JSError) -> str:
    """The class an Error of the guest goes back as."""
    if error.js_class == CONVERSION_CLASS:
        return "TypeError"
    return error.js_class if error.js_class in _GUEST_CLASSES else "Error"


def text_of(error: BaseException, detail: ErrorDetail = "message") -> str:
    """The message the guest sees. Nothing of the host but what the exception's author wrote into it.

    Args:
        error: An exception of the host.
        detail: What may be shown; with `"class"` every message is the same.
    """
    fixed = failure_of(error).text
    if fixed is not None:
        return fixed
    if detail == "class":
        return _UNKNOWN_VALUE if isinstance(error, ConversionError) else _UNKNOWN_ERROR
    if isinstance(error, ConversionError):
        return cut(f"{re.sub(_MODULE, '', error.reason)}{_CONVERSION_SUFFIX}{error.path})")
    if isinstance(error, OSError) and error.errno is not None:
        text = error.strerror or ""  # its str() would name files of the host
    elif isinstance(error, KeyError) and len(error.args) == 1:
        text = error.args[0] if isinstance(error.args[0], str) else _brief(error.args[0])
    elif isinstance(error, BaseExceptionGroup):
        text = error.message  # its str() counts the members, which the guest sees itself
    elif isinstance(error, SyntaxError):
        text = error.msg or ""  # its str() names the file
    elif isinstance(error, ImportError) and error.path is not None:
        text = _UNKNOWN_ERROR  # its text tells where the module was found
    else:
        text = _own_text(error)
    return cut(re.sub(_OBJECT, "<object>", cut(text)))


def properties_of(error: BaseException, detail: ErrorDetail) -> dict[str, object]:
    """Own properties of the Error that an exception of the host becomes."""
    properties: dict[str, object] = {}
    if isinstance(error, BaseExceptionGroup):
        properties["errors"] = list(error.exceptions)
    if detail != "class" and (code := _code_of(error)) is not None:
        properties["code"] = code
    if detail == "traceback":
        import traceback  # seldom wanted, and a fiftieth of the time that this package takes to import

        properties["traceback"] = cut("".join(traceback.format_exception(error)))
    return properties


def _code_of(error: BaseException) -> str | int | None:
    """What its author has called an exception for programs to compare: an attribute `code`, a word or a number."""
    try:
        code = getattr(error, "code", None)
    except Exception:  # noqa: BLE001 - likewise for a broken property
        return None
    if isinstance(code, int) and not isinstance(code, bool):
        return int(code) if abs(code) <= _MAX_CODE else None
    return str.__str__(code) if isinstance(code, str) and re.fullmatch(_CODE, code) else None


def _own_text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ of the embedder's must not hide the failure itself
        return _UNKNOWN_ERROR


def _brief(value: object) -> str:
    from sandbox._brief import brief  # who raises an error has the time for it

    return brief(value)


def cut(text: str) -> str:
    """Bound the text of an error to what the ABI carries."""
    if 2 * len(text) <= _TEXT_UNITS:
        return text
    units = text[: _TEXT_UNITS + 1].encode("utf-16-le", "surrogatepass")
    return text if len(units) <= 2 * _TEXT_UNITS else units[: 2 * _TEXT_UNITS].decode("utf-16-le", "surrogatepass")


def thrown(value: object) -> JSError | ConversionError:
    """The exception to raise for what the guest threw, as decoded from a message.

    Args:
        value: Any value; a `JSError` for an Error.

    Returns:
        `ConversionError` when the guest could not convert a value, `JSSyntaxError` for a SyntaxError, else `JSError`.
    """
    if isinstance(value, ConversionError):
        return value
    if not isinstance(value, JSError):
        return JSError.from_thrown(value)
    if isinstance(value.__cause__, ConversionError) and value.js_class == "TypeError":
        return value.__cause__  # what the guest asked for could not cross, and nobody there minded
    if value.js_class == CONVERSION_CLASS:
        path = value.properties.get("path")
        return ConversionError(path if isinstance(path, str) else "$", value.message.partition(_CONVERSION_SUFFIX)[0])
    if value.js_class == "SyntaxError" and not isinstance(value, JSSyntaxError):
        return JSSyntaxError.from_thrown(value)
    return value
