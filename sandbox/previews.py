"""Values as short text for people and models: cut where their structure allows it, and still valid.

A text that ends in the middle of a string says something else than the value did. So what does not fit is left out as
whole members, items or characters, and what was left out is said. The text is JSON, or what JavaScript would write.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from sandbox._records import record
from sandbox.errors import JSError
from sandbox.http import Request, Response
from sandbox.values import (
    URL,
    BigInt,
    Blob,
    JSAsyncIterator,
    JSFunction,
    JSIterator,
    JSMap,
    JSPromise,
    JSSet,
    RegExp,
    undefined,
)

__all__ = ["Style", "bounded", "json_ready", "preview", "type_name"]

Style = Literal["json", "js"]
"""How a text is written: as JSON, or as JavaScript, where `undefined`, `NaN`, `12n`, Maps and Sets have a form."""

LEAST_BYTES: Final = 64
_MAX_DEPTH: Final = 32
_MAX_NODES: Final = 200_000
_LEAST_NODES: Final = 10_000
_LEAST_SHARES: Final = (100, 32)  # bytes, of an item and of a member: less of it says nothing
_LEAST_PART_BYTES: Final = 24
_MARK: Final = "…"
_SINGULAR: Final = {"items": "item", "members": "member", "entries": "entry"}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def preview(value: object, *, max_bytes: int = 4_000, style: Style = "json") -> str:
    """A value as text of bounded length.

    Strings are cut between characters, arrays between items and objects between members; each of several parts gets
    its share of the room, and small ones leave theirs to the others. In JSON, what was left out is said by a last item,
    a last member, or at the end of the string; in JavaScript by a comment.

    Args:
        value: Any value that a guest can give.
        max_bytes: The longest text, in bytes of UTF-8; 64 at least.
        style: `"json"` or `"js"`.

    Returns:
        The text: `json.loads` reads the one, JavaScript the other, but for what no source text can say, such as
        functions, which are comments beside `undefined`.

    Raises:
        ValueError: There is no such style, or no room.
        TypeError: `max_bytes` is no int.
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int):
        raise TypeError(f"max_bytes must be an int, not {type(max_bytes).__name__}")
    if max_bytes < LEAST_BYTES:
        raise ValueError(f"max_bytes must be at least {LEAST_BYTES}, not {max_bytes}")
    if style not in ("json", "js"):
        raise ValueError(f'style must be "json" or "js", not {style!r}')
    ready = _Ready(_nodes(max_bytes)).convert(value, 0) if style == "json" else value
    return _Writer(style, max_bytes).write(ready, max_bytes, 0)


def bounded(value: object, *, max_bytes: int = 4_000) -> tuple[Any, bool]:
    """The same as data: what `json.loads` reads from the JSON of `preview`, and whether something was left out.

    Args:
        value: Any value that a guest can give. Halves of surrogate pairs become U+FFFD, so that it can be encoded.
        max_bytes: The longest JSON, in bytes of UTF-8; 64 at least.
    """
    max_bytes = max(max_bytes, LEAST_BYTES)
    ready, writer = _Ready(_nodes(max_bytes), is_well_formed=True), _Writer("json", max_bytes)
    text = writer.write(ready.convert(value, 0), max_bytes, 0)
    return json.loads(text), ready.is_cut or writer.is_cut


def type_name(value: object) -> str:
    """What a value is in JavaScript: `"number"`, `"string"`, `"Array"`, `"Map"`, `"TypeError"`, ..."""
    if isinstance(value, JSError):
        return value.js_class or "Error"
    for kinds, name in _TYPES:
        if isinstance(value, kinds):
            return name
    return "object"


