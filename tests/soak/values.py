"""Looking through values that came out of a guest, without end but not without limit."""

from __future__ import annotations

from typing import Any, Final

from sandbox import JSError, JSMap, JSSet
from sandbox.values import JSHandle

_MOST_NODES: Final = 2_000


def handles_in(value: object) -> tuple[list[JSHandle], bool]:
    """What lives in the guest, of a value; and whether it is small and goes back as it is."""
    handles: list[JSHandle] = []
    met: set[int] = set()
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, JSHandle):
            handles.append(item)
            continue
        if id(item) in met:
            continue
        met.add(id(item))
        if len(met) > _MOST_NODES or len(todo) > _MOST_NODES:
            return handles, False
        match item:
            case dict() | JSMap():
                todo.extend(item.keys())
                todo.extend(item.values())
            case list() | tuple() | JSSet():
                todo.extend(item)
            case JSError():
                # The host's own, with all that its traceback refers to; or of a class that no guest may give an error.
                if item.__cause__ is not None or item.js_class == "ConversionError":
                    return handles, False
                todo.extend(item.properties.values())
            case memoryview():  # one of bytes goes back as `bytes`
                return handles, False
            case str() | bytes():
                if len(item) > _MOST_NODES:
                    return handles, False
    return handles, True
