"""Small JavaScript tests by the thousand: `sandbox test` beside `node --test` and Vitest, start-up included.

    python -m benchmarks.suites --files 100 --tests 20

Vitest is installed by npm into a temporary folder, unless one that has it is named. Each runner has its own copy of the
same files, which differ in the lines that import it. Runs are interleaved, and the shortest of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_VITEST: Final = "vitest@4"

_HEADS: Final = {
    "sandbox": 'import { test, expect } from "sandbox:test";',
    "vitest": 'import { test, expect } from "vitest";',
    "node": """import { test } from "node:test";
import assert from "node:assert/strict";
const expect = (value) => ({
  toBe: (other) => assert.equal(value, other),
  toEqual: (other) => assert.deepEqual(value, other),
  toThrow: (other) => assert.throws(value, other),
});""",
}
_TESTS: Final = (
    "test('adds {n}', () => {{ expect([1, 2, {n}].reduce((a, b) => a + b)).toBe(3 + {n}) }});",
    "test('orders {n}', () => {{ expect(['c', 'a', 'b'].toSorted()).toEqual(['a', 'b', 'c']) }});",
    "test('waits {n}', async () => {{ expect(await Promise.resolve({n})).toBe({n}) }});",
    "test('maps {n}', () => {{ expect(new Map([[{n}, {{ a: [1] }}]])).toEqual(new Map([[{n}, {{ a: [1] }}]])) }});",
    "test('throws {n}', () => {{ expect(() => {{ throw new TypeError('no') }}).toThrow(TypeError) }});",
)


@dataclass(frozen=True)
class Runner:
    """How one runner is started in a folder, and what it says when all is well."""

    name: str
    command: tuple[str, ...]
    passed: str


def _write(folder: Path, head: str, files: int, tests: int) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    for number in range(files):
        lines = [_TESTS[each % len(_TESTS)].format(n=number * tests + each) for each in range(tests)]
        (folder / f"f{number}.test.js").write_text("\n".join([head, *lines, ""]))


def _packages(given: Path | None, folder: Path) -> Path | None:
    """A folder `node_modules` with Vitest; None: there is no npm."""
    if given is not None:
        return given
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--no-audit", "--no-fund", _VITEST]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return folder / "node_modules" if done.returncode == 0 else None


def _run(runner: Runner, folder: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "NO_COLOR": "1", "CI": "1"}
    began = time.perf_counter()
    done = subprocess.run(runner.command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode or runner.passed not in " ".join((done.stdout + done.stderr).split()):
        sys.exit(f"{runner.name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


def main() -> None:
    """Write the files, run them, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--tests", type=int, default=20, help="in each file")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--node-modules", type=Path, help="a folder that has vitest")
    parser.add_argument("--json", type=Path, help="write the figures")
    options = parser.parse_args()
    total, workers = options.files * options.tests, str(options.workers)
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        runners = [
            Runner("sandbox", (sys.executable, "-m", "sandbox", "test", "--workers", workers), f"{total:,} passed"),
        ]
        packages: Path | None = None
        if node := shutil.which("node"):
            command = (node, "--test", f"--test-concurrency={workers}", "--test-reporter=tap")
            runners.append(Runner("node", command, f"# pass {total}"))
            packages = _packages(options.node_modules, top)
            if packages is not None:
                entry = str(packages / "vitest" / "vitest.mjs")
                runners.append(
                    Runner("vitest", (node, entry, "run", f"--maxWorkers={workers}"), f"Tests {total} passed")
                )
        for runner in runners:
            _write(top / runner.name, _HEADS[runner.name], options.files, options.tests)
            if runner.name == "vitest" and packages is not None:
                (top / runner.name / "node_modules").symlink_to(packages)
        taken: dict[str, list[float]] = {runner.name: [] for runner in runners}
        for _ in range(options.runs):
            for runner in runners:
                taken[runner.name].append(_run(runner, top / runner.name))
    best = {runner: min(times) for runner, times in taken.items()}
    print(f"{total:,} tests in {options.files} files, {workers} workers; the shortest of {options.runs} runs")
    for name, seconds in best.items():
        print(f"{name:>10}  {seconds:7.2f} s  {seconds / best['sandbox']:6.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps({"files": options.files, "tests": total, "seconds": taken}, indent=2) + "\n")


if __name__ == "__main__":
    main()
