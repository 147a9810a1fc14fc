"""Samples of the guest's stack, by Linux's perf: a child runs the programs, wasmtime tells perf of its code.

The guest that is shipped carries no names; those of its functions are in the linked module of the build cache. As a
command, this module is the child.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks.flames.host import NoProfilerError, Stacks, run_profiler

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FREQUENCY = 1999
_PERFMAP = 3  # of wasmtime's strategies of profiling: a file with the place of each function
_FRAME = re.compile(r"wasm\[0\]::function\[(\d+)\]")


def guest_stacks(programs: Sequence[str], seconds: float) -> Stacks:
    """Run programs of the suite, each for so many seconds, and see which functions of the guest they are in.

    Raises:
        NoProfilerError: There is no perf, or it may not be used.
        wasm.errors.BuildError: The guest's names cannot be found.
    """
    if shutil.which("perf") is None:
        raise NoProfilerError("perf is not installed")
    with tempfile.TemporaryDirectory(prefix="sandbox-flames-") as scratch:
        data = Path(scratch, "perf.data")
        environment = os.environ | {"SANDBOX_CACHE": scratch}
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(_FREQUENCY), "--call-graph", "fp"]
        child = [sys.executable, "-m", __spec__.name, str(seconds), *programs]
        run_profiler("perf", [*record, "-o", str(data), "--", *child], environment)
        text = run_profiler("perf", ["perf", "script", "-i", str(data), "-F", "ip,sym"], environment)
    return fold(text.splitlines(), function_names())


def function_names() -> dict[int, str]:
    """Names of the guest's functions by number, from the module that the linker made; builds it where it is missing."""
    from wasm.build import Inputs, link
    from wasm.cache import cache_directory
    from wasm.module import Module

    return Module.parse(link(Inputs(), cache_directory()).read_bytes()).function_names()


def fold(lines: Iterable[str], names: Mapping[int, str]) -> Stacks:
    """The stacks in what `perf script` prints: a frame a line, innermost first, with an empty line after each stack.

    Frames of anything but the guest are left out, and a function that calls itself counts as one frame.
    """
    stacks: Stacks = Counter()
    frames: list[str] = []
    for line in [*lines, ""]:
        if found := _FRAME.search(line):
            name = names.get(int(found[1]), f"function {found[1]}")
            if not frames or frames[-1] != name:
                frames.append(name)
        elif not line.strip() and frames:
            stacks[tuple(reversed(frames))] += 1
            frames = []
    return stacks


def main(arguments: Sequence[str]) -> None:
    """What perf watches: seconds, and the programs to run for as long each."""
    from benchmarks import workloads
    from sandbox import Sandbox, _wasmtime

    set_profiler = ctypes.CDLL(_wasmtime.LIBRARY).wasmtime_config_profiler_set
    new = _wasmtime.config_new

    def new_with_profiler() -> int:
        config: int = new()
        set_profiler(ctypes.c_void_p(config), _PERFMAP)
        return config

    seconds = float(arguments[0])
    with patch.object(_wasmtime, "config_new", new_with_profiler):
        for name in arguments[1:]:
            with Sandbox() as box:
                box.eval(workloads.program(name) + "\n0;")
                end = perf_counter() + seconds
                while perf_counter() < end:
                    box.eval("run()")


if __name__ == "__main__":
    main(sys.argv[1:])
