"""What a worker of pytest-xdist was doing when its process crashed, said at the end of the run: a plugin of pytest.

Between the many lines of a run nobody finds it, and of a long run often only the end is kept.
"""

from __future__ import annotations

import faulthandler
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest

_DIRECTORY: Final = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_FRAMES: Final = 12  # of each thread, from the innermost one


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where to write."""
    stash = node.config.stash
    if _DIRECTORY not in stash:
        stash[_DIRECTORY] = tempfile.TemporaryDirectory(prefix="crashes-", ignore_cleanup_errors=True)
    node.workerinput["crash_directory"] = stash[_DIRECTORY].name


def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker: write there, from here on."""
    worker = getattr(session.config, "workerinput", None)
    if worker is not None:
        path = Path(worker["crash_directory"], worker["workerid"])
        faulthandler.enable(path.open("w", encoding="utf-8"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """In the main process: say it."""
    directory = config.stash.get(_DIRECTORY, None)
    if directory is None:
        return
    for path in sorted(Path(directory.name).iterdir()):
        if text := path.read_text("utf-8", "replace"):
            terminalreporter.section(f"worker {path.name} crashed")
            for line in _shortened(text):
                terminalreporter.write_line(line)
    directory.cleanup()


def _shortened(text: str) -> Iterator[str]:
    for part in text.split("\n\n"):
        lines = part.splitlines()
        yield from islice(lines, 1 + _FRAMES)
        if len(lines) > 1 + _FRAMES:
            yield f"  ({len(lines) - 1 - _FRAMES} more)"
