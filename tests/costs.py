"""What the tests of each file cost, said at the end of a run: a plugin of pytest.

    python -m pytest -n 2 -p tests.costs

CPU time is that of the process that runs a test and of the processes that ended meanwhile, and says the same on a busy
machine. The rest of the time was waited; where it is much, a test waits for a clock that could be a virtual one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import Any, Final

import pytest

_FILES: Final = 30

_waited: Final[Counter[str]] = Counter()
_worked: Final[Counter[str]] = Counter()
_tests: Final[Counter[str]] = Counter()
_before: float = 0.0


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart() -> None:
    """A test begins, in the process that runs it."""
    global _before
    _before = _cpu_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """One of its three phases is over."""
    global _before
    report = yield
    now = _cpu_seconds()
    report.cpu_seconds, _before = now - _before, now
    return report


def pytest_runtest_logreport(report: Any) -> None:
    """The same is told the main process, whichever process ran it."""
    file = report.nodeid.partition("::")[0]
    _worked[file] += report.cpu_seconds
    _waited[file] += max(report.duration - report.cpu_seconds, 0)
    _tests[file] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what costs most."""
    terminalreporter.section("costs")
    terminalreporter.write_line("CPU seconds  waited  tests  file")
    for file, worked in [("all files", sum(_worked.values())), *_worked.most_common(_FILES)]:
        waited, tests = (each.get(file, sum(each.values())) for each in (_waited, _tests))
        terminalreporter.write_line(f"{worked:11.1f} {waited:7.1f} {tests:6}  {file}")
