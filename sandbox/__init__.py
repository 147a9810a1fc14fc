"""Untrusted JavaScript, safely inside Python.

    from sandbox import Sandbox

    with Sandbox() as box:
        box.eval("[1, 2, 3].map(n => n * 2)")  # [2, 4, 6]

Layers, each importing only downward: faces (`_sandbox`, `cli`) - driver (`_driver`, `_blocking`, `_asynchronous`) - guest
(`_guest`, `_codec`) - instance (`_instance`) - image (`_image`).
"""

from sandbox._sandbox import AsyncGlobals, AsyncSandbox, Globals, Sandbox
from sandbox.capabilities import ConsoleEntry
from sandbox.errors import JSError, SandboxError
from sandbox.limits import Limits, Usage
from sandbox.values import BigInt, JSFunction, JSMap, JSSet, RegExp, Undefined, undefined

__all__ = [
    "AsyncGlobals",
    "AsyncSandbox",
    "BigInt",
    "ConsoleEntry",
    "Globals",
    "JSError",
    "JSFunction",
    "JSMap",
    "JSSet",
    "Limits",
    "RegExp",
    "Sandbox",
    "SandboxError",
    "Undefined",
    "Usage",
    "undefined",
]