_TYPES: Final[tuple[tuple[Any, str], ...]] = (
    (type(None), "null"),
    (type(undefined), "undefined"),
    (bool, "boolean"),
    (BigInt, "bigint"),
    ((int, float), "number"),
    (URL, "URL"),
    (str, "string"),
    ((list, tuple), "Array"),
    (JSMap, "Map"),
    ((set, frozenset, JSSet), "Set"),
    (dict, "Object"),
    ((bytes, bytearray), "Uint8Array"),
    (memoryview, "TypedArray"),
    (datetime.datetime, "Date"),
    (RegExp, "RegExp"),
    (JSFunction, "function"),
    (JSPromise, "Promise"),
    (JSIterator, "Iterator"),
    (JSAsyncIterator, "AsyncIterator"),
    (Request, "Request"),
    (Response, "Response"),
    (Blob, "Blob"),
)


# --- values as JSON has them ------------------------------------------------------------------------------------------


def json_ready(value: object) -> Any:  # noqa: ANN401 - JSON
    """A value made of what JSON has, for `json.dumps`.

    `undefined` is null, numbers that JSON lacks are their names, a bigint is its digits with an n, a date is ISO 8601,
    Maps are arrays of pairs, Sets arrays; an error is an object. What no data stands for is a text in angle brackets.
    """
    return _Ready(_MAX_NODES).convert(value, 0)


def _nodes(max_bytes: int) -> int:
    """How many containers are looked into for a text of so many bytes: structures that share parts have no end."""
    return min(_MAX_NODES, max(_LEAST_NODES, 4 * max_bytes))


class _Ready:
    def __init__(self, most_nodes: int, *, is_well_formed: bool = False) -> None:
        self._left = most_nodes
        self._above: set[int] = set()
        self._is_well_formed = is_well_formed
        self.is_cut = False

    def convert(self, value: object, depth: int) -> Any:  # noqa: ANN401 - JSON
        self._left -= 1
        if value is None or value is undefined:
            return None
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool):
            return value
        if isinstance(value, BigInt):
            return f"{_digits(value)}n"
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else _number(value)
        if isinstance(value, JSError):
            return {"name": self._text(value.name or "Error"), "message": self._text(value.message)}
        children = _children(value)
        if children is None:
            return self._text(_opaque(value))
        if id(value) in self._above:
            self.is_cut = True
            return "<circular>"
        if depth >= _MAX_DEPTH or self._left <= 0:
            self.is_cut = True
            return f"<{type_name(value)}>"
        self._above.add(id(value))
        try:
            if isinstance(children, Mapping):
                return {
                    self._text(key if isinstance(key, str) else str(key)): self.convert(each, depth + 1)
                    for key, each in children.items()
                }
            return [self.convert(each, depth + 1) for each in children]
        finally:
            self._above.discard(id(value))

    def _text(self, text: str) -> str:
        return _SURROGATES.sub("\ufffd", text) if self._is_well_formed else text


def _children(value: object) -> Mapping[Any, Any] | list[Any] | None:
    """What a container holds; None: it is none."""
    if isinstance(value, JSMap):
        return [list(pair) for pair in value.items()]
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list | tuple | set | frozenset | JSSet):
        return list(value)
    return None


def _opaque(value: object) -> str:
    """What stands for a value that is no data."""
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return utc.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, RegExp):
        return f"/{value.source}/{value.flags}"
    if isinstance(value, bytes | bytearray):
        return f"<Uint8Array of {len(value):,} bytes>"
    if isinstance(value, memoryview):
        return f"<TypedArray of {value.nbytes:,} bytes>"
    if isinstance(value, JSFunction):
        return f"<function {value.name}>" if value.name else "<function>"
    name = type_name(value)
    return f"<{type(value).__name__ if name == 'object' else name}>"


def _digits(value: int) -> str:
    """An int of any size; Python refuses to write long ones in decimal."""
    return str(int(value)) if value.bit_length() < 10_000 else hex(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "-0" if value == 0 and math.copysign(1, value) < 0 else json.dumps(value)


def _literal(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))


# --- text -------------------------------------------------------------------------------------------------------------


