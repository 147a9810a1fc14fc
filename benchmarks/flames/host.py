"""Samples of Python's stack while a row's work is done, by py-spy: it looks into a child from outside.

What functions of C take stands with the Python function that called them: the guest's time is that of
`Instance.call`. As a command, this module is the child.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.engines import load
from benchmarks.rows import BY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.rows import Row

Stacks = Counter[tuple[str, ...]]  # outermost function first -> samples

_FREQUENCY = 250
_SAMPLE_SECONDS = 0.05
_ROOT = "measure._time"  # what is above it is the same for all, and what is beside it is not the row's work
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+?)(:\d+)?\)")


class NoProfilerError(Exception):
    """Something cannot be sampled here; the text says why."""


def host_stacks(row: Row, seconds: float) -> Stacks:
    """Do a row's work for so many seconds on our own engine and see which functions it is in.

    Raises:
        NoProfilerError: There is no py-spy, or it may not be used.
    """
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.is_file() else shutil.which("py-spy")
    if program is None:
        raise NoProfilerError("py-spy is not installed")
    with tempfile.TemporaryDirectory(prefix="sandbox-flames-") as scratch:
        raw = Path(scratch, "raw")
        record = [program, "record", "-F", "-f", "raw", "-r", str(_FREQUENCY), "-o", str(raw), "--"]
        child = [sys.executable, "-m", __spec__.name, row.id, str(seconds)]
        run_profiler("py-spy", [*record, *child])
        return fold(raw.read_text("utf-8").splitlines())


def run_profiler(title: str, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> str:
    """Run a profiler and return what it printed.

    Raises:
        NoProfilerError: It failed; the text ends with its last line.
    """
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoProfilerError(f"{title} failed: {(result.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return result.stdout


def fold(lines: Iterable[str]) -> Stacks:
    """The stacks in py-spy's raw format, those of the row's work only: frames with `;` between them, and a count."""
    stacks: Stacks = Counter()
    for line in lines:
        text, _, count = line.rpartition(" ")
        found = [_FRAME.fullmatch(frame) for frame in text.split(";")]
        names = [_name(one["file"], one["function"]) for one in found if one]
        if _ROOT in names[:-1]:
            stacks[tuple(names[names.index(_ROOT) + 1 :])] += int(count)
    return stacks


def _name(file: str, function: str) -> str:
    """A method by its class, another function by its module."""
    function = function.replace("<locals>.", "")
    return function if "." in function else f"{Path(file).stem}.{function}"


def main(arguments: Sequence[str]) -> None:
    """What py-spy watches: a row's work, for so many seconds."""
    prepared = measure.prepare(load("portable"), BY_ID[arguments[0]])
    try:
        measure.calibrate(prepared, _SAMPLE_SECONDS)
        end = perf_counter() + float(arguments[1])
        while perf_counter() < end:
            measure.sample(prepared)
    finally:
        measure.finish(prepared)


if __name__ == "__main__":
    main(sys.argv[1:])
