"""Which parts of programs their tests have executed: statements and functions, by file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

from sandbox.errors import UsageError

Measure = Literal["lines", "statements", "functions"]
"""What is counted."""

MEASURES: Final[tuple[Measure, ...]] = ("lines", "statements", "functions")


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many of something were executed.

    Attributes:
        executed: How many were.
        total: How many there are.
    """

    executed: int
    total: int

    @property
    def percent(self) -> float:
        """The part that was, from 0 to 100; 100 where there is nothing to execute."""
        return 100.0 * self.executed / self.total if self.total else 100.0

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(self.executed + other.executed, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Covered:
    """A statement or a function.

    Attributes:
        line: Where it begins, from 1.
        column: Likewise, from 1, counted in bytes of the line's UTF-8, as those of stacks are.
        count: How often it was executed.
        name: Of a function; empty: it has none, or it is a statement.
    """

    line: int
    column: int
    count: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """What of one file was executed.

    Attributes:
        file: Its name, as the guest knows it.
        statements: All its statements, in their order. A declaration of a function is none.
        functions: All its functions, likewise.
        source: Its text; empty: it is not known.
    """

    file: str
    statements: tuple[Covered, ...] = ()
    functions: tuple[Covered, ...] = ()
    source: str = field(default="", repr=False, compare=False)

    @property
    def lines(self) -> dict[int, int]:
        """For each line on which a statement begins, how often the one of them was executed that was most often."""
        lines: dict[int, int] = {}
        for each in self.statements:
            lines[each.line] = max(lines.get(each.line, 0), each.count)
        return dict(sorted(lines.items()))

    @property
    def partial_lines(self) -> tuple[int, ...]:
        """Lines of whose statements some were executed and others never, as of `if (a) return;`."""
        lines = self.lines
        return tuple(sorted({each.line for each in self.statements if not each.count and lines[each.line]}))

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """Lines that could have been executed and were not: first and last of those that follow each other."""
        runs: list[tuple[int, int]] = []
        is_open = False
        for line, count in self.lines.items():
            if count:
                is_open = False
            elif is_open:
                runs[-1] = (runs[-1][0], line)
            else:
                runs.append((line, line))
                is_open = True
        return tuple(runs)

    def ratio(self, measure: Measure) -> Ratio:
        """How much of it was executed."""
        counts: Iterable[int]
        if measure == "lines":
            counts = self.lines.values()
        else:
            counts = (each.count for each in (self.statements if measure == "statements" else self.functions))
        known = list(counts)
        return Ratio(sum(count > 0 for count in known), len(known))


@dataclass(frozen=True, slots=True)
class Coverage:
    """What of many files was executed. Branches are not measured, but for the statements in them.

    Attributes:
        files: By name, in the order of names.
        unknown: Files that could not be measured, with the reason.
    """

    files: Mapping[str, FileCoverage] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, measure: Measure) -> Ratio:
        """How much of all files was executed."""
        return sum((each.ratio(measure) for each in self.files.values()), Ratio(0, 0))

    def __or__(self, other: Coverage) -> Coverage:
        """Both together; see `joined`."""
        return Coverage.joined((self, other))

    @classmethod
    def joined(cls, parts: Iterable[Coverage]) -> Self:
        """All of some together: counts of the same statement are added."""
        by_name: dict[str, list[FileCoverage]] = {}
        unknown: dict[str, str] = {}
        for part in parts:
            unknown |= part.unknown
            for name, file in part.files.items():
                by_name.setdefault(name, []).append(file)
        files = {name: found[0] if len(found) == 1 else _joined(found) for name, found in sorted(by_name.items())}
        return cls(files, {name: unknown[name] for name in sorted(unknown) if name not in files})

    def without(self, names: Collection[str]) -> Coverage:
        """All but some files, such as those of the tests themselves."""
        files = {name: each for name, each in self.files.items() if name not in names}
        return replace(
            self, files=files, unknown={each: why for each, why in self.unknown.items() if each not in names}
        )

    def summary(self) -> dict[str, Any]:
        """Totals, and those of each file, as plain data such as JSON can have."""
        return {
            "totals": {measure: _plain_ratio(self.ratio(measure)) for measure in MEASURES},
            "files": {
                name: {measure: _plain_ratio(each.ratio(measure)) for measure in MEASURES}
                for name, each in self.files.items()
            },
            "unknown": dict(self.unknown),
        }

    def plain(self) -> dict[str, Any]:
        """The same, and how often each line, statement and function was executed; see `of_plain`."""
        data = self.summary()
        for name, each in self.files.items():
            data["files"][name] |= {
                "lineCounts": {str(line): count for line, count in each.lines.items()},
                "statementCounts": [[one.line, one.column, one.count] for one in each.statements],
                "functionCounts": [[one.line, one.column, one.count, one.name] for one in each.functions],
            }
        return data

    @classmethod
    def of_plain(cls, data: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> Self:
        """Read what `plain` gave, such as the `coverage.json` of another machine, to be joined with `|`.

        Args:
            data: What it gave.
            sources: Programs by file name; None: they are not known.

        Raises:
            UsageError: It is something else.
        """
        known = sources or {}
        try:
            files = {
                name: FileCoverage(
                    name,
                    tuple(_read(each) for each in parts["statementCounts"]),
                    tuple(_read(each) for each in parts["functionCounts"]),
                    known.get(name, ""),
                )
                for name, parts in sorted(data["files"].items())
            }
            return cls(files, {str(name): str(why) for name, why in data["unknown"].items()})
        except (LookupError, TypeError, ValueError, AttributeError):
            raise UsageError("this is no coverage that was written down") from None


def _read(parts: Sequence[Any]) -> Covered:
    line, column, count, *name = parts
    return Covered(int(line), int(column), int(count), str(*name))


def _plain_ratio(ratio: Ratio) -> dict[str, float]:
    return {"covered": ratio.executed, "total": ratio.total, "percent": round(ratio.percent, 2)}


def _joined(files: Sequence[FileCoverage]) -> FileCoverage:
    source = next((each.source for each in reversed(files) if each.source), "")
    statements, functions = _added([each.statements for each in files]), _added([each.functions for each in files])
    return FileCoverage(files[0].file, statements, functions, source)


def _added(lists: Sequence[Sequence[Covered]]) -> tuple[Covered, ...]:
    """The same statements, as they should be, or those of different texts of a file."""
    counts: dict[tuple[int, int, str], int] = {}
    for each in lists:
        for one in each:
            place = one.line, one.column, one.name
            counts[place] = counts.get(place, 0) + one.count
    return tuple(Covered(line, column, counts[line, column, name], name) for line, column, name in sorted(counts))


def read_minimum(text: str) -> dict[Measure, float]:
    """What must be executed at least, in percent: `80` of lines, or `lines=80,functions=70`.

    Raises:
        UsageError: It says something else.
    """
    least: dict[Measure, float] = {}
    for part in text.split(","):
        name, separator, number = part.rpartition("=")
        measure = name.strip() if separator else "lines"
        try:
            percent = float(number)
        except ValueError:
            percent = -1.0
        if measure not in MEASURES or not 0 <= percent <= 100:
            known = ", ".join(MEASURES)
            raise UsageError(f"{part.strip()!r}: a percentage is expected, such as 80 or functions=70; of {known}")
        least[measure] = percent
    return least
