"""The interface of the package `jsrun` (0.3) over a `Sandbox`; see `sandbox.compat`.

There is no limit of time before one is given, as there; memory is bounded by a gibibyte.
"""

from __future__ import annotations

from sandbox.compat.jsrun._config import InspectorConfig, InspectorEndpoints, RuntimeConfig
from sandbox.compat.jsrun._default import (
    bind_function,
    bind_object,
    close_default_runtime,
    eval,
    eval_async,
    get_default_runtime,
)
from sandbox.compat.jsrun._errors import JavaScriptError, RuntimeTerminated
from sandbox.compat.jsrun._runtime import Runtime
from sandbox.compat.jsrun._snapshots import SnapshotBuilder
from sandbox.compat.jsrun._stats import RuntimeStats
from sandbox.compat.jsrun._values import JsFunction, JsStream, JsUndefined, PyStreamSource, undefined

__all__ = [
    "InspectorConfig",
    "InspectorEndpoints",
    "JavaScriptError",
    "JsFunction",
    "JsStream",
    "JsUndefined",
    "PyStreamSource",
    "Runtime",
    "RuntimeConfig",
    "RuntimeStats",
    "RuntimeTerminated",
    "SnapshotBuilder",
    "bind_function",
    "bind_object",
    "close_default_runtime",
    "eval",
    "eval_async",
    "get_default_runtime",
    "undefined",
]
