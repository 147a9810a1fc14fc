"""A short text of any value, for error messages.

`repr` follows a value to its end, and a value of a few bytes may have no end: in a list that holds another one twice,
which holds a third one twice, each level doubles the text. So only as much is written as will be shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sandbox._collections import JSMap, JSSet

_CHARS: Final = 200
_MARK: Final = "…"


def brief(value: object) -> str:
    """The beginning of `repr(value)`, or of the text if it is one; null is called by its name in the guest."""
    if value is None:
        return "null"
    text = _Text()
    try:
        if isinstance(value, str):
            text.put(value[: _CHARS + 1])
        else:
            text.write(value)
    except _Full:
        pass
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"
    return "".join(text.parts)[:_CHARS] + (_MARK if text.left < 0 else "")


class _Full(Exception):
    """There is no room for more."""


class _Text:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = _CHARS
        self._above: list[int] = []

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.left -= len(text)
        if self.left < 0:
            raise _Full

    def write(self, value: object) -> None:
        if isinstance(value, str | bytes | bytearray):
            self.put(repr(value[: _CHARS + 1]))
        elif isinstance(value, memoryview):
            self.put(f"memoryview of {value.nbytes:,} bytes")
        elif isinstance(value, list):
            self._items(value, "[", value, "]")
        elif isinstance(value, tuple):
            self._items(value, "(", value, ",)" if len(value) == 1 else ")")
        elif isinstance(value, dict):
            self._pairs(value, "{", value.items(), "}", ("", ": ", ""))
        elif isinstance(value, JSMap):
            self._pairs(value, "JSMap([", value.items(), "])", ("(", ", ", ")"))
        elif isinstance(value, JSSet):
            self._items(value, "JSSet([", value, "])")
        else:
            self.put(repr(value))

    def _enter(self, container: object, opening: str, closing: str) -> bool:
        if id(container) in self._above:
            self.put(f"{opening}...{closing}")
            return False
        self._above.append(id(container))
        self.put(opening)
        return True

    def _items(self, container: object, opening: str, items: Iterable[object], closing: str) -> None:
        if self._enter(container, opening, closing):
            for index, item in enumerate(items):
                self.put(", " if index else "")
                self.write(item)
            self._above.pop()
            self.put(closing)

    def _pairs(
        self,
        container: object,
        opening: str,
        pairs: Iterable[tuple[object, object]],
        closing: str,
        around: tuple[str, str, str],
    ) -> None:
        before, between, after = around
        if self._enter(container, opening, closing):
            for index, (key, value) in enumerate(pairs):
                self.put((", " if index else "") + before)
                self.write(key)
                self.put(between)
                self.write(value)
                self.put(after)
            self._above.pop()
            self.put(closing)


def amount(number: float, unit: str) -> str:
    """A number of units, for people."""
    text = f"{number:,}" if isinstance(number, int) else f"{number:,.3f}".rstrip("0").rstrip(".")
    if unit in ("", "fuel"):
        return text
    return f"{text} {unit.removesuffix('s') if text == '1' else unit}"
