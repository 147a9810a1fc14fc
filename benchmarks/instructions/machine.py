"""Instructions of the processor, which valgrind's callgrind counts in a process of its own.

Its counters are set to zero before the work and read after it. What asking for the work takes is counted with none, and
taken off. Of two counts the lesser is taken: what is done the first time only is no part of the work. The guest is
compiled for the processor that valgrind shows, which has no AVX-512; that takes a minute and is kept apart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from unittest.mock import patch

from benchmarks.environments import CHECKOUT, cache_directory
from benchmarks.instructions.counts import prepared
from benchmarks.rows import BY_ID
from sandbox import Limits, _face

if TYPE_CHECKING:
    from benchmarks.rows import Row

_VALGRIND: Final = "valgrind"
_CONTROL: Final = "callgrind_control"
_OPERATIONS: Final = {"spawn": 20, "eval": 50, "guest_call": 50}
_LIMITS: Final = Limits(cpu_seconds=600, wall_seconds=600)  # all takes some fifty times as long
_TOTALS: Final = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class NotCountedError(Exception):
    """The tools are not there, or could not do it."""


class Machine:
    """A process under callgrind that does rows' work when asked."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            NotCountedError: valgrind is not installed.
        """
        valgrind, self._control_tool = (_installed(tool) for tool in (_VALGRIND, _CONTROL))
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            counting = [valgrind, "-q", "--tool=callgrind", f"--callgrind-out-file={self._folder / 'out'}"]
            self._process = stack.enter_context(
                subprocess.Popen(
                    [*counting, sys.executable, "-m", "benchmarks.instructions.machine"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    cwd=CHECKOUT,
                    env=os.environ | {"PYTHONHASHSEED": "0", "SANDBOX_CACHE": str(cache_directory() / "instructions")},
                )
            )
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._stack.close()

    def count(self, row: Row) -> float:
        """Instructions of one unit of a row's work.

        Raises:
            NotCountedError: The process has ended, or the tools have changed.
        """
        per_operation = self._ask(row=row.id)
        operations = _OPERATIONS.get(row.kind, 1)
        nothing, work = (min(self._counted(times), self._counted(times)) for times in (0, operations))
        return max(0, work - nothing) / (operations * per_operation)

    def _counted(self, operations: int) -> int:
        self._control("--zero")
        self._ask(operations=operations)
        before = set(self._folder.iterdir())
        self._control("--dump")
        for dump in set(self._folder.iterdir()) - before:
            if found := _TOTALS.search(dump.read_text(encoding="utf-8", errors="replace")):
                dump.unlink()
                return int(found[1])
        raise NotCountedError("callgrind has told no total")

    def _control(self, what: str) -> None:
        command = [self._control_tool, what, str(self._process.pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotCountedError(f"{_CONTROL} {what}: {done.stderr.strip() or done.stdout.strip()}")

    def _ask(self, **request: Any) -> int:  # noqa: ANN401 - what JSON has
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            return int(json.loads(self._process.stdout.readline()))
        except (OSError, ValueError):
            assert self._process.stderr is not None
            self._process.kill()
            raise NotCountedError(f"the process ended: {self._process.stderr.read().strip()[-500:]}") from None


def _installed(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise NotCountedError(f"{tool} is not installed")
    return path


def main() -> None:
    """Do rows' work as asked, until standard input ends; a line for each: how much it is, and that it is done."""
    with patch.object(_face, "_DEFAULT_LIMITS", _LIMITS), ExitStack() as stack:
        work = None
        for line in sys.stdin:
            request = json.loads(line)
            if "row" in request:
                stack.close()
                work = stack.enter_context(prepared(BY_ID[request["row"]]))
                print(work.per_operation, flush=True)
            else:
                assert work is not None
                for _ in range(request["operations"]):
                    work.operation()
                print(0, flush=True)


if __name__ == "__main__":
    main()
