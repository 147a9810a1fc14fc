"""What the tests of WebSockets share: servers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.websocket.application import application, choose
from tests.websocket.servers import server


@pytest.fixture(scope="session")
def plain_server() -> Iterator[int]:
    """The port of a server on loopback."""
    with server(application, select_subprotocol=choose) as port:
        yield port


@pytest.fixture(scope="session")
def secure_server(certificate: Path) -> Iterator[int]:
    """The port of one that speaks TLS, named localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with server(application, context, select_subprotocol=choose) as port:
        yield port
