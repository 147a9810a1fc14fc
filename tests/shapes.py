"""The shape of a value: what it is made of, to the type, the sign of a zero and the identity of what it shares.

Two values with equal shapes cannot be told apart, except by their own identity. Shapes are flat, so that cycles and any
depth are no matter, and plain data, so that a failing comparison can be read.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sandbox.errors import JSError
from sandbox.values import Blob, JSHandle, JSMap, JSSet, RegExp, Undefined

CONTAINERS = (list, dict, JSMap, JSSet, JSError, Blob, memoryview, array)
_INDEX_LIMIT = 2**32 - 1


def shape(value: object, *, as_guest_orders: bool = False, handles: bool = True) -> list[object]:
    """Every node of a graph once, in the order they are met.

    Args:
        value: The value.
        as_guest_orders: List the keys of dicts, and the properties of errors, as a JavaScript object would: array
            indexes first, by size.
        handles: Tell what lives in the guest apart; otherwise each is as good as its class.
    """
    numbers: dict[int, int] = {}
    met: list[object] = []  # keeps the ids of what is numbered from being used again
    nodes: list[object] = []

    def token(item: object) -> object:
        if not isinstance(item, CONTAINERS):
            return _leaf(item, handles=handles)
        if id(item) not in numbers:
            numbers[id(item)] = len(met)
            met.append(item)
        return ("node", numbers[id(item)])

    def pairs(entries: dict[str, Any]) -> list[object]:
        keys = guest_order(entries) if as_guest_orders else entries
        return [(key, token(entries[key])) for key in keys]

    top = token(value)
    for node in met:  # grows while it is walked
        kind = type(node).__name__
        match node:
            case list():
                nodes.append((kind, *map(token, node)))
            case dict():
                nodes.append((kind, *pairs(node)))
            case JSMap():
                nodes.append((kind, *[(token(key), token(item)) for key, item in node.items()]))
            case JSSet():
                nodes.append((kind, *map(token, node)))
            case JSError():
                nodes.append((kind, node.js_class, node.name, node.message, *pairs(node.properties)))
            case Blob():
                nodes.append((kind, *dataclasses.astuple(node)))
            case _:
                view = memoryview(node)  # type: ignore[arg-type] # the types that are left have the buffer protocol
                nodes.append(("memoryview", view.format, view.tobytes()))
    return [top, *nodes]


def guest_order(keys: Iterable[str]) -> list[str]:
    """Keys as a JavaScript object lists them."""
    names = list(keys)
    indexes = [name for name in names if _is_index(name)]
    return sorted(indexes, key=int) + [name for name in names if not _is_index(name)]


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < _INDEX_LIMIT


def _leaf(value: object, *, handles: bool) -> object:
    kind = type(value).__name__
    match value:
        case float() if math.isnan(value):
            return (kind, "nan")
        case float():
            return (kind, struct.pack(">d", value))
        case datetime():
            return (kind, value.isoformat())
        case RegExp() | str() | bytes() | int() | None | Undefined():
            return (kind, value)
        case JSHandle():
            return (kind, value.handle if handles else None)
        case type():
            return (value.__name__, None)
        case _:
            return (kind, id(value))
