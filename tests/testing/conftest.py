"""Files of tests, run in sandboxes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import Report, SuiteResult, run_suites

IMPORTS = "import * as sandboxTest from 'sandbox:test';"
Run = Callable[..., SuiteResult]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs the text of a file."""

    def run_text(code: str, **options: Any) -> SuiteResult:
        path = tmp_path / "a.test.js"
        path.write_text(code, "utf-8")
        report: Report = run_suites([path], root=tmp_path, **options)
        (suite,) = report.suites
        return suite

    yield run_text


def outcome(suite: SuiteResult) -> dict[str, str]:
    """Statuses by full name."""
    return {test.full_name: test.status for test in suite.tests}
