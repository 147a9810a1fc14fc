"""Snapshots of values: kept in a file beside the tests, or in the program itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sandbox import _origins, _stack
from sandbox._records import field, record
from sandbox.testing.inline import Edit, InlineError, escaped, rewrite
from sandbox.testing.results import TestError

if TYPE_CHECKING:
    from sandbox.testing.points import Points
    from sandbox.testing.results import SuiteResult

Mode = Literal["new", "check", "update"]
"""What becomes of values that have no snapshot, and of those that differ: written and refused, both refused, or both
written."""

_HEADING: Final = "// Snapshots of tests; `sandbox test --update` writes them anew.\n"
_ENTRY: Final = re.compile(r"^exports\[`((?:[^`\\]|\\.)*)`\] = `\n((?:[^`\\]|\\.)*)\n`;$", re.DOTALL | re.MULTILINE)
_MAX_SNAPSHOTS: Final = 10_000
# Of all that the tests of a file compare: what is counted and kept of it is kept by its text.
MAX_ASKED_CHARS: Final = 32 << 20
_ASKED_CHARS: Final = 200
_MAX_FILE_BYTES: Final = 32 << 20
_FOLDER: Final = "__snapshots__"


def snapshot_path(test_file: Path) -> Path:
    """Where the snapshots of a file of tests are."""
    return test_file.parent / _FOLDER / f"{test_file.name}.snap"


@record(slots=True, eq=False)
class Snapshots:
    """What the values of one file of tests are compared with; the guest's listener.

    Attributes:
        path: The file of snapshots; None: nothing is kept.
        source: The file of tests, for those that are inline; None: nothing is written there.
        guest_file: What the guest calls that.
        mode: What becomes of new ones and of those that differ.
        name_of: The full name of a test, by its id.
        on_ended: Told of tests that ran beside others.
        executed: What the guest tells of the statements that it executes; None: it is not asked.
        sources: Gives the programs by file name, for the places of those that are inline.
    """

    path: Path | None = None
    source: Path | None = None
    guest_file: str = ""
    mode: Mode = "new"
    name_of: Callable[[int], str] = str
    on_ended: Callable[[int, Sequence[Any], float], object] = lambda test, errors, milliseconds: None
    executed: Points | None = None
    sources: Callable[[], Mapping[str, str]] = dict
    counts: Counter[str] = field(default_factory=Counter)
    _kept: dict[str, str] | None = None
    _seen: set[str] = field(default_factory=set)
    _used: Counter[tuple[int, str]] = field(default_factory=Counter)
    _edits: dict[tuple[int, int], str] = field(default_factory=dict)
    _is_changed: bool = False
    _asked_chars: int = 0

    # --- what the guest asks ---

    def match(
        self, test: int, hint: str, text: str, inline: str | None, place: str | None
    ) -> tuple[bool, str | None, str]:
        """See `SuiteListener`."""
        self._asked_chars += len(hint) + len(text) + _ASKED_CHARS
        if self._asked_chars > MAX_ASKED_CHARS:
            return self._told("failed", None, "the tests of this file compare too many and too large snapshots")
        if place is not None:
            return self._match_inline(text, inline, place)
        self._used[test, hint] += 1
        name = self.name_of(test)
        key = f"{name}: {hint} {self._used[test, hint]}" if hint else f"{name} {self._used[test, hint]}"
        kept = self._snapshots()
        self._seen.add(key)
        before = kept.get(key)
        if before == text:
            return self._told("matched")
        if before is not None and self.mode != "update":
            return self._told("failed", before, f"the value differs from the snapshot {key!r}")
        if before is None and self.mode == "check":
            return self._told("failed", None, f"there is no snapshot {key!r}, and none is written here")
        if before is None and len(kept) >= _MAX_SNAPSHOTS:
            return self._told("failed", None, f"a file has at most {_MAX_SNAPSHOTS:,} snapshots")
        kept[key] = text
        self._is_changed = True
        return self._told("written" if before is None else "updated")

    def _match_inline(self, text: str, inline: str | None, place: str) -> tuple[bool, str | None, str]:
        before = None if inline is None else without_indent(inline)
        if before == text:
            return self._told("matched")
        if before is not None and self.mode != "update":
            return self._told("failed", before, "the value differs from the inline snapshot")
        if self.mode == "check" or self.source is None:
            return self._told("failed", before, "there is no inline snapshot, and none is written here")
        frames = _origins.trace(_stack.parse(place), self.sources()).frames
        if not frames or frames[0].file != self.guest_file or frames[0].line is None:
            return self._told(
                "failed", before, "an inline snapshot is written only where the file of the tests asks for it"
            )
        at = (frames[0].line, frames[0].column or 1)
        if len(self._edits) >= _MAX_SNAPSHOTS or self._edits.setdefault(at, text) != text:
            return self._told("failed", self._edits.get(at), "an inline snapshot has two values at the same place")
        return self._told("written" if before is None else "updated")

    def ended(self, test: int, errors: Sequence[Any], milliseconds: float) -> None:
        """See `SuiteListener`."""
        self.on_ended(test, errors, milliseconds)

    def points(self, file: str, first: int, places: bytes) -> None:
        """See `CoverageListener`."""
        if self.executed is not None:
            self.executed.add(file, first, places)

    def passed(self, counts: bytes) -> None:
        """See `CoverageListener`."""
        if self.executed is not None:
            self.executed.count(counts)

    def _told(self, what: str, expected: str | None = None, why: str = "") -> tuple[bool, str | None, str]:
        self.counts[what] += 1
        return what != "failed", expected, why

    # --- the run of a file ---

    def begin(self, test: int) -> None:
        """A test is begun, perhaps once more: its snapshots are counted from the first."""
        for key in [key for key in self._used if key[0] == test]:
            del self._used[key]

    def finish(self, result: SuiteResult, *, is_complete: bool) -> None:
        """Write what is to be written, and say how many there were.

        Args:
            result: Of the file; what cannot be written is an error of it.
            is_complete: Whether all tests were run, so that snapshots nobody asked for are obsolete.
        """
        result.snapshots = self.counts
        try:
            if is_complete and self.path is not None and (self._kept is not None or self.path.is_file()):
                obsolete = self._snapshots().keys() - self._seen
                self.counts["obsolete"] += len(obsolete)
                if self.mode == "update" and obsolete:
                    self._kept = {key: text for key, text in self._snapshots().items() if key in self._seen}
                    self._is_changed = True
            self._write()
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or str(error)
            result.errors.append(TestError("Error", f"snapshots cannot be written: {text}"))

    def _write(self) -> None:
        if self._is_changed and self.path is not None:
            kept = self._snapshots()
            if kept:
                self.path.parent.mkdir(exist_ok=True)
                _replace(self.path, write_snapshots(kept))
            else:
                self.path.unlink(missing_ok=True)
        if self._edits and self.source is not None:
            text = self.source.read_text("utf-8")
            edits = [Edit(line, column, snapshot) for (line, column), snapshot in self._edits.items()]
            try:
                _replace(self.source, rewrite(text, edits))
            except InlineError as error:
                raise ValueError(f"{self.source.name}: {error}") from None

    def _snapshots(self) -> dict[str, str]:
        if self._kept is None:
            self._kept = {}
            if self.path is not None and self.path.is_file():
                if self.path.stat().st_size > _MAX_FILE_BYTES:
                    raise ValueError(f"{self.path.name} is too large")
                self._kept = read_snapshots(self.path.read_text("utf-8"))
        return self._kept


def read_snapshots(text: str) -> dict[str, str]:
    """Read the text of a file of snapshots; by their names."""
    return {_unescaped(match[1]): _unescaped(match[2]) for match in _ENTRY.finditer(text)}


def write_snapshots(snapshots: dict[str, str]) -> str:
    """The text of a file of snapshots, in the order of their names."""
    entries = [f"\nexports[`{escaped(key)}`] = `\n{escaped(snapshots[key])}\n`;\n" for key in sorted(snapshots)]
    return _HEADING + "".join(entries)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def without_indent(text: str) -> str:
    """An inline snapshot without the indentation that it has in its program."""
    lines = text.split("\n")
    if len(lines) < 3 or lines[0].strip() or lines[-1].strip():
        return text
    content = lines[1:-1]
    indent = content[0][: len(content[0]) - len(content[0].lstrip(" \t"))]
    if any(line and not line.startswith(indent) for line in content):
        return "\n".join(content)
    return "\n".join(line[len(indent) :] for line in content)


def _replace(path: Path, text: str) -> None:
    """Write a file at once; it is there as before or as it is to be."""
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_text(text, "utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
