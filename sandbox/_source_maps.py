"""Source maps: which place of a source a place of a program was made from. Reads them; no input, no output.

The format is ECMA-426. Lines and columns count from zero here, columns in units of UTF-16, as in the format.

Maps are hostile: whoever writes the program writes them too. What is no map, or too large a one, is a `ValueError`, and
reading one takes time and memory that are linear in its length.
"""

from __future__ import annotations

import json
import posixpath
import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import le
from typing import Any, Final, NamedTuple

from sandbox._records import record

MAX_MAP_CHARS: Final = 32 << 20
"""The longest source map that is read, in characters of its JSON."""

# JSON of many small parts takes fifty times its length in memory; maps consist of few and long texts.
_MAX_STRUCTURE_CHARS: Final = 1 << 20
_MAX_LINES: Final = 2_000_000
_MAX_SEGMENTS: Final = 2_000_000
_MAX_KNOWN: Final = 10_000
_MAX_NAME_CHARS: Final = 4_096
_GUARD: Final = re.compile(r"\)\]\}'[^\n]*\n")  # what servers put before JSON, so that it is no script
_TEXTS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ORIGIN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)([^?#]*)")
_DIGITS: Final = {
    char: value for value, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_MAX_DIGITS: Final = 7  # of a number of 32 bits


class Original(NamedTuple):
    """A place of a source.

    Attributes:
        name: What the source is called.
        line: From 0.
        column: From 0, in units of UTF-16.
        text: The source, where the map has it; None: it has not.
    """

    name: str
    line: int
    column: int
    text: str | None


@record(frozen=True, slots=True)
class _Section:
    """A part of a program that has a map of its own.

    Attributes:
        start: Its first line and column in the program.
        mappings: As they are written.
        sources: What its sources are called there.
        texts: Its sources, as far as there are any.
        root: What stands before their names.
        program: What the program is called.
    """

    start: tuple[int, int]
    mappings: str
    sources: Sequence[object]
    texts: Sequence[object]
    root: str
    program: str

    def original(self, number: int, line: int, column: int) -> Original | None:
        """A place of one of its sources; None: it has no such place."""
        if not 0 <= number < len(self.sources) or min(line, column) < 0:
            return None
        text = self.texts[number] if number < len(self.texts) else None
        name = _resolved(self.sources[number], self.root, self.program)
        return Original(name, line, column, text if isinstance(text, str) else None)


class SourceMap:
    """A map that was read. Its mappings are decoded when places are asked for, as far as the last of these."""

    def __init__(self, sections: Sequence[_Section]) -> None:
        """Make one of sections in their order."""
        self._sections: Final = tuple(sections)

    def originals(self, places: Sequence[tuple[int, int]]) -> list[Original | None]:
        """Where places of the program come from.

        Args:
            places: Line and column of each, from 0.

        Returns:
            For each what it comes from, None where the map does not say.

        Raises:
            ValueError: The mappings are damaged.
        """
        found: list[Original | None] = [None] * len(places)
        starts = [section.start for section in self._sections]
        asked: dict[int, list[int]] = {}
        for index, place in enumerate(places):
            number = bisect_right(starts, place) - 1
            if number >= 0:
                asked.setdefault(number, []).append(index)
        for number, indices in asked.items():
            section = self._sections[number]
            within = [_within(places[index], section.start) for index in indices]
            for index, original in zip(indices, _look_up(section, within), strict=True):
                found[index] = original
        return found


def read(text: str | bytes, name: str) -> SourceMap:
    """Read a source map, one with sections among them.

    Args:
        text: Its JSON; bytes are UTF-8.
        name: What the program is called: its sources are named from there.

    Raises:
        ValueError: It is none, or too large.
    """
    if len(text) > MAX_MAP_CHARS:
        raise ValueError(f"the source map is too large: {len(text):,} characters of {MAX_MAP_CHARS:,}")
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    text = _GUARD.sub("", text.removeprefix("\ufeff"), count=1) if text.startswith((")]}'", "\ufeff)")) else text
    if len(_TEXTS.sub("", text)) > _MAX_STRUCTURE_CHARS:
        raise ValueError("the source map is no map: it has too many parts")
    try:
        parts = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("the source map is no map: it is nested too deeply") from None
    if not isinstance(parts, dict) or parts.get("version") != 3:
        raise ValueError("the source map is of no version that is known")
    if "sections" not in parts:
        return SourceMap([_section(parts, (0, 0), name)])
    sections = parts["sections"]
    if not isinstance(sections, list):
        raise ValueError("the sections of the source map are none")  # noqa: TRY004 - of text that was read
    read_sections = [_offset_section(section, name) for section in sections]
    return SourceMap(sorted(read_sections, key=lambda section: section.start))


def _offset_section(section: object, name: str) -> _Section:
    offset = section.get("offset") if isinstance(section, dict) else None
    inner = section.get("map") if isinstance(section, dict) else None
    if not isinstance(offset, dict) or not isinstance(inner, dict) or "sections" in inner:
        raise ValueError("a section of the source map is none")
    line, column = offset.get("line"), offset.get("column")
    if type(line) is not int or type(column) is not int or line < 0 or column < 0:
        raise ValueError("a section of the source map has no place")
    return _section(inner, (line, column), name)


def _section(parts: Mapping[str, Any], start: tuple[int, int], name: str) -> _Section:
    mappings, sources = parts.get("mappings"), parts.get("sources")
    if not isinstance(mappings, str) or not isinstance(sources, list):
        raise ValueError("the source map has no mappings or no sources")  # noqa: TRY004 - see above
    root, contents = parts.get("sourceRoot"), parts.get("sourcesContent")
    given = contents if isinstance(contents, list) else []
    return _Section(start, mappings, sources, given, root if isinstance(root, str) else "", name)


def _resolved(source: object, root: str, program: str) -> str:
    """What a source is called: a URL or an absolute path as it is, any other path from where the program is."""
    program, root = program[:_MAX_NAME_CHARS], root[:_MAX_NAME_CHARS]
    if not isinstance(source, str) or not source:
        return f"{program} (source)"
    source = source[:_MAX_NAME_CHARS]
    if root and not _is_absolute(source):
        source = f"{root.rstrip('/')}/{source}"
    if _SCHEME.match(source):
        return source
    origin = _ORIGIN.match(program)
    if origin:
        return origin[1] + posixpath.normpath(posixpath.join(posixpath.dirname(origin[2]) or "/", source))
    return posixpath.normpath(posixpath.join(posixpath.dirname(program), source))


def _is_absolute(source: str) -> bool:
    return source.startswith("/") or _SCHEME.match(source) is not None


# --- mappings ---------------------------------------------------------------------------------------------------------


def _within(place: tuple[int, int], start: tuple[int, int]) -> tuple[int, int]:
    line, column = place[0] - start[0], place[1]
    return (line, column - start[1]) if line == 0 else (line, column)


def _look_up(section: _Section, places: Sequence[tuple[int, int]]) -> Iterator[Original | None]:
    wanted = _segments(section.mappings, {line for line, _ in places})
    for line, column in places:
        columns, targets = wanted.get(line, _NO_SEGMENTS)
        at = bisect_right(columns, column) - 1
        yield None if at < 0 else section.original(*targets[3 * at : 3 * at + 3])


# The columns of a line at which something begins; and what, three numbers each: source, line and column there.
_Segments = tuple["array[int]", "array[int]"]
_NO_SEGMENTS: Final[_Segments] = array("q"), array("q")


def _segments(mappings: str, wanted: set[int]) -> dict[int, _Segments]:
    """The segments of some lines of the program.

    All numbers but columns count on from one line to the next, so that the lines before are decoded too.

    Raises:
        ValueError: They are damaged, or too many.
    """
    found: dict[int, _Segments] = {}
    known: dict[str, tuple[int, ...]] = {}  # the same few texts stand for most segments
    source = line = column = seen = begin = 0
    for number in range(min(max(wanted, default=-1) + 1, _MAX_LINES)):
        end = mappings.find(";", begin)
        group, begin = (mappings[begin:], len(mappings)) if end < 0 else (mappings[begin:end], end + 1)
        at, columns, targets = 0, array("q"), array("q")
        is_wanted = number in wanted
        seen += group.count(",") + 1
        if seen > _MAX_SEGMENTS:
            raise ValueError("the source map has too many mappings")
        for segment in group.split(",") if group else ():
            deltas = known.get(segment)
            if deltas is None:
                deltas = _numbers(segment)
                if len(known) < _MAX_KNOWN:
                    known[segment] = deltas
            at += deltas[0]
            if len(deltas) > 1:
                source, line, column = source + deltas[1], line + deltas[2], column + deltas[3]
            if is_wanted:
                columns.append(at)
                targets.extend((source, line, column) if len(deltas) > 1 else _NOTHING)
        if is_wanted:
            found[number] = _sorted(columns, targets)
        if end < 0:
            break
    return found


_NOTHING: Final = (-1, -1, -1)


def _sorted(columns: array[int], targets: array[int]) -> _Segments:
    if all(map(le, columns, columns[1:])):
        return columns, targets
    order = sorted(range(len(columns)), key=columns.__getitem__)
    moved = array("q")
    for at in order:
        moved.extend(targets[3 * at : 3 * at + 3])
    return array("q", (columns[at] for at in order)), moved


def _numbers(segment: str) -> tuple[int, ...]:
    """A segment's numbers: one, four, or five.

    Raises:
        ValueError: It is none.
    """
    numbers: list[int] = []
    value = shift = 0
    for char in segment:
        digit = _DIGITS.get(char)
        if digit is None or shift >= 5 * _MAX_DIGITS:
            raise ValueError("the mappings of the source map are damaged")
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(numbers) not in (1, 4, 5):
        raise ValueError("the mappings of the source map are damaged")
    return tuple(numbers)
