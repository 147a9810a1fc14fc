"""Make `wasm/profile.txt` anew: `python -m tests.training`. Needs gcc with its 32-bit libraries, and gcov.

The programs are other ones than those of the benchmarks, so that what these show is what any program gains.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from sandbox import Limits, Sandbox
from tests.sanitized.instance import SanitizedInstance, instead_of_wasm
from tests.training.exchanges import WITH_A_SANDBOX, waiting
from wasm import counts
from wasm.build import Inputs
from wasm.errors import BuildError

PROGRAMS: Final = Path(__file__).with_name("programs")
_LIMITS: Final = Limits(cpu_seconds=600, wall_seconds=600)  # without optimization, and counting


def main() -> int:
    """The command; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="sandbox-counts-") as scratch:
        directory = Path(scratch)
        try:
            SanitizedInstance.program = counts.build(directory, _tell)
            instead_of_wasm()
            text = counts.profile(_train(directory))
        except BuildError as error:
            print(f"failed: {error}", file=sys.stderr)
            return 1
    profile = Inputs().profile
    profile.write_text(text, encoding="utf-8", newline="\n")
    _tell(f"{profile.name}: {len(counts.parse(text)):,} functions")
    return 0


def _train(directory: Path) -> list[counts.Counts]:
    found = []
    for name, work in _works():
        _tell(f"run {name}")
        work()
        found.append(counts.collect(directory))
    return found


def _works() -> Iterator[tuple[str, Callable[[], None]]]:
    for path in sorted(PROGRAMS.glob("*.js")):
        yield path.name, partial(_with_a_sandbox, partial(_run_thrice, path.read_text(encoding="utf-8")))
    for exchange in WITH_A_SANDBOX:
        yield exchange.__name__, partial(_with_a_sandbox, exchange)
    yield waiting.__name__, partial(waiting, _LIMITS)


def _with_a_sandbox(work: Callable[[Sandbox], None]) -> None:
    with Sandbox(limits=_LIMITS) as box:
        work(box)


def _run_thrice(program: str, box: Sandbox) -> None:
    box.eval(program)
    for _ in range(3):
        box.eval("run()")


def _tell(line: str) -> None:
    print(f"{line}\n", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
