from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from sandbox import Remote
from tests.remote.daemons import Running, running


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A daemon for the tests that leave it as it is."""
    with running(Path(tmp_path_factory.mktemp("daemon")) / "s", workers=2) as found:
        yield found


@pytest.fixture
def remote(daemon: Running) -> Iterator[Remote]:
    """A connection to it."""
    with sandbox.connect(daemon.address) as found:
        yield found
