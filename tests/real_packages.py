"""The rows of `tests/compat/`, run by the packages whose interfaces they describe.

    python -m tests.real_packages                  # all of them
    python -m tests.real_packages quickjs          # one

Not part of `make test`: it needs a network. pip installs the packages, of pinned versions, into an environment of their
own in a temporary folder. Each package runs its rows in a process that has the standard library beside it; where that
ends or stays, the row says so, and the rest is run in another. Exits with 1 when a package does not what its row says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from tests.compat import jsrun_rows, py_mini_racer_rows, quickjs_rows

ROWS: Final = Path(__file__).parent / "compat" / "rows.py"
# What is installed, and what is said of it.
PACKAGES: Final = {
    "quickjs": ("quickjs==1.19.4", quickjs_rows.ROWS),
    "py_mini_racer": ("mini-racer==0.14.1", py_mini_racer_rows.ROWS),
    "jsrun": ("jsrun==0.3.0", jsrun_rows.ROWS),
}
ENDED: Final = "ends the process"
STAYED: Final = "never ends"
_SECONDS: Final = 60.0


def install(folder: Path, requirements: Sequence[str]) -> Path:
    """Make an environment with packages; its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *requirements], check=True)
    return python


def outcomes(python: Path, package: str, programs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What each row comes to."""
    left = list(programs)
    while left:
        with tempfile.TemporaryFile("w+") as wanted, tempfile.TemporaryFile("w+") as told:
            json.dump(left, wanted)
            wanted.seek(0)
            process = subprocess.Popen(
                [python, ROWS, package], stdin=wanted, stdout=told, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir()
            )
            count, how = _watch(process, told.fileno(), len(left))
            told.seek(0)
            lines = [line for line in told.read().splitlines() if line.startswith("[")][:count]
        for line in lines:
            program, come = json.loads(line)
            yield program, come
        left = left[count:]
        if left:
            yield left.pop(0), how


def _watch(process: subprocess.Popen[bytes], file: int, wanted: int) -> tuple[int, str]:
    """How many rows a process told, and what became of it then: it stays where a row takes too long."""
    while True:
        before = os.fstat(file).st_size
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            if os.fstat(file).st_size != before:
                continue
            process.kill()
            process.wait()
            return min(_lines(file), wanted), STAYED
        return min(_lines(file), wanted), ENDED


def _lines(file: int) -> int:
    data = os.pread(file, os.fstat(file).st_size, 0)
    return sum(line.startswith(b"[") for line in data.splitlines())


def main() -> int:
    """Run them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", choices=[[], *PACKAGES], help="which; by default all")
    chosen = parser.parse_args().packages or list(PACKAGES)
    console = Console(highlight=False)
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        with console.status("Installing the packages ..."):
            python = install(Path(folder), [PACKAGES[package][0] for package in chosen])
        for package in chosen:
            requirement, rows = PACKAGES[package]
            run = outcomes(python, package, list(rows))
            wrong = 0
            for program, come in track(run, requirement, total=len(rows), console=console):
                if come != rows[program]:
                    wrong += 1
                    console.print(f"[bold]{package}[/bold]", program, markup=True)
                    console.print(f"  row:     {rows[program]}\n  package: {come}", markup=False)
            console.print(f"{requirement}: {len(rows)} rows, {wrong} of them are not true of it")
            differences += wrong
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
