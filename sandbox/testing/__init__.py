"""JavaScript tests inside sandboxes, and what tests of embedders need.

from sandbox.testing import run_suites

report = run_suites(["tests"], workers=4)
print(report.count("passed"), "passed")
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.capabilities.testing import SuiteListener
    from sandbox.testing.calls import CallLog, FakeFetch
    from sandbox.testing.coverage import Coverage, Covered, FileCoverage, Ratio
    from sandbox.testing.coverage_formats import write_coverage
    from sandbox.testing.results import Cause, Report, Status, SuiteResult, TestError, TestResult
    from sandbox.testing.running import expose
    from sandbox.testing.server import IntegrationServer
    from sandbox.testing.session import run_suites
    from sandbox.testing.snapshots import Snapshots
    from sandbox.testing.suite import Settings, SuiteRun, TestEvent

# pytest imports this package at its start, for its plugin.
_LAZY = {
    "CallLog": "sandbox.testing.calls",
    "Cause": "sandbox.testing.results",
    "Coverage": "sandbox.testing.coverage",
    "Covered": "sandbox.testing.coverage",
    "FakeFetch": "sandbox.testing.calls",
    "FileCoverage": "sandbox.testing.coverage",
    "IntegrationServer": "sandbox.testing.server",
    "Ratio": "sandbox.testing.coverage",
    "Report": "sandbox.testing.results",
    "Settings": "sandbox.testing.suite",
    "Snapshots": "sandbox.testing.snapshots",
    "Status": "sandbox.testing.results",
    "SuiteListener": "sandbox.capabilities.testing",
    "SuiteResult": "sandbox.testing.results",
    "SuiteRun": "sandbox.testing.suite",
    "TestError": "sandbox.testing.results",
    "TestEvent": "sandbox.testing.suite",
    "TestResult": "sandbox.testing.results",
    "expose": "sandbox.testing.running",
    "run_suites": "sandbox.testing.session",
    "write_coverage": "sandbox.testing.coverage_formats",
}

__all__ = [
    "CallLog",
    "Cause",
    "Coverage",
    "Covered",
    "FakeFetch",
    "FileCoverage",
    "IntegrationServer",
    "Ratio",
    "Report",
    "Settings",
    "Snapshots",
    "Status",
    "SuiteListener",
    "SuiteResult",
    "SuiteRun",
    "TestError",
    "TestEvent",
    "TestResult",
    "expose",
    "run_suites",
    "write_coverage",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has the name
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LAZY[name]), name)
    return value
