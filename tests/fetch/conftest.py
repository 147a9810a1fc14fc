"""What the tests of fetch share: servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fetch.app import app
from tests.servers import running


@pytest.fixture(scope="session")
def plain_server() -> Iterator[int]:
    """The port of a server for HTTP/1.1."""
    with running("hypercorn-asyncio", app) as port:
        yield port


@pytest.fixture(scope="session")
def secure_server(certificate: Path) -> Iterator[int]:
    """The port of a server for HTTP/2, named localhost."""
    with running("hypercorn-asyncio", app, certificate) as port:
        yield port
