"""Puts every sandbox of a test run into a daemon: `SANDBOX_REMOTE=1 python -m pytest tests/test_functions.py`.

The same tests then say of remote sandboxes what they say of local ones.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sandbox
from sandbox import Limits, _face, _options
from sandbox.remote.books import Bounds
from tests.remote.daemons import running

if TYPE_CHECKING:
    from sandbox._options import Options
    from sandbox._settings import MakeInstance

IS_WANTED = bool(os.environ.get("SANDBOX_REMOTE"))


@contextmanager
def everywhere() -> Iterator[None]:
    """Have a daemon run what would run here."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory) / "s", workers=2, bounds=Bounds(memory_bytes=4 << 30)) as daemon,
    ):
        remote = sandbox.connect(daemon.address)

        def elsewhere(options: Options, limits: Limits) -> MakeInstance | None:
            if options.record is not None or options.remote is not None:
                return _options.instances_of(options, limits)
            return remote.instances()

        with remote, pytest.MonkeyPatch.context() as patch:
            patch.setattr(_face, "instances_of", elsewhere)
            yield
