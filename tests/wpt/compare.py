"""Compare what a runner of web-platform-tests found with the failures that are expected.

    python -m tests.wpt.compare RESULTS.json

`RESULTS.json` is what the runner writes: a list `results` with `path`, `variant`, `status` and `subtests`, each a name,
an outcome and a message. A failure that is not in `expectations.toml`, and an expected one that did not happen, are
shown. `python -m tests.wpt` runs the profile and does this.
Exit status: 0 all was as expected, 1 something was not.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXPECTATIONS = Path(__file__).with_name("expectations.toml")


@dataclass(frozen=True, slots=True)
class Failure:
    """One expected failure.

    Attributes:
        file: The test's path, with its variant.
        subtest: A subtest's name; empty: the file as a whole does not come to its end, or all of it fails.
        reason: Why.
    """

    file: str
    subtest: str
    reason: str


def expected(text: str) -> list[Failure]:
    """Read the table of expected failures.

    An entry names a `file`, and of its subtests one (`subtest`), several that fail for one reason (`subtests`), or
    none: then it speaks of the file as a whole.

    Raises:
        ValueError: An entry has no reason, or names no subtests, or a failure is there twice.
    """
    failures = [
        Failure(entry["file"], subtest, entry.get("reason", ""))
        for entry in tomllib.loads(text).get("failure", [])
        for subtest in _subtests(entry)
    ]
    if bare := [failure for failure in failures if not failure.reason.strip()]:
        raise ValueError(f"no reason is given for {bare[0].file}: {bare[0].subtest}")
    seen: set[tuple[str, str]] = set()
    for failure in failures:
        if (key := (failure.file, failure.subtest)) in seen:
            raise ValueError(f"{failure.file}: {failure.subtest} is there twice")
        seen.add(key)
    return failures


def _subtests(entry: Mapping[str, Any]) -> list[str]:
    """The subtests that an entry names; one empty name for the whole file."""
    if "subtests" not in entry:
        return [entry.get("subtest", "")]
    names: list[str] = entry["subtests"]
    if "subtest" in entry or not all(names) or not names:
        raise ValueError(f"the entry for {entry['file']} says in two ways, or in none, which subtests fail")
    return names


def found(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """What failed: file, subtest and message; the subtest is empty where a file did not come to its end."""
    for result in results:
        file = result["path"] + result["variant"]
        if result["status"] != "ok":
            yield file, "", "; ".join([result["status"], *result["errors"]])
        for name, outcome, message in result["subtests"]:
            if outcome not in {"pass", "precondition"}:
                yield file, name, message or outcome


def differences(results: Sequence[Mapping[str, Any]], failures: list[Failure]) -> list[str]:
    """What was not as expected, a line each; files that were not run are left out."""
    wanted = {(failure.file, failure.subtest) for failure in failures}
    whole = {failure.file for failure in failures if not failure.subtest}
    lines = []
    happened: set[tuple[str, str]] = set()
    for file, subtest, message in found(results):
        happened |= {(file, subtest), (file, "")}
        if (file, subtest) not in wanted and file not in whole:
            lines.append(f"failed: {file}: {subtest or 'the file'}: {message}")
    run = {result["path"] + result["variant"] for result in results}
    lines += [
        f"passed: {failure.file}: {failure.subtest or 'the file'}"
        for failure in failures
        if failure.file in run and (failure.file, failure.subtest) not in happened
    ]
    return lines


def against_the_table(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was not as `expectations.toml` says, a line each."""
    return differences(results, expected(EXPECTATIONS.read_text(encoding="utf-8")))


def report(lines: Sequence[str], files: int) -> str:
    """The lines and their number. Names of subtests may hold half of a surrogate pair."""
    text = "\n".join([*lines, f"{files} files, {len(lines)} differences"])
    return text.encode("utf-8", "backslashreplace").decode()


def main(arguments: list[str]) -> int:
    """Do what the command line asks; returns the exit status."""
    results = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["results"]
    lines = against_the_table(results)
    print(report(lines, len(results)))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