@record(frozen=True, slots=True)
class _Shape:
    """How a container is written.

    Attributes:
        opening: What stands before its parts.
        closing: What stands behind them.
        parts: Each with the text before it, a key.
        noun: What its parts are called.
        is_object: Whether it has keys.
    """

    opening: str
    closing: str
    parts: list[tuple[str, Any]]
    noun: str
    is_object: bool = False


class _Writer:
    def __init__(self, style: Style, max_bytes: int) -> None:
        self._is_json = style == "json"
        self._above: set[int] = set()
        self._left = _nodes(max_bytes)
        self.is_cut = False

    def write(self, value: object, room: int, depth: int) -> str:
        """A value in so many bytes; what has no room at all is a mark."""
        shape = self._shape(value)
        if isinstance(value, str):
            return self._text(value, room)
        if shape is None:
            return self._leaf(value, room)
        if id(value) in self._above:
            return self._leaf_text("<circular>", room)
        self._left -= 1
        if depth >= _MAX_DEPTH or self._left <= 0:
            return self._summary(shape, room)
        self._above.add(id(value))
        try:
            return self._container(shape, room, depth)
        finally:
            self._above.discard(id(value))

    def _container(self, shape: _Shape, room: int, depth: int) -> str:
        count = len(shape.parts)
        whole = self._size(shape, room, depth) <= room
        reserve = 0 if whole else _bytes(self._rest(count, shape)) + 2
        left = room - _bytes(shape.opening) - _bytes(shape.closing) - reserve
        if left < 0 or (not whole and count and left < 8):
            return self._summary(shape, room)
        written: list[str] = []
        share = left if whole else self._share(shape, left, depth)
        for key, part in shape.parts:
            between = 2 if written else 0
            floor = _LEAST_SHARES[shape.is_object] + _bytes(key)
            most = min(left, max(share, floor)) - between - _bytes(key)
            least = 1 if whole else min(_LEAST_PART_BYTES, self._size_of(part, _LEAST_PART_BYTES, depth + 1))
            if most < (least if not shape.is_object else min(least, 6)):
                break
            text = key + self.write(part, most, depth + 1)
            used = _bytes(text) + between
            if used > left:
                break
            left -= used
            written.append(text)
        if len(written) < count:
            if not written and shape.parts:
                return self._summary(shape, room)
            self.is_cut = True
            rest = self._rest(count - len(written), shape)
            tail = ", ".join(written) + (", " if self._is_json else " ") + rest
            return shape.opening + tail + shape.closing
        return shape.opening + ", ".join(written) + shape.closing

    def _share(self, shape: _Shape, room: int, depth: int) -> int:
        """The most that one part gets, so that small ones leave their room to large ones."""
        parts = shape.parts[: room // 4 + 1]
        sizes = sorted(_bytes(key) + 2 + self._size_of(part, room, depth + 1) for key, part in parts)
        left, count = room, len(sizes)
        for size in sizes:
            if size * count > left:
                break
            left, count = left - size, count - 1
        return left // max(count, 1)

    def _size(self, shape: _Shape, limit: int, depth: int) -> int:
        """How long it is in full; beyond the limit, any number that is greater."""
        total = _bytes(shape.opening) + _bytes(shape.closing) + 2 * max(len(shape.parts) - 1, 0)
        for key, part in shape.parts:
            if total > limit:
                break
            total += _bytes(key) + self._size_of(part, limit - total, depth + 1)
        return total

    def _size_of(self, value: object, limit: int, depth: int) -> int:
        if isinstance(value, str):
            return _bytes(_literal(value)) if len(value) <= limit else limit + 1
        shape = self._shape(value)
        if shape is None:
            return _bytes(self._leaf(value, 1 << 40))
        if depth >= _MAX_DEPTH or id(value) in self._above:
            return limit + 1
        self._above.add(id(value))
        try:
            return self._size(shape, limit, depth)
        finally:
            self._above.discard(id(value))

    def _shape(self, value: object) -> _Shape | None:
        if self._is_json or not isinstance(value, JSMap | set | frozenset | JSSet):
            if isinstance(value, Mapping):
                return _Shape("{", "}", [(f"{self._key(key)}: ", each) for key, each in value.items()], "members", True)
            if isinstance(value, list | tuple):
                return _Shape("[", "]", [("", each) for each in value], "items")
            return None
        children = _children(value)
        assert isinstance(children, list)
        opening = "new Map([" if isinstance(value, JSMap) else "new Set(["
        return _Shape(opening, "])", [("", each) for each in children], "entries")

    def _key(self, key: object) -> str:
        text = key if isinstance(key, str) else str(key)
        is_plain = not self._is_json and text.isascii() and text.isidentifier()
        return text if is_plain else _literal(text)

    def _rest(self, count: int, shape: _Shape) -> str:
        said = f"{_MARK} {count:,} more {shape.noun if count != 1 else _SINGULAR[shape.noun]}"
        if not self._is_json:
            return f"/* {said} */"
        return f'"{_MARK}": "{said[2:]}"' if shape.is_object else f'"{said}"'

    def _summary(self, shape: _Shape, room: int) -> str:
        """A container whose parts have no room."""
        self.is_cut = True
        count = len(shape.parts)
        if self._is_json:
            return self._leaf_text(f"{_MARK} {count:,} {shape.noun}", room)
        text = f"{shape.opening}/* {count:,} {shape.noun} */{shape.closing}"
        return text if _bytes(text) <= room else self._leaf_text("", room)

    def _leaf(self, value: object, room: int) -> str:
        if value is None:
            text = "null"
        elif isinstance(value, bool):
            text = "true" if value else "false"
        elif self._is_json:
            text = json.dumps(value)
        else:
            text = self._js_leaf(value)
        return text if _bytes(text) <= room else self._leaf_text(f"{_MARK} a {type_name(value)}", room)

    def _js_leaf(self, value: object) -> str:
        if value is undefined:
            return "undefined"
        if isinstance(value, BigInt):
            return f"{_digits(value)}n"
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, JSError):
            return f"new {value.js_class or 'Error'}({_literal(value.message)})"
        if isinstance(value, datetime.datetime):
            return f'new Date("{_opaque(value)}")'
        if isinstance(value, RegExp):
            return _opaque(value)
        return f"undefined /* {_opaque(value).strip('<>').replace('*/', '*')} */"

    def _leaf_text(self, text: str, room: int) -> str:
        """A short text that stands for something, or the shortest there is."""
        self.is_cut = True
        if self._is_json:
            for said in (f'"{text}"', f'"{_MARK}"', "0"):
                if _bytes(said) <= room:
                    return said
        said = f"undefined /* {text} */" if text else "undefined"
        return said if _bytes(said) <= room else "0"

    def _text(self, value: str, room: int) -> str:
        quoted = _literal(value) if len(value) <= room else ""
        if quoted and _bytes(quoted) <= room:
            return quoted
        longest = f"{_MARK} ({len(value):,} more characters)"
        left = room - (2 + _bytes(longest) if self._is_json else 9 + _bytes(longest))
        if left < 1:
            return self._leaf_text(f"{_MARK} a string", room)
        self.is_cut = True
        kept = self._fitting(value, left)
        said = f"{_MARK} ({len(value) - len(kept):,} more characters)"
        return f'{_literal(kept)[:-1]}{said}"' if self._is_json else f"{_literal(kept)} /* {said[3:-1]} */"

    @staticmethod
    def _fitting(value: str, room: int) -> str:
        """The longest beginning whose literal, without quotes, has room."""
        low, high = 0, min(len(value), room)
        while low < high:
            middle = (low + high + 1) // 2
            if _bytes(_literal(value[:middle])) - 2 <= room:
                low = middle
            else:
                high = middle - 1
        return value[:low]
