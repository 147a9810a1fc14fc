"""Run the ordinary tests with the guest's C under the sanitizers: `python -m pytest -p tests.sanitized.plugin ...`.

The class of instances is another one from before anything imports it. A test fails when a sanitizer has anything to say
during it, whatever the test itself makes of a guest that is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.sanitized.exceptions import EXCEPTIONS, FILES, LOSSES
from tests.sanitized.instance import instead_of_wasm
from tests.sanitized.process import totals

instead_of_wasm()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that have no meaning without WebAssembly."""
    path = collection_path.relative_to(config.rootpath).as_posix()
    return True if any(fnmatch(path, pattern) for pattern in FILES) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what has no meaning without WebAssembly, each with its reason."""
    for item in items:
        for pattern, reason in EXCEPTIONS.items():
            if fnmatch(item.nodeid, pattern):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _no_reports(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a sanitizer reported something."""
    totals.reports.clear()
    yield
    may_lose = any(fnmatch(request.node.nodeid, pattern) for pattern in LOSSES)
    reports = [report for report in totals.reports if not (may_lose and _is_loss(report))]
    assert not reports, "\n\n".join(reports)


def _is_loss(report: str) -> bool:
    return report.startswith("Atom leaks:") or "ERROR: LeakSanitizer" in report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much ran."""
    terminalreporter.write_line(f"under the sanitizers: {totals.guests:,} guests, {totals.calls:,} calls of exports")
