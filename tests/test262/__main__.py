"""`python -m tests.test262`: run ECMAScript's suite, or a sample of it, and compare what fails with what should."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ADAPTER = Path(__file__).with_name("adapter.py")
EXPECTATIONS = Path(__file__).with_name("expectations.toml")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.test262",
        description="Run test262, each test in a sandbox of its own, and compare what fails with "
        "tests/test262/expectations.toml.",
        epilog="Exit status: 0 all was as expected, 1 something failed or passed that should not have, 2 wrong usage.",
    )
    parser.add_argument("--test262", type=Path, required=True, metavar="DIRECTORY", help="a checkout of test262")
    parser.add_argument(
        "--runner",
        type=Path,
        default=os.environ.get("TEST262_RUNNER"),
        metavar="FILE",
        help="test262_runner.py, which puts harness and test together; by default what TEST262_RUNNER names",
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run every Nth test only")
    parser.add_argument("--both", action="store_true", help="run tests in strict mode as well")
    parser.add_argument(
        "--traced", action="store_true", help="have everything told of each run: nothing may change by it"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep the results there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="such as test/built-ins/Promise; by default all")
    options = parser.parse_args(arguments)
    if options.runner is None:
        parser.error("no runner is given, by --runner or TEST262_RUNNER")
    return options


def expected(text: str) -> dict[str, str]:
    """Read the table of expected failures: test to reason.

    Raises:
        ValueError: An entry has no reason or no tests, or a test is there twice.
    """
    reasons: dict[str, str] = {}
    for entry in tomllib.loads(text).get("failure", []):
        if not entry.get("tests") or not entry.get("reason", "").strip():
            raise ValueError(f"an entry needs tests and a reason: {entry}")
        for test in entry["tests"]:
            if test in reasons:
                raise ValueError(f"{test} is there twice")
            reasons[test] = entry["reason"]
    return reasons


def differences(results: Sequence[Mapping[str, Any]], reasons: Mapping[str, str]) -> list[str]:
    """What was not as expected, a line each. A test that is run in two modes fails when it fails in one."""
    failed = {result["path"]: result["reason"] for result in results if not result["pass"]}
    lines = [f"failed: {test}: {reason}" for test, reason in failed.items() if test not in reasons]
    run = {result["path"] for result in results}
    return lines + [f"passed: {test}" for test in reasons if test in run and test not in failed]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    options = parse_arguments(arguments)
    with tempfile.TemporaryDirectory() as directory:
        out = options.out.absolute() if options.out else Path(directory) / "results.json"
        command = [sys.executable, options.runner, "--test262", options.test262.absolute(), "--adapter", ADAPTER]
        command += ["--every", str(options.every), "--jobs", str(options.jobs), "--out", out]
        command += ["--mode", "both" if options.both else "default", *options.folders]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TEST262_TRACED": "1" if options.traced else ""}
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        outcome = json.loads(out.read_text(encoding="utf-8"))
    total = outcome["areas"]["TOTAL"]
    print(f"{total['runs']} runs, {total['pass']} passed, {total['fail']} failed; {outcome['skipped']} tests skipped")
    for why, number in outcome["skipped_by"].items():
        print(f"  {number:5} {why}")
    lines = differences(outcome["results"], expected(EXPECTATIONS.read_text(encoding="utf-8")))
    print("\n".join([*lines, f"{len(lines)} differences"]).encode("utf-8", "backslashreplace").decode())
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
