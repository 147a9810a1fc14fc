"""`python -m tests.wpt`: run a profile of web-platform-tests, and compare what fails with what should."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.wpt import compare, server

ROOT = Path(__file__).parents[2]
PROFILES = ("core", "server")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.wpt",
        description="Run files of web-platform-tests, each in a sandbox of its own, and compare what fails with "
        "tests/wpt/expectations.toml.",
        epilog="Exit status: 0 all was as expected, 1 something failed or passed that should not have, or was not run, "
        "2 wrong usage.",
    )
    parser.add_argument("--wpt", type=Path, required=True, metavar="DIRECTORY", help="a checkout of web-platform-tests")
    parser.add_argument(
        "--runner",
        type=Path,
        default=os.environ.get("WPT_RUNNER"),
        metavar="FILE",
        help="wpt_runner.py, which makes a program of each file; by default what WPT_RUNNER names",
    )
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default=PROFILES[0],
        help="core: what needs no server (the default); server: fetch and WebSockets, with the suite's server",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep the results there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("areas", nargs="*", metavar="AREA", help="files or folders of the profile; by default all")
    options = parser.parse_args(arguments)
    if options.runner is None:
        parser.error("no runner is given, by --runner or WPT_RUNNER")
    return options


def profile(areas: Sequence[str] = (), name: str = PROFILES[0]) -> list[str]:
    """The files of a profile that lie in these areas; in any, if none is given."""
    listed = Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in listed.splitlines())
    files = [line for line in lines if line and not line.startswith("#")]
    wanted = [area.strip("/") for area in areas]
    return [file for file in files if not wanted or any(f"{file}/".startswith(f"{area}/") for area in wanted)]


def table(areas: Mapping[str, Mapping[str, Any]]) -> str:
    """What the runner says of each area, a line each."""
    return "\n".join(
        f"{name:52} {area['files']:3} files  {area['files_all_pass']:3} whole  {area['pass']:5}/{area['subtests']:<5} "
        f"{area['pass_rate'] or 0:6.2f} %"
        for name, area in areas.items()
    )


def run(options: argparse.Namespace, files: Sequence[str]) -> dict[str, Any]:
    """Have the runner run these files; returns what it found."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        out = options.out.absolute() if options.out else Path(directory) / "results.json"
        adapter, more = f"{sys.executable} -m tests.wpt.adapter", []
        if options.profile == "server":
            origin = stack.enter_context(server.running(options.wpt.absolute()))
            adapter += f" --server {origin}"
            more = ["--server", origin, "--skip-variant", "h2|wss"]
        command = [sys.executable, options.runner, "--wpt", options.wpt.absolute(), "--adapter", adapter, *more]
        command += ["--jobs", str(options.jobs), "--out", out, *files]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        results: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns the exit status."""
    options = parse_arguments(arguments)
    files = profile(options.areas, options.profile)
    if not files:
        print("nothing of the profile lies there", file=sys.stderr)
        return 2
    results = run(options, files)
    print(table(results["areas"]))
    lines = [
        f"not run: {file}" for file in sorted(set(files) - {result["path"] for result in results["results"]})
    ] + compare.against_the_table(results["results"])
    print(compare.report(lines, len(results["results"])))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
