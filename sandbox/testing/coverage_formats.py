"""What was executed, as files for other programs: lcov's tracefile, JSON, and pages for a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.testing import coverage_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.testing.coverage import Coverage, FileCoverage

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def to_lcov(coverage: Coverage, root: str = "") -> str:
    """A tracefile, as lcov, genhtml, and most services and editors read it.

    Args:
        coverage: What was executed.
        root: What stands before the names of files; they begin with `/`.
    """
    lines: list[str] = []
    for name, each in coverage.files.items():
        path = f"{root}{name}" if root else name.removeprefix("/")
        lines += ["TN:", f"SF:{_CONTROL.sub('?', path)}", *_functions(each)]
        counts = each.lines
        lines += [f"DA:{line},{count}" for line, count in counts.items()]
        lines += [f"LF:{len(counts)}", f"LH:{sum(count > 0 for count in counts.values())}", "end_of_record"]
    return "".join(f"{line}\n" for line in lines)


def _functions(file: FileCoverage) -> Iterator[str]:
    taken: set[str] = set()
    named = []
    for each in file.functions:
        name = each.name or f"(anonymous:{each.line})"
        if name in taken:
            name = f"{name}:{each.line}:{each.column}"
        taken.add(name)
        named.append((each, name))
    yield from (f"FN:{each.line},{name}" for each, name in named)
    yield from (f"FNDA:{each.count},{name}" for each, name in named)
    yield f"FNF:{len(named)}"
    yield f"FNH:{sum(each.count > 0 for each, _ in named)}"


def to_json(coverage: Coverage) -> str:
    """One JSON object; see `Coverage.plain`."""
    return json.dumps(coverage.plain())


def write_coverage(coverage: Coverage, directory: str | Path, root: str = "") -> None:
    """Write `lcov.info`, `coverage.json` and pages that begin with `index.html` into a directory, which may be new.

    Args:
        coverage: What was executed.
        directory: Where they go; what else is there stays.
        root: See `to_lcov`.

    Raises:
        OSError: They cannot be written.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    files = {"lcov.info": to_lcov(coverage, root), "coverage.json": to_json(coverage) + "\n"}
    for name, text in (files | coverage_pages.pages(coverage)).items():
        (folder / name).write_text(text, "utf-8", errors="backslashreplace")
