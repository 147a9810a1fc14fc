"""What the tests of WebSockets share: servers, and sandboxes on every face."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
import trustme

from sandbox import AsyncSandbox, Sandbox
from tests.websocket.application import application, choose
from tests.websocket.servers import server

FACES = ("blocking", "asyncio", "trio")


@pytest.fixture(scope="session")
def plain_server() -> Iterator[int]:
    """The port of a server on loopback."""
    with server(application, select_subprotocol=choose) as port:
        yield port


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def secure_server(authority: trustme.CA) -> Iterator[int]:
    """The port of one that speaks TLS, named localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with server(application, context, select_subprotocol=choose) as port:
        yield port


@pytest.fixture(params=FACES)
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Evaluate code in a sandbox of each face."""
    face: str = request.param

    def evaluate(code: str, **options: Any) -> Any:
        if face == "blocking":
            with Sandbox(**options) as box:
                return box.eval(code)

        async def main() -> Any:
            async with AsyncSandbox(**options) as box:
                return await box.eval(code)

        return anyio.run(main, backend=face)

    return evaluate
