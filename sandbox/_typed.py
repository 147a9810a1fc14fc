"""What annotations of Python say of the shape of data: scalars by class, and the fields of records."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from datetime import date, datetime
from typing import Any, Final

from sandbox._handles import JSAsyncIterator, JSFunction, JSIterator, JSPromise
from sandbox._scalars import BigInt, Blob, RegExp, Undefined

# The order matters: a bool is an int, a datetime is a date.
_SCALARS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"),
    (BigInt, "bigint"),
    (int, "number"),
    (float, "number"),
    (str, "string"),
    (bytes, "Uint8Array"),
    (bytearray, "Uint8Array"),
    (memoryview, "Uint8Array"),
    (datetime, "Date"),
    (date, "string"),
    (re.Pattern, "RegExp"),
    (RegExp, "RegExp"),
    (Undefined, "undefined"),
    (types.NoneType, "null"),
    (Blob, "Blob"),
    (JSFunction, "(...args: unknown[]) => unknown"),
    (JSPromise, "Promise<unknown>"),
    (JSIterator, "Iterable<unknown>"),
    (JSAsyncIterator, "AsyncIterable<unknown>"),
    (Exception, "Error"),
)


def scalar_type(hint: Any) -> str | None:  # noqa: ANN401 - an annotation
    """What a class without parts is called in TypeScript; None: it is none of these."""
    if hint is Any or hint is object:
        return "unknown"
    if hint in (typing.NoReturn, typing.Never):
        return "never"
    if not isinstance(hint, type):
        return None
    if hasattr(hint, "__members__"):  # an Enum, whatever else it is
        return None
    return next((name for kind, name in _SCALARS if issubclass(hint, kind)), None)


def is_typed_dict(kind: Any) -> bool:  # noqa: ANN401 - a class
    """Whether a class is a TypedDict."""
    return typing.is_typeddict(kind)


def interface_fields(kind: Any) -> list[tuple[str, Any, bool]]:  # noqa: ANN401 - a class
    """Of a record: the name, the annotation of each field, and whether it may be missing."""
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001 - whatever code stands in an annotation
        hints = {}
    if is_typed_dict(kind):
        return [(name, hint, _may_be_missing(kind, name, hint)) for name, hint in hints.items()]
    if dataclasses.is_dataclass(kind):
        return [(each.name, hints.get(each.name, Any), False) for each in dataclasses.fields(kind)]
    return [(name, hints.get(name, Any), False) for name in kind._fields]


def _may_be_missing(kind: Any, name: str, hint: Any) -> bool:  # noqa: ANN401 - a TypedDict, an annotation
    origin = typing.get_origin(hint)
    if origin in (typing.Required, typing.NotRequired):
        return origin is typing.NotRequired
    return name in kind.__optional_keys__
