"""What a guest tells of the statements that it executes: points by number, and how often each was passed.

A guest numbers the points of its modules as they are compiled. Where it is set back to what it was, numbers are given
once more, to other points; what was counted before stays counted.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from sandbox._abi import CAP_COVERED_POINTS
from sandbox.testing.coverage import Coverage, Covered, FileCoverage

MOST_FILES: Final = 20_000
MOST_KEPT_POINTS: Final = 4 * CAP_COVERED_POINTS
_PAIR: Final = struct.Struct("<II")
_FUNCTION: Final = 1 << 31
_MOST: Final = 2**53 - 1
_TOO_MANY: Final = f"one file of tests loads more than {CAP_COVERED_POINTS:,} statements and functions"
_SHOWN_NAME_CHARS: Final = 80
# What a function is called, where its text begins with that.
_OWN_NAME: Final = re.compile(r"(?:static\s+)?(?:async\s+)?(?:function\b\s*\*?\s*|(?:[gs]et\s+)?\*?\s*)([\w$#]+)\s*\(")
# And where what stands before it gives it a name.
_GIVEN_NAME: Final = re.compile(r"([\w$#]+)\s*(?:=|:)\s*$")
_NO_NAMES: Final = frozenset({"function", "async", "if", "for", "while", "return", "await", "yield"})


class _Told(NamedTuple):
    first: int
    file: str
    places: bytes


@dataclass(slots=True, eq=False)
class Points:
    """What one sandbox, and its twins, have told."""

    _told: list[_Told] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _done: dict[str, dict[tuple[int, int], int]] = field(default_factory=dict)
    _cut: dict[str, str] = field(default_factory=dict)
    _kept: int = 0

    def add(self, file: str, first: int, places: bytes) -> None:
        """See `CoverageListener.points`."""
        if first > len(self._counts):
            return  # points in between were never told: nothing can be said of these
        self._put_away(first)
        count = len(places) // _PAIR.size
        if first + count >= CAP_COVERED_POINTS and len(self._cut) < MOST_FILES:
            self._cut[file] = _TOO_MANY  # the guest leaves out what comes then
        self._told.append(_Told(first, file, places))
        self._counts += [0] * count

    def count(self, counts: bytes) -> None:
        """See `CoverageListener.passed`."""
        known = self._counts
        for number, times in _PAIR.iter_unpack(counts):
            if number < len(known):
                known[number] = min(known[number] + times, _MOST)

    def _put_away(self, first: int) -> None:
        """Keep what was counted of points from a number on, which will be others."""
        del_from = len(self._told)
        while del_from and self._told[del_from - 1].first >= first:
            del_from -= 1
        if del_from and self._told[del_from - 1].first + len(self._told[del_from - 1].places) // _PAIR.size > first:
            del_from -= 1  # a guest that numbers them otherwise: those it names again are gone
        for told in self._told[del_from:]:
            if told.file not in self._done and (
                len(self._done) >= MOST_FILES or self._kept + len(told.places) > MOST_KEPT_POINTS * _PAIR.size
            ):
                continue
            self._kept += 0 if told.file in self._done else len(told.places)
            file = self._done.setdefault(told.file, {})
            counts = self._counts[told.first : told.first + len(told.places) // _PAIR.size]
            for place, count in zip(_PAIR.iter_unpack(told.places), counts, strict=False):
                if place in file or len(file) < CAP_COVERED_POINTS:
                    file[place] = file.get(place, 0) + count
        del self._told[del_from:]
        del self._counts[first:]

    def coverage(self, sources: Mapping[str, str]) -> Coverage:
        """What was executed, as far as it is known now; nothing is added afterwards.

        Args:
            sources: Programs by file name.
        """
        self._put_away(0)
        files = {
            name: _file(name, counts, sources.get(name, ""))
            for name, counts in sorted(self._done.items())
            if name not in self._cut
        }
        return Coverage(files, dict(sorted(self._cut.items())))


def _file(name: str, counts: Mapping[tuple[int, int], int], source: str) -> FileCoverage:
    statements: list[Covered] = []
    functions: list[Covered] = []
    for place, line, column, function in _layout(source, tuple(counts)):
        if function is None:
            statements.append(Covered(line, column, counts[place]))
        else:
            functions.append(Covered(line, column, counts[place], function))
    return FileCoverage(name, tuple(statements), tuple(functions), source)


@lru_cache(maxsize=64)  # each file of tests asks it anew of the modules that they share
def _layout(
    source: str, places: tuple[tuple[int, int], ...]
) -> tuple[tuple[tuple[int, int], int, int, str | None], ...]:
    """What stands at each place of a text: the place, line, column and, of a function, its name; in their order."""
    text = source.encode("utf-8", "surrogatepass")
    starts = _line_starts(text)
    found = []
    for place in places:
        line, offset = place[0], place[1] & ~_FUNCTION
        name = _name_at(text, offset) if place[1] & _FUNCTION else None
        found.append((place, line, _column(starts, offset), name))
    return tuple(sorted(found, key=lambda each: each[1:3]))


def _line_starts(text: bytes) -> list[int]:
    return [0, *(match.end() for match in re.finditer(rb"\r\n|\n|\r|\xe2\x80[\xa8\xa9]", text))]


def _column(starts: list[int], offset: int) -> int:
    return offset - starts[bisect_right(starts, offset) - 1] + 1


def _name_at(text: bytes, offset: int) -> str:
    """What a function is called whose text begins there; empty: nothing."""
    begin = text[offset : offset + 4 * _SHOWN_NAME_CHARS].decode("utf-8", "ignore")
    own = _OWN_NAME.match(begin)
    if own is not None and own[1] not in _NO_NAMES:
        return own[1][:_SHOWN_NAME_CHARS]
    before = text[max(0, offset - 4 * _SHOWN_NAME_CHARS) : offset].decode("utf-8", "ignore")
    given = _GIVEN_NAME.search(before)
    return given[1][:_SHOWN_NAME_CHARS] if given is not None else ""
