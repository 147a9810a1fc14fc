"""Make `wasm/profile.txt` anew: `python -m tests.training`. Needs gcc with its 32-bit libraries, and gcov.

The programs are other ones than those of the benchmarks, so that what these show is what any program gains.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from sandbox import Limits, Sandbox
from tests.sanitized.instance import SanitizedInstance, instead_of_wasm
from tests.training.exchanges import WITH_A_SANDBOX, waiting
from wasm import counts
from wasm.build import Inputs
from wasm.errors import BuildError

PROGRAMS: Final = Path(__file__).parent / "programs"
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
    for path in sorted(PROGRAMS.glob("*.js")):
        _tell(f"run {path.name}")
        with Sandbox(limits=_LIMITS) as box:
            box.eval(path.read_text(encoding="utf-8"))
            for _ in range(3):
                box.eval("run()")
        found.append(counts.collect(directory))
    for exchange in WITH_A_SANDBOX:
        _tell(f"run {exchange.__name__}")
        with Sandbox(limits=_LIMITS) as box:
            exchange(box)
        found.append(counts.collect(directory))
    _tell(f"run {waiting.__name__}")
    waiting(_LIMITS)
    found.append(counts.collect(directory))
    return found


def _tell(line: str) -> None:
    print(f"{line}\n", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
