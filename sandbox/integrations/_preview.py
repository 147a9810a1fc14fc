"""A value of the guest as JSON of bounded size: what is too long is cut where its structure allows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sandbox import BigInt, Blob, JSError, JSFunction, JSMap, JSSet, undefined

_DEPTH: Final = 16
_ITEM_BYTES: Final = 2  # what separates one from the next
_CUT: Final = "…"


def preview(value: object, max_bytes: int) -> tuple[Any, bool]:
    """A value as JSON has it, and whether something was left out.

    Args:
        value: Any value that the guest gives.
        max_bytes: About how long its JSON may be: what says that something was left out comes in addition.
    """
    shown = _Preview(max_bytes)
    return shown.of(value, 0), shown.is_cut


class _Preview:
    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._above: list[int] = []
        self.is_cut = False

    def of(self, value: object, depth: int) -> Any:  # noqa: ANN401 - a value of JSON
        if value is None or value is undefined or isinstance(value, bool):
            self._left -= 5
            return value if isinstance(value, bool) else None
        if isinstance(value, BigInt):
            return self._text(f"{value}n")
        if isinstance(value, int | float):
            self._left -= 8
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, bytes | bytearray | memoryview | Blob):
            return self._text(f"[{len(bytes(value)):,} bytes]")
        if isinstance(value, datetime):
            return self._text(value.isoformat())
        if isinstance(value, JSError):
            return self._text(str(value))
        if isinstance(value, JSFunction):
            return self._text(f"[function {value.name or '(anonymous)'}]")
        if isinstance(value, list | tuple | dict | Mapping | JSMap | JSSet):
            return self._container(value, depth)
        return self._text(f"[{type(value).__name__}]")

    def _container(self, value: Any, depth: int) -> Any:  # noqa: ANN401 - any container
        self._left -= _ITEM_BYTES  # its brackets
        if depth >= _DEPTH or id(value) in self._above:
            self.is_cut = True
            self._left -= _ITEM_BYTES
            return _CUT
        self._above.append(id(value))
        try:
            if isinstance(value, dict) or (isinstance(value, Mapping) and not isinstance(value, JSMap)):
                return self._members(value, depth)
            return self._items(list(value.items()) if isinstance(value, JSMap) else list(value), depth)
        finally:
            self._above.pop()

    def _members(self, members: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for number, (key, member) in enumerate(members.items()):
            self._left -= len(str(key)) + 2 * _ITEM_BYTES
            if self._left < 0:
                self.is_cut = True
                shown[_CUT] = f"{len(members) - number:,} more"
                break
            shown[str(key)] = self.of(member, depth + 1)
        return shown

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        shown: list[Any] = []
        for number, item in enumerate(items):
            self._left -= _ITEM_BYTES
            if self._left < 0:
                self.is_cut = True
                shown.append(f"{_CUT} {len(items) - number:,} more")
                break
            shown.append(self.of(item, depth + 1))
        return shown

    def _text(self, text: str) -> str:
        room = max(self._left, 0)
        # Half a pair has no UTF-8, and so no place in a message.
        data = text[: room + 1].encode("utf-8", "replace")
        self._left -= min(len(data), room)
        if len(data) <= room and len(text) <= room:
            return data.decode()
        self.is_cut = True
        return f"{data[:room].decode('utf-8', 'ignore')}{_CUT}"
