"""The interface of the package `mini-racer` (0.14), which is imported as `py_mini_racer`, over a `Sandbox`.

See `sandbox.compat`. Any thread and any event loop may use a `MiniRacer`. There is no limit of time before one is
given, as there; memory is bounded by a gibibyte.
"""

from __future__ import annotations

from sandbox.compat.py_mini_racer._errors import (
    JSArrayIndexError,
    JSConversionException,
    JSEvalException,
    JSKeyError,
    JSOOMException,
    JSParseException,
    JSPromiseError,
    JSTimeoutException,
    JSValueError,
    LibAlreadyInitializedError,
    LibNotFoundError,
    MiniRacerBaseException,
    WrongReturnTypeException,
)
from sandbox.compat.py_mini_racer._objects import (
    CancelableJSFunction,
    JSArray,
    JSFunction,
    JSMappedObject,
    JSObject,
    JSPromise,
    JSSymbol,
    JSUndefined,
    JSUndefinedType,
    PyJsFunctionType,
    PythonJSConvertedTypes,
)
from sandbox.compat.py_mini_racer._racer import (
    DEFAULT_V8_FLAGS,
    MiniRacer,
    StrictMiniRacer,
    init_mini_racer,
    mini_racer,
)

__all__ = [
    "DEFAULT_V8_FLAGS",
    "CancelableJSFunction",
    "JSArray",
    "JSArrayIndexError",
    "JSConversionException",
    "JSEvalException",
    "JSFunction",
    "JSKeyError",
    "JSMappedObject",
    "JSOOMException",
    "JSObject",
    "JSParseException",
    "JSPromise",
    "JSPromiseError",
    "JSSymbol",
    "JSTimeoutException",
    "JSUndefined",
    "JSUndefinedType",
    "JSValueError",
    "LibAlreadyInitializedError",
    "LibNotFoundError",
    "MiniRacer",
    "MiniRacerBaseException",
    "PyJsFunctionType",
    "PythonJSConvertedTypes",
    "StrictMiniRacer",
    "WrongReturnTypeException",
    "init_mini_racer",
    "mini_racer",
]
