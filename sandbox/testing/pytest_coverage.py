"""Coverage of JavaScript tests that pytest runs, with the workers of pytest-xdist joined."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.testing.coverage import Coverage, FileCoverage
from sandbox.testing.coverage_formats import write_coverage

_KEY: Final = "sandbox_coverage"


class CoveragePlugin:
    """Joins what the files of a session have executed, and says it in the end."""

    def __init__(self, config: pytest.Config) -> None:
        """For a session that has the option."""
        self._config = config
        self._coverage = Coverage()
        self._tests: set[str] = set()

    def add(self, file: str, coverage: Coverage | None) -> None:
        """A file of tests has ended.

        Args:
            file: Its name.
            coverage: What it has executed; None: nothing is known.
        """
        self._tests.add(file)
        self._coverage |= coverage or Coverage()

    def pytest_sessionfinish(self) -> None:
        """A worker hands over what it knows."""
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            sources = {name: each.source for name, each in self._coverage.files.items()}
            output[_KEY] = [self._coverage.plain(), sources, sorted(self._tests)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
        """A worker has ended."""
        told = getattr(node, "workeroutput", {}).get(_KEY)
        if told is not None:
            data, sources, tests = told
            self._tests.update(tests)
            self._coverage |= Coverage.of_plain(data, sources)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show it, and write the files that are asked for."""
        coverage = self._coverage.without(self._tests)
        if not coverage.files:
            return
        terminalreporter.section("coverage of JavaScript")
        width = max(9, *(len(name) for name in coverage.files))
        terminalreporter.line(f"{'File':<{width}}  {'Lines':>9}  {'Functions':>9}")
        for name, each in coverage.files.items():
            terminalreporter.line(f"{name.removeprefix('/'):<{width}}{_percents(each)}")
        terminalreporter.line(f"{'All files':<{width}}{_percents(coverage)}", bold=True)
        for name, why in coverage.unknown.items():
            terminalreporter.line(f"{name.removeprefix('/')}: not measured, {why}")
        directory = self._config.getoption("--sandbox-coverage")
        if directory:
            root = self._config.rootpath / str(self._config.getini("sandbox_root"))
            before = os.path.relpath(root).replace(os.sep, "/")
            write_coverage(coverage, directory, "" if before == "." else before)
            terminalreporter.line(f"written to {Path(directory)}")


def _percents(covered: Coverage | FileCoverage) -> str:
    ratios = (covered.ratio("lines"), covered.ratio("functions"))
    return "".join(f"  {ratio.percent:>7.1f} %" if ratio.total else f"  {'-':>9}" for ratio in ratios)
