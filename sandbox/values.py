"""The types of values that JavaScript has and Python lacks. Everything else travels as Python's own types.

* `undefined`, `BigInt`, `RegExp`, `URL`, `Blob`, `File`: single values.
* `JSMap`, `JSSet`: containers whose keys and members may be anything.
* `JSFunction`, `JSPromise`, `JSIterator`, `JSAsyncIterator`: what lives in the guest and is used from here.
"""

from __future__ import annotations

from sandbox._collections import JSMap, JSSet
from sandbox._handles import (
    Generation,
    HandleOwner,
    JSAsyncIterator,
    JSFunction,
    JSHandle,
    JSIterator,
    JSPromise,
    Question,
)
from sandbox._scalars import URL, BigInt, Blob, File, RegExp, Undefined, undefined

__all__ = [
    "URL",
    "BigInt",
    "Blob",
    "File",
    "Generation",
    "HandleOwner",
    "JSAsyncIterator",
    "JSFunction",
    "JSHandle",
    "JSIterator",
    "JSMap",
    "JSPromise",
    "JSSet",
    "Question",
    "RegExp",
    "Undefined",
    "undefined",
]
