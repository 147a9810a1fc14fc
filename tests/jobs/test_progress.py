"""The progress bar, as a terminal shows it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import sandbox
from sandbox import JobProgress
from sandbox.jobs import progress
from sandbox.jobs.progress import ProgressBar
from tests.jobs.conftest import Inline
from tests.jobs.programs import double


def drawn(*steps: JobProgress) -> str:
    """The last picture of a bar."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False)
    bar = ProgressBar(console)
    for step in steps:
        bar(step)
    bar.close()
    text: str = console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    return text.replace("\x1b[?25h", "").rstrip().split("\x1b[2K")[-1].splitlines()[-1]


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (JobProgress(done=0, total=200), ["jobs", "  0/200"]),
        (JobProgress(done=50, total=200), ["50/200", "━━━"]),
        (JobProgress(done=50, failed=3, total=200), ["50/200", "3 failed"]),
        (JobProgress(done=50, failed=1200, retried=1, total=2000), ["1,200 failed, 1 retried"]),
        (JobProgress(done=50, sent=60), ["50/?"]),
    ],
)
def test_what_it_shows(step: JobProgress, shown: list[str]) -> None:
    line = drawn(step)
    assert [part for part in shown if part not in line] == [], line
    assert len(line) <= 100


def test_where_nobody_looks_it_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written))

    assert len(list(sandbox.map(map(double, range(3)), executor=Inline(), progress=True))) == 3
    assert written.getvalue().strip() == ""


def test_a_map_with_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written, force_terminal=True, width=80))

    assert len(list(sandbox.map([double(1)] * 3, executor=Inline(), progress=True))) == 3
    assert "3/3" in written.getvalue()
