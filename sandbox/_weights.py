"""What values that came from the guest take of the host's memory."""

from __future__ import annotations

import sys
from typing import Any, Final

from sandbox.errors import JSError
from sandbox.values import Blob, File, JSMap, JSSet, undefined

# Beside the objects themselves: the place of each in its container, and in the tables of a Map or Set.
_PLACE_BYTES: Final = 8
_ENTRY_BYTES: Final = 200
_LONG: Final = 1000  # a list of so many may be one of holes, made from a few bytes


def host_bytes(value: object) -> int:
    """About how many bytes a decoded value takes, each object counted once."""
    total = 0
    seen: set[int] = set()
    left: list[Any] = [value]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        total += sys.getsizeof(value) + _PLACE_BYTES
        if isinstance(value, list):
            left += value if len(value) < _LONG else [item for item in value if item is not undefined]
        elif isinstance(value, dict):
            left += value
            left += value.values()
        elif isinstance(value, JSMap):
            total += len(value) * _ENTRY_BYTES
            for entry in value.items():
                left += entry
        elif isinstance(value, JSSet | set):
            total += len(value) * _ENTRY_BYTES
            left += value
        elif isinstance(value, memoryview):
            total += value.nbytes
        elif isinstance(value, Blob):
            left += (value.data, value.type, value.name) if isinstance(value, File) else (value.data, value.type)
        elif isinstance(value, JSError):
            left += (value.name, value.message, value.stack, value.properties, value.__cause__)
    return total
